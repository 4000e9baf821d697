//! The scenarios, under the names of the protocol's notes, and their expected verdicts.

mod ahead;
mod beside;
mod bracket;
mod failover;
mod flights;
mod forced;
mod late;
mod plain;
mod puts;
mod sets;
mod tags;
mod taken;

use super::coverage::Event;
use super::variant::{Flaw, Old, Plan, Tags, Variant, Way};

/// The result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No run breaks the rule.
    Holds,
    /// Some run does.
    Broken,
}

/// How many states there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Few enough for every run of the tests.
    Small,
    /// Every run of the tests searches it with this many reads of each reader, the long run as it is.
    Large([u8; 3]),
    /// Only the long run searches it.
    Huge,
}

/// A variant with a name and the expected verdicts.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// A short name.
    pub name: &'static str,
    /// A description.
    pub what: &'static str,
    /// The variant to search.
    pub variant: Variant,
    /// Whether reads are fresh.
    pub fresh: Verdict,
    /// Whether reads are linearizable.
    pub linearizable: Verdict,
    /// How many states there are.
    pub size: Size,
}

/// Never too old, and never older than what an earlier read returned.
const BOTH: [Verdict; 2] = [Verdict::Holds, Verdict::Holds];
/// Never too old, but possibly older than what an earlier read returned.
const FRESH: [Verdict; 2] = [Verdict::Holds, Verdict::Broken];
const BROKEN: [Verdict; 2] = [Verdict::Broken, Verdict::Broken];

/// All scenarios.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let of_one_server =
        [plain::all(), bracket::all(), tags::all(), puts::all(), flights::all(), ahead::all(), late::all()];
    [of_one_server.concat(), taken::all(), failover::all(), beside::all(), sets::all(), forced::all()].concat()
}

/// The scenario of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn scenario(name: &str) -> Scenario {
    let found = scenarios().into_iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("there is no scenario `{name}`"))
}

impl Scenario {
    fn new(name: &'static str, what: &'static str, [fresh, linearizable]: [Verdict; 2], variant: Variant) -> Self {
        Self { name, what, variant, fresh, linearizable, size: Size::Small }
    }

    fn large(self) -> Self {
        // As many reads as it takes to go back in time, where that is possible.
        let reads = if self.linearizable == Verdict::Holds { [1, 1, 0] } else { [2, 1, 0] };
        Self { size: Size::Large(reads), ..self }
    }

    /// A refresh takes one more read.
    fn of(self, reads: [u8; 3]) -> Self {
        Self { size: Size::Large(reads), ..self }
    }

    fn huge(self) -> Self {
        Self { size: Size::Huge, ..self }
    }

    /// The variant that every run of the tests searches.
    #[must_use]
    pub fn in_short(&self) -> Variant {
        let reads = if let Size::Large(reads) = self.size { reads } else { self.variant.reads };
        Variant { reads, ..self.variant }
    }

    /// Whether the code can be driven through its runs. Runs that a search has found are replayed with one server
    /// and one build, and the gates need callers that look with GET, wait for a lease, and are polled.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        let Variant { takes_over, stalls, failover, builds, shares, forces, .. } = self.variant;
        // Where forced refreshes share, a process has two flights, and the gates do not tell whose step one is.
        let is_told_apart = forces == 0 || !shares;
        !takes_over && !stalls && !builds && failover.is_none() && is_told_apart
    }

    /// Events that must happen in some run. Without them, the rule would hold because nothing could break it.
    #[must_use]
    pub fn has_to_happen(&self) -> Vec<Event> {
        let Variant {
            shares,
            refreshes,
            refresh_lease,
            bridges,
            unstored,
            tags,
            writers,
            breaks,
            takes_over,
            stalls,
            failover,
            builds,
            sets,
            forces,
            ..
        } = &self.variant;
        let is = |test: fn(&Plan) -> bool| writers.iter().flatten().any(test);
        let mut events = vec![Event::Hit, Event::Stored, Event::Refused];
        let mut add = |condition: bool, of: &[Event]| events.extend(of.iter().filter(|_| condition));
        add(is(|plan| plan.is_bracket()), &[Event::Writing]);
        add(is(|plan| plan.way == Way::Put), &[Event::Put, Event::NotPut]);
        add(*tags != Tags::None, &[Event::TagChanged]);
        add(*refreshes, &[Event::Refreshed]);
        add(*shares, &[Event::SharedEarly, Event::SharedProved]);
        add(*shares && *tags != Tags::None, &[Event::NotProved]);
        add(*breaks > 0, &[Event::Late]);
        let has_two_processes = !shares || self.variant.reads[2] > 0;
        add(*refresh_lease, &[Event::ServedStale]);
        add(*refresh_lease && has_two_processes, &[Event::RefreshLeaseRefused, Event::Moved]);
        add(*bridges, &[Event::ServedStale, Event::Refreshed]);
        add(*bridges && *shares, &[Event::SharedStale]);
        add(*unstored, &[Event::Ended]);
        add(*sets > 0, &[Event::Set]);
        add(*sets > 0 && is(|plan| plan.is_bracket()), &[Event::NotSet]);
        add(*forces > 0, &[Event::ValueTakenOver, Event::LeaseTakenOver, Event::StoredByForce]);
        add(*forces > 1, &[if *shares { Event::SharedByForce } else { Event::Superseded }]);
        add(*takes_over && has_two_processes, &[Event::TakenOver]);
        add(*stalls, &[Event::SharedStalled]);
        add(*builds, &[Event::HitBeside, Event::StoredBeside, Event::WaitedForOther]);
        // These events need a few more reads.
        let is_in_full = self.size == Size::Small && failover.is_none();
        add(*builds && is_in_full, &[Event::BaseGone, Event::HitBesideLoad]);
        add(*builds && is_in_full && !shares, &[Event::BaseChanged]);
        add(failover.is_some(), &[Event::Lost, Event::RemovedAgain]);
        add(failover.is_some_and(|old| old != Old::Gone), &[Event::OldHit, Event::ReadOnly]);
        events
    }
}

fn entry(way: Way) -> Variant {
    Variant::new([Some(Plan::entry(way)); 2])
}

fn tag(way: Way) -> Variant {
    Variant { tags: Tags::Known, ..Variant::new([Some(Plan::tag(way)); 2]) }
}

/// One writer is enough for some faults.
fn one_tag(way: Way) -> Variant {
    Variant { writers: [Some(Plan::tag(way)), None], ..tag(way) }
}

fn tag_and_entry(way: Way) -> Variant {
    Variant { tags: Tags::Known, ..Variant::new([Some(Plan::tag(way)), Some(Plan::entry(way))]) }
}

fn crash(variant: Variant) -> Variant {
    Variant { crashes: [true; 2], ..variant }
}

fn flaw(flaw: Flaw, variant: Variant) -> Variant {
    Variant { flaw, ..variant }
}
