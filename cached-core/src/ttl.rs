//! Times to live: named classes, limits, jitter.
//!
//! Which time a function uses, also for a `None`, is resolved in `engine/site`.

use std::collections::BTreeMap;
use std::time::Duration;

/// Longest time to live. Longer times are cut to it, so that nothing lives for ever.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// The class of functions without `ttl`.
pub(crate) const DEFAULT_CLASS: &str = "medium";
/// The class of a cached `None` in functions without `none_ttl`.
pub(crate) const DEFAULT_NONE_CLASS: &str = "short";
/// The class of a stored error in functions without `error_ttl`.
pub(crate) const DEFAULT_ERROR_CLASS: &str = "short";

/// The attribute's option for the time to live of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TtlSpec {
    /// Not written: that of the function whose values these are, or the class `medium`.
    Default,
    /// `ttl = "medium"`.
    Class(&'static str),
    /// `ttl = "90s"`, in milliseconds.
    Millis(u64),
    /// An expression, evaluated at each call.
    Dynamic,
}

/// A value's time to live before jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// A class, or a duration written in the attribute. Jitter shortens or lengthens it.
    About(Duration),
    /// Computed for this call or value, which may know its end (`expires_in`). Jitter only shortens it.
    AtMost(Duration),
}

impl Lifetime {
    /// The time without jitter.
    pub(crate) fn time(self) -> Duration {
        match self {
            Self::About(time) | Self::AtMost(time) => time,
        }
    }

    /// The time with jitter.
    pub(crate) fn jittered(self, fraction: f64, random: u64) -> Duration {
        match self {
            Self::About(time) => jittered(time, fraction, random),
            Self::AtMost(time) => shortened(time, fraction, random),
        }
    }
}

/// The attribute's option for the time to live of a `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoneTtl {
    /// `none_ttl = "off"`: a `None` is not stored.
    Off,
    /// `none_ttl = "short"`.
    Class(&'static str),
    /// `none_ttl = "30s"`, in milliseconds.
    Millis(u64),
}

/// Times to live by name.
#[derive(Debug, Clone)]
pub(crate) struct Classes(BTreeMap<String, Duration>);

impl Default for Classes {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self(
            [("short", minutes(1)), ("medium", minutes(10)), ("long", minutes(360))]
                .map(|(name, ttl)| (name.to_owned(), ttl))
                .into(),
        )
    }
}

impl Classes {
    pub(crate) fn set(&mut self, name: String, ttl: Duration) {
        self.0.insert(name, ttl);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Duration> {
        self.0.get(name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.0.iter().map(|(name, ttl)| (name.as_str(), *ttl))
    }

    /// All names, for messages.
    pub(crate) fn names(&self) -> String {
        self.0.keys().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    }
}

/// Spreads `ttl` over `± fraction` by `random`, so that values stored together do not expire together.
///
/// The peak of reloads after a bulk fill is `1/(2·fraction)` times the mean rate; 0.1 keeps it at five times.
/// The result is at least one millisecond (the finest that Redis knows) and at most [`MAX_TTL`].
pub(crate) fn jittered(ttl: Duration, fraction: f64, random: u64) -> Duration {
    let unit = random as f64 / u64::MAX as f64;
    let factor = 1.0 + fraction * (2.0 * unit - 1.0);
    ttl.min(MAX_TTL).mul_f64(factor).clamp(Duration::from_millis(1), MAX_TTL)
}

/// A random time between `ttl · (1 − fraction)` and `ttl`, never zero and at most [`MAX_TTL`].
fn shortened(ttl: Duration, fraction: f64, random: u64) -> Duration {
    let unit = random as f64 / u64::MAX as f64;
    ttl.min(MAX_TTL).mul_f64(1.0 - fraction * unit).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_computed_for_a_value_is_only_shortened() {
        let computed = Lifetime::AtMost(Duration::from_secs(100));
        assert_eq!(computed.jittered(0.1, 0), Duration::from_secs(100));
        assert_eq!(computed.jittered(0.1, u64::MAX), Duration::from_secs(90));
        assert_eq!(Lifetime::About(Duration::from_secs(100)).jittered(0.1, u64::MAX), Duration::from_secs(110));
        assert_eq!(Lifetime::AtMost(Duration::MAX).jittered(0.5, 0), MAX_TTL);
        assert_eq!(Lifetime::AtMost(Duration::from_nanos(1)).jittered(0.5, 7), Duration::from_millis(1));
    }

    #[test]
    fn jitter_shortens_or_lengthens_a_time_by_its_fraction() {
        let ttl = Duration::from_secs(100);
        assert_eq!(jittered(ttl, 0.1, 0), Duration::from_secs(90));
        assert_eq!(jittered(ttl, 0.1, u64::MAX), Duration::from_secs(110));
        assert_eq!(jittered(ttl, 0.0, 12345), ttl);
    }

    #[test]
    fn no_time_to_live_is_zero_or_endless() {
        assert_eq!(jittered(Duration::from_nanos(1), 0.5, 0), Duration::from_millis(1));
        assert_eq!(jittered(Duration::MAX, 0.5, u64::MAX), MAX_TTL);
    }
}
