//! What this process has removed lately, to be removed again on every new connection before anything else is sent there.
//!
//! A server that comes back with older data, and a replica that takes the place of a primary, may not know of removals
//! that the former one had acknowledged. Bounded: beyond the limit the oldest are forgotten, as after a minute all are.

use crate::store::Key;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long removals are remembered: longer than a failover takes.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Registers that are remembered.
const MOST: usize = 65_536;

#[derive(Debug)]
pub(super) struct Recent {
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The number of each key's last removal.
    last: HashMap<Key, u64>,
    /// Removals in order; one is outdated if it is not its key's last.
    order: VecDeque<(Instant, u64, Key)>,
    next: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Recent {
    fn new(most: usize) -> Self {
        Self { state: Mutex::default(), most }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers keys that are about to be removed.
    pub(super) fn note<'a>(&self, keys: impl Iterator<Item = &'a Key>, now: Instant) {
        let mut state = self.locked();
        for key in keys {
            let number = state.next;
            state.next += 1;
            state.last.insert(Key::clone(key), number);
            state.order.push_back((now, number, Key::clone(key)));
        }
        state.forget(now, self.most);
    }

    /// All that is remembered.
    pub(super) fn keys(&self, now: Instant) -> Vec<Key> {
        let mut state = self.locked();
        state.forget(now, self.most);
        state.last.keys().cloned().collect()
    }
}

impl State {
    fn forget(&mut self, now: Instant, most: usize) {
        while let Some((at, number, key)) = self.order.front() {
            let is_old = now.duration_since(*at) >= REMEMBERED;
            if !is_old && self.order.len() <= most {
                return;
            }
            if self.last.get(key) == Some(number) {
                self.last.remove(key);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys<const N: usize>(keys: [&str; N]) -> [Key; N] {
        keys.map(Key::from)
    }

    #[test]
    fn removals_are_remembered_for_a_minute_since_the_last() {
        let (recent, start) = (Recent::default(), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        recent.note(keys(["a", "b"]).iter(), at(0));
        recent.note(keys(["a"]).iter(), at(30));
        assert_eq!(recent.keys(at(59)).len(), 2);
        assert_eq!(recent.keys(at(60)), keys(["a"]));
        assert!(recent.keys(at(90)).is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_are_too_many() {
        let (recent, now) = (Recent::new(2), Instant::now());
        recent.note(keys(["a", "b", "c"]).iter(), now);
        assert_eq!(recent.keys(now).len(), 2);
        assert!(!recent.keys(now).contains(&"a".into()));
        recent.note(keys(["b", "b", "b"]).iter(), now);
        assert_eq!(recent.keys(now), keys(["b"]));
    }
}
