//! Which call of this process refreshes a value, and which values are cooling down.
//!
//! Calls that find a value past its end, or shortly before it, ask here and nowhere else. The call that gets the claim
//! goes on to ask the other processes (see [`lease`](super::lease)). Bounded: without room no call gets a claim, and
//! all are served the value that is there.
//!
//! # On cancellation
//! A claim that is dropped is free again.

use crate::key::Key;
use crate::sync::locked;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How many values may be refreshed at once or cool down.
const MOST: usize = 1 << 14;
/// How often a full table is searched for states that are over.
const SWEEP_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClaimState {
    /// A call of this process has the claim.
    Claimed,
    /// Nobody is to try before this time, by the cache's clock.
    CoolingDown(Duration),
}

#[derive(Debug, Default)]
pub(crate) struct LocalRefreshes {
    table: Mutex<ClaimTable>,
}

#[derive(Debug, Default)]
struct ClaimTable {
    states: HashMap<Key, ClaimState>,
    /// When states that are over were last removed.
    swept: Duration,
}

impl ClaimTable {
    /// Whether there is room, after making some if possible. A full table is not swept at every call.
    fn has_room(&mut self, now: Duration) -> bool {
        if self.states.len() >= MOST && (self.swept.is_zero() || now >= self.swept + SWEEP_EVERY) {
            self.states.retain(|_, state| !is_over(*state, now));
            self.swept = now.max(Duration::from_nanos(1));
        }
        self.states.len() < MOST
    }
}

impl LocalRefreshes {
    fn locked(&self) -> MutexGuard<'_, ClaimTable> {
        locked(&self.table)
    }

    /// The claim to refresh the value under `key`, unless another call has it or the value is cooling down. After a
    /// panic of the claim's holder the value cools down for `after_panic`: a load that panics is tried no more often
    /// than one that fails.
    pub(crate) fn claim(self: &Arc<Self>, key: &Key, now: Duration, after_panic: Duration) -> Option<RefreshClaim> {
        let mut table = self.locked();
        if !table.has_room(now) {
            return None;
        }
        match table.states.entry(Key::clone(key)) {
            Entry::Occupied(state) if !is_over(*state.get(), now) => return None,
            Entry::Occupied(mut state) => _ = state.insert(ClaimState::Claimed),
            Entry::Vacant(place) => _ = place.insert(ClaimState::Claimed),
        }
        drop(table);
        Some(RefreshClaim {
            local_refreshes: Arc::clone(self),
            key: Key::clone(key),
            cooling_until: None,
            after_panic: now + after_panic,
        })
    }

    /// Whether the value is cooling down, so that nobody is to refresh it now.
    pub(crate) fn is_cooling_down(&self, key: &str, now: Duration) -> bool {
        matches!(self.locked().states.get(key), Some(ClaimState::CoolingDown(until)) if now < *until)
    }

    /// Makes the value cool down until `until`, unless a call is refreshing it right now.
    pub(crate) fn cool_down(&self, key: &Key, now: Duration, until: Duration) {
        let mut table = self.locked();
        if table.has_room(now) && table.states.get(key) != Some(&ClaimState::Claimed) {
            table.states.insert(Key::clone(key), ClaimState::CoolingDown(until));
        }
    }
}

fn is_over(state: ClaimState, now: Duration) -> bool {
    matches!(state, ClaimState::CoolingDown(until) if until <= now)
}

/// The claim to refresh a value.
#[derive(Debug)]
pub(crate) struct RefreshClaim {
    local_refreshes: Arc<LocalRefreshes>,
    key: Key,
    cooling_until: Option<Duration>,
    after_panic: Duration,
}

impl RefreshClaim {
    /// Gives the claim back; nobody gets it before `until`.
    pub(crate) fn cool_down(mut self, until: Duration) {
        self.cooling_until = Some(until);
    }
}

impl Drop for RefreshClaim {
    fn drop(&mut self) {
        let panicked = std::thread::panicking().then_some(self.after_panic);
        let mut table = self.local_refreshes.locked();
        match self.cooling_until.or(panicked) {
            Some(until) => _ = table.states.insert(Key::clone(&self.key), ClaimState::CoolingDown(until)),
            None => _ = table.states.remove(&self.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(text: &str) -> Key {
        text.into()
    }

    #[test]
    fn one_call_has_the_claim_until_it_gives_it_back() {
        let local_refreshes = Arc::new(LocalRefreshes::default());
        let claim = |at| local_refreshes.claim(&key("a"), at, SECOND);
        let first = claim(Duration::ZERO).expect("it is free");
        assert!(claim(Duration::ZERO).is_none() && claim(Duration::MAX / 2).is_none());
        assert!(local_refreshes.claim(&key("b"), Duration::ZERO, SECOND).is_some(), "each key has its own");
        local_refreshes.cool_down(&key("a"), Duration::ZERO, SECOND);
        assert!(!local_refreshes.is_cooling_down("a", Duration::ZERO), "a call is refreshing it");
        drop(first);
        let second = claim(Duration::ZERO).expect("it is free again");
        second.cool_down(SECOND);
        assert!(claim(SECOND / 2).is_none() && local_refreshes.is_cooling_down("a", SECOND / 2));
        assert!(!local_refreshes.is_cooling_down("a", SECOND));
        assert!(claim(SECOND).is_some());
        assert!(local_refreshes.locked().states.is_empty());
    }

    #[test]
    fn after_a_panic_the_value_cools_down() {
        let local_refreshes = Arc::new(LocalRefreshes::default());
        let claim = local_refreshes.claim(&key("a"), SECOND, SECOND);
        let panicked = std::panic::catch_unwind(move || {
            let _claim = claim;
            panic!("in a load");
        });
        assert!(panicked.is_err());
        assert!(local_refreshes.is_cooling_down("a", SECOND) && !local_refreshes.is_cooling_down("a", 2 * SECOND));
    }

    #[test]
    fn the_table_is_bounded() {
        let local_refreshes = Arc::new(LocalRefreshes::default());
        for n in 0..MOST {
            local_refreshes.cool_down(&key(&n.to_string()), Duration::ZERO, SECOND);
        }
        local_refreshes.cool_down(&key("one more"), Duration::ZERO, SECOND);
        assert_eq!(local_refreshes.locked().states.len(), MOST);
        assert!(local_refreshes.claim(&key("one more"), Duration::ZERO, SECOND).is_none());
        assert!(local_refreshes.claim(&key("one more"), SECOND, SECOND).is_some(), "what is over makes room");
    }
}
