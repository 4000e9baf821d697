//! A refresh that succeeds and has nothing to store ends the old value, whatever the reason, and however the value came
//! to be refreshed.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Clock, UnstoredReason, redis_cached};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{RedisServer, eventually};

/// The row as the source has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Row {
    version: u64,
    is_secret: bool,
    is_over: bool,
    text: String,
    tags: u64,
    /// JSON cannot write its keys, if there are any.
    pairs: BTreeMap<(u8, u8), u8>,
}

fn time(row: &Row) -> Duration {
    if row.is_over { Duration::ZERO } else { Duration::from_secs(10) }
}

fn tags(row: &Row) -> Vec<String> {
    (0..row.tags).map(|tag| format!("tag:{tag}")).collect()
}

fn may_be_stored(row: &Row) -> bool {
    assert!(row.version < 100, "as it is meant to");
    !row.is_secret
}

/// The rows that are not stored, and why.
fn unstored() -> Vec<(UnstoredReason, Option<Row>)> {
    let row = Row { version: 2, ..Row::default() };
    vec![
        (UnstoredReason::Policy, None),
        (UnstoredReason::Policy, Some(Row { is_secret: true, ..row.clone() })),
        (UnstoredReason::Policy, Some(Row { is_over: true, ..row.clone() })),
        (UnstoredReason::TooLarge, Some(Row { text: "x".repeat(5_000), ..row.clone() })),
        (UnstoredReason::TooManyTags, Some(Row { tags: 65, ..row.clone() })),
        (UnstoredReason::Encode, Some(Row { pairs: BTreeMap::from([((1, 2), 3)]), ..row.clone() })),
        (UnstoredReason::Panicked, Some(Row { version: 100, ..row })),
    ]
}

/// A row in a database.
struct Source {
    cache: Cache,
    clock: Clock,
    row: Mutex<Result<Option<Row>, String>>,
    loads: AtomicU64,
    loads_of_another_type: AtomicU64,
}

impl Source {
    fn of(server: Option<&RedisServer>) -> Self {
        let clock = Clock::manual();
        let builder = Cache::builder().namespace("cache").clock(clock.clone()).jitter(0.0).max_value_bytes(4_096);
        let builder = match server {
            Some(server) => builder.redis(server.url()).budget(Duration::from_secs(5)),
            None => builder,
        };
        let row = Mutex::new(Ok(Some(Row { version: 1, ..Row::default() })));
        Self {
            cache: builder.build().unwrap(),
            clock,
            row,
            loads: AtomicU64::new(0),
            loads_of_another_type: AtomicU64::new(0),
        }
    }

    fn says(&self, row: Result<Option<Row>, String>) {
        *self.row.lock().unwrap() = row;
    }

    async fn load(&self) -> Result<Option<Row>, String> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.row.lock().unwrap().clone()
    }
}

macro_rules! functions {
    ($($name:ident($($option:tt)*);)*) => {
        $(
            #[redis_cached(
                key = "row", skip(source), none_ttl = "off", cache_if = may_be_stored, ttl = |row: &Row| time(row), tags = tags,
                cache = source.cache, $($option)*
            )]
            async fn $name(source: std::sync::Arc<Source>) -> Result<Option<Row>, String> {
                source.load().await
            }
        )*
    };
}

/// Another build of the service stores under the same key first; values of the other functions then stand beside it.
#[redis_cached(key = "row", skip(source), cache = source.cache)]
async fn of_another_type(source: &Source) -> u64 {
    source.loads_of_another_type.fetch_add(1, Ordering::SeqCst)
}

functions! {
    revalidated(stale_while_revalidate = "1m");
    bridged(stale_if_error = "1m");
    in_background(stale_while_revalidate = "1m", refresh = "background");
    ahead(refresh_ahead = 1000000000, stale_if_error = "1m");
    spawned(stale_while_revalidate = "1m", stale_if_error = "5m", spawn, load_timeout = "10s");
    near(stale_while_revalidate = "1m", local = "1m");
}

/// One function with one source: its value is refreshed to each of the rows that are not stored.
macro_rules! ends {
    ($($name:ident),*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::ends(None, super::$name).await;
            })*
        }

        mod on_redis {
            $(#[tokio::test]
            async fn $name() {
                let server = super::RedisServer::start();
                super::ends(Some(&server), super::$name).await;
            })*
        }
    };
}
ends!(revalidated, bridged, in_background, ahead, spawned, near);

async fn ends<F, Fut>(server: Option<&RedisServer>, function: F)
where
    F: Fn(std::sync::Arc<Source>) -> Fut,
    Fut: Future<Output = Result<Option<Row>, String>>,
{
    for ((reason, row), is_beside) in unstored().into_iter().zip([false, true].into_iter().cycle()) {
        if let Some(server) = server {
            server.send::<()>(&[b"FLUSHALL"]).await;
        }
        let source = std::sync::Arc::new(Source::of(server));
        let call = || function(std::sync::Arc::clone(&source));
        let loads = || source.loads.load(Ordering::SeqCst);
        if is_beside {
            of_another_type(&source).await;
            source.cache.flush().await;
        }
        let first = Ok(Some(Row { version: 1, ..Row::default() }));
        assert_eq!(call().await, first);
        source.cache.flush().await;
        source.clock.advance(Duration::from_secs(10));
        source.says(Ok(row.clone()));
        let refreshed = call().await;
        assert!(refreshed == Ok(row.clone()) || refreshed == first, "{refreshed:?}");
        eventually("the refresh has ended", async || {
            source.cache.flush().await;
            let stats = source.cache.stats();
            stats.sites.iter().any(|site| site.unstored.contains_key(&reason))
        })
        .await;
        assert_eq!(loads(), 2, "{reason:?}");
        for n in 3..6 {
            assert_eq!(
                (call().await, loads()),
                (Ok(row.clone()), n),
                "{reason:?}: the old value is not served any more"
            );
            source.cache.flush().await;
        }
        source.says(Err("the database is away".to_owned()));
        assert_eq!(call().await, Err("the database is away".to_owned()), "{reason:?}: nor in place of an error");
        if is_beside {
            assert_eq!(of_another_type(&source).await, 0, "{reason:?}: what it stood beside is there");
        }
    }
}
