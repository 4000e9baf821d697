//! The log, as operators see it: a function that gains nothing from the cache is logged once, with advice; an outage is
//! one line for each function whose writes it affects, however many they are; single calls are logged for those who
//! ask.

use cached_core::store::MemoryStore;
use cached_core::{Cache, CacheError, Clock, Outcome, UnstoredReason, redis_cached, redis_invalidate};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tests::{Log, RedisServer, applied, eventually, free_port, patient_cache};
use tracing::Level;

mod other {
    use cached_core::redis_cached;

    #[redis_cached(key = "other-find:<id>")]
    pub(crate) async fn pick(id: u64) -> u64 {
        id
    }
}

#[redis_cached(key = "find:<id>")]
async fn pick(id: u64) -> u64 {
    id
}

struct Repo<T>(T);

impl<T: Send + Sync> Repo<T> {
    #[redis_cached(key = "repo-find:<id>")]
    async fn pick(&self, id: u64) -> u64 {
        let _ = &self.0;
        id
    }
}

trait Shelf {
    async fn pick(&self, id: u64) -> u64;
}

impl<T: Send + Sync> Shelf for Repo<T> {
    #[redis_cached(key = "shelf-find:<id>")]
    async fn pick(&self, id: u64) -> u64 {
        let _ = &self.0;
        id
    }
}

#[redis_cached(key = "page:<n>", tags = |ids: &Vec<u64>| ids.iter().map(|id| format!("article:{id}")).collect::<Vec<_>>())]
async fn page(n: u64) -> Vec<u64> {
    (0..n).collect()
}

#[redis_cached(key = "large:<n>")]
async fn large(n: usize) -> Vec<u8> {
    vec![200; n]
}

#[redis_cached(key = "grid:<n>")]
async fn grid(n: u8) -> HashMap<(u8, u8), u8> {
    HashMap::from([((n, n), n)])
}

#[redis_cached(key = "never:<n>", cache_if = |n: &u64| *n > 1000)]
async fn never(n: u64) -> u64 {
    n
}

#[redis_cached(key = "told:<n>")]
async fn plain(n: u64) -> u64 {
    n
}

#[redis_invalidate(key = "told:<n>")]
async fn change(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[redis_invalidate(key = "told:<n>", mode = "after")]
async fn change_after(n: u64) -> Result<u64, String> {
    Ok(n)
}

/// The only line, which must be about this function and contain these words.
fn one_line(lines: &[String], function: &str, words: &[&str]) {
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let site = format!("functions::told::{function}\"");
    let words = [&[&*site, "tests/functions/told.rs:"], words].concat();
    assert!(words.iter().all(|word| lines[0].contains(word)), "{words:?}: {}", lines[0]);
}

#[tokio::test]
async fn a_permanent_cause_is_logged_at_the_first_value() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    for _ in 0..5 {
        cache.scope(page(65)).await;
        cache.flush().await;
    }
    one_line(&log.take(), "page", &["WARN", "more than 64 tags and events", "use fewer"]);
    assert_eq!(cache.stats().site("page").unwrap().unstored[&UnstoredReason::TooManyTags], 5);
    for _ in 0..5 {
        cache.scope(large(400_000)).await;
        cache.flush().await;
    }
    one_line(
        &log.take(),
        "large",
        &[
            "WARN",
            "larger than `max_value_bytes`",
            ".max_value_bytes(..)",
            "codec = ",
            "1600001 bytes",
            "1048576 allowed",
        ],
    );
    for _ in 0..5 {
        cache.scope(grid(1)).await;
        cache.flush().await;
    }
    one_line(&log.take(), "grid", &["WARN", "cannot be written as json", "write another `codec`"]);
}

#[tokio::test]
async fn a_temporary_cause_is_logged_when_it_stays() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    for n in 0..99 {
        cache.scope(never(n)).await;
        cache.flush().await;
    }
    assert_eq!(log.take(), Vec::<String>::new(), "it may be the hundredth that is stored");
    for n in 99..300 {
        cache.scope(never(n)).await;
        cache.flush().await;
    }
    one_line(&log.take(), "never", &["WARN", "100 calls in a row", "`cache_if` said no", "none_ttl"]);
}

#[tokio::test]
async fn a_server_that_refuses_scripts_is_named_with_its_own_words() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start();
    let _: () = server.send(&[b"ACL", b"SETUSER", b"app", b"on", b">pw", b"~*", b"&*", b"+@all", b"-@scripting"]).await;
    let cache = patient_cache(&format!("redis://app:pw@127.0.0.1:{}/", server.port()));
    for n in 0..300 {
        cache.scope(plain(n)).await;
        cache.flush().await;
    }
    one_line(&log.take(), "plain", &["WARN", "the server refuses a command", "ACL SETUSER", "no permissions"]);
}

#[tokio::test]
async fn a_replica_is_an_outage_that_says_so() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start_with(&["--replicaof", &format!("127.0.0.1 {}", free_port())]);
    let cache = patient_cache(&server.url());
    for n in 0..300 {
        cache.scope(plain(n)).await;
        cache.flush().await;
    }
    let log = log.take();
    let warnings: Vec<_> = log.iter().filter(|line| line.contains("WARN")).collect();
    let [warning] = warnings[..] else { panic!("not one line: {log:?}") };
    let address = format!("127.0.0.1:{} is a replica", server.port());
    assert!(warning.contains(&address) && warning.contains("the address of the primary"), "{warning}");
}

#[tokio::test]
async fn another_program_s_data_under_the_keys_is_said() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    for _ in 0..101 {
        let _: redis::Value = server.send(&[b"DEL", b"cache:k:told:1"]).await;
        let _: redis::Value = server.send(&[b"RPUSH", b"cache:k:told:1", b"a list"]).await;
        cache.scope(plain(1)).await;
        cache.flush().await;
    }
    one_line(&log.take(), "plain", &["WARN", "not written by this library", ".namespace(..)"]);
}

/// Two builds whose values under one key differ in type: each keeps its own, and only if that continues is it worth a
/// line.
#[tokio::test]
async fn builds_side_by_side_are_logged_when_it_continues() {
    let (log, _listening) = Log::listen(Level::INFO);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let _ = log.take();
    cache.entry("k").set(&"theirs".to_owned()).await.unwrap();
    let mine = async || cache.entry("k").get_or_load(async || Ok::<u64, ()>(1)).await;
    for _ in 0..500 {
        mine().await.unwrap();
        cache.flush().await;
    }
    assert_eq!(log.take(), Vec::<String>::new(), "what a deployment looks like");
    for _ in 0..1000 {
        mine().await.unwrap();
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("INFO") && lines[0].contains("reads twice"), "{lines:#?}");
}

#[tokio::test]
async fn a_function_that_hits_says_nothing() {
    let (log, _listening) = Log::listen(Level::WARN);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    for n in 0..400 {
        // Most of its values must not be stored.
        cache.scope(never(if n % 90 == 0 { 2000 } else { n })).await;
        cache.flush().await;
    }
    assert_eq!(log.take(), Vec::<String>::new());
}

#[tokio::test]
async fn an_outage_is_one_line_for_each_function_that_writes() {
    let (log, _listening) = Log::listen(Level::INFO);
    let mut server = RedisServer::start();
    let cache = Cache::builder().namespace("cache").redis(server.url()).build().unwrap();
    cache.scope(change(0)).await.unwrap();
    server.kill();
    let _ = log.take();
    for n in 0..100 {
        cache.scope(change(n)).await.unwrap();
        cache.scope(change_after(n)).await.unwrap();
    }
    let lines = log.take();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for words in ["its breaker is open", "functions::told::change\"", "functions::told::change_after\""] {
        assert_eq!(lines.iter().filter(|line| line.contains("WARN") && line.contains(words)).count(), 1, "{lines:#?}");
    }
    server.restart();
    assert!(applied(&cache, Duration::from_secs(10)).await);
    let mut lines = Vec::new();
    eventually("it is over", async || {
        // Any call finds out that the server is back.
        cache.scope(plain(1000)).await;
        lines.extend(log.take());
        lines.iter().filter(|line| line.contains("takes this function's writes again")).count() == 2
    })
    .await;
    let counts = |function: &str, counts: &str| {
        assert!(lines.iter().any(|line| line.contains(function) && line.contains(counts)), "{counts}: {lines:#?}");
    };
    counts("functions::told::change\"", "queued=100 unbracketed=100");
    counts("functions::told::change_after\"", "queued=100 unbracketed=0");
    for n in 0..10 {
        cache.scope(change(n)).await.unwrap();
    }
    let lines = log.take();
    assert!(lines.iter().all(|line| !line.contains("functions::told::change")), "that was all: {lines:#?}");
}

#[tokio::test]
async fn single_calls_are_logged_for_those_who_ask() {
    let (log, _listening) = Log::listen(Level::TRACE);
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let calls = || {
        let lines = log.take().into_iter().filter(|line| line.contains("cached_core::calls"));
        lines.map(|line| line.split_once("cached_core::calls: ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    cache.scope(plain(7)).await;
    cache.flush().await;
    cache.scope(plain(7)).await;
    let lines = calls();
    let said = ["miss site=\"functions::told::plain\" key=\"cache:k:told:7\" reason=Absent", "loaded", "stored", "hit"];
    assert_eq!(lines.len(), said.len(), "{lines:#?}");
    for (line, said) in lines.iter().zip(said) {
        assert!(line.starts_with(said) && line.contains("told:7"), "{said}: {lines:#?}");
    }
    assert!(lines[1].contains("took=") && lines[1].contains("is_ok=true"));
    cache.scope(never(7)).await;
    cache.flush().await;
    let lines = calls();
    assert!(lines.last().unwrap().starts_with("not stored") && lines.last().unwrap().contains("Policy"), "{lines:#?}");
    cache.scope(change(7)).await.unwrap();
    let lines = calls();
    assert!(lines.len() == 1 && lines[0].starts_with("invalidated"), "{lines:#?}");
    assert!(lines[0].contains("cache:k:told:7") && lines[0].contains("Applied"), "{lines:#?}");
    let near = Cache::builder()
        .namespace("cache")
        .redis(server.url())
        .budget(Duration::from_secs(2))
        .near_ttl(Duration::from_secs(60));
    let near = near.build().unwrap();
    eventually("it is near", async || {
        near.scope(plain(7)).await;
        calls().iter().any(|line| line.starts_with("near hit") && line.contains("key=\"cache:k:told:7\""))
    })
    .await;
}

#[tokio::test]
async fn functions_are_listed_from_the_start_and_told_apart() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    let stats = cache.stats();
    let paths: Vec<_> = stats.sites.iter().filter(|site| site.site == "pick").map(|site| &*site.path).collect();
    assert_eq!(
        paths,
        [
            "functions::told::other::pick",
            "functions::told::pick",
            "functions::told::Repo<_>::pick",
            "<functions::told::Repo<_> as functions::told::Shelf>::pick"
        ]
    );
    assert!(stats.sites.iter().all(|site| site.calls() == 0));
    assert_eq!(stats.to_string(), "store redis, breaker closed", "those that were called have a line");
    assert_eq!(stats.site("pick").unwrap().path, "functions::told::other::pick", "the first in the source");
    cache.scope(Repo(1_u8).pick(1)).await;
    let stats = cache.stats();
    assert_eq!(stats.site("pick").unwrap().path, "functions::told::Repo<_>::pick", "the first that was called");
    assert_eq!(stats.site("Repo<_>::pick").unwrap().loads, 1);
    assert_eq!(stats.site("other::pick").unwrap().loads, 0);
    assert!(stats.site("ther::pick").is_none() && stats.site("ck").is_none());
    cache.scope(async { other::pick(1).await + pick(1).await + Shelf::pick(&Repo(1_u8), 1).await }).await;
    assert!(cache.stats().sites.iter().filter(|site| site.site == "pick").all(|site| site.loads == 1));
}

#[tokio::test]
async fn writes_are_shown_as_writes() {
    let server = RedisServer::start();
    let cache = patient_cache(&server.url());
    cache.scope(change(1)).await.unwrap();
    cache.entry("k").set(&1_u8).await.unwrap();
    cache.entry("k").remove().await.unwrap();
    let text = cache.stats().to_string();
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    for name in ["change ", "Cache::entry", "Entry::remove"] {
        assert!(line(name).contains("1 writes") && !line(name).contains('%'), "{text}");
    }
    assert!(line("change ").contains("1 applied") && line("Cache::entry").contains("1 stored"), "{text}");
}

#[test]
fn without_a_runtime_that_is_what_is_said() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let (log, _listening) = Log::listen(Level::WARN);
    let cache = Cache::builder().namespace("cache").redis("redis://127.0.0.1:1/").build().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = pin!(cache.entry("k").set(&1_u8)).poll(&mut context) else { panic!("set") };
    assert!(matches!(error, CacheError::NoRuntime) && error.to_string().contains("no tokio runtime"), "{error}");
    assert!(matches!(pin!(cache.entry("k").remove()).poll(&mut context), Poll::Ready(Err(CacheError::NoRuntime))));
    for _ in 0..3 {
        assert!(pin!(cache.entry("k").get_or_load(async || Ok::<u8, ()>(1))).poll(&mut context).is_ready());
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("no tokio runtime"), "{lines:#?}");
    let Poll::Ready(outcome) = pin!(cache.invalidate(cached_core::Invalidation::new().key("k"))).poll(&mut context)
    else {
        panic!("invalidate")
    };
    assert_eq!(outcome, Outcome::Failed);
    let lines = log.take();
    assert!(lines.iter().all(|line| !line.contains("breaker")) && lines[0].contains("no tokio runtime"), "{lines:#?}");
}

#[tokio::test]
async fn an_error_says_it_once_and_no_text_holds_the_password() {
    let url = format!("redis://app:hunter2@127.0.0.1:{}/", free_port());
    let cache = Cache::builder().namespace("cache").redis(&*url).build().unwrap();
    let error = cache.entry("k").remove().await.unwrap_err();
    let mut chain = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        chain.push(error.to_string());
        source = error.source();
    }
    let chain = chain.join(": ");
    assert_eq!(chain.matches("not connected").count(), 1, "{chain}");
    for shown in [
        chain,
        format!("{error:?}"),
        format!("{cache:?}"),
        format!("{:?}", Cache::builder().namespace("cache").redis(&*url)),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(format!("{cache:?}").contains("127.0.0.1:"), "{cache:?}");
    for wrong in [
        "redis://app:hunter2@host:port/",
        "redsi://app:hunter2@host/",
        "redis://app:hunter2@host/db",
        "redis://a:hunter2@",
    ] {
        let error = Cache::builder().namespace("cache").redis(wrong).build().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(1 << 20, Clock::system()))
}

#[test]
fn two_places_to_keep_values_are_one_too_many() {
    let error =
        Cache::builder().namespace("cache").redis("redis://127.0.0.1/").store(store()).build().unwrap_err().to_string();
    assert!(error.contains("`redis` and `store`"), "{error}");
    let error = Cache::builder().namespace("cache").store(store()).from_env().build().unwrap_err().to_string();
    assert!(error.contains("`store` and `from_env`"), "{error}");
    assert!(
        Cache::builder().namespace("cache").redis("redis://a/").redis("redis://b/").build().is_ok(),
        "a setting that is changed"
    );
}

/// A default namespace would be the same for all services, so there is none.
#[tokio::test]
async fn a_namespace_that_is_missing_is_asked_for() {
    let redis = || Cache::builder().redis("redis://127.0.0.1/");
    for builder in [redis(), Cache::builder().store(store()), Cache::builder().from_env()] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.starts_with("namespace: ") && error.contains(".namespace(\"shop\")"), "{error}");
    }
    assert!(redis().namespace("shop").build().is_ok());
    assert!(Cache::builder().build().is_ok(), "nobody else's keys stand in a process's own memory");
}
