//! The markers of writes in progress: for each register, who writes it, and until when at most.

use crate::envelope::Head;
use crate::store::Key;
use crate::sync::locked;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// The capacity of the store does not bound the markers, since an evicted marker would be a broken promise. Each ends
/// by its own deadline.
#[derive(Debug, Default)]
pub(super) struct Markers(Mutex<HashMap<Key, Vec<Marker>>>);

#[derive(Debug)]
struct Marker {
    writer: Head,
    /// By the store's clock.
    until: Duration,
}

impl Markers {
    fn locked(&self) -> MutexGuard<'_, HashMap<Key, Vec<Marker>>> {
        locked(&self.0)
    }

    /// Whether anybody writes the register.
    pub(super) fn is_marked(&self, key: &Key, now: Duration) -> bool {
        let mut markers = self.locked();
        // This is so nearly always.
        if markers.is_empty() {
            return false;
        }
        live(&mut markers, key, now);
        markers.contains_key(key)
    }

    /// Whether `writer` writes the register.
    pub(super) fn is_marked_by(&self, key: &Key, writer: Head, now: Duration) -> bool {
        let mut markers = self.locked();
        live(&mut markers, key, now);
        markers.get(key).is_some_and(|of_key| of_key.iter().any(|marker| marker.writer == writer))
    }

    pub(super) fn set(&self, key: &Key, writer: Head, until: Duration) {
        let mut markers = self.locked();
        let of_key = markers.entry(Key::clone(key)).or_default();
        of_key.retain(|marker| marker.writer != writer);
        of_key.push(Marker { writer, until });
    }

    pub(super) fn remove(&self, key: &Key, writer: Head) {
        let mut markers = self.locked();
        if let Some(of_key) = markers.get_mut(key) {
            of_key.retain(|marker| marker.writer != writer);
            if of_key.is_empty() {
                markers.remove(key);
            }
        }
    }

    /// Drops all whose deadlines have passed.
    pub(super) fn expire(&self, now: Duration) {
        self.locked().retain(|_, of_key| {
            of_key.retain(|marker| marker.until > now);
            !of_key.is_empty()
        });
    }
}

fn live(markers: &mut HashMap<Key, Vec<Marker>>, key: &Key, now: Duration) {
    if let Some(of_key) = markers.get_mut(key) {
        of_key.retain(|marker| marker.until > now);
        if of_key.is_empty() {
            markers.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_writer_has_one_marker_until_its_last_deadline() {
        let (markers, key, writer) = (Markers::default(), Key::from("k"), Head::lease(1));
        markers.set(&key, writer, SECOND);
        markers.set(&key, writer, 2 * SECOND);
        assert_eq!(markers.locked()[&key].len(), 1);
        assert!(markers.is_marked_by(&key, writer, SECOND));
        assert!(!markers.is_marked_by(&key, Head::lease(2), SECOND));
        assert!(!markers.is_marked_by(&key, writer, 2 * SECOND));
    }

    /// The markers of writers that never end, on keys that nobody asks for.
    #[test]
    fn what_is_over_takes_no_memory() {
        let markers = Markers::default();
        markers.set(&"a".into(), Head::lease(1), SECOND);
        markers.set(&"b".into(), Head::lease(1), SECOND);
        markers.set(&"b".into(), Head::lease(2), 2 * SECOND);
        markers.expire(SECOND);
        assert!(!markers.locked().contains_key("a"));
        assert_eq!(markers.locked()["b"].len(), 1);
    }
}
