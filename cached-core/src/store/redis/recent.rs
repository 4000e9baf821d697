//! The keys that this process has removed lately. They are removed again on every new connection before anything else
//! is sent there.
//!
//! A server that comes back with older data, or a replica that takes the place of a primary, may not know of removals
//! that the former server had acknowledged. All removals are forgotten after a minute, and beyond a limit the oldest
//! are forgotten earlier.

use crate::store::Key;
use crate::sync::locked;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// The pause between two beats, and the time that one may take.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// The time for which removals are remembered: longer than a failover takes.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The time after which a task that beats and gives no sign counts as standing on a runtime that nobody drives.
const SILENT: Duration = PAUSE.saturating_mul(4);
/// The most registers that are remembered.
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
    /// The removals in order; one that is not the last of its key is outdated.
    order: VecDeque<(Instant, u64, Key)>,
    next: u64,
    /// The task that keeps the connection up, by its number, and its last sign.
    beat: Option<(u64, Instant)>,
    beats: u64,
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
        locked(&self.state)
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

    /// Takes up the beat if something is remembered and no task keeps the connection up. Returns the number of the task
    /// that the caller has to start.
    pub(super) fn takes_up_beat(&self, now: Instant) -> Option<u64> {
        let mut state = self.locked();
        state.forget(now, self.most);
        let is_beating = state.beat.is_some_and(|(_, sign)| now.saturating_duration_since(sign) < SILENT);
        if state.last.is_empty() || is_beating {
            return None;
        }
        state.beats += 1;
        state.beat = Some((state.beats, now));
        Some(state.beats)
    }

    /// Whether this task goes on: something is remembered, and no other task has taken its place.
    pub(super) fn goes_on(&self, number: u64, now: Instant) -> bool {
        let mut state = self.locked();
        state.forget(now, self.most);
        match &mut state.beat {
            Some((current, sign)) if *current == number => *sign = now,
            _ => return false,
        }
        if state.last.is_empty() {
            state.beat = None;
        }
        state.beat.is_some()
    }

    /// Notes that this task has ended.
    pub(super) fn gives_back_beat(&self, number: u64) {
        let mut state = self.locked();
        if state.beat.is_some_and(|(current, _)| current == number) {
            state.beat = None;
        }
    }

    /// The task that keeps the connection up, if there is one, is to end.
    pub(super) fn ends_beat(&self) {
        self.locked().beat = None;
    }

    /// All keys that are remembered.
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
    #[test]
    fn one_task_at_a_time_keeps_the_connection_up_while_something_is_remembered() {
        let (recent, start) = (Recent::default(), Instant::now());
        let at = |secs| start + Duration::from_secs(secs);
        assert_eq!(recent.takes_up_beat(at(0)), None, "there is nothing to repeat");
        recent.note(keys(["a"]).iter(), at(0));
        assert_eq!(recent.takes_up_beat(at(0)), Some(1));
        assert_eq!(recent.takes_up_beat(at(3)), None);
        assert!(recent.goes_on(1, at(3)));
        assert_eq!(recent.takes_up_beat(at(7)), Some(2), "no sign for four seconds");
        assert!(!recent.goes_on(1, at(7)) && recent.goes_on(2, at(7)));
        recent.gives_back_beat(1);
        assert_eq!(recent.takes_up_beat(at(8)), None, "that was the former");
        recent.gives_back_beat(2);
        assert_eq!(recent.takes_up_beat(at(8)), Some(3), "its runtime has ended");
        assert!(recent.goes_on(3, at(11)) && !recent.goes_on(3, at(60)), "all is forgotten");
        recent.note(keys(["a"]).iter(), at(60));
        assert_eq!(recent.takes_up_beat(at(60)), Some(4));
        recent.ends_beat();
        assert!(!recent.goes_on(4, at(61)), "the store is closed");
    }
}
