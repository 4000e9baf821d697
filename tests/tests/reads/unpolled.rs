//! A call whose future is no longer polled holds nobody else up: it may be kept aside, dropped, or blocked by other
//! work of its task.
//!
//! Each fault that these tests look for lasts as long as the call is not polled, or as long as `LONG`. Each bound is
//! far below that, and far above what a busy machine needs.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::store::{Acquire, Acquired, Get, Head, Key, Ping, Put, RedisStore, Store, StoreFuture};
use cached_core::{Cache, UnstoredReason, redis_cached};
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tests::RedisServer;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The longest time that others may wait.
const LONG: Duration = Duration::from_secs(120);
/// All of it must be over by then.
const SOON: Duration = Duration::from_secs(20);
/// The budget of steps on the store, in tests that are not about it.
const WITHIN: Duration = Duration::from_secs(5);

/// A cache with enough time for a busy machine.
fn patient(server: &RedisServer) -> Cache {
    Cache::builder().namespace("cache").redis(server.url()).budget(WITHIN).build().unwrap()
}

/// A cache whose callers wait long for each other, and for the leases of other processes.
fn waiting(server: &RedisServer) -> Cache {
    Cache::builder().namespace("cache").redis(server.url()).max_wait(LONG).lease_ttl(LONG).build().unwrap()
}

/// Polls the future once; it must be pending.
async fn poll_once<F: Future + ?Sized>(future: &mut Pin<&mut F>) {
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "it is over already");
        std::task::Poll::Ready(())
    })
    .await;
}

/// Polls the future once, while the server does not answer.
async fn ask<F: Future + ?Sized>(server: &RedisServer, future: &mut Pin<&mut F>) {
    server.freeze();
    poll_once(future).await;
    server.thaw();
}

/// Polls the future whenever it wakes, until `condition` holds.
async fn poll_until<F: Future>(future: &mut Pin<&mut F>, mut condition: impl FnMut() -> bool) {
    let polled = std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "it is over already");
        if condition() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    timeout(SOON, polled).await.expect("it comes so far");
}

/// A store that counts how often ACQUIRE was begun, and whose ACQUIRE is never answered by its first poll.
#[derive(Debug)]
struct Announced {
    store: RedisStore,
    acquires: AtomicU64,
}

impl Store for Announced {
    tests::forward!(store: name, domain, capabilities, get, fill, renew, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        self.acquires.fetch_add(1, SeqCst);
        let step = self.store.acquire(request);
        Box::pin(async move {
            let answer = step.await;
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// Blocks a worker of the runtime with a task that first polls the future once. The returned sender lets it continue.
async fn blocked<F: Future + Send + 'static>(future: F) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (go_on, wait) = mpsc::channel();
    let (tell, told) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut future = pin!(future);
        poll_once(&mut future).await;
        tell.send(()).unwrap();
        let _ = wait.recv_timeout(LONG);
    });
    told.await.unwrap();
    (go_on, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_kept_aside() {
    let server = RedisServer::start();
    let cache = patient(&server);
    cache.entry("k").set(&1_u8).await.unwrap();
    let mut idle = pin!(cache.entry("k").get::<u8>());
    ask(&server, &mut idle).await;
    for _ in 0..3 {
        let other = timeout(SOON, cache.entry("k").get::<u8>()).await.expect("another reader of its key waits for it");
        assert_eq!(other, Some(1));
    }
    assert_eq!(idle.await, Some(1));
}

#[tokio::test]
async fn the_first_reader_of_a_merged_batch_that_is_kept_aside() {
    let server = RedisServer::start();
    let cache = patient(&server);
    for key in ["a", "b"] {
        cache.entry(key).set(&1_u8).await.unwrap();
    }
    let mut alone = pin!(cache.entry("b").get::<u8>());
    let mut opener = pin!(cache.entry("a").get::<u8>());
    poll_once(&mut alone).await;
    poll_once(&mut opener).await;
    let others = async {
        tokio::join!(cache.entry("a").get::<u8>(), cache.entry("b").get::<u8>(), cache.entry("a").get::<u8>())
    };
    assert_eq!(timeout(SOON, others).await.expect("others wait for it"), (Some(1), Some(1), Some(1)));
    assert_eq!((alone.await, opener.await), (Some(1), Some(1)));
}

#[tokio::test]
async fn readers_that_are_dropped_after_one_poll() {
    let server = RedisServer::start();
    let cache = patient(&server);
    cache.entry("k").set(&1_u8).await.unwrap();
    for _ in 0..3 {
        for key in ["k", "k", "another", "k"] {
            let mut dropped = Box::pin(cache.entry(key).get::<u8>());
            poll_once(&mut dropped.as_mut()).await;
        }
        assert_eq!(timeout(SOON, cache.entry("k").get::<u8>()).await.expect("others wait for them"), Some(1));
    }
}

/// The client's queue has room for some. A caller that waited for room, got it and is not polled must not keep it.
#[tokio::test]
async fn two_hundred_commands_that_are_kept_aside() {
    let server = RedisServer::start();
    let store = RedisStore::new(&server.url()).unwrap();
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let keys: Vec<Key> = (0..200).map(|id| format!("k:{id}").into()).collect();
    let mut puts: Vec<_> = keys.iter().map(|key| store.put(Put::new(key, "x".into(), LONG, LONG))).collect();
    for put in &mut puts {
        poll_once(&mut put.as_mut()).await;
    }
    let other = timeout(SOON, store.get(Get::new(&keys[0], LONG))).await.expect("others wait for them");
    assert_eq!(other.unwrap().as_deref(), Some(&b"x"[..]));
    drop(puts);
}

/// The batch that it has opened must still be sent when its worker is blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_first_reader_of_a_merged_batch_whose_task_blocks() {
    let server = RedisServer::start();
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    let key = Key::from("k");
    store.put(Put::new(&key, "x".into(), LONG, WITHIN)).await.unwrap();
    let mut alone = pin!(store.get(Get::new(&key, LONG)));
    ask(&server, &mut alone).await;
    let opener = {
        let (store, key) = (Arc::clone(&store), key.clone());
        async move { store.get(Get::new(&key, LONG)).await }
    };
    let (go_on, task) = blocked(opener).await;
    let others = async { tokio::join!(store.get(Get::new(&key, LONG)), store.get(Get::new(&key, LONG))) };
    let (one, another) = timeout(SOON, others).await.expect("others wait for it");
    assert!(one.unwrap().is_some() && another.unwrap().is_some());
    go_on.send(()).unwrap();
    task.await.unwrap();
}

/// The call of the script that takes the step must still be sent, like a batch of reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_first_of_several_steps_whose_task_blocks() {
    let server = RedisServer::start();
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());
    store.ping(Ping::new(WITHIN)).await.unwrap();
    let lease = Head::from_bytes(b"L0123456789abcdef").unwrap();
    let acquire = |key: &'static str| {
        let store = Arc::clone(&store);
        async move { store.acquire(Acquire::new(&Key::from(key), lease, LONG, LONG)).await }
    };
    let mut alone = pin!(acquire("alone"));
    ask(&server, &mut alone).await;
    let (go_on, task) = blocked(acquire("opener")).await;
    for key in ["one", "another"] {
        let step = timeout(SOON, acquire(key)).await.expect("others wait for it");
        assert_eq!(step.unwrap(), Acquired::Granted);
    }
    go_on.send(()).unwrap();
    task.await.unwrap();
}

/// A runtime that is no longer driven has sent a batch of one key, and will not receive the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_stands_still_with_a_read_of_one_key() {
    let server = RedisServer::start();
    let cache = patient(&server);
    cache.entry("k").set(&1_u8).await.unwrap();
    let still = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let there = cache.clone();
    let still = std::thread::spawn(move || {
        for _ in 0..3 {
            let cache = there.clone();
            still.spawn(async move { cache.entry("k").get::<u8>().await });
        }
        still.block_on(async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
        still
    })
    .join()
    .unwrap();
    for _ in 0..3 {
        let others = async { tokio::join!(cache.entry("k").get::<u8>(), cache.entry("k").get::<u8>()) };
        assert_eq!(timeout(SOON, others).await.expect("others wait for it"), (Some(1), Some(1)));
    }
    still.shutdown_background();
}

#[redis_cached(key = "person:<id>")]
async fn person(id: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(5)).await;
    id
}

/// Applications do this: a loop over `select!` handles a message while a call is under way. The same call hits, loads,
/// and loads while the unpolled call leads it.
#[tokio::test]
async fn a_message_that_is_handled_while_a_call_is_under_way() {
    let server = RedisServer::start();
    for is_cached in [true, false] {
        let cache = if is_cached { patient(&server) } else { waiting(&server) };
        if is_cached {
            cache.scope(person(7)).await;
            cache.flush().await;
        } else {
            cache.entry("person:7").remove().await.unwrap();
        }
        let (send, mut inbox) = tokio::sync::mpsc::channel(1);
        let started = AtomicBool::new(false);
        let actor = cache.scope(async {
            let mut pending = pin!(person(7));
            loop {
                tokio::select! {
                    biased;
                    found = &mut pending => return found,
                    () = std::future::ready(()), if !started.swap(true, SeqCst) => send.send(7).await.unwrap(),
                    // `pending` is not polled meanwhile.
                    Some(id) = inbox.recv() => { person(id).await; }
                }
            }
        });
        assert_eq!(timeout(SOON, actor).await.expect("the actor waits for itself"), 7);
    }
}

/// A call whose load counts how often it ran, and takes a moment.
#[derive(Debug, Clone)]
struct Call {
    cache: Cache,
    loads: Arc<AtomicU64>,
}

impl Call {
    fn new(cache: Cache) -> Self {
        Self { cache, loads: Arc::default() }
    }

    /// Returns the number of the load whose value it got.
    async fn run(self) -> u64 {
        let load = || async {
            let number = self.loads.fetch_add(1, SeqCst) + 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok::<_, String>(number)
        };
        self.cache.entry("k").get_or_load(load).await.unwrap()
    }

    fn loads(&self) -> u64 {
        self.loads.load(SeqCst)
    }

    /// Concurrent callers; returns what each of them got.
    async fn callers(&self, callers: usize) -> Vec<u64> {
        let calls: JoinSet<_> = (0..callers).map(|_| self.clone().run()).collect();
        timeout(SOON, calls.join_all()).await.expect("they wait for a call that is not polled")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_lease_is_on_its_way() {
    let server = RedisServer::start();
    let store = Arc::new(Announced { store: RedisStore::new(&server.url()).unwrap(), acquires: AtomicU64::new(0) });
    let call = Call::new(
        Cache::builder().namespace("cache").store(store.clone()).max_wait(LONG).lease_ttl(LONG).build().unwrap(),
    );
    let mut leader = pin!(call.clone().run());
    poll_until(&mut leader, || store.acquires.load(SeqCst) == 1).await;
    assert_eq!(call.loads(), 0);
    assert_eq!(call.callers(50).await, vec![1; 50], "one of them leads, the others follow it");
    call.cache.flush().await;
    // Its lease was taken away, so nobody stores what it loads now.
    assert_eq!(timeout(SOON, leader).await.expect("it goes on"), 2);
    call.cache.flush().await;
    assert_eq!(call.cache.entry("k").get::<u64>().await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_loads() {
    let server = RedisServer::start();
    let call = Call::new(waiting(&server));
    let mut leader = pin!(call.clone().run());
    poll_until(&mut leader, || call.loads() == 1).await;
    assert_eq!(call.callers(50).await, vec![2; 50], "one of them leads, the others follow it");
    call.cache.flush().await;
    assert_eq!(timeout(SOON, leader).await.expect("it goes on"), 1, "its own value");
    call.cache.flush().await;
    let stats = call.cache.stats().site("Cache::entry").unwrap().clone();
    assert_eq!(stats.unstored.get(&UnstoredReason::LeaseLost), Some(&1), "{stats:?}");
    assert_eq!(call.cache.entry("k").get::<u64>().await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_leader_whose_task_blocks_while_it_loads() {
    let server = RedisServer::start();
    let call = Call::new(waiting(&server));
    let (go_on, wait) = mpsc::channel::<()>();
    // No timer polls for this: if the blocked thread was the one that waits for timers, no other thread does until it
    // is woken.
    let (tell, it_loads) = tokio::sync::oneshot::channel();
    let leader = tokio::spawn({
        let call = call.clone();
        async move {
            let loads = Arc::clone(&call.loads);
            let mut led = pin!(call.run());
            poll_until(&mut led, || loads.load(SeqCst) == 1).await;
            tell.send(()).unwrap();
            let _ = wait.recv_timeout(LONG);
            led.await
        }
    });
    it_loads.await.unwrap();
    assert_eq!(call.callers(50).await, vec![2; 50]);
    go_on.send(()).unwrap();
    assert_eq!(leader.await.unwrap(), 1);
}

/// One call after another is kept aside in the middle of its load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_leaders_that_load() {
    let server = RedisServer::start();
    let call = Call::new(waiting(&server));
    let mut kept = Vec::new();
    for loads in 1..=3 {
        let mut leader = Box::pin(call.clone().run());
        poll_until(&mut leader.as_mut(), || call.loads() == loads).await;
        kept.push(leader);
    }
    assert_eq!(call.callers(20).await, vec![4; 20]);
}

static BATCHES: AtomicU64 = AtomicU64::new(0);

/// Returns for each id the number of its load.
#[redis_cached(key = "item:<id>", batch = ids)]
async fn items(ids: &[u64]) -> HashMap<u64, u64> {
    let number = BATCHES.fetch_add(1, SeqCst) + 1;
    tokio::time::sleep(Duration::from_millis(5)).await;
    ids.iter().map(|id| (*id, number)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_loads() {
    let server = RedisServer::start();
    let cache = waiting(&server);
    let mut leader = pin!(cache.scope(items(&[1, 2])));
    poll_until(&mut leader, || BATCHES.load(SeqCst) == 1).await;
    let others = async { tokio::join!(cache.scope(items(&[2, 3])), cache.scope(items(&[1]))) };
    let (one, another) = timeout(SOON, others).await.expect("they wait for a batch that is not polled");
    assert_eq!((one.len(), another.len()), (2, 1));
    assert!(one.values().chain(another.values()).all(|number| *number > 1));
    assert_eq!(timeout(SOON, leader).await.expect("it goes on"), HashMap::from([(1, 1), (2, 1)]), "its own values");
}

/// Not even another process waits: the lease of an unpolled load is not renewed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_of_another_process() {
    let server = RedisServer::start();
    let here = Call::new(Cache::builder().namespace("cache").redis(server.url()).max_wait(LONG).build().unwrap());
    let there = Call {
        cache: Cache::builder().namespace("cache").redis(server.url()).max_wait(LONG).build().unwrap(),
        ..here.clone()
    };
    let mut leader = pin!(there.run());
    poll_until(&mut leader, || here.loads() == 1).await;
    assert_eq!(here.callers(3).await, [2, 2, 2]);
}

/// Others wait for a leader that is polled, however long its load takes compared with the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_slow_is_waited_for() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .namespace("cache")
        .redis(server.url())
        .budget(Duration::from_millis(50))
        .max_wait(LONG)
        .build()
        .unwrap();
    let loads = Arc::new(AtomicU64::new(0));
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        calls.spawn(async move {
            let load = || async {
                let number = loads.fetch_add(1, SeqCst) + 1;
                // It is woken many times, and polled each time.
                for _ in 0..20 {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Ok::<_, String>(number)
            };
            cache.entry("k").get_or_load(load).await.unwrap()
        });
    }
    calls.join_all().await;
    assert_eq!(loads.load(SeqCst), 1);
}
