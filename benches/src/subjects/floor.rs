//! Hand-written cache-aside, as an engineer would write it who knows redis-rs: the floor that an attribute adds to.
//!
//! The connection has our settings: multiplexed, `TCP_NODELAY`, keepalive, and no command may take longer than the
//! budget.

use super::{FLOOR, Subject};
use crate::user::{User, load};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo};
use std::time::Duration;

/// The same budget as ours.
const BUDGET: Duration = Duration::from_millis(100);
const TTL_MILLIS: u64 = 600_000;

#[derive(Clone)]
pub(crate) struct Floor {
    connection: MultiplexedConnection,
}

impl Floor {
    pub(crate) async fn connect(url: &str) -> Self {
        Self { connection: connection(url).await }
    }

    /// A key as long as ours.
    pub(crate) fn key(id: u64) -> String {
        format!("floor:v1:user:{id}")
    }
}

/// A connection with the same settings as cached-core's.
pub(crate) async fn connection(url: &str) -> MultiplexedConnection {
    let tcp =
        TcpSettings::default().set_nodelay(true).set_keepalive(TcpKeepalive::new().with_time(Duration::from_secs(20)));
    let info = url.into_connection_info().expect("a sound URL").set_tcp_settings(tcp);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(Some(BUDGET));
    let client = Client::open(info).expect("a sound URL");
    client.get_multiplexed_async_connection_with_config(&config).await.expect("the server answers")
}

impl Subject for Floor {
    const NAME: &'static str = FLOOR;

    async fn find(&self, id: u64) -> User {
        let mut connection = self.connection.clone();
        let key = Self::key(id);
        match redis::cmd("GET").arg(&key).query_async::<Option<Vec<u8>>>(&mut connection).await {
            Ok(Some(json)) => {
                if let Ok(user) = serde_json::from_slice(&json) {
                    return user;
                }
            }
            Ok(None) => {}
            // Redis does not answer, so a SET would only wait as well.
            Err(_) => return load(id).await,
        }
        let user = load(id).await;
        if let Ok(json) = serde_json::to_vec(&user) {
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(json).arg("PX").arg(TTL_MILLIS);
            // A value that is not stored is loaded again.
            let _ = set.exec_async(&mut connection).await;
        }
        user
    }
}
