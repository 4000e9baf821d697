//! The targets of our figures.

use crate::report::Line;
use crate::subjects::OURS;

pub(crate) const HITS: &str = "hits/s";
pub(crate) const LATENCY: &str = "µs per hit";
pub(crate) const FILLS: &str = "fills/s";
pub(crate) const LOADS: &str = "loads of 1,000 calls";
pub(crate) const SLOWEST: &str = "ms, slowest caller";
pub(crate) const HUNG_FIRST: &str = "ms, slowest of the first calls";
pub(crate) const HUNG_AFTER: &str = "ms, median of the calls after";
pub(crate) const ALLOCATIONS: &str = "allocations per hit";
pub(crate) const BEYOND_VALUE: &str = "allocations per hit beyond the value";
pub(crate) const BEYOND_VALUE_MEMORY: &str = "allocations per hit beyond the value, in memory";
pub(crate) const FUTURE: &str = "bytes of the future";
pub(crate) const ENTRY: &str = "bytes in Redis";
pub(crate) const REGISTER: &str = "bytes of an event's register in Redis";
/// Entries under a tag, and the unit of the time that its invalidation takes.
pub(crate) const INVALIDATION: [(u64, &str); 3] =
    [(1, "µs, 1 entry"), (1_000, "µs, 1,000 entries"), (100_000, "µs, 100,000 entries")];
pub(crate) const NEAR: &str = "ns per hit";
pub(crate) const NEAR_ALLOCATIONS: &str = "allocations per near hit";
pub(crate) const WAKE_UP: &str = "ms from the end of the load, notified";
pub(crate) const WAKE_UP_POLLED: &str = "ms from the end of the load, polled";
pub(crate) const BATCHES: &str = "batches/s, all cached";
pub(crate) const BATCHES_COLD: &str = "batches/s, none cached";
pub(crate) const BATCH_GAIN: &str = "times the throughput of single calls";
pub(crate) const COMPILE: &str = "ms per function";

/// The figure that is compared with the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Value,
    Ratio,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// A bound on one of our figures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) bench: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) of: Of,
    pub(crate) bound: Bound,
    /// The limit, where the target is missed.
    pub(crate) limit: &'static str,
}

const fn target(bench: &'static str, unit: &'static str, of: Of, bound: Bound, limit: &'static str) -> Target {
    Target { bench, unit, of, bound, limit }
}

use Bound::{AtLeast, AtMost};

pub(crate) const TARGETS: &[Target] = &[
    target(
        "hit-sequential",
        LATENCY,
        Of::Ratio,
        AtMost(1.03),
        "a hit is one round trip, as by hand; beyond that it finds the cache, renders the key, makes one box and \
         checks the entry. On a machine with idle cores two wake-ups of sleeping threads take most of the time, and \
         vary",
    ),
    target(
        "hit-64",
        HITS,
        Of::Ratio,
        AtLeast(1.3),
        "callers share commands, but not decoding, waking the task, and the lock under which a caller joins. With \
         idle cores the hand-written calls run beside each other, and the gain shrinks",
    ),
    target(
        "hit-256",
        HITS,
        Of::Ratio,
        AtLeast(1.6),
        "as `hit-64`: some 60 keys share a command, so the cost per command hardly counts any more",
    ),
    target(
        "hit-hot",
        HITS,
        Of::Ratio,
        AtLeast(3.0),
        "one GET serves a whole round of callers, and each of them decodes its own copy: 64 wake-ups and 64 \
         decodings on two cores, which are idle while the next GET is under way",
    ),
    target("hit-tags", HITS, Of::Ratio, AtLeast(0.8), "two more registers in the same command"),
    target(
        "hit-64-tags",
        HITS,
        Of::Ratio,
        AtLeast(0.8),
        "each tag is one more key in a shared command: to send, to look up, to parse, to compare. A hit without tags \
         is hardly more than that either",
    ),
    target(
        "near-hit",
        NEAR,
        Of::Ratio,
        AtMost(3.0),
        "the bare engine is asked by number; here a call finds the cache and the site, reads the clock, is counted, \
         and checks whether anything has changed",
    ),
    target("near-hit", NEAR_ALLOCATIONS, Of::Value, AtMost(0.0), "integers stand for the key"),
    target(
        "near-hit-2",
        NEAR,
        Of::Ratio,
        AtMost(3.0),
        "as `near-hit`; with every subject, the lock of a shard and the reference count of a value move between the \
         cores, at a cost that differs from run to run",
    ),
    target("wake-up", WAKE_UP, Of::Value, AtMost(2.0), "the FILL, the server's message, and the GET that follows it"),
    target(
        "wake-up",
        WAKE_UP_POLLED,
        Of::Value,
        AtMost(15.0),
        "half of the time between two reads, which is 15 to 25 ms",
    ),
    target("batch-100", BATCH_GAIN, Of::Value, AtLeast(15.0), "one round trip instead of 100"),
    target(
        "batch-100",
        BATCHES,
        Of::Ratio,
        AtLeast(1.5),
        "both send one MGET and decode 100 values, so there is nothing to gain; ours also renders keys that no two \
         calls share, and checks every entry. With the near cache (`ours-near`) there is no MGET",
    ),
    target("invalidation", INVALIDATION[2].1, Of::Ratio, AtMost(1.5), "one command, whatever the number of entries"),
    target(
        "cold-fill",
        FILLS,
        Of::Ratio,
        AtLeast(0.75),
        "a fill takes GET, ACQUIRE and FILL, the hand-written call only GET and SET; ACQUIRE and FILL compare before \
         they write, which takes a script: 4 µs of the server's time each, with some 15 in one call, next to 2.5 µs \
         of a SET",
    ),
    target("stampede", LOADS, Of::Value, AtMost(1.0), "one load is the promise"),
    target(
        "redis-hung",
        HUNG_FIRST,
        Of::Value,
        AtMost(110.0),
        "the budget of 100 ms, the load of 1 ms, and the granularity of timers",
    ),
    target("redis-hung", HUNG_AFTER, Of::Value, AtMost(3.0), "the load of 1 ms, and the granularity of timers"),
    target(
        "allocations",
        BEYOND_VALUE,
        Of::Value,
        AtMost(4.0),
        "two are ours: the key and the boxed read. The others belong to redis-rs: the packed command, the channel to \
         the connection, the answer, and an error that its parser makes for each incomplete answer",
    ),
    target("allocations", BEYOND_VALUE_MEMORY, Of::Value, AtMost(4.0), "the key and the boxed read"),
    target("future-size", FUTURE, Of::Value, AtMost(399.0), "arguments and the prepared call; the body is boxed"),
    target(
        "entry-bytes",
        ENTRY,
        Of::Value,
        AtMost(432.0),
        "24 bytes in front of the value, rounded up by the server's allocator",
    ),
    target("entry-bytes", REGISTER, Of::Value, AtMost(120.0), "its key, 17 bytes and the server's own fields"),
    target(
        "compile-time",
        COMPILE,
        Of::Value,
        AtMost(8.0),
        "the expansion itself, and the one future that is compiled per function; the rest is compiled once per return type",
    ),
];

impl Target {
    pub(crate) fn is_about(&self, line: &Line) -> bool {
        line.subject == OURS && line.bench == self.bench && line.unit == self.unit
    }

    /// `None` if the line has no ratio.
    pub(crate) fn is_met_by(&self, line: &Line) -> Option<bool> {
        let figure = match self.of {
            Of::Value => line.value,
            Of::Ratio => line.ratio_to_floor?,
        };
        Some(match self.bound {
            Bound::AtMost(most) => figure <= most,
            Bound::AtLeast(least) => figure >= least,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_of_what_they_say() {
        let target = target("b", "u", Of::Ratio, AtMost(1.5), "");
        let line = |ratio| Line::new("b", OURS, 100.0, "u", ratio);
        assert_eq!(target.is_met_by(&line(Some(1.5))), Some(true));
        assert_eq!(target.is_met_by(&line(Some(1.6))), Some(false));
        assert_eq!(target.is_met_by(&line(None)), None);
        assert!(!target.is_about(&Line::new("b", "floor", 1.0, "u", None)));
    }
}
