//! Single steps, without a load.

use super::*;
use crate::CacheError;
use std::collections::HashMap;

async fn get(on: &Subject) -> Option<u64> {
    on.cache.entry("k").get().await
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_set_is_found_until_it_is_removed() {
    let on = Subject::new();
    on.cache.entry("k").set(&7_u64).await.unwrap();
    assert_eq!(get(&on).await, Some(7));
    let size = on.register().await.unwrap().len() as u64;
    let set = on.stats_of("Cache::entry");
    assert_eq!((set.stored, set.bytes_written), (1, size));
    let remove = async || {
        on.engine()
            .target_by_key(&crate::site::by_hand::ENTRY, on.engine().settings.prefix.literal("k"))
            .remove()
            .await
            .unwrap()
    };
    assert!(remove().await);
    assert!(!remove().await);
    assert_eq!(get(&on).await, None);
    let stats = on.stats_of("Cache::entry");
    assert_eq!((stats.hits, stats.unserved, stats.bytes_read), (1, 1, size));
    assert_eq!(stats.misses.into_iter().collect::<Vec<_>>(), [(MissReason::Absent, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_set_for_its_time_to_live() {
    let on = Subject::new();
    on.cache.entry("k").set(&7_u64).await.unwrap();
    on.clock.advance(Duration::from_secs(599));
    assert_eq!(get(&on).await, Some(7));
    on.cache.entry("k").ttl(Duration::from_secs(5)).set(&8_u64).await.unwrap();
    on.clock.advance(Duration::from_secs(4));
    assert_eq!(get(&on).await, Some(8));
    on.clock.advance(Duration::from_secs(1));
    assert_eq!(get(&on).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stored_none_is_a_hit() {
    let on = Subject::new();
    let nothing = || async { Ok::<Option<u64>, ()>(None) };
    on.cache.entry("k").get_or_load_option(nothing).await.unwrap();
    assert_eq!(get(&on).await, None);
    let stats = on.stats_of("Cache::entry");
    assert_eq!((stats.hits, stats.unserved), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_reason_for_having_no_value_is_one_miss() {
    let on = Subject::new();
    let missed = async |unserved, reason| {
        assert_eq!(get(&on).await, None);
        let stats = on.stats_of("Cache::entry");
        assert_eq!((stats.hits, stats.unserved), (0, unserved));
        assert_eq!(stats.misses[&reason], 1, "{reason:?}");
        assert_eq!(stats.misses.values().sum::<u64>(), unserved);
    };
    on.plant_lease(9, Duration::from_secs(60)).await;
    missed(1, MissReason::Leased).await;
    on.plant(b"garbage").await;
    missed(2, MissReason::Foreign).await;
    on.plant(&on.register_of(b"text")).await;
    missed(3, MissReason::Payload).await;
    on.store.plan(Step::Get, [Act::Silent]);
    missed(4, MissReason::Timeout).await;
    on.open_breaker().await;
    missed(5, MissReason::BreakerOpen).await;
}

#[tokio::test(start_paused = true)]
async fn set_returns_why_it_did_not_store() {
    let on = Subject::with(|builder| builder.max_value_bytes(10));
    let set = async |text: &str| on.cache.entry("k").set(&text.to_owned()).await;
    // With the quotes that JSON adds.
    set("12345678").await.unwrap();
    assert!(matches!(set("123456789").await, Err(CacheError::TooLarge { bytes: 11, max: 10 })));
    let no_key = on.cache.entry("k").set(&HashMap::from([((1, 2), 3)])).await;
    assert!(matches!(no_key, Err(CacheError::Encode { .. })));
    let inside = async { set("2").await };
    let (inside, _) = on.cache.write(crate::Invalidation::new().key("k"), inside).await;
    assert!(matches!(inside, Err(CacheError::Writing)));
    on.store.plan(Step::Put, [Act::Fails(FaultKind::Timeout)]);
    assert!(matches!(set("1").await, Err(CacheError::Store(_))));
    assert!(!on.engine().breaker.is_healthy());
    on.cache.entry("k").get::<String>().await;
    on.open_breaker().await;
    assert!(matches!(set("1").await, Err(CacheError::BreakerOpen)));
    assert!(matches!(on.cache.entry("k").remove().await, Err(CacheError::BreakerOpen)));
    assert_eq!(on.stats_of("Cache::entry").stored, 1);
}
