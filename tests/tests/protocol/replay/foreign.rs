//! Another hand on the server: it reads markers, ends them, evicts, empties, and carries out commands that were lost on
//! their way.

use super::desk::Command;
use super::gate::FOR_EVER;
use cached_core::store::{Acquire, Begin, Each, End, Fill, Head, Key, Ping, RedisStore, RemoveAll, Store, Tag};
use std::time::Duration;
use tests::RedisServer;
use tokio::time::Instant;

const WITHIN: Duration = Duration::from_secs(20);

/// Whether a writer's marker stands there, by the server's clock. Other writers' markers may keep its set alive, and a
/// key lives until its last millisecond is over.
const IS_MARKED: &str = "local t = redis.call('TIME') local until_ms = redis.call('ZSCORE', KEYS[1], ARGV[1]) \
    if until_ms and tonumber(until_ms) >= t[1] * 1000 + math.floor(t[2] / 1000) then return 1 end return 0";

pub(crate) struct Foreign {
    server: RedisServer,
    connection: redis::aio::MultiplexedConnection,
    pub(crate) store: RedisStore,
}

fn markers(register: &str) -> String {
    format!("{{{register}}}:w")
}

impl Foreign {
    pub(crate) async fn start() -> Self {
        let server = RedisServer::start();
        let store = RedisStore::new(&server.url()).expect("a sound URL");
        let client = redis::Client::open(server.url()).expect("a sound URL");
        // As patient as the others: a busy machine is not a fault.
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(WITHIN));
        let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
        let connection = connection.expect("the server answers");
        store.ping(Ping::new(WITHIN)).await.expect("the server answers");
        Self { server, connection, store }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    async fn send<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut self.connection.clone()).await.expect("the server takes the command")
    }

    pub(crate) async fn is_marked(&self, register: &str, writer: Head) -> bool {
        let markers = markers(register);
        self.send(&[b"EVAL", IS_MARKED.as_bytes(), b"1", markers.as_bytes(), writer.as_bytes()]).await
    }

    /// Lets a writer's marker run out: a repeated BEGIN with a short time sets its end. `false` if there is no marker.
    pub(crate) async fn expire_marker(&self, register: &str, writer: Head) -> bool {
        if !self.is_marked(register, writer).await {
            return false;
        }
        let key = Key::from(register);
        let begin = Begin::new(writer, std::slice::from_ref(&key), Duration::from_millis(1), WITHIN);
        self.store.begin(begin).await.and_then(Each::whole).expect("BEGIN");
        let deadline = Instant::now() + WITHIN;
        // The server does not announce the end of a marker, so this asks. The token ends with its marker.
        while self.is_marked(register, writer).await || self.register(register).await == writer.as_bytes() {
            assert!(Instant::now() < deadline, "the marker of {register} does not run out");
        }
        true
    }

    pub(crate) async fn register(&self, register: &str) -> Vec<u8> {
        self.send::<Option<Vec<u8>>>(&[b"GET", register.as_bytes()]).await.unwrap_or_default()
    }

    pub(crate) async fn evict(&self, register: &str) -> bool {
        self.send(&[b"DEL", register.as_bytes()]).await
    }

    /// Like a restart without a dump.
    pub(crate) async fn empty(&self) {
        let _: () = self.send(&[b"FLUSHALL"]).await;
        let _: () = self.send(&[b"SCRIPT", b"FLUSH"]).await;
    }

    /// Carries out a command that was on its way when its connection broke.
    pub(crate) async fn carry_out(&self, command: Command) {
        let store = &self.store;
        let carried_out = match command {
            Command::Acquire { key, lease, ttl, replace } => {
                store.acquire(Acquire::new(&key, lease, ttl, WITHIN).replacing(replace)).await.map(drop)
            }
            Command::Tag { tags, fresh, ttl } => {
                store.tag(Tag::new(&tags, fresh, ttl, WITHIN)).await.and_then(Each::whole).map(drop)
            }
            Command::Fill { key, expected, value, ttl } => {
                store.fill(Fill::new(&key, expected, value, ttl, WITHIN)).await.map(drop)
            }
            Command::RemoveAll { keys } => {
                store.remove_all(RemoveAll::new(&keys, WITHIN)).await.and_then(Each::whole).map(drop)
            }
            Command::Begin { writer, keys, token } => {
                let begin = Begin::new(writer, &keys, FOR_EVER, WITHIN).with_token(token);
                store.begin(begin).await.and_then(Each::whole).map(drop)
            }
            Command::End { writer, written } => {
                store.end(End::new(writer, &written, WITHIN)).await.and_then(|ended| ended.keys.whole()).map(drop)
            }
            Command::Get | Command::GetAll | Command::Select | Command::Commit | Command::Aside => Ok(()),
        };
        carried_out.expect("the server takes the command");
    }
}
