//! Keys and tags that are rendered by hand: patterns are refused, and likely mistakes are logged once.

use super::{User, user};
use cached_core::{Cache, CacheError, Invalidation, Outcome, entry, redis_cached};
use tests::Log;
use tracing::Level;

#[redis_cached(key = "handed:<slug>", tags = "handed-to:<slug>")]
async fn find(slug: &str) -> User {
    user(1, slug)
}

#[redis_cached(key = "handed-twice:<slug>:<page>")]
async fn page(slug: String, page: u64) -> u64 {
    let _ = slug;
    page
}

fn key(text: &str) -> Invalidation {
    Invalidation::new().key(text)
}

fn tag(text: &str) -> Invalidation {
    Invalidation::new().tag(text)
}

#[tokio::test]
async fn a_pattern_is_not_applied() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    let rest = "handed-rest:7";
    for pattern in [key("handed:*"), key("handed:7:*"), key("*"), tag("handed-to:*")] {
        for _ in 0..2 {
            cache.entry(rest).set(&7).await.unwrap();
            let what = pattern.clone().key(rest);
            assert_eq!(cache.invalidate(what.clone()).await, Outcome::Failed);
            assert_eq!(cache.entry(rest).get::<i32>().await, None, "what is no pattern is applied");
            assert_eq!(cache.write(what, async {}).await.1, Outcome::Failed);
            let mut deferred = cache.deferred();
            deferred.add(pattern.clone());
            assert_eq!(deferred.commit(async {}).await.1, Outcome::Failed);
        }
    }
    let lines = log.take();
    assert_eq!(lines.len(), 4, "once each: {lines:#?}");
    assert!(lines.iter().all(|line| line.contains("WARN") && line.contains("is a pattern")), "{lines:#?}");
    assert!(lines[0].contains("invalidate_on") && lines[3].contains("invalidate_on"), "the way out: {lines:#?}");
}

#[tokio::test]
async fn calls_of_one_key_refuse_a_pattern_and_say_what_to_call() {
    let cache = Cache::memory();
    for (pattern, begins) in [("handed-star:*", "handed-star:"), ("handed-star:7:*", "handed-star:7:"), ("*", "")] {
        for refused in [cache.entry(pattern).remove().await, cache.entry(pattern).set(&7).await] {
            let error = refused.unwrap_err();
            assert!(matches!(&error, CacheError::KeyPattern { key } if key == pattern), "{error:?}");
            let says = error.to_string();
            let sweep = format!("delete_matching({begins:?})");
            for part in [pattern, &sweep, "tags = ", "invalidate_on = ", "entry!(call)", "%2A"] {
                assert!(says.contains(part), "{part}: {says}");
            }
        }
    }
    assert_eq!(cache.delete_matching("").await.unwrap(), 0, "nothing was stored");
}

#[tokio::test]
async fn nothing_is_written_whose_invalidation_names_nothing() {
    let cache = Cache::memory();
    cache.entry("handed-beside:7").set(&7).await.unwrap();
    let beside = || key("handed-beside:7");
    let runs = super::Runs::default();
    for (pattern, is_key) in [(key("handed:*"), true), (tag("handed-to:*"), false)] {
        let refused = cache.try_write(beside().and(pattern.clone()), async { runs.one() }).await.unwrap_err();
        match refused {
            CacheError::KeyPattern { key } => assert!(is_key && key == "handed:*"),
            CacheError::TagPattern { tag } => assert!(!is_key && tag == "handed-to:*"),
            other => panic!("{other}"),
        }
        let mut deferred = cache.deferred();
        deferred.add(pattern);
        deferred.try_commit(async { runs.one() }).await.unwrap_err();
    }
    assert_eq!(runs.so_far(), 0, "the work has not begun");
    assert_eq!(cache.entry("handed-beside:7").get::<i32>().await, Some(7), "nothing was invalidated");
    assert_eq!(cache.stats().site("Cache::write").unwrap().refused, 4);
}

#[tokio::test]
async fn a_star_in_an_argument_is_no_pattern() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    cache
        .scope(async {
            for removed_by in ["entry", "invalidate", "write"] {
                assert_eq!(find("*").await, user(1, "*"));
                cache.flush().await;
                let entry = entry!(find("*")).unwrap();
                assert_eq!(entry.get().await, Some(user(1, "*")));
                match removed_by {
                    "entry" => entry.remove().await.unwrap(),
                    "invalidate" => assert_eq!(cache.invalidate(&entry).await, Outcome::Applied),
                    _ => assert_eq!(cache.try_write(&entry, async {}).await.unwrap().1, Outcome::Applied),
                }
                assert_eq!(entry.get().await, None, "{removed_by}");
                // By its text alone it cannot be told from one.
                assert!(matches!(cache.entry(entry.key()).remove().await, Err(CacheError::KeyPattern { .. })));
            }
            let by_hand = cache.entry("handed-search:*").get_or_load(|| async { Ok::<i32, ()>(7) });
            let entry = entry!(by_hand).unwrap();
            entry.set(&8).await.unwrap();
            assert_eq!(cache.entry("handed-search:*").get::<i32>().await, Some(8));
            assert_eq!(entry.invalidate().await, Outcome::Applied);
            assert_eq!(entry.get().await, None);
        })
        .await;
    assert_eq!(log.take(), [""; 0]);
}

#[tokio::test]
async fn a_prefix_with_a_star_is_warned_of() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    for _ in 0..2 {
        assert_eq!(cache.delete_matching("handed-prefix:*").await.unwrap(), 0);
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("without it"), "{lines:#?}");
}

#[tokio::test]
async fn a_key_that_is_not_escaped_names_the_function() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    let quiet =
        [key("handed:rust"), key("handed:'42"), key("handed:a%3Ab"), key("handed-twice:rust:42"), tag("handed-to:x")];
    for rendered in quiet {
        assert_eq!(cache.invalidate(rendered.clone()).await, Outcome::Applied);
        assert_eq!(log.take(), [""; 0], "{rendered:?}");
    }
    for raw in ["handed:42", "handed:a:b", "handed:true"] {
        // It is a key; only nothing stands under it.
        assert_eq!(cache.invalidate(key(raw)).await, Outcome::Applied);
        cache.entry(raw).remove().await.unwrap();
    }
    let lines = log.take();
    assert_eq!(lines.len(), 1, "once for each function: {lines:#?}");
    for part in ["key=\"handed:42\"", "by_hand::find", "entry!(find(..))", "handed:<slug>"] {
        assert!(lines[0].contains(part), "{part}: {lines:#?}");
    }
    let entry = cache.scope(async { entry!(page("a:b".to_owned(), 7)).unwrap() }).await;
    assert_eq!(cache.invalidate(&entry).await, Outcome::Applied);
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(cache.invalidate(key("handed-twice:a:b:7").tag("handed-to:7")).await, Outcome::Applied);
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("entry!(page(..))"), "tags are not escaped: {lines:#?}");
}

#[tokio::test]
async fn a_name_that_nothing_has_is_said_once() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    // If values name tags, no tag is known before a value has named one.
    cache.entry("hand-tagged:1").tag("hand-tagged:1").set(&7).await.unwrap();
    for id in 0..3 {
        assert_eq!(
            cache.invalidate(key(&format!("hnaded:{id}")).tag(format!("hnaded-to:{id}"))).await,
            Outcome::Applied
        );
    }
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("key=\"hnaded:0\"") && lines[1].contains("tag=\"hnaded-to:0\""), "{lines:#?}");
}

#[tokio::test]
async fn what_this_process_uses_by_hand_is_known() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    cache.entry("used-by-hand:1").tag("of-hand:1").get_or_load(|| async { Ok::<i32, ()>(7) }).await.unwrap();
    cache.entry("got-by-hand:1").get::<i32>().await;
    cache.entry("set-by-hand:1").set(&7).await.unwrap();
    let many = async |keys: Vec<&'static str>| Ok::<_, ()>(keys.into_iter().map(|key| (key, 7)).collect());
    cache.entries(&["many-by-hand:1"], |key| (*key).to_owned()).get_or_load(many).await.unwrap();
    let what = key("used-by-hand:2").key("got-by-hand:2").key("set-by-hand:2").key("many-by-hand:2").tag("of-hand:2");
    assert_eq!(cache.invalidate(what).await, Outcome::Applied);
    assert_eq!(log.take(), [""; 0]);
}

#[tokio::test]
async fn the_key_of_an_entry_is_not_taken_for_one_by_hand() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::builder().namespace("handed-over").build().unwrap();
    let entry = cache.scope(async { entry!(find("42")).unwrap() }).await;
    assert_eq!(cache.invalidate(Invalidation::new().entry(&entry)).await, Outcome::Applied);
    assert_eq!(cache.invalidate(key(entry.key())).await, Outcome::Applied);
    assert_eq!(log.take(), [""; 0]);
}

#[redis_cached(key = "handed-whole:<n>")]
async fn whole(n: u64) -> Result<u64, ()> {
    Ok(n)
}

/// Longer than a key may be, so it is hashed.
#[redis_cached(key = "handed-long:<a>:<b>:<c>:<d>:<e>:<f>:<g>:<h>:<i>")]
#[expect(clippy::too_many_arguments, clippy::many_single_char_names, reason = "a long key")]
async fn long(a: &str, b: &str, c: &str, d: &str, e: &str, f: &str, g: &str, h: &str, i: &str) -> u64 {
    [a, b, c, d, e, f, g, h, i].concat().len() as u64
}

/// A key that begins like every key in the store.
#[redis_cached(key = "cache:k:handed-twice-in:<n>")]
async fn like_a_prefix(n: u64) -> u64 {
    n
}

#[tokio::test]
async fn every_call_that_takes_a_key_takes_that_of_an_entry() {
    let cache = Cache::memory();
    let text = "x".repeat(60);
    let text = &text;
    let entries = cache
        .scope(async {
            [
                entry!(whole(7)).unwrap(),
                entry!(long(text, text, text, text, text, text, text, text, text)).unwrap(),
                entry!(like_a_prefix(7)).unwrap(),
            ]
        })
        .await;
    for entry in entries {
        let key = entry.key();
        let is_gone = async || entry.get().await.is_none();
        // Each of them removes the function's entry.
        entry.set(&1).await.unwrap();
        cache.entry(key).remove().await.unwrap();
        assert!(is_gone().await, "{key}");
        entry.set(&1).await.unwrap();
        assert_eq!(cache.invalidate(Invalidation::new().key(key)).await, Outcome::Applied);
        assert!(is_gone().await, "{key}");
        entry.set(&1).await.unwrap();
        assert_eq!(cache.delete_matching(key).await.unwrap(), 1, "{key}");
        // A value that is stored by hand is read by hand.
        cache.entry(key).set(&2_u64).await.unwrap();
        assert_eq!(cache.entry(key).get::<u64>().await, Some(2), "{key}");
        let not_loaded = || async { Err::<u64, _>("the value is there") };
        let by_set = cache.entry(key).get_or_load(not_loaded).await;
        let many = |_: Vec<&str>| async { Err::<std::collections::HashMap<&str, u64>, _>("the value is there") };
        let by_many = cache.entries(&[key], |key| (*key).to_owned()).get_or_load(many).await;
        assert_eq!((by_set, by_many.map(|found| found[key])), (Ok(2), Ok(2)), "{key}");
        let by_hand = entry!(cache.entry(key).get_or_load(not_loaded)).unwrap();
        assert_eq!(by_hand.key(), key, "nothing is put in front of it twice");
        assert_eq!(cache.delete_matching("").await.unwrap(), 1, "{key}");
    }
}
