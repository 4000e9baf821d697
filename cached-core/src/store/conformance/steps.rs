//! The steps in short, and who hears of changes: what the cases are written in.

use super::Subject;
use crate::error::StoreError;
use crate::store::{
    Acquire, Acquired, Begin, End, Ended, Fill, Get, GetAll, GetWatched, Head, Key, Put, Remove, RemoveAll, Sweep,
    Swept, TagAll, Watched, Watcher, Written,
};
use crate::sync::locked;
use bytes::Bytes;
use std::ops::Deref;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The time to live of what the cases store, unless they say otherwise.
pub const TTL: Duration = Duration::from_secs(60);
/// The time that a step may take: on a busy machine too, the store does not fail for its lack.
pub const WITHIN: Duration = Duration::from_secs(5);
/// The time after which a case no longer waits for something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A subject, with the steps of its store in short. A fault of the store is a panic.
#[derive(Debug)]
pub struct On<S>(pub S);

impl<S> Deref for On<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

/// The lease of this number.
#[must_use]
pub fn lease(id: u8) -> Head {
    Head::from_bytes(&[&[b'L'][..], &[id; 16]].concat()).unwrap()
}

/// The writer of this number; none is a lease of the cases.
#[must_use]
pub fn writer(id: u8) -> Head {
    lease(0xf0 + id)
}

/// The head and the bytes of a value.
#[must_use]
pub fn value(stamp: u8, payload: &str) -> (Head, Bytes) {
    let bytes = [&[b'V'][..], &[stamp; 16], payload.as_bytes()].concat();
    (Head::from_bytes(&bytes).unwrap(), bytes.into())
}

/// The stamp of this number.
#[must_use]
pub fn stamp(id: u8) -> Head {
    value(id, "").0
}

/// These keys.
#[must_use]
pub fn all(keys: &[&str]) -> Vec<Key> {
    keys.iter().map(|key| Key::from(*key)).collect()
}

/// Waits until the condition holds.
pub(super) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl<S: Subject> On<S> {
    pub async fn get(&self, key: &str) -> Option<Bytes> {
        self.store().get(Get::new(&key.into(), WITHIN)).await.unwrap()
    }

    pub async fn acquire(&self, key: &str, lease: Head, ttl: Duration) -> Acquired {
        self.store().acquire(Acquire::new(&key.into(), lease, ttl, WITHIN)).await.unwrap()
    }

    pub async fn fill(&self, key: &str, expected: Head, value: &Bytes) -> bool {
        self.store().fill(Fill::new(&key.into(), expected, value.clone(), TTL, WITHIN)).await.unwrap()
    }

    pub async fn put(&self, key: &str, value: &[u8]) {
        assert!(self.try_put(key, value).await, "somebody writes {key}");
    }

    pub async fn try_put(&self, key: &str, value: &[u8]) -> bool {
        self.store().put(Put::new(&key.into(), Bytes::copy_from_slice(value), TTL, WITHIN)).await.unwrap()
    }

    pub async fn get_all(&self, keys: &[&str]) -> Vec<Option<Bytes>> {
        self.store().get_all(GetAll::new(&all(keys), WITHIN)).await.unwrap().whole().unwrap()
    }

    pub async fn remove(&self, key: &str) -> bool {
        self.store().remove(Remove::new(&key.into(), WITHIN)).await.unwrap()
    }

    pub async fn remove_all(&self, keys: &[&str]) {
        let removed = self.store().remove_all(RemoveAll::new(&all(keys), WITHIN)).await.unwrap();
        assert_eq!(removed.whole().unwrap().len(), keys.len());
    }

    pub async fn tag(&self, tags: &[&str], fresh: Head) -> Option<Vec<Head>> {
        let stamps = self.store().tag(TagAll::new(&all(tags), fresh, TTL, WITHIN)).await.unwrap();
        let stamps = stamps.whole().unwrap();
        assert_eq!(stamps.len(), tags.len());
        stamps.into_iter().collect()
    }

    pub async fn begin(&self, writer: Head, keys: &[&str], marker: Duration) {
        self.begins(writer, keys, marker, false).await;
    }

    pub async fn begin_with_token(&self, writer: Head, keys: &[&str], marker: Duration) {
        self.begins(writer, keys, marker, true).await;
    }

    /// BEGIN, with a token or without.
    pub async fn begins(&self, writer: Head, keys: &[&str], marker: Duration, token: bool) {
        let marked = all(keys);
        let begin = Begin::new(writer, &marked, marker, WITHIN).with_token(token);
        let begun = self.store().begin(begin).await.unwrap();
        assert_eq!(begun.whole().unwrap().len(), keys.len());
    }

    /// END of all that was written. Returns whether what was to be put was put.
    pub async fn ends(&self, writer: Head, written: &[Written]) -> bool {
        let Ended { put, keys, .. } = self.store().end(End::new(writer, written, WITHIN)).await.unwrap();
        assert_eq!(keys.whole().unwrap().len(), written.len());
        put
    }

    pub async fn end(&self, writer: Head, keys: &[&str]) {
        let written: Vec<_> = keys.iter().map(|key| Written::nothing(Key::from(*key))).collect();
        assert!(!self.ends(writer, &written).await, "there was nothing to put");
    }

    /// END, with something to put under each key that has a value here.
    pub async fn end_with(&self, writer: Head, written: &[(&str, Option<&Bytes>)]) -> bool {
        let written = written.iter().map(|(key, value)| match value {
            Some(value) => Written::value(Key::from(*key), (*value).clone(), TTL),
            None => Written::nothing(Key::from(*key)),
        });
        let written: Vec<_> = written.collect();
        self.ends(writer, &written).await
    }

    /// All stretches of a sweep. Returns how many registers it removed.
    pub async fn sweep(&self, prefix: &str) -> u64 {
        let (mut from, mut all) = (None, 0);
        loop {
            let Swept { next, removed, .. } =
                self.store().sweep(Sweep::new(prefix, WITHIN).from_cursor(from)).await.unwrap();
            all += removed;
            match next {
                Some(next) => from = Some(next),
                None => return all,
            }
        }
    }

    /// Lets `time` pass and waits until the register is gone.
    pub async fn expires(&self, key: &str, time: Duration) {
        self.pass(time).await;
        eventually("the register expires", async || self.get(key).await.is_none()).await;
    }

    /// Whether the store claims to tell of changes.
    #[must_use]
    pub fn can_watch(&self) -> bool {
        self.store().capabilities().watch().is_some()
    }

    /// Watches from now on.
    pub fn watch(&self) -> Arc<Recorder> {
        let recorder = Arc::new(Recorder::default());
        let watcher: Weak<Recorder> = Arc::downgrade(&recorder);
        if let Some(watch) = self.store().capabilities().watch() {
            watch.watch(watcher);
        }
        recorder
    }

    pub async fn read_watched(&self, keys: &[Key], timed: usize) -> Result<Option<Watched>, StoreError> {
        match self.store().capabilities().watch() {
            Some(watch) => watch.get_watched(GetWatched::new(keys, WITHIN).timed(timed)).await,
            None => Ok(None),
        }
    }

    /// Reads as soon as there is contact.
    pub async fn get_watched(&self, keys: &[&str], timed: usize) -> Watched {
        let (keys, mut watched) = (all(keys), None);
        eventually("there is contact", async || {
            watched = self.read_watched(&keys, timed).await.unwrap();
            watched.is_some()
        })
        .await;
        watched.unwrap()
    }

    /// Reads the register of `key`, makes the `change`, and returns what is announced until that is confirmed.
    pub async fn news_of(&self, recorder: &Recorder, key: &str, change: impl AsyncFnOnce()) -> Vec<News> {
        self.get_watched(&[key], 1).await;
        locked(&recorder.0).clear();
        change().await;
        let (changed, mut told) = (Instant::now(), None);
        eventually("it is confirmed", async || {
            // A store in memory confirms when it is read.
            self.get_watched(&["another"], 0).await;
            told = recorder.told_until(changed);
            told.is_some()
        })
        .await;
        told.unwrap()
    }

    /// A change of `k` is announced.
    pub async fn tells(&self, recorder: &Recorder, what: &str, change: impl AsyncFnOnce()) {
        let told = self.news_of(recorder, "k", change).await;
        assert!(told.contains(&News::Changed("k".to_owned())), "{what}: {told:?}");
        assert!(!told.contains(&News::Lost), "{what}: {told:?}");
    }
}

/// An announcement to a watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Changed(String),
    AllChanged,
    Lost,
    Regained,
    Confirmed(Instant),
}

/// A watcher that notes what it is told.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<News>>);

impl Recorder {
    fn add(&self, news: News) {
        locked(&self.0).push(news);
    }

    #[must_use]
    pub fn told(&self) -> Vec<News> {
        locked(&self.0).clone()
    }

    /// The announcements before the confirmation of all changes until this moment; `None` without that confirmation.
    fn told_until(&self, moment: Instant) -> Option<Vec<News>> {
        let told = self.told();
        let at = told.iter().position(|news| matches!(news, News::Confirmed(asked) if *asked >= moment))?;
        Some(told[..at].to_vec())
    }
}

impl Watcher for Recorder {
    fn changed(&self, key: &str) {
        self.add(News::Changed(key.to_owned()));
    }

    fn all_changed(&self) {
        self.add(News::AllChanged);
    }

    fn lost(&self) {
        self.add(News::Lost);
    }

    fn regained(&self) {
        self.add(News::Regained);
    }

    fn confirmed(&self, asked: Instant) {
        self.add(News::Confirmed(asked));
    }

    /// Long enough that a busy machine does not make the store lose contact.
    fn heartbeat(&self) -> Duration {
        Duration::from_secs(1)
    }
}
