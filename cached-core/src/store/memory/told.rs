//! Watchers are told of a change when it has taken effect, and not while the register is locked.

use super::*;
use crate::store::Watcher;

const TTL: Duration = Duration::from_secs(60);

/// Notes what stands under a key when it is told of a change.
#[derive(Debug)]
struct Looks {
    store: Weak<MemoryStore>,
    seen: Mutex<Vec<Option<Bytes>>>,
}

impl Looks {
    fn last(&self) -> Option<Bytes> {
        self.seen.lock().unwrap().drain(..).next_back().expect("it was told")
    }
}

impl Watcher for Looks {
    fn changed(&self, key: &str) {
        let store = self.store.upgrade().unwrap();
        let free = store.step_on(key, || store.live(key));
        self.seen.lock().unwrap().push(free.map(|held| held.bytes));
    }

    fn all_changed(&self) {}

    fn lost(&self) {}

    fn regained(&self) {}

    fn confirmed(&self, _: Instant) {}

    fn heartbeat(&self) -> Duration {
        TTL
    }
}

#[tokio::test]
async fn a_change_is_told_when_it_has_taken_effect() {
    let store = Arc::new(MemoryStore::new(1 << 20, Clock::manual()));
    let looks = Arc::new(Looks { store: Arc::downgrade(&store), seen: Mutex::default() });
    let watcher: Weak<Looks> = Arc::downgrade(&looks);
    store.watch(watcher);
    let (key, lease, value) = (Key::from("k"), Head::lease(1), Bytes::from_static(b"V the value, with a head before"));
    let head = Head::from_bytes(&value).unwrap();
    let keys = [Key::clone(&key)];
    let leased = Some(Bytes::copy_from_slice(lease.as_bytes()));
    store.acquire(&key, lease, TTL, Replace::Nothing, TTL).await.unwrap();
    assert_eq!(looks.last(), leased);
    store.fill(&key, lease, value.clone(), TTL, TTL).await.unwrap();
    assert_eq!(looks.last(), Some(value.clone()));
    store.remove(&key, TTL).await.unwrap();
    assert_eq!(looks.last(), None);
    store.put(&key, value.clone(), TTL, TTL).await.unwrap();
    assert_eq!(looks.last(), Some(value.clone()));
    store.remove_all(&keys, TTL).await.unwrap();
    assert_eq!(looks.last(), None);
    store.tag(&keys, head, TTL, TTL).await.unwrap();
    assert_eq!(looks.last(), Some(Bytes::copy_from_slice(head.as_bytes())));
    store.begin(lease, &keys, TTL, true, TTL).await.unwrap();
    assert_eq!(looks.last(), leased);
    let written = [Written { key: Key::clone(&key), put: Some((value.clone(), TTL)) }];
    store.end(lease, &written, TTL).await.unwrap();
    assert_eq!(looks.last(), Some(value));
    store.sweep("k", None, TTL).await.unwrap();
    assert_eq!(looks.last(), None);
    store.acquire(&key, lease, TTL, Replace::Nothing, TTL).await.unwrap();
    looks.last();
    store.release(&key, lease, TTL).await.unwrap();
    assert_eq!(looks.last(), None);
}
