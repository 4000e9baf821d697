//! Why a site gets nothing from the cache: one log line per site and cause, with what to do about it.
//!
//! A cause that stays until somebody changes the code or the settings is logged when it first occurs. Any other cause
//! is logged after [`IN_A_ROW`] calls without a success in between, because a single lost lease is not worth a line.

use crate::reason::{MissReason, UnstoredReason};
use crate::user_code::UserCode;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// After so many calls without a success, the cause is logged.
pub(super) const IN_A_ROW: u32 = 100;
/// After so many calls whose entry stands beside another type's value, this is logged.
pub(super) const SOME_BESIDE: u32 = 1000;

/// Why a site gets nothing from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    TooLarge,
    TooManyTags,
    Encode,
    Changed,
    Decode,
    Key,
    NoRuntime,
    /// A batch returned entries that were not asked for.
    Strangers,
    /// A batch returned a list of another length than its ids.
    Misfit,
    Panicked(UserCode),
    /// A cause that may pass.
    Run(Run),
}

/// A cause that any site may meet now and then. Only a run of such calls is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    Policy,
    Tags,
    LeaseLost,
    StoreFault,
    Refused,
    ReadOnly,
    OutOfMemory,
    OtherData,
}

impl Cause {
    const COUNT: usize = 9 + 7 + Run::COUNT;

    /// The number of the cause; each has its own.
    pub(super) fn number(self) -> usize {
        match self {
            Self::TooLarge => 0,
            Self::TooManyTags => 1,
            Self::Encode => 2,
            Self::Decode => 3,
            Self::Key => 4,
            Self::NoRuntime => 5,
            Self::Strangers => 6,
            Self::Misfit => 7,
            Self::Changed => 8,
            Self::Panicked(code) => 9 + code as usize,
            Self::Run(run) => 16 + run as usize,
        }
    }

    pub(super) fn of_miss(reason: MissReason) -> Option<Self> {
        Some(Self::Run(match reason {
            MissReason::Payload => return Some(Self::Decode),
            MissReason::NoRuntime => return Some(Self::NoRuntime),
            MissReason::ReadOnly => Run::ReadOnly,
            MissReason::OutOfMemory => Run::OutOfMemory,
            MissReason::Refused => Run::Refused,
            MissReason::Foreign | MissReason::WrongType | MissReason::Corrupt => Run::OtherData,
            // Outages and arguments that cannot be rendered have lines of their own; the others are ordinary misses.
            _ => return None,
        }))
    }

    pub(super) fn of_unstored(reason: UnstoredReason) -> Option<Self> {
        Some(Self::Run(match reason {
            UnstoredReason::TooLarge => return Some(Self::TooLarge),
            UnstoredReason::TooManyTags => return Some(Self::TooManyTags),
            UnstoredReason::Policy => Run::Policy,
            UnstoredReason::Tags => Run::Tags,
            UnstoredReason::LeaseLost => Run::LeaseLost,
            UnstoredReason::Fault => Run::StoreFault,
            // Panics and refusals of a codec are logged where they occur; the others come with a miss that says more.
            _ => return None,
        }))
    }

    /// What is wrong, and what to do about it.
    pub(super) fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::TooLarge => (
                "a value is larger than `max_value_bytes`: it is returned and not stored",
                "raise `.max_value_bytes(..)` on the builder or return less; a `Vec<u8>` takes a third of the \
                 room with `codec = \"bytes\"` instead of JSON",
            ),
            Self::TooManyTags => (
                "a value has more than 64 tags and events: it is returned and not stored",
                "use fewer: one tag or event for all of them, which each of their writes invalidates",
            ),
            Self::Decode => (
                "the codec cannot read back this function's values: they are loaded each time",
                "what `Serialize` writes must be what `Deserialize` reads, and postcard does not know `untagged` and \
                 enums with a `tag`: change the type or the `codec`",
            ),
            Self::NoRuntime => (
                "there is no tokio runtime here: such calls run uncached",
                "call the function from inside of a tokio runtime",
            ),
            Self::Strangers => (
                "a batch returned entries that belong to none of the ids it was given: they are returned to this call \
                 and not stored, and no `None` is stored for an id without an entry, because one of them may belong to \
                 it",
                "return each value under the id as it was given (a database that ignores case, accents or spaces \
                 spells ids its own way: make the ids uniform before the call), and move totals and the like into a \
                 function of their own",
            ),
            Self::Misfit => (
                "a batch returned a list of another length than its ids: it is returned and not stored, and where some \
                 of the ids were cached, the body runs once more for all of them",
                "return one element for each id, in their order, and `None` for an id without a value; or return a map",
            ),
            // These have lines of their own.
            Self::Key | Self::Encode | Self::Changed | Self::Panicked(_) => ("", ""),
            Self::Run(run) => run.advice(),
        }
    }
}

impl Run {
    const COUNT: usize = 8;

    pub(super) fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::Policy => (
                "the options let no value be stored",
                "`cache_if` said no, the time to live was zero, or it was a `None` with `none_ttl = \"off\"`: if that \
                 is meant, take the attribute off",
            ),
            Self::Tags => (
                "a tag of each value was invalidated while it was loaded",
                "give the values tags that change less often than a load takes",
            ),
            Self::LeaseLost => (
                "each value was invalidated, expired or evicted while it was loaded",
                "look for writes that invalidate more than they change, and for a server whose memory is full",
            ),
            Self::StoreFault => {
                ("the store failed each time that a value was to be stored", "its message is in `detail`")
            }
            Self::Refused => (
                "the server refuses a command that the cache needs",
                "its message is in `detail`: let the user run scripts (EVAL, EVALSHA) and touch the namespace's keys: \
                 `ACL SETUSER .. +@all ~<namespace>:* ~{<namespace>:*`",
            ),
            Self::ReadOnly => {
                ("the server takes no writes: it is a replica", "give the cache the address of the primary")
            }
            Self::OutOfMemory => (
                "the server's memory is full and it evicts nothing",
                "set `maxmemory-policy` to `allkeys-lru` or the like, or raise `maxmemory`",
            ),
            Self::OtherData => (
                "the data under the keys was not written by this library, or is damaged",
                "another program uses the same keys: give this cache a `.namespace(..)` of its own",
            ),
        }
    }

    /// Whether storing a value counts as a success. Not if others overwrite the values: then each call stores one
    /// again.
    pub(super) fn counts_stored(self) -> bool {
        !matches!(self, Self::OtherData)
    }
}

/// What has been logged about one site, and counts of what may have to be logged.
#[derive(Debug)]
pub(crate) struct Notices {
    logged: AtomicU32,
    runs: [RunCount; Run::COUNT],
    /// Calls whose entry stands beside another type's value.
    pub(super) beside: AtomicU32,
}

/// Calls since the last success.
#[derive(Debug, Default)]
struct RunCount {
    /// The number of successes at the first of these calls.
    since: AtomicU64,
    calls: AtomicU32,
}

impl Default for Notices {
    fn default() -> Self {
        const { assert!(Cause::COUNT <= 32, "a bit for each") };
        Self {
            logged: AtomicU32::new(0),
            runs: std::array::from_fn(|_| RunCount::default()),
            beside: AtomicU32::new(0),
        }
    }
}

impl Notices {
    /// Whether the cause occurs for the first time, and so is to be logged.
    pub(super) fn is_news(&self, cause: Cause) -> bool {
        let bit = 1 << cause.number();
        self.logged.load(Ordering::Relaxed) & bit == 0 && self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Counts a call without a success, given the number of successes so far. Returns whether the run is long enough to
    /// be logged.
    pub(super) fn is_enough(&self, run: Run, successes: u64) -> bool {
        let counted = &self.runs[run as usize];
        if counted.since.swap(successes, Ordering::Relaxed) != successes {
            counted.calls.store(0, Ordering::Relaxed);
        }
        counted.calls.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_own_number_and_advice() {
        use Run::{LeaseLost, OtherData, OutOfMemory, Policy, ReadOnly, Refused, StoreFault, Tags};
        use UserCode::{CacheIf, Clone, Deserialize, ErrorIf, Serialize, Ttl};
        let runs = [Policy, Tags, LeaseLost, StoreFault, Refused, ReadOnly, OutOfMemory, OtherData];
        let codes = [Deserialize, Serialize, Ttl, CacheIf, UserCode::Tags, Clone, ErrorIf];
        let fixed = [Cause::TooLarge, Cause::TooManyTags, Cause::Decode, Cause::NoRuntime];
        let of_batches = [Cause::Strangers, Cause::Misfit];
        let causes = fixed.into_iter().chain(of_batches).chain(runs.map(Cause::Run));
        assert!(causes.clone().all(|cause| !cause.advice().0.is_empty() && !cause.advice().1.is_empty()));
        let mut numbers: Vec<_> = causes
            .chain(codes.map(Cause::Panicked))
            .chain([Cause::Key, Cause::Encode, Cause::Changed])
            .map(Cause::number)
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..Cause::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn a_success_in_between_ends_a_run() {
        let notices = Notices::default();
        assert!((1..IN_A_ROW).all(|_| !notices.is_enough(Run::Policy, 0)));
        assert!(!notices.is_enough(Run::Policy, 1), "the hundredth, but something was stored");
        assert!((2..IN_A_ROW).all(|_| !notices.is_enough(Run::Policy, 1)));
        assert!(!notices.is_enough(Run::LeaseLost, 1), "another cause");
        assert!(notices.is_enough(Run::Policy, 1));
        assert!(notices.is_news(Cause::Run(Run::Policy)) && !notices.is_news(Cause::Run(Run::Policy)));
    }
}
