//! When a value is stale, and how long it took to load.
//!
//! Whether a value past its end is stale, a fallback or dead is decided in `engine/refresh/freshness`.
//!
//! ```text
//! fresh_until[8] load_time[4]
//! ```
//!
//! `fresh_until` is wall time in milliseconds, `load_time` is in microseconds. They decide only how fresh a value is,
//! never whether it may be served after an invalidation. So clocks that differ cannot bring back an invalidated value.

use crate::reason::MissReason;
use bytes::BufMut;
use std::time::Duration;

/// The times of a value. Only sites with an option for values that are past their end, or near it, write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// Since 1970, in milliseconds.
    pub(crate) fresh_until: u64,
    /// In microseconds; a longer time is cut to the largest number.
    pub(crate) load_time: u32,
}

impl Times {
    /// Length in bytes.
    pub(super) const LEN: usize = 12;

    pub(crate) fn new(now: u64, fresh_for: Duration, load_time: Duration) -> Self {
        let fresh_for = u64::try_from(fresh_for.as_millis()).unwrap_or(u64::MAX);
        let load_time = u32::try_from(load_time.as_micros()).unwrap_or(u32::MAX);
        Self { fresh_until: now.saturating_add(fresh_for), load_time }
    }

    /// How long the value is fresh from `now` on; zero if it is stale.
    pub(crate) fn left(self, now: u64) -> Duration {
        Duration::from_millis(self.fresh_until.saturating_sub(now))
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.put_u64_le(self.fresh_until);
        out.put_u32_le(self.load_time);
    }

    /// Reads the times at the beginning of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, MissReason> {
        let (until, rest) = bytes.split_first_chunk().ok_or(MissReason::Truncated)?;
        let took = rest.first_chunk().ok_or(MissReason::Truncated)?;
        Ok(Self { fresh_until: u64::from_le_bytes(*until), load_time: u32::from_le_bytes(*took) })
    }
}
