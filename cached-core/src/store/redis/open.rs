//! Opens usable connections: to a primary, and after it has removed again what was removed lately.

use super::fault::classify;
use super::recent::Recent;
use super::role::{Question, Role, ask};
use crate::error::{BuildError, FaultKind, StoreError};
use crate::store::Key;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError};
use std::time::Duration;
use tokio::time::Instant;

/// The bound of a connection attempt, handshake included. Callers wait for it no longer than their own time.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Keepalive: it finds out within a minute that the other side has vanished.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The most removals in one pipeline.
const REMOVED_AT_ONCE: usize = 1000;

/// A connection, and the command by which the server tells its role; `None` if it does not.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) redis: MultiplexedConnection,
    pub(super) role: Option<(Question, Role)>,
    /// The moment before the role was asked for.
    pub(super) asked: Instant,
}

/// The client of the server at this URL. Nothing is sent yet.
pub(super) fn client(url: &str) -> Result<Client, BuildError> {
    let problem = |error: RedisError| {
        let missing = if url.starts_with("rediss:") && !cfg!(feature = "tls") {
            "; `rediss://` needs cached-core's feature `tls`: `cargo add cached-core --features tls`"
        } else {
            "; write `redis://[user:password@]host[:port][/db]`, `rediss://..` or `unix:///path`"
        };
        BuildError::field("redis", format!("{error}{missing}"))
    };
    #[cfg(feature = "tls")]
    if url.starts_with("rediss:") && rustls::crypto::CryptoProvider::get_default().is_none() {
        // This fails if the application chooses one at this moment, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let info = url.into_connection_info().map_err(problem)?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        let advice = "`#insecure` cannot work: the server's certificate is always verified. Leave it out and trust the \
                      certificate's issuer: by the system's root certificates, or by a file that SSL_CERT_FILE names";
        return Err(BuildError::field("redis", advice));
    }
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    Client::open(info.set_tcp_settings(tcp).set_redis_settings(settings)).map_err(problem)
}

/// The most commands that wait to be written. A caller that finds the queue full waits in line, and while its future is
/// not polled it holds up all that come after it. With this size, the connection is given up before the queue is full.
/// The queue takes memory only for what is in it.
const QUEUE: usize = 1 << 16;

/// The settings of a connection. redis-rs' own timeout is off: each command has that of its caller.
pub(super) fn settings() -> AsyncConnectionConfig {
    let settings = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    settings.set_pipeline_buffer_size(QUEUE)
}

/// Connects to a server that is the primary as far as it tells, and removes again there what was removed lately.
pub(super) async fn open(
    client: &Client,
    recent: &Recent,
    settings: &AsyncConnectionConfig,
) -> Result<Opened, StoreError> {
    let made = client.get_multiplexed_async_connection_with_config(settings).await;
    let mut redis = made.map_err(|error| unmade(&error))?;
    let asked = Instant::now();
    let role = ask(&mut redis).await.map_err(|error| unmade(&error))?;
    if let Some((_, role)) = &role
        && let Some(fault) = role.fault(&client.get_connection_info().addr().to_string())
    {
        return Err(fault);
    }
    remove_again(&mut redis, &recent.keys(Instant::now())).await.map_err(|error| classify(&error))?;
    Ok(Opened { redis, role, asked })
}

/// The reason why there is no connection, in one line; the client shows over several lines what it cannot read.
fn unmade(error: &RedisError) -> StoreError {
    if error.kind() == ErrorKind::Parse {
        return StoreError::new(
            FaultKind::Disconnected,
            "no Redis server answers there: what it sent is no Redis protocol",
        );
    }
    classify(error)
}

/// Removes again what was removed lately, before anybody uses the connection.
async fn remove_again(redis: &mut MultiplexedConnection, keys: &[Key]) -> Result<(), RedisError> {
    for keys in keys.chunks(REMOVED_AT_ONCE) {
        let mut pipeline = redis::pipe();
        // Each removal is a command of its own, since a cluster's node takes no others.
        for key in keys {
            pipeline.cmd("UNLINK").arg(&**key).ignore();
        }
        for answer in redis.send_packed_commands(&pipeline, 0, keys.len()).await? {
            match answer.extract_error() {
                // A server that loads its data has not removed the key, and will hold it in a moment.
                Err(error) if classify(&error).kind.is_outage() => return Err(error),
                // A key that this user may not remove, or that another node holds, was not removed the first time
                // either.
                Ok(_) | Err(_) => {}
            }
        }
    }
    Ok(())
}
