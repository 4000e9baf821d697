//! Concurrent reads and steps go out together: fewer commands, the same answers.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Get, GetAll, Head, Key, Ping, Put, RedisStore, RemoveAll, Renew, Store, TagAll,
};
use cached_core::{Cache, FaultKind, MissReason, SiteStats};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::RedisServer;
use tokio::task::JoinSet;

const CALLERS: u64 = 300;
const WITHIN: Duration = Duration::from_secs(5);

struct Subject {
    server: RedisServer,
    cache: Cache,
    loads: Arc<AtomicU64>,
}

impl Subject {
    fn on(server: RedisServer) -> Self {
        // Hundreds of concurrent callers in a debug build on a busy machine are not a fault of the server.
        let cache =
            Cache::builder().namespace("cache").redis(server.url()).budget(Duration::from_secs(5)).build().unwrap();
        Self { server, cache, loads: Arc::default() }
    }

    /// Concurrent callers, each of its own key; each gets the value of its key.
    async fn callers(&self, callers: u64) {
        let mut tasks = JoinSet::new();
        for id in 0..callers {
            let (cache, loads) = (self.cache.clone(), Arc::clone(&self.loads));
            tasks.spawn(async move {
                let load = || async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, String>(format!("value {id}"))
                };
                let value = cache.entry(format!("user:{id}")).get_or_load(load).await;
                assert_eq!(value.unwrap(), format!("value {id}"));
            });
        }
        tasks.join_all().await;
        self.cache.flush().await;
    }

    fn loads(&self) -> u64 {
        self.loads.swap(0, Ordering::SeqCst)
    }

    fn stats(&self) -> SiteStats {
        self.cache.stats().site("Cache::entry").unwrap().clone()
    }

    /// How often the server was sent a command since the last time this was called.
    async fn calls(&self, command: &str) -> u64 {
        let info: String = self.server.send(&[b"INFO", b"commandstats"]).await;
        let line = info.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |line| line.split(['=', ',']).nth(1).unwrap().parse().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_need_few_commands() {
    let on = Subject::on(RedisServer::start());
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), CALLERS);
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), 0, "{:?}", on.stats());
    let (reads, steps) = (on.calls("get").await + on.calls("mget").await, on.calls("evalsha").await);
    assert!(reads < CALLERS, "{reads} commands for {} reads", 2 * CALLERS);
    assert!(steps < CALLERS, "{steps} commands for {} steps", 2 * CALLERS);
}

#[tokio::test]
async fn more_callers_than_one_command_takes() {
    let on = Subject::on(RedisServer::start());
    for _ in 0..2 {
        on.callers(1_000).await;
    }
    assert_eq!(on.loads(), 1_000);
    assert!(on.calls("mget").await >= 2, "a command asks for no more than 512 keys");
}

#[tokio::test]
async fn callers_of_one_key_ask_once() {
    let on = Subject::on(RedisServer::start());
    on.callers(1).await;
    let before = on.calls("get").await + on.calls("mget").await;
    let load = || async { Err::<String, _>("not cached") };
    let calls = (0..CALLERS).map(|_| on.cache.entry("user:0").get_or_load(load));
    for value in futures_in_one_task(calls).await {
        assert_eq!(value.unwrap(), "value 0");
    }
    let reads = on.calls("get").await + on.calls("mget").await - before;
    assert!(reads <= 2, "{reads} reads of one key");
}

/// Polls all of them in one task, as `join_all` does.
async fn futures_in_one_task<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_type_under_one_of_the_keys_is_that_keys_own_matter() {
    let on = Subject::on(RedisServer::start());
    on.callers(CALLERS).await;
    on.loads();
    let _: i64 = on.server.send(&[b"DEL", b"cache:k:user:7"]).await;
    let _: i64 = on.server.send(&[b"LPUSH", b"cache:k:user:7", b"x"]).await;
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), 1);
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_wait_together_give_up_in_time() {
    let on = Subject::on(RedisServer::start());
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), CALLERS);
    let budget = Duration::from_millis(200);
    let impatient = Cache::builder().namespace("cache").redis(on.server.url()).budget(budget).build().unwrap();
    let impatient = Subject { cache: impatient, loads: Arc::clone(&on.loads), server: on.server };
    impatient.callers(10).await;
    assert_eq!(impatient.loads(), 0, "hits, until the server hangs");
    impatient.server.freeze();
    let began = tokio::time::Instant::now();
    impatient.callers(CALLERS).await;
    let took = began.elapsed();
    impatient.server.thaw();
    assert_eq!(impatient.loads(), CALLERS);
    assert!(took < 4 * budget, "{CALLERS} callers of a server that hangs took {took:?}, with a budget of {budget:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_mget_is_served_all_the_same() {
    let server = RedisServer::start();
    let _: () = server.send(&[b"ACL", b"SETUSER", b"default", b"-mget"]).await;
    let on = Subject::on(server);
    on.callers(CALLERS).await;
    on.loads();
    on.callers(CALLERS).await;
    assert_eq!(on.loads(), 0, "{:?}", on.stats());
}

/// The server has no room for one more client. That says nothing about MGET, nor about several steps in one call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_refused_is_no_refusal_of_what_goes_out_together() {
    let on = Subject::on(RedisServer::start());
    let mut hand = on.server.connection().await;
    let mut set = async |clients: &str| {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg("maxclients").arg(clients).query_async::<()>(&mut hand).await.unwrap();
    };
    set("1").await;
    let store = RedisStore::new(&on.server.url()).unwrap();
    let keys = ["a", "b", "c"].map(Key::from);
    for _ in 0..3 {
        assert!(store.get_all(GetAll::new(&keys, WITHIN)).await.is_err());
        store
            .tag(TagAll::new(&keys, Head::from_bytes(b"V0123456789abcdef").unwrap(), WITHIN, WITHIN))
            .await
            .unwrap_err();
        store.remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap_err();
    }
    set("100").await;
    store.get_all(GetAll::new(&keys, WITHIN)).await.unwrap().whole().unwrap();
    store.remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap().whole().unwrap();
    assert_eq!((on.calls("mget").await, on.calls("get").await), (1, 0));
    // The new connection has removed them again, one by one.
    assert_eq!(on.calls("unlink").await, 3 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_of_a_cluster_is_asked_key_by_key() {
    let on = Subject::on(RedisServer::cluster_node().await);
    for _ in 0..2 {
        on.callers(CALLERS).await;
    }
    assert_eq!(on.loads(), CALLERS, "{:?}", on.stats());
    assert_eq!(on.stats().stored, CALLERS);
    assert_eq!(on.stats().misses.keys().copied().collect::<Vec<_>>(), [MissReason::Absent]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_in_another_runtime_does_not_wait_for_one_that_stands_still() {
    let on = Subject::on(RedisServer::start());
    on.callers(CALLERS).await;
    on.loads();
    // A runtime that is polled once and never again, with callers in the middle of their calls.
    let still = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cache = on.cache.clone();
    let still = std::thread::spawn(move || {
        for id in 0..10 {
            let cache = cache.clone();
            still.spawn(async move { cache.entry(format!("user:{id}")).get::<String>().await });
        }
        still.block_on(tokio::task::yield_now());
        still
    })
    .join()
    .unwrap();
    tokio::time::timeout(Duration::from_secs(3), on.callers(CALLERS)).await.expect("nobody waits for it");
    assert_eq!(on.loads(), 0);
    still.shutdown_background();
}

/// Reads several registers, like a hit with tags: one of its own, one that some share and one that all share.
async fn several(store: Arc<RedisStore>, id: usize) {
    let keys = [format!("own:{id}"), format!("some:{}", id % 10), "absent".to_owned(), "all".to_owned()];
    let expected = [Some(keys[0].clone()), Some(keys[1].clone()), None, Some("all".to_owned())];
    let keys: Vec<Key> = keys.into_iter().map(Key::from).collect();
    let found = store.get_all(GetAll::new(&keys, WITHIN)).await.unwrap().whole().unwrap();
    assert_eq!(found, expected.map(|value| value.map(Bytes::from)));
}

/// Each register holds its own name.
async fn named(server: &RedisServer, callers: usize) {
    let mut names = redis::cmd("MSET");
    let own = (0..callers).map(|id| format!("own:{id}"));
    for name in own.chain((0..10).map(|id| format!("some:{id}"))).chain(["all".to_owned()]) {
        names.arg(&name).arg(&name);
    }
    names.query_async::<()>(&mut server.connection().await).await.unwrap();
}

/// The keys of each command that the server was sent.
fn asked(seen: &[String], command: &str) -> Vec<Vec<String>> {
    let words = |line: &String| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let commands = seen.iter().map(words).filter(|words| words[0] == command);
    commands.map(|words| words[1..].to_vec()).collect()
}

#[tokio::test]
async fn callers_of_several_keys_share_commands_and_keys() {
    let server = RedisServer::start();
    named(&server, 1_000).await;
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let monitor = server.monitor().await;
    let callers: JoinSet<_> = (0..1_000).map(|id| several(Arc::clone(&store), id)).collect();
    callers.join_all().await;
    let asked = asked(&monitor.stop(&server).await, "MGET");
    assert!(asked.len() < 20, "{} commands for 1000 reads", asked.len());
    let all: usize = asked.iter().map(Vec::len).sum();
    assert!(all < 1_200, "4,000 keys of which 1,012 differ, and {all} asked for");
    for mut keys in asked {
        let many = keys.len();
        assert!(many <= 512, "{many} keys in one command");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), many, "some are asked for twice in one command");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_one_key_and_of_several_share_commands() {
    let server = RedisServer::start();
    named(&server, 1_000).await;
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    let monitor = server.monitor().await;
    let mut callers = JoinSet::new();
    for id in 0..1_000 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            if id % 2 == 0 {
                return several(store, id).await;
            }
            let key = format!("own:{id}");
            let found = store.get(Get::new(&key.as_str().into(), WITHIN)).await.unwrap();
            assert_eq!(found, Some(Bytes::from(key)));
        });
    }
    callers.join_all().await;
    let seen = monitor.stop(&server).await;
    let commands = asked(&seen, "MGET").len() + asked(&seen, "GET").len();
    assert!(commands < 500, "{commands} commands for 1000 reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_several_keys_are_served_by_the_node_of_a_cluster() {
    let server = RedisServer::cluster_node().await;
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    for name in (0..50).map(|id| format!("own:{id}")).chain((0..10).map(|id| format!("some:{id}"))) {
        store.put(Put::new(&name.as_str().into(), name.clone().into(), Duration::from_secs(60), WITHIN)).await.unwrap();
    }
    store.put(Put::new(&"all".into(), "all".into(), Duration::from_secs(60), WITHIN)).await.unwrap();
    for _ in 0..2 {
        let callers: JoinSet<_> = (0..50).map(|id| several(Arc::clone(&store), id)).collect();
        callers.join_all().await;
    }
}

/// The time that remains for a caller that comes late in a call of its own.
const LITTLE: Duration = Duration::from_millis(15);

/// The first caller opens the batch, or joins it.
#[tokio::test]
async fn a_read_with_little_time_left_takes_none_from_those_it_goes_out_with() {
    let server = RedisServer::start();
    named(&server, 10).await;
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    let keys = [1, 2, 3, 4, 5].map(|id| Key::from(format!("own:{id}")));
    for times in [[LITTLE, WITHIN], [WITHIN, LITTLE]] {
        store.ping(Ping::new(WITHIN)).await.unwrap();
        server.freeze();
        let alone = store.get(Get::new(&keys[0], WITHIN));
        let [first, second] = [0, 1].map(|at| store.get(Get::new(&keys[1 + at], times[at])));
        let several = store.get_all(GetAll::new(&keys[3..], WITHIN));
        let (hurried, patient) = if times[0] == LITTLE { (first, second) } else { (second, first) };
        let hurried = hurried.await;
        server.thaw();
        assert_eq!(hurried.unwrap_err().kind, FaultKind::Timeout);
        assert!(patient.await.unwrap().is_some());
        assert!(several.await.unwrap().whole().unwrap().iter().all(Option::is_some));
        assert!(alone.await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_step_with_little_time_left_takes_none_from_those_it_goes_out_with() {
    let server = RedisServer::start();
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let acquire = |key: &str, within| {
        let (store, key) = (Arc::clone(&store), Key::from(key));
        let lease = Head::from_bytes(b"L0123456789abcdef").unwrap();
        tokio::spawn(async move { store.acquire(Acquire::new(&key, lease, WITHIN, within)).await })
    };
    server.freeze();
    let [alone, hurried, patient] = [("a", WITHIN), ("b", LITTLE), ("c", WITHIN)].map(|(key, time)| acquire(key, time));
    let hurried = hurried.await.unwrap();
    server.thaw();
    assert_eq!(hurried.unwrap_err().kind, FaultKind::Timeout);
    assert_eq!(patient.await.unwrap().unwrap(), Acquired::Granted);
    assert_eq!(alone.await.unwrap().unwrap(), Acquired::Granted);
}

/// A missing right may have stopped a script halfway. Here the server has not begun, but its answer does not say so.
#[tokio::test]
async fn steps_that_go_once_do_not_go_again_when_a_right_is_missing() {
    let server = RedisServer::start();
    let _: () = server.send(&[b"ACL", b"SETUSER", b"default", b"resetkeys", b"~*mine*"]).await;
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let fresh = Head::from_bytes(b"V0123456789abcdef").unwrap();
    let tag = |tag: &str| {
        let (store, tag) = (Arc::clone(&store), Key::from(tag));
        tokio::spawn(async move { store.tag(TagAll::new(&[tag], fresh, WITHIN, WITHIN)).await })
    };
    let [alone, mine, theirs] = ["mine:1", "mine:2", "theirs"].map(tag);
    assert_eq!(alone.await.unwrap().unwrap().whole().unwrap(), [Some(fresh)]);
    assert_eq!(theirs.await.unwrap().unwrap_err().kind, FaultKind::Refused);
    assert_eq!(mine.await.unwrap().unwrap_err().kind, FaultKind::Refused);
    // From then on they go out one by one.
    let [alone, mine, theirs] = ["mine:1", "mine:2", "theirs"].map(tag);
    assert!(alone.await.unwrap().is_ok() && mine.await.unwrap().is_ok());
    assert_eq!(theirs.await.unwrap().unwrap_err().kind, FaultKind::Refused);

    // Steps that may safely be repeated are tried one by one at once.
    let renew = |key: &str| {
        let (store, key) = (Arc::clone(&store), Key::from(key));
        let lease = Head::from_bytes(b"L0123456789abcdef").unwrap();
        tokio::spawn(async move { store.renew(Renew::new(&key, lease, WITHIN, WITHIN)).await })
    };
    let [alone, mine, theirs] = ["mine:1", "mine:2", "theirs"].map(renew);
    assert!(alone.await.unwrap().is_ok() && mine.await.unwrap().is_ok());
    assert_eq!(theirs.await.unwrap().unwrap_err().kind, FaultKind::Refused);
}
