//! Watchers are told of a change when it has taken effect, and not while the register is locked.

use super::*;
use std::sync::Arc;

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
    store.acquire(Acquire::new(&key, lease, TTL, TTL)).await.unwrap();
    assert_eq!(looks.last(), leased);
    store.fill(Fill::new(&key, lease, value.clone(), TTL, TTL)).await.unwrap();
    assert_eq!(looks.last(), Some(value.clone()));
    store.remove(Remove::new(&key, TTL)).await.unwrap();
    assert_eq!(looks.last(), None);
    store.put(Put::new(&key, value.clone(), TTL, TTL)).await.unwrap();
    assert_eq!(looks.last(), Some(value.clone()));
    let _ = store.remove_all(RemoveAll::new(&keys, TTL)).await.unwrap();
    assert_eq!(looks.last(), None);
    let _ = store.tag(TagAll::new(&keys, head, TTL, TTL)).await.unwrap();
    assert_eq!(looks.last(), Some(Bytes::copy_from_slice(head.as_bytes())));
    let _ = store.begin(Begin::new(lease, &keys, TTL, TTL).with_token(true)).await.unwrap();
    assert_eq!(looks.last(), leased);
    let written = [Written::value(Key::clone(&key), value.clone(), TTL)];
    let _ = store.end(End::new(lease, &written, TTL)).await.unwrap();
    assert_eq!(looks.last(), Some(value));
    store.sweep(Sweep::new("k", TTL)).await.unwrap();
    assert_eq!(looks.last(), None);
    store.acquire(Acquire::new(&key, lease, TTL, TTL)).await.unwrap();
    looks.last();
    store.release(Release::new(&key, lease, TTL)).await.unwrap();
    assert_eq!(looks.last(), None);
}
