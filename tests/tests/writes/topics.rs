//! Events by some of their fields: whom they reach, whatever emits them, on the memory store and on Redis.

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached, redis_invalidate, redis_put};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{RedisServer, applied};

#[derive(CacheEvent)]
#[event(by(tenant), by(tenant & country))]
struct UserUpdated {
    tenant: u64,
    #[cache_key(hash)]
    country: String,
    id: u64,
}

impl UserUpdated {
    fn of(tenant: u64, country: &str, id: u64) -> Self {
        Self { tenant, country: country.to_owned(), id }
    }
}

/// Reads that return how often the data has changed.
struct Source {
    cache: Cache,
    changes: AtomicU64,
}

impl Source {
    fn new(cache: Cache) -> Self {
        Self { cache, changes: AtomicU64::new(0) }
    }

    fn load(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    #[redis_cached(key = "all", cache = self.cache, invalidate_on = UserUpdated { .. })]
    async fn all(&self) -> u64 {
        self.load()
    }

    #[redis_cached(key = "tenant:<tenant>", cache = self.cache, invalidate_on = UserUpdated { tenant, .. })]
    async fn of_tenant(&self, tenant: u64) -> u64 {
        self.load()
    }

    // In another order than the event declares it, and hashed as in the event.
    #[redis_cached(
        key = "country:<tenant>:<country>",
        cache = self.cache,
        invalidate_on = UserUpdated { country: country.to_owned(), tenant, .. }
    )]
    async fn of_country(&self, tenant: u64, country: &str) -> u64 {
        self.load()
    }

    #[redis_cached(key = "batch:<tenant>", batch = tenants, cache = self.cache, invalidate_on = UserUpdated { tenant, .. })]
    async fn of_tenants(&self, tenants: &[u64]) -> HashMap<u64, u64> {
        tenants.iter().map(|tenant| (*tenant, self.load())).collect()
    }

    #[redis_cached(
        key = "one:<tenant>:<country>:<id>",
        cache = self.cache,
        invalidate_on = UserUpdated { tenant, country: country.to_owned(), id }
    )]
    async fn one(&self, tenant: u64, country: &str, id: u64) -> u64 {
        self.load()
    }

    #[redis_invalidate(UserUpdated { tenant, country: "DK".to_owned(), id }, cache = self.cache)]
    async fn bracket(&self, tenant: u64, id: u64) {}

    #[redis_invalidate(UserUpdated { tenant, country: "DK".to_owned(), id: *ret }, mode = "after", cache = self.cache)]
    async fn after(&self, tenant: u64, id: u64) -> u64 {
        id
    }

    #[redis_put(key = "put", UserUpdated { tenant, country: "DK".to_owned(), id }, cache = self.cache)]
    async fn put(&self, tenant: u64, id: u64) -> u64 {
        id
    }

    /// All that is read, by name.
    async fn read(&self) -> Vec<(&'static str, u64)> {
        let batch = self.of_tenants(&[1, 2]).await;
        let read = vec![
            ("all", self.all().await),
            ("tenant 1", self.of_tenant(1).await),
            ("tenant 2", self.of_tenant(2).await),
            ("tenants 1", batch[&1]),
            ("tenants 2", batch[&2]),
            ("1 DK", self.of_country(1, "DK").await),
            ("1 SE", self.of_country(1, "SE").await),
            ("2 DK", self.of_country(2, "DK").await),
            ("1 DK 7", self.one(1, "DK", 7).await),
            ("1 DK 8", self.one(1, "DK", 8).await),
        ];
        self.cache.flush().await;
        read
    }

    /// What is loaded again after the change.
    async fn reached_by(&self, change: impl AsyncFnOnce(&Self)) -> BTreeSet<&'static str> {
        self.read().await;
        let changed = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        change(self).await;
        self.read().await.into_iter().filter(|(_, read)| *read == changed).map(|(name, _)| name).collect()
    }
}

async fn whatever_emits_an_event_reaches_all_its_topics(cache: Cache) {
    let source = Source::new(cache);
    // User 7 of tenant 1 in Denmark.
    let expected = BTreeSet::from(["all", "tenant 1", "tenants 1", "1 DK", "1 DK 7"]);
    let event = || UserUpdated::of(1, "DK", 7);
    let by_attribute = [
        source.reached_by(async |source| source.bracket(1, 7).await).await,
        source.reached_by(async |source| assert_eq!(source.after(1, 7).await, 7)).await,
        source.reached_by(async |source| assert_eq!(source.put(1, 7).await, 7)).await,
    ];
    let by_hand = [
        source.reached_by(async |source| assert_eq!(source.cache.emit(&event()).await, Outcome::Applied)).await,
        source
            .reached_by(async |source| {
                let what = Invalidation::new().event(&event());
                assert_eq!(source.cache.write(what, async {}).await.1, Outcome::Applied);
            })
            .await,
        source
            .reached_by(async |source| {
                let mut deferred = source.cache.deferred();
                deferred.event(&event());
                assert_eq!(deferred.commit(async {}).await.1, Outcome::Applied);
            })
            .await,
    ];
    for reached in by_attribute.into_iter().chain(by_hand) {
        assert_eq!(reached, expected);
    }
    let other = UserUpdated::of(2, "SE", 7);
    let reached = source.reached_by(async |source| assert_eq!(source.cache.emit(&other).await, Outcome::Applied)).await;
    assert_eq!(reached, BTreeSet::from(["all", "tenant 2", "tenants 2"]));
}

#[tokio::test]
async fn whatever_emits_an_event_reaches_all_its_topics_in_memory() {
    whatever_emits_an_event_reaches_all_its_topics(Cache::memory()).await;
}

#[tokio::test]
async fn whatever_emits_an_event_reaches_all_its_topics_on_redis() {
    let server = RedisServer::start();
    whatever_emits_an_event_reaches_all_its_topics(tests::patient_cache(&server.url())).await;
}

#[tokio::test]
async fn an_event_with_topics_is_one_command() {
    let server = RedisServer::start();
    let cache = tests::patient_cache(&server.url());
    assert_eq!(cache.emit(&UserUpdated::of(1, "DK", 7)).await, Outcome::Applied);
    let monitor = server.monitor().await;
    assert_eq!(cache.emit(&UserUpdated::of(1, "DK", 7)).await, Outcome::Applied);
    let commands = monitor.stop(&server).await;
    let [command] = &commands[..] else { panic!("{commands:#?}") };
    let topics =
        [r#""cache:e:UserUpdated""#, r#""cache:e:UserUpdated;tenant:1""#, r#""cache:e:UserUpdated;country;tenant:@"#];
    assert!(topics.iter().all(|topic| command.contains(topic)), "{command}");
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_is_queued_with_all_its_topics() {
    let mut server = RedisServer::start();
    let cache = tests::patient_cache(&server.url());
    assert_eq!(cache.emit(&UserUpdated::of(1, "DK", 7)).await, Outcome::Applied);
    server.kill();
    assert_eq!(cache.emit(&UserUpdated::of(1, "DK", 7)).await, Outcome::Queued);
    assert_eq!(cache.stats().pending, 5, "itself, two topics by some fields, all of the type, and all tags");
    server.restart();
    assert!(applied(&cache, Duration::from_secs(60)).await);
}
