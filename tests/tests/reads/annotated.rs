//! Annotated functions of every kind, as their callers see them.

use cached_core::{Cache, CacheKey, Clock, MissReason, redis_cached};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts runs of a body; it is never part of a key.
#[derive(Debug, Default)]
struct Runs(AtomicU64);

impl Runs {
    fn one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Runs `test` with a cache of its own, and passes the cache to it.
async fn with_cache<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = Cache::memory();
    let test = test(cache.clone());
    cache.scope(test).await
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    active: bool,
}

fn user(id: u64) -> User {
    User { id, name: format!("user {id}"), active: id < 100 }
}

type Fallible<T> = Result<T, String>;
/// A name that does not show the type.
type Answer<T> = Result<Option<T>, String>;

#[redis_cached(key = "plain:<id>", skip(runs))]
async fn plain(runs: &Runs, id: u64) -> User {
    runs.one();
    user(id)
}

#[redis_cached(key = "option:<id>", skip(runs))]
async fn option(runs: &Runs, id: u64) -> Option<User> {
    runs.one();
    (id > 0).then(|| user(id))
}

#[redis_cached(key = "result:<id>", skip(runs))]
async fn result(runs: &Runs, id: u64) -> Fallible<User> {
    runs.one();
    if id > 0 { Ok(user(id)) } else { Err("no such user".to_owned()) }
}

#[redis_cached(key = "answer:<id>", skip(runs))]
async fn answer(runs: &Runs, id: u64) -> Answer<User> {
    runs.one();
    match id {
        0 => Ok(None),
        1..1000 => Ok(Some(user(id))),
        _ => Err("no database".to_owned()),
    }
}

#[tokio::test]
async fn the_type_decides_what_is_stored() {
    with_cache(async |_| {
        let runs = Runs::default();
        for _ in 0..3 {
            assert_eq!(plain(&runs, 1).await, user(1));
            assert_eq!(option(&runs, 1).await, Some(user(1)));
            assert_eq!(option(&runs, 0).await, None);
            assert_eq!(result(&runs, 1).await, Ok(user(1)));
            assert_eq!(answer(&runs, 1).await, Ok(Some(user(1))));
            assert_eq!(answer(&runs, 0).await, Ok(None));
        }
        assert_eq!(runs.so_far(), 6, "each of them once");
        for _ in 0..3 {
            assert!(result(&runs, 0).await.is_err());
            assert!(answer(&runs, 5000).await.is_err());
        }
        assert_eq!(runs.so_far(), 12, "an Err each time, whatever the alias is called");
    })
    .await;
}

#[redis_cached(key = "policy:<id>", ttl = ttl, none_ttl = "off", cache_if = |user: &User| user.active, skip(runs, ttl))]
async fn policy(runs: &Runs, id: u64, ttl: Duration) -> Option<User> {
    runs.one();
    (id > 0).then(|| user(id))
}

#[redis_cached(key = "by-value:<id>", ttl = |user: &User| Duration::from_secs(user.id), jitter = 0, skip(runs))]
async fn by_value(runs: &Runs, id: u64) -> User {
    runs.one();
    user(id)
}

#[tokio::test]
async fn policies() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache
        .scope(async {
            let (runs, minute) = (Runs::default(), Duration::from_secs(60));
            for (id, expected) in [(0, 2), (200, 4), (1, 5)] {
                policy(&runs, id, minute).await;
                cache.flush().await;
                policy(&runs, id, minute).await;
                assert_eq!(runs.so_far(), expected, "id {id}: None is off, 200 is not active, 1 is stored");
            }
            let runs = Runs::default();
            by_value(&runs, 10).await;
            by_value(&runs, 20).await;
            cache.flush().await;
            clock.advance(Duration::from_secs(15));
            by_value(&runs, 20).await;
            assert_eq!(runs.so_far(), 2);
            by_value(&runs, 10).await;
            assert_eq!(runs.so_far(), 3, "its ten seconds are over");
        })
        .await;
}

struct Repository<Source> {
    source: Source,
    runs: Runs,
    visits: u32,
    tenant: String,
    cache: Cache,
}

impl<Source: Fn(u64) -> User> Repository<Source> {
    #[redis_cached(key = "<self.tenant>:user:<id>", cache = self.cache)]
    async fn by_reference(&self, id: u64) -> Fallible<User> {
        self.runs.one();
        Ok((self.source)(id))
    }

    #[redis_cached(key = "mut:<id>", cache = self.cache)]
    async fn by_mutable_reference(&mut self, mut id: u64) -> Fallible<User> {
        self.runs.one();
        self.visits += 1;
        id += 1;
        Ok((self.source)(id))
    }

    #[redis_cached(key = "arc:<id>", cache = self.cache)]
    async fn by_arc(self: Arc<Self>, id: u64) -> Fallible<User> {
        self.runs.one();
        Ok((self.source)(id))
    }

    #[redis_cached(key = "value:<id>", cache = self.cache)]
    async fn by_value(self, id: u64) -> Fallible<User> {
        Ok((self.source)(id))
    }
}

fn repository(cache: &Cache, tenant: &str) -> Repository<fn(u64) -> User> {
    Repository { source: user, runs: Runs::default(), visits: 0, tenant: tenant.to_owned(), cache: cache.clone() }
}

#[tokio::test]
async fn every_receiver() {
    let cache = Cache::memory();
    let (mut a, b) = (repository(&cache, "a"), repository(&cache, "b"));
    for _ in 0..2 {
        assert_eq!(a.by_reference(1).await, Ok(user(1)));
        assert_eq!(b.by_reference(1).await, Ok(user(1)));
        assert_eq!(a.by_mutable_reference(1).await, Ok(user(2)));
    }
    assert_eq!((a.runs.so_far(), b.runs.so_far()), (2, 1), "tenants do not share");
    assert_eq!(a.visits, 1);
    let a = Arc::new(a);
    assert_eq!(Arc::clone(&a).by_arc(1).await, Ok(user(1)));
    assert_eq!(Arc::clone(&a).by_arc(1).await, Ok(user(1)));
    assert_eq!(a.runs.so_far(), 3);
    assert_eq!(b.by_value(9).await, Ok(user(9)));
}

#[async_trait::async_trait]
trait Boxed {
    async fn find(&self, id: u64) -> Fallible<User>;
}

trait Native {
    fn find(&self, id: u64) -> impl Future<Output = Fallible<User>> + Send;
}

struct Source(Runs);

#[async_trait::async_trait]
impl Boxed for Source {
    #[redis_cached(key = "boxed:<id>")]
    async fn find(&self, id: u64) -> Fallible<User> {
        self.0.one();
        Ok(user(id))
    }
}

impl Native for Source {
    #[redis_cached(key = "native:<id>")]
    async fn find(&self, id: u64) -> Fallible<User> {
        self.0.one();
        Ok(user(id))
    }
}

#[tokio::test]
async fn trait_impls() {
    with_cache(async |_| {
        let source = Source(Runs::default());
        for _ in 0..2 {
            assert_eq!(Boxed::find(&source, 1).await, Ok(user(1)));
            assert_eq!(Native::find(&source, 1).await, Ok(user(1)));
        }
        assert_eq!(source.0.so_far(), 2);
    })
    .await;
}

trait Entity: Send + Sync {
    const NAME: &'static str;
}
struct Cats;
struct Dogs;
impl Entity for Cats {
    const NAME: &'static str = "cats";
}
impl Entity for Dogs {
    const NAME: &'static str = "dogs";
}

#[redis_cached(key = "name:<id>")]
async fn name_of<T: Entity>(id: u64) -> String {
    format!("{}{id}", T::NAME)
}

#[redis_cached(key = "named:<T>:<id>")]
async fn named<T, const N: usize>(id: u64) -> String
where
    T: Entity + 'static,
{
    format!("{}{id}{N}", T::NAME)
}

#[redis_cached]
async fn default_key<T: Entity>(id: u64, filter: &[&str]) -> String {
    format!("{}{id}{filter:?}", T::NAME)
}

struct Table<T>(std::marker::PhantomData<T>);

impl<T: Entity> Table<T> {
    #[redis_cached(key = "first")]
    async fn first(&self) -> String {
        T::NAME.to_owned()
    }
}

#[tokio::test]
async fn generic_arguments_never_mix() {
    with_cache(async |cache| {
        for _ in 0..2 {
            assert_eq!(name_of::<Cats>(1).await, "cats1");
            cache.flush().await;
            assert_eq!(name_of::<Dogs>(1).await, "dogs1", "another type behind the same key");
            cache.flush().await;
            assert_eq!(named::<Cats, 1>(1).await, "cats11");
            assert_eq!(named::<Dogs, 1>(1).await, "dogs11");
            cache.flush().await;
            assert_eq!(named::<Cats, 2>(1).await, "cats12");
            assert_eq!(default_key::<Cats>(1, &["a"]).await, "cats1[\"a\"]");
            assert_eq!(default_key::<Dogs>(1, &["a"]).await, "dogs1[\"a\"]");
            assert_eq!(Table::<Cats>(std::marker::PhantomData).first().await, "cats");
            cache.flush().await;
            assert_eq!(Table::<Dogs>(std::marker::PhantomData).first().await, "dogs");
            cache.flush().await;
        }
        let stats = cache.stats();
        assert!(stats.site("name_of").unwrap().misses[&MissReason::Type] > 0);
        assert_eq!(stats.site("default_key").unwrap().loads, 2, "the path tells them apart");
    })
    .await;
}

#[derive(CacheKey)]
struct UserId(u64);

#[derive(CacheKey)]
enum Sort {
    Name,
    Age { descending: bool },
}

#[derive(CacheKey)]
struct Page<'a, T> {
    of: &'a T,
    number: Option<u32>,
}

#[redis_cached(key = "page:<page>:<sort>:<pair.0>:<query:hash>", skip(pair))]
async fn page(page: Page<'_, UserId>, sort: Sort, pair: (u8, u8), query: &str) -> String {
    let sort = match sort {
        Sort::Name => "name".to_owned(),
        Sort::Age { descending } => format!("age {descending}"),
    };
    format!("{} {:?} {sort} {} {query}", page.of.0, page.number, pair.0)
}

#[tokio::test]
async fn derived_segments() {
    with_cache(async |_| {
        for _ in 0..2 {
            for (number, sort, query, expected) in [
                (None, Sort::Name, "a", "7 None name 1 a"),
                (Some(1), Sort::Name, "a", "7 Some(1) name 1 a"),
                (None, Sort::Age { descending: true }, "a", "7 None age true 1 a"),
                (None, Sort::Age { descending: false }, "a", "7 None age false 1 a"),
                (None, Sort::Name, "b", "7 None name 1 b"),
            ] {
                assert_eq!(page(Page { of: &UserId(7), number }, sort, (1, 2), query).await, expected);
            }
        }
    })
    .await;
}

#[redis_cached]
async fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1).await + fibonacci(n - 2).await }
}

#[tokio::test]
async fn recursion_also_in_a_task() {
    let cache = Cache::memory();
    let scoped = cache.clone();
    let value = tokio::spawn(async move { scoped.scope(fibonacci(40)).await }).await.unwrap();
    assert_eq!(value, 102_334_155);
    assert_eq!(cache.stats().site("fibonacci").unwrap().loads, 41);
}

#[redis_cached(key = "local:<id>", skip(runs))]
async fn not_send(runs: Rc<Runs>, id: u64) -> u64 {
    let held = Rc::clone(&runs);
    tokio::task::yield_now().await;
    held.one();
    id
}

#[tokio::test]
async fn bodies_that_are_not_send_run_on_a_local_set() {
    with_cache(async |cache| {
        let local = tokio::task::LocalSet::new();
        let runs = Rc::new(Runs::default());
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (cache, runs) = (cache.clone(), Rc::clone(&runs));
                local.spawn_local(async move { cache.scope(not_send(runs, 1)).await })
            })
            .collect();
        local.await;
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
        assert_eq!(runs.so_far(), 1);
    })
    .await;
}

#[tokio::test]
async fn without_a_cache_functions_run() {
    let runs = Runs::default();
    for _ in 0..2 {
        assert_eq!(plain(&runs, 1).await, user(1));
    }
    assert_eq!(runs.so_far(), 2);
}

#[redis_cached(key = "versioned", version = 1, skip(cache, runs), cache = cache)]
async fn version_1(cache: &Cache, runs: &Runs) -> u8 {
    runs.one();
    1
}

#[redis_cached(key = "versioned", version = 2, skip(cache, runs), cache = cache)]
async fn version_2(cache: &Cache, runs: &Runs) -> u8 {
    runs.one();
    2
}

#[redis_cached(key = "packed:<id>", codec = "postcard", skip(runs))]
async fn packed(runs: &Runs, id: u64) -> User {
    runs.one();
    user(id)
}

#[redis_cached(key = "message:<id>", codec = "msgpack", skip(runs))]
async fn message(runs: &Runs, id: u64) -> User {
    runs.one();
    user(id)
}

#[tokio::test]
async fn versions_and_codecs() {
    with_cache(async |cache| {
        let runs = Runs::default();
        assert_eq!(version_1(&cache, &runs).await, 1);
        cache.flush().await;
        assert_eq!(version_2(&cache, &runs).await, 2, "bytes of an older version are a miss");
        for _ in 0..2 {
            cache.flush().await;
            assert_eq!(packed(&runs, 1).await, user(1));
            assert_eq!(message(&runs, 1).await, user(1));
        }
        assert_eq!(runs.so_far(), 4);
    })
    .await;
}

#[redis_cached(key = "overlap:<a>:<b>")]
async fn two_segments(a: &str, b: &str) -> String {
    format!("{a}|{b}")
}

#[redis_cached(key = "overlap:x:<b>")]
async fn one_segment(b: &str) -> String {
    format!("x and {b}")
}

async fn namesakes(first: bool) -> u64 {
    if first {
        #[redis_cached]
        async fn f(id: u64) -> u64 {
            id + 100
        }
        f(1).await
    } else {
        #[redis_cached]
        async fn f(id: u64) -> u64 {
            id + 200
        }
        f(1).await
    }
}

#[tokio::test]
async fn functions_whose_keys_meet_do_not_answer_for_each_other() {
    with_cache(async |_| {
        for _ in 0..2 {
            assert_eq!(two_segments("x", "y").await, "x|y");
            assert_eq!(one_segment("y").await, "x and y");
            assert_eq!(namesakes(true).await, 101);
            assert_eq!(namesakes(false).await, 201);
        }
    })
    .await;
}

#[redis_cached(key = "generic:<name>", skip(load))]
async fn generic<T: cached_core::CacheValue>(name: &str, load: impl FnOnce() -> T) -> T {
    load()
}

#[tokio::test]
async fn an_err_behind_a_type_parameter_is_not_stored() {
    with_cache(async |_| {
        let error = generic::<Result<u8, String>>("x", || Err("no database".to_owned())).await;
        assert!(error.is_err());
        assert_eq!(generic::<Result<u8, String>>("x", || Ok(1)).await, Ok(1));
        assert_eq!(generic::<u8>("y", || 1).await, 1);
        assert_eq!(generic::<u8>("y", || 2).await, 1);
    })
    .await;
}

#[redis_cached(key = "not-send:<id>")]
async fn error_is_not_send(id: u64) -> Result<u64, Box<dyn std::error::Error>> {
    if id == 0 { Err("no zero".into()) } else { Ok(id) }
}

#[tokio::test]
async fn a_future_is_send_whatever_it_returns() {
    // The value is not held across an await, just as without the attribute.
    let task = tokio::spawn(async {
        let outcome = error_is_not_send(0).await;
        outcome.is_err()
    });
    assert!(task.await.unwrap());
}
