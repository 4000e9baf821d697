//! Reads whose registers are watched from then on.

use super::{Subject, TTL, WITHIN, all, lease, value};
use bytes::Bytes;
use cached_core::StoreError;
use cached_core::store::{Acquired, Capabilities, GetWatched, Key, Release, Store, Tag, Watched, Watcher};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tests::eventually;

/// An announcement to a watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
enum News {
    Changed(String),
    AllChanged,
    Lost,
    Regained,
    Confirmed(Instant),
}

#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<News>>);

impl Recorder {
    fn add(&self, news: News) {
        self.0.lock().unwrap().push(news);
    }

    fn told(&self) -> Vec<News> {
        self.0.lock().unwrap().clone()
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

impl Subject {
    /// Watches from now on.
    fn watch(&self) -> Arc<Recorder> {
        let recorder = Arc::new(Recorder::default());
        let watcher: Weak<Recorder> = Arc::downgrade(&recorder);
        if let Some(watch) = self.store.capabilities().watch() {
            watch.watch(watcher);
        }
        recorder
    }

    async fn read_watched(&self, keys: &[Key], timed: usize) -> Result<Option<Watched>, StoreError> {
        match self.store.capabilities().watch() {
            Some(watch) => watch.get_watched(GetWatched::new(keys, WITHIN).timed(timed)).await,
            None => Ok(None),
        }
    }

    /// Reads as soon as there is contact.
    async fn get_watched(&self, keys: &[&str], timed: usize) -> Watched {
        let (keys, mut watched) = (all(keys), None);
        eventually("there is contact", async || {
            watched = self.read_watched(&keys, timed).await.unwrap();
            watched.is_some()
        })
        .await;
        watched.unwrap()
    }

    /// Reads the register of `key`, makes the `change`, and returns what is announced until that is confirmed.
    async fn news_of(&self, recorder: &Recorder, key: &str, change: impl AsyncFnOnce()) -> Vec<News> {
        self.get_watched(&[key], 1).await;
        recorder.0.lock().unwrap().clear();
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
    async fn tells(&self, recorder: &Recorder, what: &str, change: impl AsyncFnOnce()) {
        let told = self.news_of(recorder, "k", change).await;
        assert!(told.contains(&News::Changed("k".to_owned())), "{what}: {told:?}");
        assert!(!told.contains(&News::Lost), "{what}: {told:?}");
    }
}

async fn a_watched_read_returns_the_remaining_time(on: Subject) {
    let _recorder = on.watch();
    let (_, a) = value(1, "a");
    on.put("a", &a).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    let leased = Bytes::copy_from_slice(lease(1).as_bytes());
    let Watched { registers, lives, .. } = on.get_watched(&["absent", "a", "leased", "a"], 2).await;
    assert_eq!(registers, [None, Some(a.clone()), Some(leased), Some(a.clone())]);
    assert_eq!(lives.len(), 2);
    assert_eq!(lives[0], Duration::ZERO);
    assert!(lives[1] <= TTL && lives[1] > TTL / 2, "{lives:?}");
    let Watched { registers, lives, .. } = on.get_watched(&["a"], 1).await;
    assert_eq!(registers, [Some(a)]);
    assert!(lives[0] <= TTL && lives[0] > TTL / 2, "{lives:?}");
    let Watched { registers, lives, .. } = on.get_watched(&["absent"], 0).await;
    assert_eq!((registers, lives), (vec![None], vec![]));
    let Watched { registers, lives, .. } = on.get_watched(&[], 1).await;
    assert_eq!((registers, lives), (vec![], vec![]));
}

async fn many_are_read(on: Subject) {
    let recorder = on.watch();
    let keys: Vec<String> = (0..1500).map(|n| format!("k{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for n in [0, 511, 512, 1499] {
        on.put(keys[n], keys[n].as_bytes()).await;
    }
    let Watched { registers, lives, .. } = on.get_watched(&keys, 600).await;
    assert_eq!((registers.len(), lives.len()), (1500, 600));
    for (n, register) in registers.iter().enumerate() {
        let expected = [0, 511, 512, 1499].contains(&n).then(|| Bytes::copy_from_slice(keys[n].as_bytes()));
        assert_eq!(*register, expected, "{n}");
    }
    for (n, life) in lives.iter().enumerate() {
        assert_eq!(*life > Duration::ZERO, [0, 511, 512].contains(&n), "{n}: {life:?}");
    }
    let told = on
        .news_of(&recorder, "k1499", async || {
            on.remove("k1499").await;
        })
        .await;
    assert!(told.contains(&News::Changed("k1499".to_owned())), "{told:?}");
}

async fn every_change_is_announced_before_it_is_confirmed(on: Subject) {
    let recorder = on.watch();
    let (head, bytes) = value(1, "value");
    let (key, keys) = (Key::from("k"), all(&["k"]));
    let (on, key, keys) = (&on, &key, &keys);
    on.tells(&recorder, "ACQUIRE of what is absent", async || {
        assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    })
    .await;
    on.tells(&recorder, "FILL", async || assert!(on.fill("k", lease(1), &bytes).await)).await;
    on.tells(&recorder, "a refresh", async || assert!(on.fill("k", head, &value(2, "new").1).await)).await;
    on.tells(&recorder, "INVALIDATE", async || assert!(on.remove("k").await)).await;
    on.tells(&recorder, "a plain write", async || on.put("k", &bytes).await).await;
    on.tells(&recorder, "INVALIDATE of several", async || on.remove_all(&["k"]).await).await;
    on.put("k", &bytes).await;
    on.tells(&recorder, "BEGIN", async || on.begin_with_token(lease(7), &["k"], TTL).await).await;
    on.tells(&recorder, "END", async || assert!(on.end_with(lease(7), &[("k", Some(&bytes))]).await)).await;
    on.tells(&recorder, "a sweep", async || assert_eq!(on.sweep("k").await, 1)).await;
    on.tells(&recorder, "TAG of what is absent", async || {
        assert_eq!(on.store.tag(Tag::new(keys, head, TTL, WITHIN)).await.unwrap(), Some(vec![head]));
    })
    .await;
    on.remove("k").await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    on.tells(&recorder, "RELEASE", async || {
        assert!(on.store.release(Release::new(key, lease(1), WITHIN)).await.unwrap());
    })
    .await;
}

async fn reads_are_not_announced(on: Subject) {
    let recorder = on.watch();
    let (head, bytes) = value(1, "");
    on.put("k", &bytes).await;
    let told = on
        .news_of(&recorder, "k", async || {
            assert_eq!(on.get("k").await, Some(bytes.clone()));
            assert_eq!(on.get_all(&["k"]).await, [Some(bytes.clone())]);
            assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Value(bytes.clone()));
            assert_eq!(on.tag(&["k"], value(2, "").0).await.unwrap(), [head]);
            assert!(!on.store.release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
        })
        .await;
    assert!(!told.contains(&News::Changed("k".to_owned())), "{told:?}");
}

async fn each_watcher_is_notified_and_without_one_there_is_no_contact(on: Subject) {
    assert_eq!(on.read_watched(&all(&["k"]), 1).await.unwrap(), None);
    let first = on.watch();
    on.get_watched(&["k"], 1).await;
    // It comes when there already is contact.
    let second = on.watch();
    on.get_watched(&["k"], 1).await;
    assert_eq!(second.told().first(), Some(&News::Regained));
    on.put("k", b"x").await;
    for recorder in [&first, &second] {
        let changed = News::Changed("k".to_owned());
        eventually("it is told", async || recorder.told().contains(&changed)).await;
        let is_confirmed = |news: &News| matches!(news, News::Confirmed(_));
        eventually("it is confirmed", async || recorder.told().iter().any(is_confirmed)).await;
        let told = recorder.told();
        assert_eq!(told[0], News::Regained, "{told:?}");
        assert!(!told.contains(&News::Lost) && !told.contains(&News::AllChanged), "{told:?}");
    }
}

on_every_store! {
    a_watched_read_returns_the_remaining_time
    many_are_read
    every_change_is_announced_before_it_is_confirmed
    reads_are_not_announced
    each_watcher_is_notified_and_without_one_there_is_no_contact
}

/// A user's own store, written without near caches in mind.
#[derive(Debug)]
struct Unaware {
    store: Arc<dyn Store>,
}

impl Store for Unaware {
    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none()
    }

    tests::forward!(store: name, get, acquire, renew, fill, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);
}

#[tokio::test]
async fn a_store_that_does_not_watch_says_so() {
    let store = Arc::new(Unaware { store: Subject::memory().store });
    let on = Subject { store, ..Subject::memory() };
    let recorder = on.watch();
    on.put("k", b"x").await;
    assert_eq!(on.read_watched(&all(&["k"]), 1).await.unwrap(), None);
    assert_eq!(recorder.told(), []);
}

#[tokio::test]
async fn redis_says_when_another_type_stands_under_the_key_that_is_watched() {
    let on = Subject::redis();
    let _recorder = on.watch();
    on.get_watched(&["k"], 1).await;
    on.put("a", b"a").await;
    let _: i64 = on.server().send(&[b"RPUSH", b"k", b"item"]).await;
    let error = on.read_watched(&all(&["k"]), 1).await.unwrap_err();
    assert_eq!(error.kind, cached_core::FaultKind::WrongType, "{error}");
    let watched = on.get_watched(&["k", "a"], 1).await;
    assert_eq!(watched.registers, [None, Some(Bytes::from_static(b"a"))]);
}

/// One register that never expires, and one that does: a register that lives for ever is not this library's.
#[tokio::test]
async fn redis_values_that_live_for_ever_live_for_no_time() {
    let on = Subject::redis();
    let _recorder = on.watch();
    let _: String = on.server().send(&[b"SET", b"k", b"x"]).await;
    let watched = on.get_watched(&["k"], 1).await;
    assert_eq!(watched.lives, [Duration::ZERO]);
}

/// The server refuses MGET over several slots, so each register is read on its own.
#[tokio::test]
async fn a_node_of_a_cluster_announces_changes_in_all_slots() {
    let on = Subject::on(tests::RedisServer::cluster_node().await);
    let recorder = on.watch();
    on.put("a", b"a").await;
    on.put("b", b"b").await;
    let watched = on.get_watched(&["a", "b", "absent"], 1).await;
    assert_eq!(watched.registers, [Some(Bytes::from_static(b"a")), Some(Bytes::from_static(b"b")), None]);
    assert!(watched.lives[0] > Duration::ZERO);
    for key in ["a", "b", "absent"] {
        let told = on.news_of(&recorder, key, async || on.put(key, b"new").await).await;
        assert!(told.contains(&News::Changed(key.to_owned())), "{told:?}");
    }
}
