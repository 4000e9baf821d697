//! The connection: made on first use, shared by all callers, replaced when it broke.
//!
//! redis-rs' own `ConnectionManager` is not used: waiting for its reconnect is not bounded by its response timeout, and
//! a connection that only times out (a black-holed socket) is never replaced. Here every wait is bounded by the
//! caller's time, connecting runs as a task that no caller's cancellation ends, and timeouts in a row cost a connection
//! its place. There is no back-off: how often a server that is down is asked is
//! decided by the breaker above.

use super::fault::{Fault, classify, is_broken};
use super::recent::Recent;
use crate::error::{BuildError, FaultKind, StoreError};
use crate::store::Key;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisError, Value,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// Bounds a connection attempt, handshake included. Callers wait for it no longer than their own time.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Timeouts in a row after which a connection is given up.
const TIMEOUTS: u32 = 3;
/// Finds out within a minute that the other side has vanished.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Whether a command may reach the server twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// Sent again when its connection broke: a copy that is carried out late does no harm.
    Harmless,
    /// Sent once: it brings a fresh identity, and a late copy would bring that back after an invalidation has ended it.
    Never,
}

/// Removals in one pipeline.
const REMOVED_AT_ONCE: usize = 1000;

#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    state: Arc<Mutex<State>>,
    recent: Arc<Recent>,
}

#[derive(Debug)]
enum State {
    Idle,
    Connecting(watch::Receiver<Option<Result<Connection, StoreError>>>, Instant),
    Ready(Connection),
}

#[derive(Debug, Clone)]
struct Connection {
    redis: MultiplexedConnection,
    /// Timeouts since the last answer. Its address is the connection's identity.
    timeouts: Arc<AtomicU32>,
}

/// Whether a connection was there already or had to be made.
struct Connected {
    connection: Connection,
    is_new: bool,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(url: &str) -> Result<Self, BuildError> {
        let problem = |error: RedisError| {
            let missing = if url.starts_with("rediss:") && !cfg!(feature = "tls") {
                "; `rediss://` needs cached-core's feature `tls`"
            } else {
                "; write `redis://[user:password@]host[:port][/db]`, `rediss://..` or `unix:///path`"
            };
            BuildError::field("redis", format!("{error}{missing}"))
        };
        #[cfg(feature = "tls")]
        if url.starts_with("rediss:") && rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails if the application chooses one at this moment, which is just as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let info = url.into_connection_info().map_err(problem)?;
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_tcp_settings(tcp).set_redis_settings(settings)).map_err(problem)?;
        Ok(Self { client, state: Arc::new(Mutex::new(State::Idle)), recent: Arc::default() })
    }

    /// For a connection beside this one, on which the server speaks unasked.
    pub(super) fn client_of_pushes(&self) -> Result<Client, BuildError> {
        let info = self.client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_redis_settings(settings)).map_err(|error| BuildError::field("redis", error.to_string()))
    }

    pub(super) fn recent(&self) -> &Arc<Recent> {
        &self.recent
    }

    /// Host and port or the socket's path; no user and no password.
    pub(super) fn address(&self) -> &ConnectionAddr {
        self.client.get_connection_info().addr()
    }

    /// Tells that keys are about to be removed.
    pub(super) fn removes<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        self.recent.note(keys, Instant::now());
    }

    /// Sends a command and waits for its answer, connecting first if need be, all of it before the deadline.
    pub(super) async fn send(&self, command: &Cmd, copies: Copies, deadline: Instant) -> Result<Value, Fault> {
        let unreachable = |error| Fault { error, is_unknown_script: false };
        let mut connected = self.connection(deadline).await.map_err(unreachable)?;
        match self.send_on(&mut connected.connection, command, deadline).await {
            // The server closes idle connections and restarts; neither has to be felt.
            Err(Failure::Broken(_)) if !connected.is_new && copies == Copies::Harmless => {
                let mut connected = self.connection(deadline).await.map_err(unreachable)?;
                self.send_on(&mut connected.connection, command, deadline).await.map_err(Failure::into_fault)
            }
            answer => answer.map_err(Failure::into_fault),
        }
    }

    async fn send_on(&self, connection: &mut Connection, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        match timeout_at(deadline, connection.redis.send_packed_command(command)).await {
            Ok(Ok(value)) => {
                connection.timeouts.store(0, Ordering::Relaxed);
                value.extract_error().map_err(|error| Failure::Answer(error.into()))
            }
            Ok(Err(error)) if is_broken(&error) => {
                self.give_up(connection);
                Err(Failure::Broken(error.into()))
            }
            Ok(Err(error)) => Err(Failure::Answer(error.into())),
            Err(_) => {
                if connection.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS {
                    self.give_up(connection);
                }
                Err(Failure::Answer(Fault::new(FaultKind::Timeout, "the command was sent")))
            }
        }
    }

    /// The connection there is, or the one that is being made.
    async fn connection(&self, deadline: Instant) -> Result<Connected, StoreError> {
        let mut made = {
            let mut state = locked(&self.state);
            match &*state {
                State::Ready(connection) => return Ok(Connected { connection: connection.clone(), is_new: false }),
                State::Connecting(made, since) if !is_abandoned(made, *since) => made.clone(),
                State::Idle | State::Connecting(..) => {
                    let made = self.start_connecting();
                    *state = State::Connecting(made.clone(), Instant::now());
                    made
                }
            }
        };
        let gone = || StoreError::new(FaultKind::Disconnected, "the connection attempt was dropped");
        match timeout_at(deadline, made.wait_for(Option::is_some)).await {
            Ok(Ok(result)) => {
                let connection = result.clone().unwrap_or_else(|| Err(gone()))?;
                Ok(Connected { connection, is_new: true })
            }
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(StoreError::new(FaultKind::Timeout, "still connecting")),
        }
    }

    /// Connects in a task of its own, which goes on when the caller's time is over.
    fn start_connecting(&self) -> watch::Receiver<Option<Result<Connection, StoreError>>> {
        let (tell, made) = watch::channel(None);
        let (client, state, recent) = (self.client.clone(), Arc::clone(&self.state), Arc::clone(&self.recent));
        tokio::spawn(async move {
            let result = connect(&client, &recent).await;
            *locked(&state) = match &result {
                Ok(connection) => State::Ready(connection.clone()),
                Err(_) => State::Idle,
            };
            let _ = tell.send(Some(result));
        });
        made
    }

    fn give_up(&self, broken: &Connection) {
        let mut state = locked(&self.state);
        if matches!(&*state, State::Ready(now) if Arc::ptr_eq(&now.timeouts, &broken.timeouts)) {
            *state = State::Idle;
        }
    }
}

/// Whether the task that was to connect is gone with the runtime it ran on, or that runtime has gone idle.
fn is_abandoned(made: &watch::Receiver<Option<Result<Connection, StoreError>>>, since: Instant) -> bool {
    made.has_changed().is_err() || since.elapsed() > 2 * CONNECT_WITHIN
}

enum Failure {
    /// The connection broke: the command may be sent again on another.
    Broken(Fault),
    /// The server's answer, or none in time.
    Answer(Fault),
}

impl Failure {
    fn into_fault(self) -> Fault {
        match self {
            Self::Broken(fault) | Self::Answer(fault) => fault,
        }
    }
}

async fn connect(client: &Client, recent: &Recent) -> Result<Connection, StoreError> {
    match timeout(CONNECT_WITHIN, open(client, recent, &settings())).await {
        Ok(Ok(redis)) => Ok(Connection { redis, timeouts: Arc::default() }),
        Ok(Err(error)) => Err(classify(&error)),
        Err(_) => Err(StoreError::new(FaultKind::Timeout, "still connecting")),
    }
}

/// No timeout of redis-rs' own: each command has its caller's.
pub(super) fn settings() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

/// A connection that is of use: what was removed lately is removed again.
pub(super) async fn open(
    client: &Client,
    recent: &Recent,
    settings: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisError> {
    let mut redis = client.get_multiplexed_async_connection_with_config(settings).await?;
    remove_again(&mut redis, &recent.keys(Instant::now())).await?;
    Ok(redis)
}

/// Before the connection is of use to anybody.
async fn remove_again(redis: &mut MultiplexedConnection, keys: &[Key]) -> Result<(), RedisError> {
    for keys in keys.chunks(REMOVED_AT_ONCE) {
        let mut pipeline = redis::pipe();
        // One by one, since a cluster's node takes no others.
        for key in keys {
            pipeline.cmd("UNLINK").arg(&**key).ignore();
        }
        for answer in redis.send_packed_commands(&pipeline, 0, keys.len()).await? {
            match answer.extract_error() {
                // A server that loads its data has not removed it, and will have it in a moment.
                Err(error) if classify(&error).kind.is_outage() => return Err(error),
                // What this user may not remove, or another node holds, was not removed the first time either.
                Ok(_) | Err(_) => {}
            }
        }
    }
    Ok(())
}
