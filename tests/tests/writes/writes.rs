//! Invalidations by key, tag and event through the public API, on the memory store and on a Redis server.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{
    ByHand, Cache, CacheError, CacheEvent, Entry, Invalidation, MissReason, Outcome, SiteStats, Tag, UnstoredReason,
    Untyped, entry, redis_cached, redis_invalidate, redis_put,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tests::RedisServer;

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

/// A row that is read through the cache.
struct Row {
    cache: Cache,
    value: AtomicU64,
}

impl Row {
    async fn read(&self, depends_on: impl FnOnce(Entry<Untyped, ByHand>) -> Entry<Untyped, ByHand>) -> u64 {
        let read = async || Ok::<_, ()>(self.value.load(Ordering::SeqCst));
        let value = depends_on(self.cache.entry("row")).get_or_load(read).await.unwrap();
        self.cache.flush().await;
        value
    }
}

async fn every_way_to_invalidate(cache: Cache) {
    let row = Row { cache: cache.clone(), value: AtomicU64::new(0) };
    let depends_on = |entry: Entry<Untyped, ByHand>| entry.tag("tenant:7").invalidate_on(&UserUpdated { id: 42 });
    let ways: [(&str, Invalidation); 3] = [
        ("key", Invalidation::new().key("row")),
        ("tag", Invalidation::new().tag("tenant:7")),
        ("event", (&UserUpdated { id: 42 }).into()),
    ];
    for (name, what) in ways {
        let before = row.read(depends_on).await;
        row.value.fetch_add(1, Ordering::SeqCst);
        assert_eq!(row.read(depends_on).await, before, "{name}: it is cached");
        assert_eq!(
            cache.entry("row").get::<u64>().await,
            Some(before),
            "{name}: whoever reads it needs not know its tags"
        );
        assert_eq!(
            cache.invalidate(Invalidation::new().tag("tenant:8").event(&UserUpdated { id: 43 })).await,
            Outcome::Applied
        );
        assert_eq!(row.read(depends_on).await, before, "{name}: others' invalidations are not about it");
        assert_eq!(cache.invalidate(what).await, Outcome::Applied);
        assert_eq!(cache.entry("row").get::<u64>().await, None);
        assert_eq!(row.read(depends_on).await, before + 1, "{name}");
    }
    let stats = cache.stats();
    assert!(stats.site("Cache::entry").unwrap().misses[&MissReason::Invalidated] >= 2, "{stats:#?}");
    assert_eq!(stats.site("Cache::invalidate").unwrap().applied, 6);
}

#[tokio::test]
async fn every_way_to_invalidate_in_memory() {
    every_way_to_invalidate(Cache::memory()).await;
}

#[tokio::test]
async fn every_way_to_invalidate_on_redis() {
    let server = RedisServer::start();
    every_way_to_invalidate(Cache::connect("cache", server.url()).await.unwrap()).await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    id: u64,
    author: u64,
    text: String,
}

#[derive(CacheEvent)]
struct PostWritten {
    id: u64,
}

#[derive(CacheEvent)]
struct Imported;

#[derive(Debug, PartialEq, thiserror::Error)]
enum Failure {
    #[error("refused")]
    Refused,
    #[error("not there")]
    NotThere,
}

impl From<CacheError> for Failure {
    fn from(_: CacheError) -> Self {
        Self::Refused
    }
}

/// Posts in a table, read and written through a cache.
#[derive(Clone)]
struct Posts {
    cache: Cache,
    table: Arc<Mutex<BTreeMap<u64, Post>>>,
}

impl Posts {
    fn new(cache: &Cache) -> Self {
        Self { cache: cache.clone(), table: Arc::default() }
    }

    fn row(&self, id: u64) -> Option<Post> {
        self.table.lock().unwrap().get(&id).cloned()
    }

    fn write(&self, id: u64, author: u64, text: &str) -> Post {
        let post = Post { id, author, text: text.to_owned() };
        self.table.lock().unwrap().insert(id, post.clone());
        post
    }

    #[redis_cached(key = "post:<id>", invalidate_on = [PostWritten { id }, Imported], cache = self.cache)]
    async fn find(&self, id: u64) -> Result<Option<Post>, Failure> {
        Ok(self.row(id))
    }

    /// Only the value names its authors.
    #[redis_cached(
        key = "page:<from>",
        tags = ["pages", |posts: &Vec<Post>| posts.iter().map(|post| Tag::new(format!("author:{}", post.author))).collect::<Vec<_>>()],
        invalidate_on = Imported,
        cache = self.cache,
    )]
    async fn page(&self, from: u64) -> Vec<Post> {
        self.table.lock().unwrap().range(from..).take(10).map(|(_, post)| post.clone()).collect()
    }

    /// Listens to every post.
    #[redis_cached(key = "count", invalidate_on = PostWritten { .. }, cache = self.cache)]
    async fn count(&self) -> usize {
        self.table.lock().unwrap().len()
    }

    #[redis_invalidate(PostWritten { id }, tag = "author:<author>", cache = self.cache)]
    async fn update(&self, id: u64, author: u64, text: &str) -> Result<(), Failure> {
        if self.row(id).is_none() {
            return Err(Failure::NotThere);
        }
        self.write(id, author, text);
        Ok(())
    }

    #[redis_invalidate(PostWritten { id: *ret }, tag = "pages", mode = "after", cache = self.cache)]
    async fn add(&self, author: u64, text: String) -> Result<u64, Failure> {
        if text.is_empty() {
            return Err(Failure::NotThere);
        }
        let id = self.table.lock().unwrap().len() as u64;
        self.write(id, author, &text);
        Ok(id)
    }

    #[redis_put(
        key = "post:<id>",
        invalidate_on = [PostWritten { id }, Imported],
        PostWritten { id },
        cache = self.cache,
    )]
    async fn edit(&self, id: u64, text: &str) -> Result<Option<Post>, Failure> {
        let Some(post) = self.row(id) else { return Ok(None) };
        if text.is_empty() {
            return Err(Failure::NotThere);
        }
        Ok(Some(self.write(id, post.author, text)))
    }

    #[redis_invalidate(key = "post:<id>", on_unavailable = "fail", cache = self.cache)]
    async fn remove(&self, id: u64) -> Result<(), Failure> {
        self.table.lock().unwrap().remove(&id);
        Ok(())
    }

    async fn settled(&self) -> &Self {
        self.cache.flush().await;
        self
    }

    fn site(&self, name: &str) -> SiteStats {
        self.cache.stats().site(name).cloned().unwrap()
    }

    async fn text(&self, id: u64) -> Option<String> {
        let post = self.find(id).await.unwrap();
        self.flush().await;
        post.map(|post| post.text)
    }

    async fn texts(&self) -> Vec<String> {
        let posts = self.page(0).await;
        self.flush().await;
        posts.into_iter().map(|post| post.text).collect()
    }
}

async fn on_both(test: impl AsyncFn(Posts)) {
    test(Posts::new(&Cache::memory())).await;
    let server = RedisServer::start();
    test(Posts::new(&Cache::connect("cache", server.url()).await.unwrap())).await;
}

#[tokio::test]
async fn a_write_is_read_at_once() {
    on_both(async |posts| {
        assert_eq!(posts.text(0).await, None);
        assert_eq!(posts.add(7, "a".to_owned()).await, Ok(0), "that there was none is forgotten");
        assert_eq!(posts.text(0).await.as_deref(), Some("a"));
        assert_eq!((posts.count().await, posts.flush().await.count().await), (1, 1));
        assert_eq!(posts.site("count").hits, 1);
        posts.add(7, "b".to_owned()).await.unwrap();
        assert_eq!(posts.count().await, 2, "it hears of any");
        assert_eq!(posts.text(0).await.as_deref(), Some("a"));
        assert_eq!(posts.site("find").hits, 1, "the other post is cached still");
        posts.update(0, 7, "c").await.unwrap();
        assert_eq!(posts.text(0).await.as_deref(), Some("c"));
    })
    .await;
}

#[tokio::test]
async fn a_failed_write_leaves_nothing_behind_but_a_miss() {
    on_both(async |posts| {
        posts.write(0, 7, "a");
        posts.text(0).await;
        assert_eq!(posts.update(404, 7, "x").await, Err(Failure::NotThere));
        assert_eq!(posts.edit(0, "").await, Err(Failure::NotThere));
        assert_eq!(posts.text(0).await.as_deref(), Some("a"));
        assert_eq!(posts.text(0).await.as_deref(), Some("a"));
        let stats = posts.site("find");
        assert_eq!((stats.loads, stats.hits, stats.misses[&MissReason::Absent]), (2, 1, 2), "{stats:#?}");

        posts.texts().await;
        assert_eq!(posts.add(7, String::new()).await, Err(Failure::NotThere));
        posts.texts().await;
        assert_eq!(posts.site("page").loads, 2, "whether a failed write has changed anything nobody knows");
    })
    .await;
}

#[tokio::test]
async fn value_tags() {
    on_both(async |posts| {
        posts.write(0, 7, "a");
        posts.write(1, 8, "b");
        assert_eq!(posts.texts().await, ["a", "b"]);
        assert_eq!(posts.texts().await, ["a", "b"]);
        assert_eq!(posts.site("page").hits, 1);
        posts.update(1, 9, "c").await.unwrap();
        assert_eq!(posts.texts().await, ["a", "b"], "of the new author nobody knew");
        posts.update(1, 8, "d").await.unwrap();
        assert_eq!(posts.texts().await, ["a", "d"]);
        posts.write(2, 7, "e");
        assert_eq!(posts.cache.emit(&Imported).await, Outcome::Applied);
        assert_eq!(posts.texts().await, ["a", "d", "e"]);
    })
    .await;
}

/// While the body runs, a write of the value's tag completes.
#[redis_cached(key = "slow", skip(cache, text), tags = |text: &String| [format!("text:{text}")], cache = cache)]
async fn slow(cache: &Cache, text: &str) -> String {
    let outcome = cache.invalidate(Invalidation::new().tag("text:a")).await;
    assert_eq!(outcome, Outcome::Applied);
    text.to_owned()
}

#[tokio::test]
async fn a_value_tag_invalidated_during_the_load_keeps_the_value_out() {
    on_both(async |posts| {
        posts.write(0, 7, "a");
        let cache = &posts.cache;
        slow(cache, "a").await;
        cache.flush().await;
        assert_eq!(posts.site("slow").unstored[&UnstoredReason::Tags], 1);
    })
    .await;
}

#[tokio::test]
async fn a_put_value_is_found() {
    on_both(async |posts| {
        posts.write(0, 7, "a");
        posts.text(0).await;
        let edited = posts.edit(0, "b").await.unwrap();
        assert_eq!(posts.find(0).await.unwrap(), edited);
        assert_eq!(posts.site("find").hits, 1, "the event that the write itself emits is no obstacle");
        assert_eq!(posts.site("edit").stored, 1);
        posts.update(0, 7, "c").await.unwrap();
        assert_eq!(posts.text(0).await.as_deref(), Some("c"), "and later ones are heard");

        assert_eq!(posts.edit(404, "x").await, Ok(None));
        assert_eq!(posts.text(404).await, None);
        assert_eq!(posts.site("find").hits, 2, "that there is none is remembered as well");
    })
    .await;
}

#[tokio::test]
async fn a_write_that_must_not_go_unheard_is_refused_without_a_server() {
    let server = RedisServer::start();
    let posts = Posts::new(&Cache::connect("cache", server.url()).await.unwrap());
    posts.write(0, 7, "a");
    posts.text(0).await;
    drop(server);
    assert_eq!(posts.remove(0).await, Err(Failure::Refused));
    assert!(posts.row(0).is_some());
    let stats = posts.site("remove");
    assert_eq!((stats.refused, stats.queued, stats.applied), (1, 0, 0));

    posts.update(0, 7, "b").await.unwrap();
    let stats = posts.site("update");
    assert_eq!((stats.unbracketed, stats.queued), (1, 1));
    assert_eq!(posts.text(0).await.as_deref(), Some("b"));
}

#[tokio::test]
async fn without_a_cache_writes_just_run() {
    #[redis_invalidate(UserUpdated { id }, key = "user:<id>")]
    async fn update(id: u64) -> u64 {
        id
    }
    #[redis_put(key = "user:<id>", UserUpdated { id })]
    async fn put(id: u64) -> u64 {
        id
    }
    assert_eq!((update(1).await, put(2).await), (1, 2));
}

#[redis_cached(key = "set-by-hand:<id>")]
async fn by_hand(id: u64) -> u64 {
    id
}

/// Its body sets the entry that it puts.
#[redis_put(key = "set-by-hand:<id>")]
async fn put_by_hand(id: u64, value: u64) -> u64 {
    let set = entry!(by_hand(id)).unwrap().set(&value).await;
    assert!(matches!(set, Err(CacheError::Writing)), "{set:?}");
    value + 1
}

async fn nothing_is_set_by_hand_while_the_entry_is_being_written(cache: Cache) {
    let what = Invalidation::new().key("row").tag("tenant:7");
    let inside = async {
        let other = cache.entry("other").tag("tenant:7");
        (cache.entry("row").set(&1_u64).await, other.set(&1_u64).await)
    };
    let ((by_key, by_tag), outcome) = cache.write(what, inside).await;
    for refused in [by_key, by_tag] {
        assert!(matches!(refused, Err(CacheError::Writing)), "{refused:?}");
    }
    assert_eq!(outcome, Outcome::Applied);
    assert_eq!((cache.entry("row").get::<u64>().await, cache.entry("other").get::<u64>().await), (None, None));
    assert_eq!(cache.stats().site("Cache::entry").unwrap().stored, 0);
    cache.entry("row").tag("tenant:7").set(&1_u64).await.unwrap();
    assert_eq!(cache.entry("row").get::<u64>().await, Some(1), "the write has ended");
    let (put, read) = cache.scope(async { (put_by_hand(7, 1).await, by_hand(7).await) }).await;
    assert_eq!((put, read), (2, 2), "the value that a write returns is put all the same");
}

#[tokio::test]
async fn nothing_is_set_by_hand_while_the_entry_is_being_written_in_memory() {
    nothing_is_set_by_hand_while_the_entry_is_being_written(Cache::memory()).await;
}

#[tokio::test]
async fn nothing_is_set_by_hand_while_the_entry_is_being_written_on_redis() {
    let server = RedisServer::start();
    nothing_is_set_by_hand_while_the_entry_is_being_written(Cache::connect("cache", server.url()).await.unwrap()).await;
}
