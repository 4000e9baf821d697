//! Redis misbehaves, and the call does not notice: P1.
//!
//! Each test breaks a real server in one way and checks three things: the value is right, the delay is within the
//! budget, and the statistics name the reason.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{BreakerState, Cache, MissReason, SiteStats, UnstoredReason};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::{Log, RedisServer, free_port};

const BUDGET: Duration = Duration::from_millis(100);
const LOAD: Duration = Duration::from_millis(20);
/// The time that timers and a busy machine may add.
const SLACK: Duration = Duration::from_millis(50);
const BACK_WITHIN: Duration = Duration::from_millis(1_500);
const KEY: &str = "user:1";
const RAW_KEY: &[u8] = b"cache:k:user:1";

/// It is never read as it was written.
#[derive(serde::Serialize, serde::Deserialize)]
struct Unreadable {
    #[serde(rename(serialize = "n"))]
    number: u8,
}

fn cache(url: &str) -> Cache {
    Cache::builder().namespace("cache").redis(url).budget(BUDGET).build().unwrap()
}

fn stats(cache: &Cache) -> SiteStats {
    cache.stats().site("Cache::entry").expect("it was called").clone()
}

/// A call whose load takes [`LOAD`]; checks the value and returns the delay.
async fn call(cache: &Cache) -> Duration {
    let began = Instant::now();
    let load = || async {
        tokio::time::sleep(LOAD).await;
        Ok::<_, String>("right".to_owned())
    };
    assert_eq!(cache.entry(KEY).get_or_load(load).await.as_deref(), Ok("right"));
    began.elapsed()
}

/// A call whose load takes no time, and whether it was needed.
async fn is_hit(cache: &Cache) -> bool {
    let loads = AtomicU64::new(0);
    let load = || async {
        loads.fetch_add(1, Ordering::SeqCst);
        Ok::<_, String>("right".to_owned())
    };
    assert_eq!(cache.entry(KEY).get_or_load(load).await.as_deref(), Ok("right"));
    loads.into_inner() == 0
}

/// Calls until the breaker is open; no call takes longer than it may.
async fn open_breaker(cache: &Cache) {
    for _ in 0..10 {
        let took = call(cache).await;
        assert!(took <= BUDGET + LOAD + SLACK, "budget {BUDGET:?}, load {LOAD:?}, but the call took {took:?}");
        if cache.stats().breaker != BreakerState::Closed {
            return;
        }
    }
    panic!("the breaker is still closed after ten calls");
}

/// The cost of a call beside its load while the breaker is open.
async fn median_overhead(cache: &Cache) -> Duration {
    let mut costs = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        assert!(!is_hit(cache).await);
        costs.push(began.elapsed());
    }
    costs.sort();
    costs[costs.len() / 2]
}

async fn hits_resume(cache: &Cache) {
    let began = Instant::now();
    while !is_hit(cache).await {
        assert!(began.elapsed() < BACK_WITHIN, "no hit {:?} after the server is back", began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(cache.stats().breaker, BreakerState::Closed);
}

async fn bridged(cache: &Cache) {
    open_breaker(cache).await;
    let overhead = median_overhead(cache).await;
    assert!(overhead < Duration::from_micros(100), "median overhead with an open breaker: {overhead:?}");
    assert!(stats(cache).misses[&MissReason::BreakerOpen] > 0);
}

#[tokio::test]
async fn a_frozen_server() {
    let server = RedisServer::start();
    let cache = cache(&server.url());
    call(&cache).await;
    cache.flush().await;
    assert!(is_hit(&cache).await);

    server.freeze();
    bridged(&cache).await;
    assert!(stats(&cache).misses[&MissReason::Timeout] >= 3);
    server.thaw();
    hits_resume(&cache).await;
}

#[tokio::test]
async fn a_server_that_is_frozen_before_the_first_call() {
    let server = RedisServer::start();
    server.freeze();
    let cache = cache(&server.url());
    bridged(&cache).await;
    server.thaw();
    hits_resume(&cache).await;
}

#[tokio::test]
async fn a_killed_server() {
    let mut server = RedisServer::start();
    let cache = cache(&server.url());
    call(&cache).await;
    cache.flush().await;

    server.kill();
    bridged(&cache).await;
    assert!(stats(&cache).misses[&MissReason::Disconnected] >= 1);
    server.restart();
    hits_resume(&cache).await;
}

#[tokio::test]
async fn a_server_that_restarts_between_two_calls_is_not_even_noticed() {
    let mut server = RedisServer::start();
    let cache = cache(&server.url());
    call(&cache).await;
    cache.flush().await;
    server.kill();
    server.restart();
    call(&cache).await;
    cache.flush().await;
    let stats = stats(&cache);
    assert_eq!((stats.bypassed, stats.stored), (0, 2), "the broken connection was replaced: {stats:?}");
}

#[tokio::test]
async fn no_server_at_the_start() {
    let port = free_port();
    let cache = cache(&format!("redis://127.0.0.1:{port}/"));
    bridged(&cache).await;
    assert!(stats(&cache).misses[&MissReason::Disconnected] >= 1);

    let began = Instant::now();
    let connected = Cache::connect("cache", format!("redis://127.0.0.1:{port}/")).await;
    assert!(connected.is_ok() && began.elapsed() < BUDGET + SLACK, "a service starts without its Redis");
}

#[tokio::test]
async fn a_server_that_comes_after_its_clients() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = cache(&server.url());
    open_breaker(&cache).await;
    server.restart();
    hits_resume(&cache).await;
}

#[tokio::test]
async fn without_a_server_loads_are_bounded() {
    let cache = cache(&format!("redis://127.0.0.1:{}/", free_port()));
    open_breaker(&cache).await;
    let (running, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let load = || async {
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(LOAD).await;
        running.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, String>("right".to_owned())
    };
    let call = async |i: u32| cache.entry(format!("k{i}")).get_or_load(load).await;
    let values = futures_util::future::join_all((0..200).map(call)).await;
    assert!(values.iter().all(Result::is_ok));
    assert_eq!(most.into_inner(), 64, "loads at once");
}

#[tokio::test]
async fn without_a_server_callers_share_a_load_that_begins_after_they_came() {
    let cache = cache(&format!("redis://127.0.0.1:{}/", free_port()));
    open_breaker(&cache).await;
    let loads = AtomicU64::new(0);
    let load = || async {
        loads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(LOAD).await;
        Ok::<_, String>("right".to_owned())
    };
    let call = async |_| cache.entry("one key").get_or_load(load).await;
    let values = futures_util::future::join_all((0..100).map(call)).await;
    assert!(values.iter().all(Result::is_ok));
    assert_eq!(loads.into_inner(), 2, "the load that was under way when the others came, and one for all of them");
}

#[tokio::test]
async fn an_outage_is_two_lines_in_the_log() {
    let (log, _listening) = Log::listen(tracing::Level::INFO);
    let mut server = RedisServer::start();
    let cache = cache(&server.url());
    call(&cache).await;
    cache.flush().await;
    server.kill();
    open_breaker(&cache).await;
    median_overhead(&cache).await;
    server.restart();
    hits_resume(&cache).await;
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("WARN") && lines[0].contains("its breaker is open"), "{lines:#?}");
    assert!(lines[1].contains("INFO") && lines[1].contains("its breaker is closed"), "{lines:#?}");
    // The address shows an operator which server it is.
    let address = format!("127.0.0.1:{}", server.port());
    assert!(lines.iter().all(|line| line.contains(&address)), "{address}: {lines:#?}");
}

#[tokio::test]
async fn many_callers_of_a_frozen_server_wait_side_by_side() {
    let server = RedisServer::start();
    let cache = cache(&server.url());
    assert!(!is_hit(&cache).await);
    server.freeze();
    let mut callers = tokio::task::JoinSet::new();
    let began = Instant::now();
    for i in 0..50 {
        let cache = cache.clone();
        callers.spawn(async move { cache.entry(format!("k{i}")).get_or_load(|| async { Ok::<_, String>(i) }).await });
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    assert!(began.elapsed() < BUDGET + 2 * SLACK, "{:?}", began.elapsed());
}

/// Plants `bytes` under the key; the call returns the right value and stores it over them.
async fn healed(server: &RedisServer, plant: &[&[u8]], reason: MissReason) {
    let cache = cache(&server.url());
    // Also removes what an earlier call has stored beside it.
    let _: redis::Value = server.send(&[b"FLUSHALL"]).await;
    let _: redis::Value = server.send(plant).await;
    assert!(!is_hit(&cache).await, "{reason:?}");
    cache.flush().await;
    assert!(is_hit(&cache).await, "{reason:?}: the right value was not stored over it");
    assert_eq!(stats(&cache).misses.get(&reason), Some(&1), "{:?}", stats(&cache).misses);
}

#[tokio::test]
async fn damaged_and_foreign_bytes_cost_one_load() {
    let server = RedisServer::start();
    let good = {
        let cache = cache(&server.url());
        call(&cache).await;
        cache.flush().await;
        server.send::<Vec<u8>>(&[b"GET", RAW_KEY]).await
    };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let cases: [(Vec<u8>, MissReason); 8] = [
        (b"".to_vec(), MissReason::Foreign),
        (b"{\"name\":\"another program's\"}".to_vec(), MissReason::Foreign),
        (b"Lnot a lease".to_vec(), MissReason::Foreign),
        (good[..20].to_vec(), MissReason::Truncated),
        (good[..good.len() - 1].to_vec(), MissReason::Corrupt),
        // One letter of the payload: still perfectly good JSON.
        (with(&|bytes| *bytes.iter_mut().rev().nth(2).unwrap() = b'X'), MissReason::Corrupt),
        (with(&|bytes| bytes[17] |= 0x30), MissReason::Version),
        ([b"V".as_slice(), &[0xff; 200]].concat(), MissReason::Version),
    ];
    for (bytes, reason) in cases {
        healed(&server, &[b"SET", RAW_KEY, &bytes], reason).await;
    }
    healed(&server, &[b"RPUSH", RAW_KEY, b"a list"], MissReason::WrongType).await;
    healed(&server, &[b"HSET", RAW_KEY, b"a", b"hash"], MissReason::WrongType).await;
}

#[tokio::test]
async fn a_value_under_another_key_is_not_served() {
    let server = RedisServer::start();
    let cache = cache(&server.url());
    cache.entry("user:2").set(&"someone else's".to_owned()).await.unwrap();
    let _: redis::Value = server.send(&[b"COPY", b"cache:k:user:2", RAW_KEY]).await;
    assert!(!is_hit(&cache).await);
    assert_eq!(stats(&cache).misses[&MissReason::Corrupt], 1);
}

#[tokio::test]
async fn a_value_of_another_type_is_no_hit() {
    let server = RedisServer::start();
    let cache = cache(&server.url());
    cache.entry(KEY).set(&7u64).await.unwrap();
    assert!(!is_hit(&cache).await);
    cache.flush().await;
    assert!(is_hit(&cache).await);
    assert_eq!(stats(&cache).misses[&MissReason::Type], 1);
}

#[tokio::test]
async fn a_value_whose_payload_does_not_deserialize_is_loaded_each_time() {
    let server = RedisServer::start();
    let cache = cache(&server.url());
    for _ in 0..2 {
        let load = || async { Ok::<_, String>(Unreadable { number: 1 }) };
        assert_eq!(cache.entry(KEY).get_or_load(load).await.unwrap().number, 1);
        cache.flush().await;
    }
    let stats = stats(&cache);
    assert_eq!((stats.loads, stats.misses[&MissReason::Payload]), (2, 1), "{stats:?}");
}

/// The server takes reads but refuses the lease. Calls succeed quickly, and the breaker stays closed.
async fn refused(cache: &Cache, reason: MissReason) {
    for _ in 0..5 {
        let took = call(cache).await;
        assert!(took <= LOAD + SLACK, "{took:?}");
    }
    let stats = stats(cache);
    assert_eq!((stats.loads, stats.bypassed, stats.stored), (5, 5, 0));
    assert_eq!(stats.misses[&reason], 5, "{:?}", stats.misses);
    assert_eq!(stats.unstored[&UnstoredReason::NoLease], 5);
    assert_eq!(cache.stats().breaker, BreakerState::Closed, "the server itself is well");
}

#[tokio::test]
async fn a_server_out_of_memory() {
    let server = RedisServer::start_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    refused(&cache(&server.url()), MissReason::OutOfMemory).await;
}

#[tokio::test]
async fn a_read_only_replica() {
    let primary = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start_with(&["--replicaof", &format!("127.0.0.1 {}", primary.port())]);
    tests::eventually("the replica is in step", async || {
        replica.send::<String>(&[b"INFO", b"replication"]).await.contains("master_link_status:up")
    })
    .await;
    let cache = cache(&replica.url());
    open_breaker(&cache).await;
    assert!(stats(&cache).misses[&MissReason::NotPrimary] >= 3, "{:?}", stats(&cache).misses);
}

#[tokio::test]
async fn a_wrong_password() {
    let server = RedisServer::start_with(&["--requirepass", "secret"]);
    for url in [server.url(), server.url().replace("127", ":wrong@127"), server.url().replace("127", "user:wrong@127")]
    {
        let cache = cache(&url);
        bridged(&cache).await;
        assert!(stats(&cache).misses[&MissReason::Auth] >= 3, "{url}: {:?}", stats(&cache).misses);
    }
    let cache = cache(&server.url().replace("127", ":secret@127"));
    call(&cache).await;
    cache.flush().await;
    assert!(is_hit(&cache).await);
}

#[tokio::test]
async fn a_server_that_is_loading() {
    let mut server = RedisServer::start();
    {
        let mut connection = server.connection().await;
        for i in 0..2_000 {
            redis::cmd("SET").arg(i).arg("x".repeat(100)).query_async::<()>(&mut connection).await.unwrap();
        }
        redis::cmd("SAVE").query_async::<()>(&mut connection).await.unwrap();
    }
    server.kill();
    server.restart_with(&["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]);
    let cache = cache(&server.url());
    open_breaker(&cache).await;
    // Such a server takes long to answer at all.
    assert!(stats(&cache).misses[&MissReason::Loading] >= 1, "{:?}", stats(&cache).misses);
    server.kill();
    server.restart_with(&[]);
    hits_resume(&cache).await;
}

#[tokio::test]
async fn set_and_delete_say_what_happened() {
    let mut server = RedisServer::start();
    let cache = cache(&server.url());
    cache.entry(KEY).set(&1u8).await.unwrap();
    server.kill();
    for _ in 0..5 {
        let began = Instant::now();
        assert!(cache.entry(KEY).set(&1u8).await.is_err());
        assert!(cache.entry(KEY).remove().await.is_err());
        assert_eq!(cache.entry(KEY).get::<u8>().await, None);
        assert!(began.elapsed() < 3 * BUDGET + SLACK);
    }
}
