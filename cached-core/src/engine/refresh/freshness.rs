//! Where a value stands in its time, and what a site does about it. Pure.
//!
//! ```text
//! stored          fresh_until                        the longer window is over
//! | Fresh .. Early | Stale: stale_while_revalidate    | Dead
//!                  |        Fallback: stale_if_error ..   |
//! ```
//!
//! Early is when [`ahead`](super::ahead) says so.

use super::ahead::lead;
use crate::envelope::Age;
use crate::envelope::times::Times;
use crate::site::Freshness;
use std::time::Duration;

/// A refresh may take this many times as long as the load before it, and still finds the value that it refreshes.
const GRACE: u32 = 4;

/// What a site does about values near or past their end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FreshPolicy {
    /// `stale_while_revalidate`; zero if it is not used.
    pub(crate) revalidate: Duration,
    /// `stale_if_error`; zero if it is not used.
    pub(crate) if_error: Duration,
    /// `refresh_ahead`: β.
    pub(crate) ahead: Option<f64>,
    /// The call that refreshes is served at once, like all others.
    pub(crate) in_background: bool,
    /// Loads run as tasks.
    pub(crate) spawns: bool,
    pub(crate) load_timeout: Option<Duration>,
}

impl FreshPolicy {
    /// Neither window, and no refresh ahead.
    #[cfg(test)]
    pub(super) const NONE: Self = Self {
        revalidate: Duration::ZERO,
        if_error: Duration::ZERO,
        ahead: None,
        in_background: false,
        spawns: false,
        load_timeout: None,
    };

    pub(crate) fn of(spec: &Freshness) -> Self {
        let ms = Duration::from_millis;
        Self {
            revalidate: spec.revalidate_ms.map(ms).unwrap_or_default(),
            if_error: spec.if_error_ms.map(ms).unwrap_or_default(),
            ahead: spec.ahead,
            in_background: spec.background,
            spawns: spec.spawn,
            load_timeout: spec.load_timeout_ms.map(ms),
        }
    }

    /// Whether its entries record when they become stale.
    pub(crate) fn is_timed(&self) -> bool {
        self.ahead.is_some() || self.window() > Duration::ZERO
    }

    /// How long a value is kept past its end.
    pub(crate) fn window(&self) -> Duration {
        self.revalidate.max(self.if_error)
    }

    /// How long a value with this `ttl` and `load_time` stays in the store after all of its time. Nobody is served it
    /// then, but a refresh stores only over the very value that it refreshes. Without this, a refresh that began in the
    /// last moment would find the value gone, and the next call would load it again.
    pub(crate) fn grace(&self, ttl: Duration, load_time: Duration) -> Duration {
        if self.is_timed() { load_time.saturating_mul(GRACE).min(ttl) } else { Duration::ZERO }
    }

    /// Where a value stands at `now` (in milliseconds, as its times are); `None` if it is dead. `random` is from 0 up
    /// to, but not including, 1.
    pub(crate) fn age(&self, times: Times, now: u64, random: f64) -> Option<Age> {
        let over_for = Duration::from_millis(now.saturating_sub(times.fresh_until));
        let is_over = now >= times.fresh_until;
        if !is_over {
            let left = times.left(now).as_secs_f64();
            let is_early = self.ahead.is_some_and(|beta| left <= lead(times.load_time, beta, random));
            return Some(if is_early { Age::Early } else { Age::Fresh });
        }
        if over_for < self.revalidate {
            Some(Age::Stale)
        } else if over_for < self.if_error {
            Some(Age::Fallback)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: FreshPolicy = FreshPolicy::NONE;
    const END: u64 = 1_600_000_000_000;

    fn times(load: Duration) -> Times {
        Times::new(END, Duration::ZERO, load)
    }

    fn age(policy: FreshPolicy, now: u64) -> Option<Age> {
        policy.age(times(Duration::from_secs(1)), now, 0.5)
    }

    #[test]
    fn each_window_begins_and_ends_at_its_millisecond() {
        let ms = Duration::from_millis;
        let both = FreshPolicy { revalidate: ms(100), if_error: ms(1_000), ..NONE };
        let at = |policy, after: u64| age(policy, END + after);
        assert_eq!(age(both, END - 1), Some(Age::Fresh));
        assert_eq!(
            [0, 99, 100, 999, 1_000].map(|after| at(both, after)),
            [Some(Age::Stale), Some(Age::Stale), Some(Age::Fallback), Some(Age::Fallback), None]
        );
        assert_eq!([99, 100].map(|after| at(FreshPolicy { if_error: ms(0), ..both }, after)), [Some(Age::Stale), None]);
        assert_eq!(
            [0, 999].map(|after| at(FreshPolicy { revalidate: ms(0), ..both }, after)),
            [Some(Age::Fallback); 2]
        );
        assert_eq!(at(NONE, 0), None, "a site without windows serves nothing past its end");
        assert_eq!(age(NONE, END - 1), Some(Age::Fresh));
    }

    #[test]
    fn a_value_stays_for_the_loads_that_refresh_it() {
        let [ttl, load] = [1_000, 10].map(Duration::from_millis);
        let ahead = FreshPolicy { ahead: Some(1.0), ..NONE };
        assert_eq!(ahead.grace(ttl, load), 4 * load);
        assert_eq!(FreshPolicy { if_error: ttl, ..NONE }.grace(ttl, ttl), ttl, "no longer than it has lived");
        assert_eq!(NONE.grace(ttl, load), Duration::ZERO, "nothing is refreshed");
    }

    #[test]
    fn the_clock_of_another_process_may_be_anywhere() {
        let policy = FreshPolicy { revalidate: Duration::from_secs(1), ahead: Some(1.0), ..NONE };
        assert_eq!(age(policy, 0), Some(Age::Fresh));
        assert_eq!(age(policy, u64::MAX), None);
        let endless = Times::new(u64::MAX - 1, Duration::MAX, Duration::MAX);
        assert_eq!(policy.age(endless, END, 0.5), Some(Age::Fresh));
    }
}
