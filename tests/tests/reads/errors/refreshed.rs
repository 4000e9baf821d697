//! A chosen error beside values that are near or past their end: the source has answered, so the old value is over.

use super::{Answer, ApiError, Pair, Source, ms, not_found, row, secs, settled};
use cached_core::{Cache, redis_cached};

#[redis_cached(key = "error-if-error:<id>", ttl = "1m", jitter = 0, stale_if_error = "1h", error_if = ApiError::is_answer,
    error_ttl = "10s", cache = cache, skip(cache, source))]
async fn bridged(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    source.load().await
}

#[tokio::test]
async fn an_answer_wins_over_the_old_value_and_a_failure_does_not() {
    let on = Pair::new();
    let down = || Err(ApiError::Overloaded);
    let source = Source::of([row("old"), down(), Err(not_found(1)), down(), row("new")]);
    assert_eq!(settled(&on.here, bridged(&on.here, &source, 1)).await, row("old"));
    on.later(secs(61));
    assert_eq!(settled(&on.here, bridged(&on.here, &source, 1)).await, row("old"), "the source is down");
    on.later(secs(6));
    assert_eq!(settled(&on.here, bridged(&on.here, &source, 1)).await, Err(not_found(1)), "the row is gone");
    assert_eq!(bridged(&on.there, &source, 1).await, Err(not_found(1)));
    assert_eq!(source.loads(), 3);
    // A stored error ends with its time: it replaces no failure, and the value before it does not come back.
    on.later(secs(11));
    assert_eq!(settled(&on.there, bridged(&on.there, &source, 1)).await, down());
    assert_eq!(settled(&on.there, bridged(&on.there, &source, 1)).await, row("new"));
}

macro_rules! refreshing {
    ($($name:ident $key:literal [$($options:tt)*])*) => {$(
        #[redis_cached(key = $key, ttl = "1m", jitter = 0, error_if = |error| error.is_answer(), error_ttl = "10s",
            cache = cache, skip(cache, source), $($options)*)]
        async fn $name(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
            source.load().await
        }
    )*};
}

refreshing! {
    waits "error-waits:<id>" [stale_while_revalidate = "1h"]
    in_background "error-background:<id>" [stale_while_revalidate = "1h", refresh = "background"]
    spawned "error-spawned:<id>" [stale_while_revalidate = "1h", stale_if_error = "2h", spawn, load_timeout = "5s"]
}

macro_rules! replaced_by_refresh {
    ($name:ident, $first:expr) => {{
        let on = Pair::new();
        let source = Source::of([row("old"), Err(not_found(1)), row("new")]);
        assert_eq!(settled(&on.here, $name(&on.here, &source, 1)).await, row("old"));
        on.later(secs(61));
        assert_eq!(settled(&on.here, $name(&on.here, &source, 1)).await, $first);
        // In the background the task may still begin.
        tests::eventually("the refresh has ended", async || {
            on.here.flush().await;
            on.here.stats().site(stringify!($name)).unwrap().stored == 2
        })
        .await;
        for cache in [&on.here, &on.there] {
            assert_eq!($name(cache, &source, 1).await, Err(not_found(1)), "the old value is over");
        }
        assert_eq!(source.loads(), 2);
        on.later(secs(10) + ms(1));
        assert_eq!(settled(&on.there, $name(&on.there, &source, 1)).await, row("new"), "not served past its end");
        assert_eq!(on.here.stats().site(stringify!($name)).unwrap().load_errors, 0);
    }};
}

#[tokio::test]
async fn a_refresh_that_brings_a_chosen_error_replaces_the_value() {
    replaced_by_refresh!(waits, Err(not_found(1)));
    replaced_by_refresh!(in_background, row("old"));
    replaced_by_refresh!(spawned, Err(not_found(1)));
}

#[redis_cached(key = "error-ahead:<id>", ttl = "1m", jitter = 0, error_if = super::ApiError::is_answer, error_ttl = "10s",
    refresh_ahead = 1000000.0, cache = cache, skip(cache, source))]
async fn ahead(cache: &Cache, source: &Source<Answer>, id: u64) -> Answer {
    // A value that took so long to load, beside this β, is refreshed by every call; the clock is the tokio runtime's.
    tokio::time::sleep(ms(200)).await;
    source.load().await
}

#[tokio::test(start_paused = true)]
async fn a_stored_error_is_not_refreshed_ahead_of_its_end() {
    let on = Pair::new();
    let source = Source::of([row("old"), Err(not_found(1)), row("new")]);
    assert_eq!(settled(&on.here, ahead(&on.here, &source, 1)).await, row("old"));
    assert_eq!(settled(&on.here, ahead(&on.here, &source, 1)).await, Err(not_found(1)), "refreshed at once");
    for _ in 0..20 {
        assert_eq!(settled(&on.here, ahead(&on.here, &source, 1)).await, Err(not_found(1)));
    }
    assert_eq!(source.loads(), 2);
}
