//! The connection: made on first use, shared by all callers, replaced when it broke.
//!
//! This does not use redis-rs' own `ConnectionManager`, whose response timeout does not bound the wait for a reconnect,
//! and which never replaces a connection that only times out (a black-holed socket). Here the caller's time bounds
//! every wait, a task connects that no caller's cancellation ends, and a connection is replaced after some timeouts in
//! a row. There is no back-off: the breaker decides how often a server that is down is asked. So whatever keeps a
//! connection from being made is an outage.
//!
//! A connection to a server that is not, or no longer, the primary is given up: the next one may lead to the server
//! that has taken its place. See [`connection`](super::connection).

use super::connection::{Connection, Life, Sent, Unanswered, send_together};
use super::fault::{Copies, Fault, is_broken};
use super::home::Home;
use super::open::{self, CONNECT_WITHIN, open, settings};
use super::overdue::Overdue;
use super::recent::Recent;
use crate::error::{BuildError, FaultKind, StoreError};
use crate::store::Key;
use crate::sync::locked;
use redis::{Client, Cmd, ConnectionAddr, ProtocolVersion, Value};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// A runtime that runs begins a task within this time, unless the machine is very busy.
const SPAWNED: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    state: Mutex<State>,
    recent: Arc<Recent>,
    overdue: Arc<Overdue>,
    /// The server is a node of a cluster.
    is_cluster: AtomicBool,
    me: Weak<Self>,
}

type Made = watch::Receiver<Option<Result<Connection, StoreError>>>;

#[derive(Debug)]
enum State {
    Idle,
    Connecting(Attempt),
    Ready(Connection),
}

/// A task's attempt to connect.
#[derive(Debug, Clone)]
struct Attempt {
    made: Made,
    home: Arc<Home>,
    since: Instant,
}

impl Attempt {
    /// Whether the task is gone with its runtime, or that runtime has gone idle.
    fn is_abandoned(&self) -> bool {
        self.made.has_changed().is_err() || self.since.elapsed() > 2 * CONNECT_WITHIN
    }
}

impl State {
    /// Ends this attempt with its task. Returns `false` if another attempt has taken its place because its runtime
    /// stood still: what it has made may be older than removals, and the server may be another by now.
    fn end(&mut self, made: &Made, connection: Option<Connection>) -> bool {
        let is_current = matches!(self, Self::Connecting(attempt) if attempt.made.same_channel(made));
        if is_current {
            *self = connection.map_or(Self::Idle, Self::Ready);
        }
        is_current
    }
}

/// Whether a connection was there already or had to be made.
struct Connected {
    connection: Connection,
    is_new: bool,
}

/// The reason why a command has no answer, which says whether it may be sent again.
enum Failure {
    /// It may have been carried out.
    Unknown(Fault),
    /// The server refused it since it is not the primary: it was not carried out.
    Left(Fault),
    /// It is the server's answer, or there was none in time.
    Answer(Fault),
}

impl Failure {
    fn into_fault(self) -> Fault {
        match self {
            Self::Unknown(fault) | Self::Left(fault) | Self::Answer(fault) => fault,
        }
    }
}

impl Link {
    pub(super) fn new(url: &str) -> Result<Arc<Self>, BuildError> {
        let client = open::client(url)?;
        Ok(Arc::new_cyclic(|me| Self {
            client,
            state: Mutex::new(State::Idle),
            recent: Arc::default(),
            overdue: Arc::default(),
            is_cluster: AtomicBool::new(false),
            me: Weak::clone(me),
        }))
    }

    /// The client for a connection beside this one, on which the server speaks unasked.
    pub(super) fn client_of_pushes(&self) -> Result<Client, BuildError> {
        let info = self.client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_redis_settings(settings)).map_err(|error| BuildError::field("redis", error.to_string()))
    }

    pub(super) fn me(&self) -> &Weak<Self> {
        &self.me
    }

    pub(super) fn recent(&self) -> &Arc<Recent> {
        &self.recent
    }

    pub(super) fn overdue(&self) -> &Arc<Overdue> {
        &self.overdue
    }

    /// Host and port or the socket's path; no user and no password.
    pub(super) fn address(&self) -> &ConnectionAddr {
        self.client.get_connection_info().addr()
    }

    /// Whether the server has said that it is a node of a cluster.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.is_cluster.load(Ordering::Relaxed)
    }

    /// Notes that keys are about to be removed.
    pub(super) fn removes<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        self.recent.note(keys, Instant::now());
        self.beat();
    }

    /// Closes the connection, and ends the tasks that make it and keep it up. The next command makes another.
    pub(super) fn close(&self) {
        self.recent.ends_beat();
        let closed = std::mem::replace(&mut *self.locked(), State::Idle);
        // Not under the lock, because a connection that is dropped wakes its task.
        drop(closed);
    }

    /// Sends a command and waits for its answer, connecting first if need be, all of it before the deadline.
    pub(super) async fn send(&self, command: &Cmd, copies: Copies, deadline: Instant) -> Result<Value, Fault> {
        self.send_any(Sent::One(command), copies, deadline).await
    }

    /// As [`send`](Self::send), for several reads in one write. The answer is an array of their answers.
    pub(super) async fn send_all(&self, commands: &[Cmd], deadline: Instant) -> Result<Value, Fault> {
        self.send_any(Sent::All(commands), Copies::Harmless, deadline).await
    }

    async fn send_any(&self, sent: Sent<'_>, copies: Copies, deadline: Instant) -> Result<Value, Fault> {
        let mut connected = self.connection(deadline).await?;
        match self.send_on(&mut connected.connection, sent, deadline).await {
            // Servers close idle connections, restart, and are replaced by others; callers need not feel it.
            Err(Failure::Unknown(_)) if !connected.is_new && copies == Copies::Harmless => {}
            Err(Failure::Left(_)) if !connected.is_new => {}
            answer => return answer.map_err(Failure::into_fault),
        }
        let mut connected = self.connection(deadline).await?;
        self.send_on(&mut connected.connection, sent, deadline).await.map_err(Failure::into_fault)
    }

    async fn send_on(&self, connection: &mut Connection, sent: Sent<'_>, deadline: Instant) -> Result<Value, Failure> {
        let now = Instant::now();
        let (redis, life) = connection.parts();
        let is_due = life.is_due(now);
        if is_due {
            self.beat();
        }
        let answer = async {
            match sent {
                Sent::One(command) if !is_due => Ok(redis.send_packed_command(command).await?),
                sent => Box::pin(send_together((redis, life), sent, is_due.then_some(now))).await,
            }
        };
        let mut answer = pin!(answer);
        let half = now + deadline.saturating_duration_since(now) / 2;
        let answer = match timeout_at(half, &mut answer).await {
            Ok(answer) => Some(answer),
            // Another runtime that stands still says nothing about the server.
            Err(_) if !Box::pin(life.home().runs(half + (deadline - half) / 2)).await => {
                self.give_up(life);
                let message = "the runtime that drives the connection stands still";
                return Err(Failure::Unknown(Fault::new(FaultKind::Abandoned, message)));
            }
            Err(_) => timeout_at(deadline, &mut answer).await.ok(),
        };
        if answer.is_none()
            && let Sent::One(command) = sent
        {
            self.overdue.note(command, now, Instant::now());
        }
        let judged = self.judge(life, answer, now);
        match judged {
            // A runtime that ends takes its connections along, which says nothing about the server either.
            Err(Failure::Unknown(fault)) if !Box::pin(life.home().runs(begun_by(deadline))).await => {
                let message = format!("the runtime that drove the connection is gone: {}", fault.error.message);
                Err(Failure::Unknown(Fault::new(FaultKind::Abandoned, &message)))
            }
            judged => judged,
        }
    }

    /// Judges what an answer, or none in time, means for the connection and the caller.
    fn judge(
        &self,
        life: &Arc<Life>,
        answer: Option<Result<Value, Unanswered>>,
        sent: Instant,
    ) -> Result<Value, Failure> {
        let error = match answer {
            Some(Ok(value)) => {
                life.answered();
                match value.extract_error() {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                }
            }
            Some(Err(Unanswered::Error(error))) => error,
            Some(Err(Unanswered::Changed(error))) => {
                self.give_up(life);
                return Err(Failure::Unknown(error.into()));
            }
            None => {
                if life.timed_out(sent, Instant::now()) {
                    self.give_up(life);
                }
                return Err(Failure::Answer(Fault::new(FaultKind::Timeout, "the command was sent")));
            }
        };
        if is_broken(&error) {
            self.give_up(life);
            return Err(Failure::Unknown(error.into()));
        }
        if error.code() == Some("MOVED") {
            self.is_cluster();
        }
        let fault = Fault::from(error);
        match fault.error.kind {
            FaultKind::NotPrimary => {
                self.give_up(life);
                Err(Failure::Left(fault))
            }
            // A primary that has become a replica says this as well while it takes over the data of another.
            FaultKind::Loading if life.is_old() => {
                self.give_up(life);
                Err(Failure::Answer(fault))
            }
            _ => Err(Failure::Answer(fault)),
        }
    }

    /// The present connection, or the one that is being made.
    async fn connection(&self, deadline: Instant) -> Result<Connected, StoreError> {
        let mut lost = None;
        loop {
            let mut attempt = match self.attempt(lost.take()) {
                Ok(connection) => return Ok(Connected { connection, is_new: false }),
                Err(attempt) => attempt,
            };
            let now = Instant::now();
            let half = now + deadline.saturating_duration_since(now) / 2;
            let made = match timeout_at(half, attempt.made.wait_for(Option::is_some)).await.map(made) {
                Err(_) if attempt.home.runs(half + (deadline - half) / 2).await => {
                    timeout_at(deadline, attempt.made.wait_for(Option::is_some)).await.map(made)
                }
                made => made,
            };
            match made {
                Ok(Some(result)) => return Ok(Connected { connection: result?, is_new: true }),
                _ if Instant::now() >= deadline => {
                    return Err(StoreError::new(FaultKind::Timeout, format!("still connecting to {}", self.address())));
                }
                // The runtime on which it was to be made is gone or stands still.
                Ok(None) | Err(_) => lost = Some(attempt.made),
            }
        }
    }

    /// The connection, or the attempt to make one, but not the one that is lost.
    fn attempt(&self, lost: Option<Made>) -> Result<Connection, Attempt> {
        let mut state = self.locked();
        match &*state {
            State::Ready(connection) if !connection.life().home().is_gone() => return Ok(connection.clone()),
            State::Connecting(attempt)
                if !attempt.is_abandoned() && !lost.is_some_and(|lost| lost.same_channel(&attempt.made)) =>
            {
                return Err(attempt.clone());
            }
            State::Idle | State::Ready(_) | State::Connecting(_) => {}
        }
        let attempt = self.start_connecting();
        *state = State::Connecting(attempt.clone());
        Err(attempt)
    }

    /// Connects in a task of its own, which continues when the caller's time is over.
    fn start_connecting(&self) -> Attempt {
        let (tell, made) = watch::channel(None);
        let attempt = Attempt { made: made.clone(), home: Arc::new(Home::here()), since: Instant::now() };
        let (client, recent, link) = (self.client.clone(), Arc::clone(&self.recent), Weak::clone(&self.me));
        tokio::spawn(async move {
            let result = connect(&client, &recent).await;
            let Some(link) = link.upgrade() else { return };
            if let Ok(connection) = &result
                && connection.life().is_of_cluster()
            {
                link.is_cluster();
            }
            // A caller that still waits for an attempt that was replaced is told that it failed, and looks again.
            if link.locked().end(&made, result.as_ref().ok().cloned()) {
                let _ = tell.send(Some(result));
            }
        });
        attempt
    }

    /// Logs once that the server is a node of a cluster.
    fn is_cluster(&self) {
        if !self.is_cluster.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                server = %self.address(),
                "the cache's server is a node of a Redis Cluster, which this version does not support: keys of other nodes \
                 are neither cached nor invalidated. A cluster of one node that owns all slots works, but for values that \
                 are put together with tags or events; else give the address of a server without cluster mode"
            );
        }
    }

    fn give_up(&self, broken: &Arc<Life>) {
        let mut state = self.locked();
        if matches!(&*state, State::Ready(now) if Arc::ptr_eq(now.life(), broken)) {
            *state = State::Idle;
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// The moment by which a running runtime has begun a task, within the caller's time.
fn begun_by(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + SPAWNED)
}

/// `None` if the task that was to connect is gone.
fn made(
    told: Result<watch::Ref<'_, Option<Result<Connection, StoreError>>>, watch::error::RecvError>,
) -> Option<Result<Connection, StoreError>> {
    told.ok().and_then(|told| told.clone())
}

async fn connect(client: &Client, recent: &Recent) -> Result<Connection, StoreError> {
    let address = client.get_connection_info().addr();
    match timeout(CONNECT_WITHIN, open(client, recent, &settings())).await {
        Ok(Ok(opened)) => Ok(Connection::new(opened)),
        Ok(Err(error)) if error.kind == FaultKind::NotPrimary => Err(error),
        Ok(Err(StoreError { kind, message, .. })) if kind.is_outage() => {
            Err(StoreError::new(kind, format!("{address}: {message}")))
        }
        // Whatever the reason, no command can be sent.
        Ok(Err(error)) => {
            Err(StoreError::new(FaultKind::Disconnected, format!("{address} refuses the connection: {error}")))
        }
        Err(_) => Err(StoreError::new(FaultKind::Timeout, format!("still connecting to {address}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> (watch::Sender<Option<Result<Connection, StoreError>>>, Attempt) {
        let (tell, made) = watch::channel(None);
        (tell, Attempt { made, home: Arc::new(Home::here()), since: Instant::now() })
    }

    #[tokio::test]
    async fn an_attempt_that_was_replaced_changes_nothing() {
        let ((_tell, first), (_tell_too, second)) = (attempt(), attempt());
        let mut state = State::Connecting(second.clone());
        assert!(!state.end(&first.made, None));
        assert!(matches!(&state, State::Connecting(now) if now.made.same_channel(&second.made)));
        assert!(state.end(&second.made, None));
        assert!(matches!(state, State::Idle));
        assert!(!state.end(&second.made, None), "there is nothing to end any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_at_the_runtime_ends_with_the_callers_time() {
        let now = Instant::now();
        assert_eq!(begun_by(now + SPAWNED / 2), now + SPAWNED / 2);
        assert_eq!(begun_by(now + SPAWNED * 2), now + SPAWNED);
    }
}
