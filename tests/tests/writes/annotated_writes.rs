//! The fields and templates of a write, and when they are evaluated: on the memory store, as their callers see it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use async_trait::async_trait;
use cached_core::{Cache, CacheError, CacheEvent, Invalidation, Outcome, redis_cached, redis_invalidate, redis_put};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct Renamed<'a> {
    user: u64,
    name: &'a str,
}

/// A cache with one entry for each of some users: under its key, with a tag, and dependent on events.
struct Users(Cache);

impl Users {
    async fn new() -> Self {
        let users = Self(Cache::memory());
        for id in 1..=4 {
            let entry = |kind: &str| users.0.entry(format!("{kind}:{id}"));
            let by_event = entry("event").invalidate_on(&UserUpdated { id });
            let by_name = entry("name").invalidate_on(&Renamed { user: id, name: "new" });
            for entry in [entry("key"), entry("tag").tag(format!("user:{id}")), by_event, by_name] {
                entry.set(&id).await.unwrap();
            }
        }
        users
    }

    /// Runs a write, and lists the entries that are gone.
    async fn gone<F: Future>(&self, write: F) -> Vec<String> {
        self.0.scope(write).await;
        let mut gone = Vec::new();
        for kind in ["key", "tag", "event", "name"] {
            for id in 1..=4 {
                let key = format!("{kind}:{id}");
                if self.0.entry(&key).get::<u64>().await.is_none() {
                    gone.push(key);
                }
            }
        }
        gone
    }
}

// The body consumes and changes its arguments; that is too late for the attribute.
#[redis_invalidate(UserUpdated { id }, Renamed { user: id, name: &name }, key = "key:<id>", tag = "user:<id>")]
async fn changes_its_arguments(mut id: u64, mut name: String) -> String {
    id += 1;
    name.push_str(&id.to_string());
    name
}

#[redis_invalidate(
    UserUpdated { id },
    UserUpdated { id: *ret },
    Renamed { user: id, name: if *ret > 0 { "new" } else { "" } },
    key = "key:<id>",
    key = "key:<ret>",
    tag = "<kind>:<ret>",
    mode = "after"
)]
async fn after(mut id: u64, kind: String, works: bool) -> Result<u64, String> {
    id += 2;
    let found = works.then_some(id);
    found.ok_or(kind)
}

#[redis_invalidate(UserUpdated { id: ret }, mode = "after")]
async fn an_argument_named_ret(ret: u64) -> u64 {
    ret + 1
}

#[redis_invalidate(UserUpdated { id: ret.map_or(4, |id| id) }, mode = "after")]
async fn nothing_is_no_failure(id: Option<u64>) -> Option<u64> {
    id
}

#[tokio::test]
async fn fields_and_templates_are_made_before_the_body() {
    let gone = Users::new().await.gone(changes_its_arguments(1, "new".into())).await;
    assert_eq!(gone, ["key:1", "tag:1", "event:1", "name:1"]);
}

#[tokio::test]
async fn what_is_made_of_the_result_is_made_after() {
    let gone = Users::new().await.gone(after(1, "user".into(), true)).await;
    assert_eq!(gone, ["key:1", "key:3", "tag:3", "event:1", "event:3", "name:1"]);
}

#[tokio::test]
async fn after_a_failure_what_needs_the_result_is_left_out() {
    let gone = Users::new().await.gone(after(1, "user".into(), false)).await;
    assert_eq!(gone, ["key:1", "event:1"]);
}

#[tokio::test]
async fn ret_is_the_argument_of_that_name() {
    assert_eq!(Users::new().await.gone(an_argument_named_ret(2)).await, ["event:2"]);
}

#[tokio::test]
async fn a_result_that_is_none_is_a_result() {
    assert_eq!(Users::new().await.gone(nothing_is_no_failure(None)).await, ["event:4"]);
    assert_eq!(Users::new().await.gone(nothing_is_no_failure(Some(1))).await, ["event:1"]);
}

#[async_trait]
trait Writes {
    async fn touch(&self, pair: (u64, u64));
}

struct Repo {
    id: u64,
}

#[async_trait]
impl Writes for Repo {
    #[redis_invalidate(UserUpdated { id: a }, key = "key:<b>", tag = "user:<self.id>")]
    async fn touch(&self, (a, mut b): (u64, u64)) {
        b += a;
        assert!(b > a);
    }
}

impl Repo {
    #[redis_put(key = "put:<self.id>:<id>", UserUpdated { id }, tags = ["user:<self.id>", |id: &u64| [format!("user:{id}")]])]
    async fn put(&self, id: u64) -> Option<u64> {
        Some(id + 1)
    }
}

#[async_trait]
trait Puts {
    async fn boxed_put(&self, id: u64) -> Option<u64>;
}

#[async_trait]
impl Puts for Repo {
    #[redis_put(key = "put:<self.id>:<id>", tags = ["user:<self.id>", |id: &u64| [format!("user:{id}")]])]
    async fn boxed_put(&self, id: u64) -> Option<u64> {
        Some(id + 1)
    }
}

// With other tags, or in another order, it would be another entry.
#[redis_cached(key = "put:<user>:<id>", tags = ["user:<user>", |id: &u64| [format!("user:{id}")]])]
async fn what_was_put(user: u64, id: u64) -> Option<u64> {
    None
}

#[tokio::test]
async fn below_async_trait() {
    let gone = Users::new().await.gone(Repo { id: 3 }.touch((1, 2))).await;
    assert_eq!(gone, ["key:2", "tag:3", "event:1"]);
}

#[tokio::test]
async fn a_put_has_tags_of_the_arguments_and_of_the_value() {
    for tag in ["user:3", "user:2"] {
        let users = Users::new().await;
        assert_eq!(users.gone(Repo { id: 3 }.put(1)).await, ["event:1"]);
        users.0.flush().await;
        assert_eq!(users.0.scope(what_was_put(3, 1)).await, Some(2));
        assert_eq!(users.0.invalidate(Invalidation::new().tag(tag)).await, Outcome::Applied);
        assert_eq!(users.0.scope(what_was_put(3, 1)).await, None);
    }
}

#[tokio::test]
async fn a_put_below_async_trait() {
    let users = Users::new().await;
    users.0.scope(Repo { id: 3 }.boxed_put(1)).await;
    users.0.flush().await;
    assert_eq!(users.0.scope(what_was_put(3, 1)).await, Some(2));
}

/// `{ .. }` listens to each event; a named event only to itself, whatever else depends on it.
#[tokio::test]
async fn listeners_hear_what_they_named() {
    #[redis_cached(key = "any", invalidate_on = UserUpdated { .. })]
    async fn any() -> u64 {
        1
    }
    #[redis_cached(key = "of:<id>", invalidate_on = [UserUpdated { id }, Renamed { user: id + 1, name: "x" }])]
    async fn of(id: &u64) -> u64 {
        *id
    }
    let cache = Cache::memory();
    let loads = async || {
        cache.scope(any()).await;
        cache.scope(of(&1)).await;
        cache.flush().await;
        let stats = cache.stats();
        (stats.site("any").unwrap().loads, stats.site("of").unwrap().loads)
    };
    assert_eq!(loads().await, (1, 1));
    assert_eq!(loads().await, (1, 1));
    assert_eq!(cache.emit(&UserUpdated { id: 2 }).await, Outcome::Applied);
    assert_eq!(loads().await, (2, 1));
    assert_eq!(cache.emit(&Renamed { user: 1, name: "x" }).await, Outcome::Applied);
    assert_eq!(loads().await, (2, 1));
    assert_eq!(cache.emit(&Renamed { user: 2, name: "x" }).await, Outcome::Applied);
    assert_eq!(loads().await, (2, 2));
    assert_eq!(cache.emit(&UserUpdated { id: 1 }).await, Outcome::Applied);
    assert_eq!(loads().await, (3, 3));
}

/// A key cannot be made of this.
#[derive(Clone, Copy)]
struct Broken;

impl serde::Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("broken"))
    }
}

#[redis_invalidate(key = "key:<it:serde>", UserUpdated { id }, on_unavailable = "fail")]
async fn change_or_fail(it: Broken, id: u64, runs: &AtomicUsize) -> Result<u64, CacheError> {
    let _ = it;
    runs.fetch_add(1, Ordering::SeqCst);
    Ok(id)
}

#[redis_put(key = "key:<it:serde>", UserUpdated { id }, on_unavailable = "fail")]
async fn put_or_fail(it: Broken, id: u64, runs: &AtomicUsize) -> Result<u64, CacheError> {
    let _ = it;
    runs.fetch_add(1, Ordering::SeqCst);
    Ok(id)
}

#[redis_put(key = "key:<it:serde>", UserUpdated { id })]
async fn put_all_the_same(it: Broken, id: u64, cache: &Cache) -> Result<u64, CacheError> {
    let _ = it;
    assert_eq!(cache.entry(format!("event:{id}")).get::<u64>().await, None, "it is bracketed");
    // Like a reader that has read before the commit.
    let _ = cache.entry(format!("event:{id}")).invalidate_on(&UserUpdated { id }).set(&id).await;
    Ok(id)
}

#[tokio::test]
async fn a_write_of_what_cannot_be_rendered_is_not_made_if_it_says_so() {
    let users = Users::new().await;
    let runs = AtomicUsize::new(0);
    let gone = users
        .gone(async {
            for refused in [change_or_fail(Broken, 1, &runs).await, put_or_fail(Broken, 1, &runs).await] {
                assert!(matches!(refused, Err(CacheError::Unrenderable)), "{refused:?}");
            }
        })
        .await;
    assert_eq!((runs.into_inner(), gone), (0, Vec::<String>::new()));
    let stats = users.0.stats();
    assert_eq!((stats.site("change_or_fail").unwrap().refused, stats.site("put_or_fail").unwrap().refused), (1, 1));
}

#[tokio::test]
async fn a_put_whose_entry_cannot_be_rendered_emits_its_events_all_the_same() {
    let users = Users::new().await;
    let gone = users
        .gone(async {
            assert_eq!(put_all_the_same(Broken, 1, &users.0).await.unwrap(), 1);
        })
        .await;
    assert_eq!(gone, ["event:1"]);
    let stats = users.0.stats();
    let site = stats.site("put_all_the_same").unwrap();
    assert_eq!((site.failed, site.cancelled), (1, 0));
}
