//! The circuit breaker around the store.
//!
//! ```text
//!            3 outages in a row                probe due
//!   Closed ────────────────────▶ Open ────────────────────▶ HalfOpen (one probe under way)
//!     ▲                            ▲                            │
//!     │                            └──── probe failed ──────────┤
//!     └───────────────────────────────── probe answered ────────┘
//! ```
//!
//! A pure state machine: from the time and from what happened, it decides what to do. Probes are pings in tasks of
//! their own, so no caller waits for one. A probe that never reports (because its runtime stands still) is given up
//! after [`PROBE_GIVEN_UP`]. Pattern: Nygard, *Release It!*, 2007.

use crate::sync::locked;
use serde::Serialize;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// This many outages in a row open the breaker.
const THRESHOLD: u32 = 3;
/// The first probe begins this long after opening. Each failed probe doubles the time, up to [`PROBE_MAX`].
const PROBE_FIRST: Duration = Duration::from_millis(100);
const PROBE_MAX: Duration = Duration::from_millis(800);
/// A probe that has not reported for this long counts as failed.
const PROBE_GIVEN_UP: Duration = Duration::from_secs(2);

/// Whether the store is in use: the state of a cache's circuit breaker.
///
/// ```
/// use cached_core::{BreakerState, Cache};
///
/// let cache = Cache::memory();
/// assert_eq!(cache.stats().breaker, BreakerState::Closed);
/// assert_eq!(BreakerState::HalfOpen.to_string(), "half-open");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakerState {
    /// The store is in use.
    Closed,
    /// The store is left alone after repeated outages; functions run without it.
    Open,
    /// The store is left alone while a probe is under way.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// What a caller may do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Use the store.
    Use,
    /// Leave the store alone.
    Skip,
    /// Leave the store alone, and start the probe that is due.
    SkipAndProbe,
}

/// A change of state that is logged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Opened,
    Closed,
}

#[derive(Debug)]
enum State {
    Closed { outages: u32 },
    Open { probe_at: Duration, interval: Duration },
    HalfOpen { since: Duration, interval: Duration },
}

#[derive(Debug)]
pub(crate) struct Breaker {
    /// Mirrors `state`, so that no lock is taken while the store works.
    healthy: AtomicBool,
    /// It is never healthy again. Changes under the lock of `state` only.
    is_wary: AtomicBool,
    state: Mutex<State>,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            healthy: AtomicBool::new(true),
            is_wary: AtomicBool::new(false),
            state: Mutex::new(State::Closed { outages: 0 }),
        }
    }

    /// From now on it is never healthy, so that every caller has to ask. Nothing else changes.
    pub(crate) fn be_wary(&self) {
        let state = self.locked();
        self.is_wary.store(true, Ordering::Relaxed);
        self.healthy.store(false, Ordering::Relaxed);
        drop(state);
    }

    /// To be called under the lock, when the breaker is closed and the store has answered.
    fn recovered(&self) {
        self.healthy.store(!self.is_wary.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Whether the breaker is closed, with no outage since the last answer. While it is, [`ask`](Self::ask) is not
    /// needed.
    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Must be asked before each use of a store that is not healthy.
    pub(crate) fn ask(&self, now: Duration) -> Verdict {
        let mut state = self.locked();
        match *state {
            State::Closed { .. } => Verdict::Use,
            State::Open { probe_at, interval } if now >= probe_at => {
                *state = State::HalfOpen { since: now, interval };
                Verdict::SkipAndProbe
            }
            State::HalfOpen { since, interval } if now >= since + PROBE_GIVEN_UP => {
                *state = State::HalfOpen { since: now, interval };
                Verdict::SkipAndProbe
            }
            State::Open { .. } | State::HalfOpen { .. } => Verdict::Skip,
        }
    }

    /// The store answered a caller.
    pub(crate) fn answered(&self) {
        if self.is_healthy() {
            return;
        }
        let mut state = self.locked();
        // An answer that arrives while the breaker is open was sent before: only a probe may close the breaker.
        if let State::Closed { outages } = &mut *state {
            *outages = 0;
            self.recovered();
        }
    }

    /// The store failed a caller.
    pub(crate) fn outage(&self, now: Duration) -> Option<Edge> {
        let mut state = self.locked();
        // A command that fails while the breaker is open was sent before, so its failure is nothing new.
        let State::Closed { outages } = &mut *state else { return None };
        *outages += 1;
        self.healthy.store(false, Ordering::Relaxed);
        if *outages < THRESHOLD {
            return None;
        }
        *state = State::Open { probe_at: now + PROBE_FIRST, interval: PROBE_FIRST };
        Some(Edge::Opened)
    }

    /// A probe has ended.
    pub(crate) fn probed(&self, now: Duration, answered: bool) -> Option<Edge> {
        let mut state = self.locked();
        let State::HalfOpen { interval, .. } = *state else { return None };
        if answered {
            *state = State::Closed { outages: 0 };
            self.recovered();
            return Some(Edge::Closed);
        }
        let interval = (interval * 2).min(PROBE_MAX);
        *state = State::Open { probe_at: now + interval, interval };
        None
    }

    /// A probe has ended with its runtime and has found out nothing, so another is due.
    pub(crate) fn probe_lost(&self, now: Duration) {
        let mut state = self.locked();
        if let State::HalfOpen { interval, .. } = *state {
            *state = State::Open { probe_at: now, interval };
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match *self.locked() {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new();
        assert_eq!(breaker.outage(ms(0)), None);
        assert_eq!(breaker.outage(ms(0)), None);
        assert_eq!(breaker.outage(ms(0)), Some(Edge::Opened));
        breaker
    }

    #[test]
    fn it_opens_only_after_outages_in_a_row() {
        let breaker = Breaker::new();
        for _ in 0..10 {
            assert_eq!(breaker.outage(ms(0)), None);
            assert_eq!(breaker.outage(ms(0)), None);
            breaker.answered();
        }
        assert_eq!(breaker.ask(ms(0)), Verdict::Use);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn there_is_one_probe_at_a_time_with_growing_intervals() {
        let breaker = opened();
        assert_eq!(breaker.ask(ms(99)), Verdict::Skip);
        let mut now = ms(100);
        for interval in [200, 400, 800, 800] {
            assert_eq!(breaker.ask(now), Verdict::SkipAndProbe);
            assert_eq!(breaker.ask(now), Verdict::Skip);
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
            assert_eq!(breaker.probed(now, false), None);
            assert_eq!(breaker.ask(now + ms(interval - 1)), Verdict::Skip);
            now += ms(interval);
        }
        assert_eq!(breaker.ask(now), Verdict::SkipAndProbe);
        assert_eq!(breaker.probed(now, true), Some(Edge::Closed));
        assert_eq!(breaker.ask(now), Verdict::Use);
    }

    #[test]
    fn it_is_healthy_while_it_is_closed_without_an_outage_since_the_last_answer() {
        let breaker = Breaker::new();
        assert!(breaker.is_healthy());
        breaker.outage(ms(0));
        assert!(!breaker.is_healthy());
        assert_eq!(breaker.ask(ms(0)), Verdict::Use);
        breaker.answered();
        assert!(breaker.is_healthy());
        let breaker = opened();
        breaker.answered();
        assert!(!breaker.is_healthy());
        breaker.ask(ms(100));
        breaker.probed(ms(100), true);
        assert!(breaker.is_healthy());
    }

    #[test]
    fn a_wary_one_is_never_healthy_and_decides_as_ever() {
        let breaker = Breaker::new();
        breaker.be_wary();
        assert!(!breaker.is_healthy());
        assert_eq!(breaker.ask(ms(0)), Verdict::Use);
        breaker.answered();
        for _ in 0..THRESHOLD {
            breaker.outage(ms(0));
        }
        assert_eq!(breaker.ask(ms(99)), Verdict::Skip);
        assert_eq!(breaker.ask(ms(100)), Verdict::SkipAndProbe);
        assert_eq!(breaker.probed(ms(100), true), Some(Edge::Closed));
        assert_eq!(breaker.ask(ms(100)), Verdict::Use);
        assert!(!breaker.is_healthy());
    }

    #[test]
    fn states_have_names() {
        let breaker = Breaker::new();
        assert_eq!(breaker.state().to_string(), "closed");
        let breaker = opened();
        assert_eq!(breaker.state().to_string(), "open");
        breaker.ask(ms(100));
        assert_eq!(breaker.state().to_string(), "half-open");
    }

    #[test]
    fn a_probe_that_never_reports_is_replaced() {
        let breaker = opened();
        assert_eq!(breaker.ask(ms(100)), Verdict::SkipAndProbe);
        assert_eq!(breaker.ask(ms(2_099)), Verdict::Skip);
        assert_eq!(breaker.ask(ms(2_100)), Verdict::SkipAndProbe);
    }

    #[test]
    fn a_lost_probe_is_replaced_at_once() {
        let breaker = opened();
        assert_eq!(breaker.ask(ms(100)), Verdict::SkipAndProbe);
        breaker.probe_lost(ms(150));
        assert_eq!(breaker.ask(ms(150)), Verdict::SkipAndProbe);
        assert_eq!(breaker.probed(ms(150), true), Some(Edge::Closed));
        breaker.probe_lost(ms(150));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn late_answers_and_late_outages_change_nothing() {
        let breaker = opened();
        breaker.answered();
        assert_eq!(breaker.outage(ms(50)), None);
        assert_eq!(breaker.ask(ms(99)), Verdict::Skip);
        assert_eq!(breaker.probed(ms(99), true), None, "no probe was under way");
    }
}
