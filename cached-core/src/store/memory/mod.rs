//! Registers in this process: for development, for tests, and for services that run alone.
//!
//! The store is bounded by bytes. When it is full, it evicts the least useful registers first (S3-FIFO, by
//! `quick_cache`). An evicted lease is a lost lease and an evicted value a miss, just as on a Redis server with an
//! eviction policy.
//!
//! Watchers are told of every change after it has taken effect and before the step that made it returns. Eviction and
//! expiry are no changes.

mod markers;
#[cfg(test)]
mod told;

use super::watchers::Watchers;
use super::{
    Acquire, Acquired, Begin, Capabilities, Domain, Each, End, Ended, Fill, ForcedRefresh, Get, GetAll, GetWatched,
    Key, Life, Lives, Ping, Put, PutValue, Release, Remove, RemoveAll, Renew, Replace, Store, StoreFuture, Sweep,
    Swept, TagAll, TakenOver, Takeover, Watch, Watched, Watcher, Written,
};
use crate::clock::Clock;
use crate::envelope::Head;
use crate::key::is_under;
use crate::sync::locked;
use bytes::Bytes;
use markers::Markers;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Map;
use std::collections::BTreeSet;
use std::fmt;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

/// The cost of an entry beside its key and value: the map's own fields, the reference counts, the slot in the queue.
const ENTRY_OVERHEAD: u64 = 128;
/// The shortest time to live; a shorter one counts as this, as on a Redis server.
const SHORTEST: Duration = Duration::from_millis(1);
/// The number of locks. A step on one key locks out steps on the keys that share its stripe; with so many, this is
/// rare.
const STRIPES: usize = 64;

#[derive(Debug, Clone)]
struct Held {
    bytes: Bytes,
    /// By the store's clock.
    until: Duration,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Held> for Weight {
    fn weight(&self, key: &Key, held: &Held) -> u64 {
        key.len() as u64 + held.bytes.len() as u64 + ENTRY_OVERHEAD
    }
}

/// A [`Store`] in memory. A cache without any other store makes one for itself.
///
/// ```
/// use cached_core::store::MemoryStore;
/// use cached_core::{Cache, Clock};
/// use std::sync::Arc;
///
/// let cache = Cache::builder().namespace("shop").store(Arc::new(MemoryStore::new(64 << 20, Clock::system()))).build()?;
/// # Ok::<(), cached_core::BuildError>(())
/// ```
pub struct MemoryStore {
    registers: Map<Key, Held, Weight>,
    /// The map is atomic for single calls only. A step that compares and then writes holds the stripe of its key.
    stripes: Box<[Mutex<()>]>,
    markers: Markers,
    hasher: RandomState,
    clock: Clock,
    watchers: Watchers,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("entries", &self.registers.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A store that holds at most `capacity` bytes, keys and bookkeeping (128 bytes per entry) included, and expires
    /// entries by `clock`.
    ///
    /// ```
    /// use cached_core::Clock;
    /// use cached_core::store::MemoryStore;
    ///
    /// let store = MemoryStore::new(64 << 20, Clock::system()); // 64 MiB
    /// ```
    #[must_use]
    pub fn new(capacity: u64, clock: Clock) -> Self {
        // This estimate only sizes the queues; the weight bounds the map.
        let entries = usize::try_from(capacity / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        Self {
            registers: Map::with_weighter(entries, capacity, Weight),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            markers: Markers::default(),
            hasher: RandomState::new(),
            clock,
            watchers: Watchers::default(),
        }
    }

    /// Bytes held now, keys and bookkeeping included; expired entries count until they are replaced or evicted.
    ///
    /// ```
    /// use cached_core::Clock;
    /// use cached_core::store::MemoryStore;
    ///
    /// assert_eq!(MemoryStore::new(1 << 20, Clock::system()).bytes(), 0);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.registers.weight()
    }

    fn locked(&self, key: &str) -> MutexGuard<'_, ()> {
        locked(&self.stripes[self.stripe(key)])
    }

    /// Locks out steps on any of the keys. The order of the locks is always the same, so that no two steps wait for
    /// each other.
    fn all_locked<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Vec<MutexGuard<'_, ()>> {
        let stripes: BTreeSet<usize> = keys.map(|key| self.stripe(key)).collect();
        stripes.into_iter().map(|at| locked(&self.stripes[at])).collect()
    }

    fn stripe(&self, key: &str) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "it is below STRIPES")]
        let stripe = (self.hasher.hash_one(key) % STRIPES as u64) as usize;
        stripe
    }

    fn live(&self, key: &str) -> Option<Held> {
        self.registers.get(key).filter(|held| held.until > self.clock.now())
    }

    fn insert(&self, key: &Key, bytes: &[u8], ttl: Duration) {
        // The copy has the right size: a slice of a larger buffer would keep the whole buffer alive, unweighed.
        let bytes = Bytes::copy_from_slice(bytes);
        let until = self.clock.now().saturating_add(ttl.max(SHORTEST));
        self.registers.insert(Key::clone(key), Held { bytes, until });
    }

    /// Tells the watchers that these registers may have changed. The registers must not be locked, since a watcher may
    /// read them.
    fn changed<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        if self.watchers.any() {
            for key in keys {
                self.watchers.each(|watcher| watcher.changed(key));
            }
        }
    }

    /// Takes a step on one key, which may change it.
    fn step<T>(&self, key: &Key, take: impl FnOnce() -> T) -> T {
        let answer = self.step_on(key, take);
        self.changed([key]);
        answer
    }

    fn step_on<T>(&self, key: &str, take: impl FnOnce() -> T) -> T {
        let _step = self.locked(key);
        take()
    }

    fn step_on_all<'a, T>(&self, keys: impl Iterator<Item = &'a Key>, take: impl FnOnce() -> T) -> T {
        let _step = self.all_locked(keys);
        take()
    }

    fn has_head(&self, key: &str, head: Head) -> bool {
        self.live(key).is_some_and(|held| held.bytes.starts_with(head.as_bytes()))
    }

    fn acquire_now(&self, key: &Key, lease: Head, ttl: Duration, replace: &Replace) -> Acquired {
        let is_marked = self.markers.is_marked(key, self.clock.now());
        if let Some(held) = self.live(key) {
            // The token of a write in progress is not for the caller to replace.
            let may_replace = !(is_marked && Head::is_lease(&held.bytes)) && replace.covers(&held.bytes);
            if may_replace {
                self.registers.remove(key);
            } else if held.bytes == lease.as_bytes() {
                // The caller asks again for a lease that it has.
            } else if !Head::is_lease(&held.bytes) {
                return Acquired::Value(held.bytes);
            } else if !is_marked {
                return Acquired::Leased(held.until.saturating_sub(self.clock.now()));
            }
        }
        if is_marked {
            return Acquired::Writing;
        }
        self.insert(key, lease.as_bytes(), ttl);
        Acquired::Granted
    }

    fn take_over_now(&self, key: &Key, fresh: Head, lease: Head, ttl: Duration) -> TakenOver {
        if self.markers.is_marked(key, self.clock.now()) {
            self.registers.remove(key);
            return TakenOver::Writing;
        }
        match self.live(key) {
            Some(held) if Head::from_bytes(&held.bytes).is_some_and(|head| head.as_bytes()[0] == b'V') => {
                let bytes = Bytes::from([fresh.as_bytes(), &held.bytes[Head::LEN..]].concat());
                self.registers.insert(Key::clone(key), Held { bytes, until: held.until });
                TakenOver::Value
            }
            _ => {
                self.insert(key, lease.as_bytes(), ttl);
                TakenOver::Lease
            }
        }
    }

    fn remove_now(&self, key: &Key) -> bool {
        let was_live = self.live(key).is_some();
        self.registers.remove(key);
        was_live
    }

    fn fill_now(&self, key: &Key, expected: Head, value: &[u8], ttl: Duration) -> bool {
        let filled_before = value.len() > Head::LEN && self.live(key).is_some_and(|held| held.bytes == value);
        if !filled_before && !self.has_head(key, expected) {
            return false;
        }
        self.insert(key, value, ttl);
        // The map drops at once what is too large for it.
        self.live(key).is_some()
    }
}

impl MemoryStore {
    fn tag_now(&self, tags: &[Key], fresh: Head, ttl: Duration) -> Option<Vec<Head>> {
        let now = self.clock.now();
        if tags.iter().any(|tag| self.markers.is_marked(tag, now)) {
            return None;
        }
        let stamp = |tag: &Key| match self.live(tag) {
            Some(held) if held.bytes.len() == Head::LEN && held.bytes[0] == b'V' => {
                if held.until < now + ttl / 2 {
                    self.insert(tag, &held.bytes, ttl);
                }
                Head::from_bytes(&held.bytes).unwrap_or(fresh)
            }
            _ => {
                self.insert(tag, fresh.as_bytes(), ttl);
                fresh
            }
        };
        Some(tags.iter().map(stamp).collect())
    }

    fn begin_now(&self, writer: Head, keys: &[Key], marker: Duration, token: bool) {
        let now = self.clock.now();
        self.markers.expire(now);
        for key in keys {
            if self.markers.is_marked_by(key, writer, now) {
                if self.live(key).is_some_and(|held| held.bytes == writer.as_bytes()) {
                    self.insert(key, writer.as_bytes(), marker);
                }
            } else {
                self.registers.remove(key);
                if token && !self.markers.is_marked(key, now) {
                    self.insert(key, writer.as_bytes(), marker);
                }
            }
            self.markers.set(key, writer, now.saturating_add(marker.max(SHORTEST)));
        }
    }

    fn end_now(&self, writer: Head, written: &[Written]) -> bool {
        let is_mine = |key| self.live(key).is_some_and(|held| held.bytes == writer.as_bytes());
        let mut puts = written.iter().filter(|written| written.put.is_some()).peekable();
        let may_put = puts.peek().is_some() && puts.all(|written| is_mine(&written.key));
        let mut are_put = may_put;
        for Written { key, put } in written {
            self.registers.remove(key);
            if let Some(PutValue { value, ttl }) = put
                && may_put
            {
                self.insert(key, value, *ttl);
                // The map drops at once what is too large for it.
                are_put &= self.live(key).is_some();
            }
            self.markers.remove(key, writer);
        }
        are_put
    }
}

fn done<'a, T: Send + 'a>(value: T) -> StoreFuture<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none().with_watch(self).with_lives(self).with_forced_refresh(self)
    }

    fn domain(&self, _: &Key) -> Domain {
        Domain::FIRST
    }

    fn get<'a>(&'a self, Get { key, .. }: Get<'a>) -> StoreFuture<'a, Option<Bytes>> {
        done(self.live(key).map(|held| held.bytes))
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> StoreFuture<'a, Acquired> {
        let Acquire { key, lease, ttl, replace, .. } = request;
        let acquired = self.step_on(key, || self.acquire_now(key, lease, ttl, &replace));
        if matches!(acquired, Acquired::Granted | Acquired::Writing) {
            self.changed([key]);
        }
        done(acquired)
    }

    fn renew<'a>(&'a self, Renew { key, lease, ttl, .. }: Renew<'a>) -> StoreFuture<'a, bool> {
        // The register holds what it held, so nobody is told.
        let _step = self.locked(key);
        let ours = self.has_head(key, lease);
        if ours {
            self.insert(key, lease.as_bytes(), ttl);
        }
        done(ours)
    }

    fn fill<'a>(&'a self, Fill { key, expected, value, ttl, .. }: Fill<'a>) -> StoreFuture<'a, bool> {
        done(self.step(key, || self.fill_now(key, expected, &value, ttl)))
    }

    fn release<'a>(&'a self, Release { key, head, .. }: Release<'a>) -> StoreFuture<'a, bool> {
        let stands = self.step_on(key, || self.has_head(key, head) && self.remove_now(key));
        if stands {
            self.changed([key]);
        }
        done(stands)
    }

    fn put<'a>(&'a self, Put { key, value, ttl, .. }: Put<'a>) -> StoreFuture<'a, bool> {
        let is_put = self.step_on(key, || {
            let is_marked = self.markers.is_marked(key, self.clock.now());
            if !is_marked {
                self.insert(key, &value, ttl);
            }
            !is_marked
        });
        if is_put {
            self.changed([key]);
        }
        done(is_put)
    }

    fn remove<'a>(&'a self, Remove { key, .. }: Remove<'a>) -> StoreFuture<'a, bool> {
        done(self.step(key, || self.remove_now(key)))
    }

    fn get_all<'a>(&'a self, GetAll { keys, .. }: GetAll<'a>) -> StoreFuture<'a, Each<Option<Bytes>>> {
        let registers: Vec<_> = keys.iter().map(|key| self.live(key).map(|held| held.bytes)).collect();
        done(registers.into())
    }

    fn remove_all<'a>(&'a self, RemoveAll { keys, .. }: RemoveAll<'a>) -> StoreFuture<'a, Each<()>> {
        self.step_on_all(keys.iter(), || {
            for key in keys {
                self.registers.remove(key);
            }
        });
        self.changed(keys);
        done(vec![(); keys.len()].into())
    }

    fn tag<'a>(&'a self, TagAll { tags, fresh, ttl, .. }: TagAll<'a>) -> StoreFuture<'a, Each<Option<Head>>> {
        let stamps = self.step_on_all(tags.iter(), || self.tag_now(tags, fresh, ttl));
        let created = tags.iter().zip(stamps.iter().flatten()).filter(|(_, stamp)| **stamp == fresh);
        self.changed(created.map(|(tag, _)| tag));
        done(stamps.map_or_else(|| vec![None; tags.len()], |stamps| stamps.into_iter().map(Some).collect()).into())
    }

    fn begin<'a>(&'a self, Begin { writer, keys, marker, token, .. }: Begin<'a>) -> StoreFuture<'a, Each<()>> {
        self.step_on_all(keys.iter(), || self.begin_now(writer, keys, marker, token));
        self.changed(keys);
        done(vec![(); keys.len()].into())
    }

    fn end<'a>(&'a self, End { writer, written, .. }: End<'a>) -> StoreFuture<'a, Ended> {
        let keys = written.iter().map(|written| &written.key);
        let are_put = self.step_on_all(keys.clone(), || self.end_now(writer, written));
        self.changed(keys);
        done(Ended::new(are_put, vec![(); written.len()].into()))
    }

    fn sweep<'a>(&'a self, Sweep { prefix, .. }: Sweep<'a>) -> StoreFuture<'a, Swept> {
        let is_swept = |key: &Key| is_under(key.as_bytes(), prefix);
        let keys: Vec<Key> = self.registers.iter().map(|(key, _)| key).filter(is_swept).collect();
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.step(&key, || self.remove_now(&key)));
        }
        done(Swept::new(None, removed))
    }

    fn ping(&self, _: Ping) -> StoreFuture<'_, ()> {
        done(())
    }
}

impl ForcedRefresh for MemoryStore {
    fn take_over<'a>(&'a self, Takeover { key, fresh, lease, ttl, .. }: Takeover<'a>) -> StoreFuture<'a, TakenOver> {
        done(self.step(key, || self.take_over_now(key, fresh, lease, ttl)))
    }
}

impl Lives for MemoryStore {
    fn life<'a>(&'a self, Life { key, .. }: Life<'a>) -> StoreFuture<'a, Option<Duration>> {
        done(self.live(key).map(|held| held.until.saturating_sub(self.clock.now())))
    }
}

impl Watch for MemoryStore {
    fn watch(&self, watcher: Weak<dyn Watcher>) {
        self.watchers.add(Weak::clone(&watcher));
        if let Some(watcher) = watcher.upgrade() {
            watcher.regained();
        }
    }

    /// There always is contact: all changes have been told, except those of steps that are still under way.
    fn get_watched<'a>(&'a self, GetWatched { keys, timed, .. }: GetWatched<'a>) -> StoreFuture<'a, Option<Watched>> {
        if !self.watchers.any() {
            return done(None);
        }
        let asked = Instant::now();
        let held: Vec<_> = keys.iter().map(|key| self.live(key)).collect();
        self.watchers.each(|watcher| watcher.confirmed(asked));
        let now = self.clock.now();
        let life = |held: &Option<Held>| held.as_ref().map_or(Duration::ZERO, |held| held.until.saturating_sub(now));
        let lives = held.iter().take(timed).map(life).collect();
        done(Some(Watched::new(held.into_iter().map(|held| Some(held?.bytes)).collect(), lives)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn never_holds_more_bytes_than_it_may() {
        let store = MemoryStore::new(1 << 20, Clock::system());
        for i in 0..10_000 {
            store.put(Put::new(&format!("key:{i}").into(), vec![0; 1_000].into(), TTL, TTL)).await.unwrap();
            assert!(store.bytes() <= 1 << 20);
        }
        assert!(store.bytes() > 1 << 19, "it holds {} only", store.bytes());
    }

    #[tokio::test]
    async fn what_is_larger_than_the_store_is_not_stored() {
        let store = MemoryStore::new(10_000, Clock::system());
        let lease = Head::lease(1);
        assert_eq!(store.acquire(Acquire::new(&"k".into(), lease, TTL, TTL)).await.unwrap(), Acquired::Granted);
        assert!(!store.fill(Fill::new(&"k".into(), lease, vec![0; 20_000].into(), TTL, TTL)).await.unwrap());
        let begun = store.begin(Begin::new(lease, &["k".into()], TTL, TTL).with_token(true)).await.unwrap();
        begun.whole().unwrap();
        let written = Written::value("k".into(), vec![0; 20_000].into(), TTL);
        assert!(!store.end(End::new(lease, &[written], TTL)).await.unwrap().put);
        assert!(store.bytes() <= 10_000);
    }

    #[tokio::test]
    async fn no_time_to_live_is_none() {
        let (store, lease) = (MemoryStore::new(10_000, Clock::manual()), Head::lease(1));
        let acquire = async |key: &str| store.acquire(Acquire::new(&key.into(), lease, TTL, TTL)).await.unwrap();
        store.put(Put::new(&"k".into(), "x".into(), Duration::ZERO, TTL)).await.unwrap();
        let begun = store.begin(Begin::new(Head::lease(9), &["written".into()], Duration::ZERO, TTL)).await.unwrap();
        begun.whole().unwrap();
        assert_eq!(acquire("k").await, Acquired::Value("x".into()));
        assert_eq!(acquire("written").await, Acquired::Writing);
        store.clock.advance(SHORTEST);
        assert_eq!(acquire("k").await, Acquired::Granted);
        assert_eq!(acquire("written").await, Acquired::Granted);
    }
}
