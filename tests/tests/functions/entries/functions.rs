//! A value that is set under an entry is served by its function without running the body, and an invalidation of the
//! entry ends it.

use super::{Runs, User, user, with_cache};
use cached_core::{Cache, CacheEvent, Entry, Invalidation, Outcome, entries, entry, redis_cached};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

type Answer<T> = Result<Option<T>, String>;

/// Tries all operations of an entry, with a value that the body does not return.
async fn check<T, R, F>(entry: Entry<T>, value: T, returned: R, call: impl Fn() -> F, runs: &Runs)
where
    T: cached_core::CacheValue + PartialEq + Debug,
    R: PartialEq + Debug,
    F: Future<Output = R>,
{
    assert_eq!((entry.get().await, runs.so_far()), (None, 0), "nothing has run yet, and nothing is stored: {entry:?}");
    entry.set(&value).await.unwrap();
    assert_eq!(entry.get().await.as_ref(), Some(&value));
    assert_eq!((call().await, runs.so_far()), (returned, 0), "what was set is served: {entry:?}");
    assert_eq!(entry.invalidate().await, Outcome::Applied);
    assert_eq!(entry.get().await, None);
    entry.set(&value).await.unwrap();
    entry.remove().await.unwrap();
    assert_eq!(entry.get().await, None);
    call().await;
    assert_eq!(runs.so_far(), 1, "after that, the function loads: {entry:?}");
}

#[redis_cached(key = "plain:<id>", skip(runs))]
async fn plain(runs: &Runs, id: u64) -> User {
    runs.one();
    user(id, "loaded")
}

#[redis_cached(key = "option:<id>", skip(runs))]
async fn option(runs: &Runs, id: u64) -> Option<User> {
    runs.one();
    Some(user(id, "loaded"))
}

#[redis_cached(key = "result:<id>", skip(runs))]
async fn result(runs: &Runs, id: u64) -> Result<User, String> {
    runs.one();
    Ok(user(id, "loaded"))
}

#[redis_cached(key = "answer:<id>", skip(runs))]
async fn answer(runs: &Runs, id: u64) -> Answer<User> {
    runs.one();
    Ok(Some(user(id, "loaded")))
}

#[tokio::test]
async fn functions_of_every_shape() {
    with_cache(async |_| {
        let ada = || user(7, "Ada");
        let runs = Runs::default();
        check(entry!(plain(&runs, 7)).unwrap(), ada(), ada(), || plain(&runs, 7), &runs).await;
        let runs = Runs::default();
        check(entry!(option(&runs, 7)).unwrap(), ada(), Some(ada()), || option(&runs, 7), &runs).await;
        let runs = Runs::default();
        check(entry!(result(&runs, 7)).unwrap(), ada(), Ok(ada()), || result(&runs, 7), &runs).await;
        let runs = Runs::default();
        check(entry!(answer(&runs, 7)).unwrap(), ada(), Ok(Some(ada())), || answer(&runs, 7), &runs).await;
    })
    .await;
}

#[redis_cached(skip(runs))]
async fn without_a_key(runs: &Runs, id: u64, name: &str) -> String {
    runs.one();
    format!("{id} {name}")
}

#[redis_cached(key = "slug:<slug>", skip(runs))]
async fn by_text(runs: &Runs, slug: &str) -> String {
    runs.one();
    slug.to_owned()
}

#[redis_cached(key = "query:<query:hash>", skip(runs))]
async fn hashed(runs: &Runs, query: Vec<String>) -> usize {
    runs.one();
    query.len()
}

#[tokio::test]
async fn keys_that_nobody_renders_by_hand() {
    with_cache(async |_| {
        for slug in ["rust", "42", "true", "a:b", "", "100%", &"x".repeat(1000)] {
            let runs = Runs::default();
            let set = "set".to_owned();
            check(entry!(by_text(&runs, slug)).unwrap(), set.clone(), set, || by_text(&runs, slug), &runs).await;
        }
        let runs = Runs::default();
        let set = "set".to_owned();
        let entry = entry!(without_a_key(&runs, 7, &String::from("a temporary"))).unwrap();
        check(entry, set.clone(), set, || without_a_key(&runs, 7, "a temporary"), &runs).await;
        let runs = Runs::default();
        let query = vec!["a".to_owned(), "b".to_owned()];
        check(entry!(hashed(&runs, query.clone())).unwrap(), 9, 9, || hashed(&runs, query.clone()), &runs).await;
    })
    .await;
}

#[derive(Debug, Clone, Default)]
struct Repo {
    runs: Arc<Runs>,
    tenant: String,
}

impl Repo {
    #[redis_cached(key = "method:<self.tenant>:<id>")]
    async fn find(&self, id: u64) -> Answer<User> {
        self.runs.one();
        Ok(Some(user(id, "loaded")))
    }

    #[redis_cached(key = "by-mut:<id>")]
    async fn by_mut(&mut self, id: u64) -> u64 {
        self.runs.one();
        id
    }

    #[redis_cached(key = "shared-method:<id>")]
    async fn shared(self: Arc<Self>, id: u64) -> u64 {
        self.runs.one();
        id
    }

    #[redis_cached(key = "task:<id>", spawn)]
    async fn as_a_task(&self, id: u64) -> Answer<User> {
        self.runs.one();
        Ok(Some(user(id, "loaded")))
    }

    #[redis_cached(
        key = "fresh:<id>",
        ttl = "1m",
        stale_while_revalidate = "1m",
        refresh = "background",
        refresh_ahead
    )]
    async fn renewed(&self, id: u64) -> u64 {
        self.runs.one();
        id
    }

    #[redis_cached(key = "near:<id>", local = "30s")]
    async fn near(&self, id: u64) -> u64 {
        self.runs.one();
        id
    }
}

#[tokio::test]
async fn methods() {
    with_cache(async |_| {
        let repo = Repo { tenant: "acme:eu".to_owned(), ..Repo::default() };
        let ada = user(7, "Ada");
        check(entry!(repo.find(7)).unwrap(), ada.clone(), Ok(Some(ada.clone())), || repo.find(7), &repo.runs).await;
        let repo = Arc::new(Repo::default());
        check(entry!(repo.clone().shared(7)).unwrap(), 9, 9, || repo.clone().shared(7), &repo.runs).await;
        let repo = Repo::default();
        let of_mut = |id| {
            let mut repo = repo.clone();
            async move { repo.by_mut(id).await }
        };
        check(entry!(repo.clone().by_mut(7)).unwrap(), 9, 9, || of_mut(7), &repo.runs).await;
        let repo = Repo::default();
        check(entry!(repo.as_a_task(7)).unwrap(), ada.clone(), Ok(Some(ada)), || repo.as_a_task(7), &repo.runs).await;
        let repo = Repo::default();
        check(entry!(repo.renewed(7)).unwrap(), 9, 9, || repo.renewed(7), &repo.runs).await;
        let repo = Repo::default();
        check(entry!(repo.near(7)).unwrap(), 9, 9, || repo.near(7), &repo.runs).await;
    })
    .await;
}

#[tokio::test]
async fn a_value_that_is_kept_near_is_asked_for_its_entry_all_the_same() {
    with_cache(async |cache| {
        let repo = Repo::default();
        repo.near(7).await;
        cache.flush().await;
        repo.near(7).await;
        repo.near(7).await;
        assert_eq!(cache.stats().site("near").unwrap().near_hits, 1, "it is kept");
        let entry = entry!(repo.near(7)).unwrap();
        entry.set(&9).await.unwrap();
        assert_eq!((repo.near(7).await, repo.runs.so_far()), (9, 1));
    })
    .await;
}

#[redis_cached(key = "generic:<T>:<id>", skip(runs))]
async fn generic<T: cached_core::CacheValue + Default>(runs: &Runs, id: u64) -> Answer<T> {
    runs.one();
    let _ = id;
    Ok(Some(T::default()))
}

#[redis_cached(key = "impl:<id>", skip(runs))]
async fn of_an_impl(runs: &Runs, id: impl Into<u64> + Copy + cached_core::KeySegment) -> u64 {
    runs.one();
    id.into()
}

fn of_any<T: cached_core::CacheValue + Default>(runs: &Runs, id: u64) -> Entry<T> {
    entry!(generic::<T>(runs, id)).unwrap()
}

#[tokio::test]
async fn generic_functions() {
    with_cache(async |_| {
        let runs = Runs::default();
        let text = || "set".to_owned();
        check(of_any::<String>(&runs, 7), text(), Ok(Some(text())), || generic(&runs, 7), &runs).await;
        let runs = Runs::default();
        check(of_any::<u64>(&runs, 7), 9, Ok(Some(9)), || generic::<u64>(&runs, 7), &runs).await;
        assert_ne!(of_any::<String>(&runs, 7).key(), of_any::<u64>(&runs, 7).key());
        let runs = Runs::default();
        check(entry!(of_an_impl(&runs, 7_u32)).unwrap(), 9, 9, || of_an_impl(&runs, 7_u32), &runs).await;
    })
    .await;
}

trait Find {
    fn find(&self, id: u64) -> impl Future<Output = Answer<User>>;
}

impl Find for Runs {
    #[redis_cached(key = "native:<id>")]
    async fn find(&self, id: u64) -> Answer<User> {
        self.one();
        Ok(Some(user(id, "loaded")))
    }
}

fn of_any_finder<R: Find>(finder: &R, id: u64) -> Entry<User> {
    entry!(finder.find(id)).unwrap()
}

#[async_trait::async_trait]
trait Boxed {
    async fn fetch(&self, id: u64, name: &str) -> Answer<User>;
}

#[async_trait::async_trait]
impl Boxed for Runs {
    #[redis_cached(key = "boxed:<id>:<name>")]
    async fn fetch(&self, id: u64, name: &str) -> Answer<User> {
        self.one();
        Ok(Some(user(id, name)))
    }
}

#[tokio::test]
async fn implementations_of_traits() {
    with_cache(async |_| {
        let ada = user(7, "Ada");
        let runs = Runs::default();
        check(of_any_finder(&runs, 7), ada.clone(), Ok(Some(ada.clone())), || runs.find(7), &runs).await;
        let runs = Runs::default();
        let boxed: &dyn Boxed = &runs;
        let call = || boxed.fetch(7, "a:b");
        check(entry!(boxed.fetch(7, "a:b")).unwrap(), ada.clone(), Ok(Some(ada)), call, &runs).await;
    })
    .await;
}

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[redis_cached(
    key = "tagged-entry:<id>",
    skip(runs, tenant),
    invalidate_on = UserUpdated { id },
    tags = ["tenant:<tenant>", |user: &User| [format!("name:{}", user.name)]],
)]
async fn tagged(runs: &Runs, id: u64, tenant: u64) -> Answer<User> {
    runs.one();
    let _ = tenant;
    Ok(Some(user(id, "loaded")))
}

#[tokio::test]
async fn what_is_set_has_the_tags_and_events_of_the_function() {
    with_cache(async |cache| {
        let runs = Runs::default();
        let ada = user(7, "Ada");
        check(entry!(tagged(&runs, 7, 1)).unwrap(), ada.clone(), Ok(Some(ada.clone())), || tagged(&runs, 7, 1), &runs)
            .await;
        let entry = entry!(tagged(&runs, 7, 1)).unwrap();
        let ends = [
            Invalidation::new().event(&UserUpdated { id: 7 }),
            Invalidation::new().tag("tenant:1"),
            Invalidation::new().tag("name:Ada"),
            Invalidation::new().entry(&entry),
        ];
        for end in ends {
            entry.set(&ada).await.unwrap();
            assert_eq!(tagged(&runs, 7, 1).await, Ok(Some(ada.clone())));
            let not_meant = Invalidation::new().event(&UserUpdated { id: 8 }).tag("tenant:2").tag("name:Grace");
            assert_eq!(cache.invalidate(not_meant).await, Outcome::Applied);
            assert_eq!(entry.get().await.as_ref(), Some(&ada));
            assert_eq!(cache.invalidate(end.clone()).await, Outcome::Applied);
            assert_eq!(entry.get().await, None, "{end:?}");
        }
        assert_eq!(runs.so_far(), 1);
    })
    .await;
}

#[redis_cached(key = "short:<id>", ttl = |n: &u64| Duration::from_secs(*n), jitter = 0.0, cache_if = |n| *n != 13)]
async fn short(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn what_is_set_lives_as_long_as_the_function_says() {
    let clock = cached_core::Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    cache
        .scope(async {
            let entry = entry!(short(7)).unwrap();
            entry.set(&10).await.unwrap();
            clock.advance(Duration::from_millis(9_900));
            assert_eq!(short(7).await, 10);
            clock.advance(Duration::from_millis(200));
            assert_eq!(entry.get().await, None);
            for refused in [13, 0] {
                let error = entry.set(&refused).await.unwrap_err();
                assert!(matches!(error, cached_core::CacheError::Policy), "{error}");
            }
            assert_eq!(entry.get().await, None);
        })
        .await;
}

#[redis_cached(key = "nobody:<id>")]
async fn nobody(id: u64) -> Answer<User> {
    let _ = id;
    Ok(None)
}

#[tokio::test]
async fn a_none_that_is_remembered_gives_way_to_what_is_set() {
    with_cache(async |cache| {
        assert_eq!(nobody(7).await, Ok(None));
        cache.flush().await;
        let entry = entry!(nobody(7)).unwrap();
        assert_eq!(entry.get().await, None);
        entry.set(&user(7, "Ada")).await.unwrap();
        assert_eq!(nobody(7).await, Ok(Some(user(7, "Ada"))));
    })
    .await;
}

struct Service {
    cache: Cache,
    runs: Runs,
}

impl Service {
    #[redis_cached(key = "service:<id>", cache = self.cache)]
    async fn find(&self, id: u64) -> u64 {
        self.runs.one();
        id
    }
}

#[tokio::test]
async fn a_function_with_a_cache_of_its_own() {
    let service = Service { cache: Cache::builder().namespace("own").build().unwrap(), runs: Runs::default() };
    let entry = entry!(service.find(7)).unwrap();
    assert_eq!(entry.redis_key(), "own:k:service:7");
    check(entry, 9, 9, || service.find(7), &service.runs).await;
}

#[redis_cached(key = "many:<id>", skip(runs), batch = ids)]
async fn many(runs: &Runs, ids: &[u64]) -> Result<HashMap<u64, User>, String> {
    runs.one();
    Ok(ids.iter().map(|id| (*id, user(*id, "loaded"))).collect())
}

#[redis_cached(key = "many:<id>", skip(runs))]
async fn one_of_many(runs: &Runs, id: u64) -> Result<Option<User>, String> {
    runs.one();
    Ok(Some(user(id, "loaded")))
}

#[redis_cached(key = "list:<id>", skip(runs), batch = ids, tags = "list:<id>")]
async fn list(runs: &Runs, ids: Vec<u64>) -> Vec<Option<u64>> {
    runs.one();
    ids.into_iter().map(Some).collect()
}

#[redis_cached(key = "sorted:<id>", batch = ids)]
async fn sorted(ids: &[u64]) -> BTreeMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[tokio::test]
async fn a_batch_has_an_entry_for_each_id() {
    with_cache(async |_| {
        let runs = Runs::default();
        let entries = entries!(many(&runs, &[3, 1, 3])).unwrap();
        let keys: Vec<_> = entries.iter().map(Entry::key).collect();
        assert_eq!(keys, ["many:3", "many:1", "many:3"]);
        entries[0].set(&user(3, "Ada")).await.unwrap();
        entries[1].set(&user(1, "Grace")).await.unwrap();
        let expected = HashMap::from([(3, user(3, "Ada")), (1, user(1, "Grace"))]);
        assert_eq!(many(&runs, &[1, 3]).await, Ok(expected));
        // The entries are those of the function over one id.
        assert_eq!(one_of_many(&runs, 3).await, Ok(Some(user(3, "Ada"))));
        assert_eq!(entry!(one_of_many(&runs, 3)).unwrap().key(), entries[0].key());
        assert_eq!(runs.so_far(), 0);
        assert_eq!(entries[0].invalidate().await, Outcome::Applied);
        assert_eq!(one_of_many(&runs, 1).await, Ok(Some(user(1, "Grace"))));
        assert_eq!(one_of_many(&runs, 3).await, Ok(Some(user(3, "loaded"))));

        let runs = Runs::default();
        let entries = entries!(list(&runs, vec![5, 6])).unwrap();
        entries[1].set(&60).await.unwrap();
        assert_eq!(list(&runs, vec![6]).await, [Some(60)]);
        assert_eq!((entries.len(), runs.so_far()), (2, 0));
        assert_eq!(entries!(sorted(&[])).unwrap().len(), 0);
        assert_eq!(entries!(sorted(&[1])).unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_call_without_an_attribute() {
    with_cache(async |cache| {
        let loads = AtomicU64::new(0);
        let load = || async {
            loads.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(7_u64)
        };
        let by_hand = || cache.entry("by-hand:7").tag("by-hand").get_or_load(load);
        let entry = entry!(by_hand()).unwrap();
        entry.set(&9).await.unwrap();
        assert_eq!(by_hand().await, Ok(9));
        assert_eq!(cache.invalidate(Invalidation::new().tag("by-hand")).await, Outcome::Applied);
        assert_eq!((entry.get().await, loads.load(Ordering::SeqCst)), (None, 0));
    })
    .await;
}

#[tokio::test]
async fn an_entry_goes_with_tags_events_and_brackets() {
    with_cache(async |cache| {
        let runs = Runs::default();
        let entries = [entry!(plain(&runs, 1)).unwrap(), entry!(plain(&runs, 2)).unwrap()];
        let all = async |of: &str| {
            for entry in &entries {
                assert_eq!(entry.get().await, None, "{of}");
                entry.set(&user(9, "Ada")).await.unwrap();
            }
        };
        all("before").await;
        let what = Invalidation::from(&entries[0]).entry(&entries[1]).event(&UserUpdated { id: 1 });
        assert_eq!(cache.invalidate(what.clone()).await, Outcome::Applied);
        all("Cache::invalidate").await;
        let (inside, outcome) = cache.write(what.clone(), entries[0].get()).await;
        assert_eq!((inside, outcome), (None, Outcome::Applied), "it is invalid while the write runs");
        all("Cache::write").await;
        let (inside, outcome) = cache.try_write(what, entries[0].get()).await.unwrap();
        assert_eq!((inside, outcome), (None, Outcome::Applied));
        all("Cache::try_write").await;
        let mut deferred = cache.deferred();
        deferred.entry(&entries[0]).entry(&entries[1]);
        assert_eq!(deferred.commit(entries[1].get()).await, (None, Outcome::Applied));
        all("Deferred::commit").await;
        assert_eq!(cache.invalidate(&entries[0]).await, Outcome::Applied);
        assert_eq!((entries[0].get().await, entries[1].get().await), (None, Some(user(9, "Ada"))));
    })
    .await;
}

#[tokio::test]
async fn an_entry_means_the_same_call_in_another_cache() {
    let (runs, other) = (Runs::default(), Cache::builder().namespace("elsewhere").version(3).build().unwrap());
    let here = with_cache(async |_| entry!(plain(&runs, 7)).unwrap()).await;
    let there = other.scope(async { entry!(plain(&runs, 7)).unwrap() }).await;
    assert_eq!((here.redis_key(), there.redis_key()), ("cache:k:plain:7", "elsewhere:k:plain:7"));
    for entry in [&here, &there] {
        entry.set(&user(7, "Ada")).await.unwrap();
    }
    assert_eq!(other.invalidate(&here).await, Outcome::Applied);
    assert_eq!((here.get().await, there.get().await), (Some(user(7, "Ada")), None));
}

/// It stays in one thread, and is not `Send`.
#[redis_cached(key = "rc:<id>", skip(runs))]
async fn not_send(runs: Rc<Runs>, id: u64) -> u64 {
    runs.one();
    id
}

#[tokio::test]
async fn a_call_that_is_not_send() {
    with_cache(async |_| {
        let runs = Rc::new(Runs::default());
        check(entry!(not_send(runs.clone(), 7)).unwrap(), 9, 9, || not_send(runs.clone(), 7), &runs).await;
    })
    .await;
}

#[test]
fn an_entry_needs_no_runtime() {
    let runs = Runs::default();
    let service = Service { cache: Cache::memory(), runs: Runs::default() };
    assert_eq!(entry!(service.find(7)).unwrap().redis_key(), "cache:k:service:7");
    let entry = futures_util::FutureExt::now_or_never(service.cache.scope(async { entry!(plain(&runs, 7)) }));
    let entry = entry.expect("nothing is waited for").unwrap();
    assert_eq!(format!("{entry:?}").split('"').nth(1), Some("cache:k:plain:7"));
    let calls: u64 = service.cache.stats().sites.iter().map(cached_core::SiteStats::calls).sum();
    assert_eq!(calls, 0, "to ask is no call");
}

/// A wrapper may keep the future of a call that it has polled (to share it, say). Later a caller polls it that does not
/// ask for the entry.
#[tokio::test]
async fn a_call_that_was_asked_goes_on_when_it_is_polled_without_a_question() {
    with_cache(async |_| {
        let repo = Repo { tenant: "acme:eu".to_owned(), ..Repo::default() };
        let within = Duration::from_secs(30);
        let mut find = Box::pin(repo.find(7));
        assert!(entry!(find.as_mut()).is_ok());
        assert_eq!(timeout(within, find).await, Ok(Ok(Some(user(7, "loaded")))));
        let mut task = Box::pin(repo.as_a_task(7));
        assert!(entry!(task.as_mut()).is_ok());
        assert_eq!(timeout(within, task).await, Ok(Ok(Some(user(7, "loaded")))));
        assert_eq!(repo.runs.so_far(), 2);
    })
    .await;
}
