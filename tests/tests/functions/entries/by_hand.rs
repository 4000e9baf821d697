//! Keys and tags that are rendered by hand: patterns are refused, and what is likely to be mistaken is said once.

use super::{User, user};
use cached_core::{Cache, Invalidation, Options, Outcome, entry, redis_cached};
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
            cache.set(rest, &7, Options::new()).await.unwrap();
            let what = pattern.clone().key(rest);
            assert_eq!(cache.invalidate(what.clone()).await, Outcome::Failed);
            assert_eq!(cache.get::<i32>(rest).await, None, "what is no pattern is applied");
            assert_eq!(cache.write(what, async {}).await.1, Outcome::Failed);
            let mut deferred = cache.deferred();
            deferred.add(pattern.clone());
            assert_eq!(deferred.commit(async {}).await.1, Outcome::Failed);
        }
    }
    let lines = log.take();
    assert_eq!(lines.len(), 4, "once each: {lines:#?}");
    assert!(lines.iter().all(|line| line.contains("WARN") && line.contains("and this is a pattern")), "{lines:#?}");
    assert!(lines[0].contains("invalidate_on") && lines[3].contains("invalidate_on"), "the way out: {lines:#?}");
}

#[tokio::test]
async fn a_key_with_a_star_in_it_is_removed_all_the_same() {
    let cache = Cache::memory();
    for removed_by in ["delete", "invalidate", "entry"] {
        cache.set("handed-star:*", &7, Options::new()).await.unwrap();
        match removed_by {
            "delete" => cache.delete("handed-star:*").await.unwrap(),
            "invalidate" => assert_eq!(cache.invalidate(key("handed-star:*")).await, Outcome::Failed),
            _ => {
                let load = || async { Ok::<i32, ()>(7) };
                let entry = entry!(cache.get_or_set("handed-star:*", Options::new(), load)).unwrap();
                assert_eq!(entry.invalidate().await, Outcome::Applied);
            }
        }
        assert_eq!(cache.get::<i32>("handed-star:*").await, None, "{removed_by}");
    }
}

#[tokio::test]
async fn a_prefix_with_a_star_is_warned_of() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    for _ in 0..2 {
        assert_eq!(cache.delete_matching("handed-prefix:*", |_| ()).await.unwrap(), 0);
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
        // It is a key; only that nothing stands under it.
        assert_eq!(cache.invalidate(key(raw)).await, Outcome::Applied);
        cache.delete(raw).await.unwrap();
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
    assert!(
        lines.len() == 2 && lines[0].contains("entry!(page(..))") && lines[1].contains("name an event"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_name_that_nothing_has_is_said_once() {
    let (log, _guard) = Log::listen(Level::WARN);
    let cache = Cache::memory();
    // Where values tell tags, nothing is known of tags before one was told.
    cache.set("hand-tagged:1", &7, Options::new().tag("hand-tagged:1")).await.unwrap();
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
    let options = || Options::new().tag("of-hand:1");
    cache.get_or_set("used-by-hand:1", options(), || async { Ok::<i32, ()>(7) }).await.unwrap();
    cache.get::<i32>("got-by-hand:1").await;
    cache.set("set-by-hand:1", &7, Options::new()).await.unwrap();
    let many = async |keys: Vec<&'static str>| Ok::<_, ()>(keys.into_iter().map(|key| (key, 7)).collect());
    cache.get_or_set_many(&["many-by-hand:1"], Options::new(), many).await.unwrap();
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
    assert_eq!(log.take(), [""; 0]);
    assert_eq!(cache.invalidate(key(entry.key())).await, Outcome::Applied);
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains(".entry(&entry)"), "the namespace is in it twice: {lines:#?}");
}
