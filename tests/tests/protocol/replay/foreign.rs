//! Another hand on the store: it reads markers, ends them, evicts, empties, and carries out commands that were lost on
//! their way.

use super::desk::Command;
use super::gate::FOR_EVER;
use cached_core::Clock;
use cached_core::store::{
    Acquire, Begin, Each, End, Fill, Get, Head, Key, MemoryStore, Ping, Put, RedisStore, Remove, RemoveAll, Store,
    TagAll, Takeover, Written,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tests::RedisServer;
use tokio::time::Instant;

const WITHIN: Duration = Duration::from_secs(20);

/// Whether a writer's marker stands there, by the server's clock. Other writers' markers may keep its set alive, and a
/// key lives until its last millisecond is over.
const IS_MARKED: &str = "local t = redis.call('TIME') local until_ms = redis.call('ZSCORE', KEYS[1], ARGV[1]) \
    if until_ms and tonumber(until_ms) >= t[1] * 1000 + math.floor(t[2] / 1000) then return 1 end return 0";

/// The store on which a run is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    Redis,
    Memory,
}

/// The markers in a store in memory, which does not tell whose they are. None of them ends by itself.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<Vec<(Head, Key)>>);

impl Marks {
    fn locked(&self) -> MutexGuard<'_, Vec<(Head, Key)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begins(&self, writer: Head, keys: &[Key]) {
        self.locked().extend(keys.iter().map(|key| (writer, Key::clone(key))));
    }

    pub(crate) fn ends(&self, writer: Head, written: &[Written]) {
        for written in written {
            self.end(writer, &written.key);
        }
    }

    /// Whether there was such a marker.
    fn end(&self, writer: Head, key: &str) -> bool {
        let mut marks = self.locked();
        let before = marks.len();
        marks.retain(|(of, marked)| (*of, &**marked) != (writer, key));
        marks.len() < before
    }
}

/// A real server.
struct Server {
    server: RedisServer,
    connection: redis::aio::MultiplexedConnection,
}

pub(crate) struct Foreign {
    /// `None` if the store is in memory.
    server: Option<Server>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) marks: Arc<Marks>,
}

fn markers(register: &str) -> String {
    format!("{{{register}}}:w")
}

impl Foreign {
    pub(crate) async fn start(ground: Ground) -> Self {
        let marks = Arc::default();
        if ground == Ground::Memory {
            let store = Arc::new(MemoryStore::new(1 << 20, Clock::system()));
            return Self { server: None, store, marks };
        }
        let server = RedisServer::start();
        let store = Arc::new(RedisStore::new(&server.url()).expect("a sound URL"));
        let client = redis::Client::open(server.url()).expect("a sound URL");
        // As patient as the others: a busy machine is not a fault.
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(WITHIN));
        let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
        let connection = connection.expect("the server answers");
        store.ping(Ping::new(WITHIN)).await.expect("the server answers");
        Self { server: Some(Server { server, connection }), store, marks }
    }

    /// The store, as another process has it.
    pub(crate) fn connect(&self) -> Arc<dyn Store> {
        match &self.server {
            Some(Server { server, .. }) => Arc::new(RedisStore::new(&server.url()).expect("a sound URL")),
            None => Arc::clone(&self.store),
        }
    }

    async fn send<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let server = self.server.as_ref().expect("a real server");
        command.query_async(&mut server.connection.clone()).await.expect("the server takes the command")
    }

    pub(crate) async fn is_marked(&self, register: &str, writer: Head) -> bool {
        if self.server.is_none() {
            return self.marks.locked().contains(&(writer, register.into()));
        }
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
        if self.server.is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
            return self.marks.end(writer, register);
        }
        let deadline = Instant::now() + WITHIN;
        // The server does not announce the end of a marker, so this asks. The token ends with its marker.
        while self.is_marked(register, writer).await || self.register(register).await == writer.as_bytes() {
            assert!(Instant::now() < deadline, "the marker of {register} does not run out");
        }
        true
    }

    pub(crate) async fn register(&self, register: &str) -> Vec<u8> {
        let bytes = self.store.get(Get::new(&register.into(), WITHIN)).await.expect("GET");
        bytes.map(Vec::from).unwrap_or_default()
    }

    pub(crate) async fn evict(&self, register: &str) -> bool {
        if self.server.is_none() {
            return self.store.remove(Remove::new(&register.into(), WITHIN)).await.expect("UNLINK");
        }
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
            Command::Takeover { key, fresh, lease, ttl } => {
                let forced = store.capabilities().forced_refresh().expect("our own stores can");
                forced.take_over(Takeover::new(&key, fresh, lease, ttl, WITHIN)).await.map(drop)
            }
            Command::Tag { tags, fresh, ttl } => {
                store.tag(TagAll::new(&tags, fresh, ttl, WITHIN)).await.and_then(Each::whole).map(drop)
            }
            Command::Fill { key, expected, value, ttl } => {
                store.fill(Fill::new(&key, expected, value, ttl, WITHIN)).await.map(drop)
            }
            Command::RemoveAll { keys } => {
                store.remove_all(RemoveAll::new(&keys, WITHIN)).await.and_then(Each::whole).map(drop)
            }
            Command::Begin { writer, keys, token } => {
                self.marks.begins(writer, &keys);
                let begin = Begin::new(writer, &keys, FOR_EVER, WITHIN).with_token(token);
                store.begin(begin).await.and_then(Each::whole).map(drop)
            }
            Command::End { writer, written } => {
                self.marks.ends(writer, &written);
                store.end(End::new(writer, &written, WITHIN)).await.and_then(|ended| ended.keys.whole()).map(drop)
            }
            Command::Put { key, value, ttl } => store.put(Put::new(&key, value, ttl, WITHIN)).await.map(drop),
            Command::Get | Command::GetAll | Command::Select | Command::Commit | Command::Aside => Ok(()),
        };
        carried_out.expect("the server takes the command");
    }
}
