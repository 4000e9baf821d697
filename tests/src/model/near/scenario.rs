//! The scenarios of the near cache, and their expected verdicts.

use super::super::scenario::Verdict::{self, Broken, Holds};
use super::variant::{Flaw, Order, Tag, Variant};
use super::{Event, Rule};

/// A variant with a name and the expected verdicts.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// A short name.
    pub name: &'static str,
    /// A description.
    pub what: &'static str,
    /// The variant to search.
    pub variant: Variant,
    /// Whether the announcement of every stale copy is under way.
    pub told: Verdict,
    /// Whether a stale copy ends with the heartbeat.
    pub bounded: Verdict,
    /// Whether this process sees its own writes at once.
    pub own: Verdict,
    /// Whether no stale copy gets into another entry.
    pub nested: Verdict,
}

impl Scenario {
    fn new(name: &'static str, what: &'static str, verdicts: [Verdict; 3], variant: Variant) -> Self {
        let [told, bounded, own] = verdicts;
        let nested = if variant.flaw == Flaw::CopyInLoad { Broken } else { Holds };
        Self { name, what, variant, told, bounded, own, nested }
    }

    /// The expected verdict on a rule.
    #[must_use]
    pub fn expected(&self, rule: Rule) -> Verdict {
        match rule {
            Rule::Told => self.told,
            Rule::Bounded => self.bounded,
            Rule::Own => self.own,
            Rule::Nested => self.nested,
        }
    }

    /// The rules that can be broken. A bounded copy is told as well, and the rules about own writes and loads need such
    /// a step.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let bound = if self.bounded == Holds { vec![Rule::Bounded] } else { vec![Rule::Told, Rule::Bounded] };
        let own = self.variant.writes.then_some(Rule::Own);
        bound.into_iter().chain(own).chain(self.variant.nests.then_some(Rule::Nested)).collect()
    }

    /// Events that must happen in some run. Without them, the rule would hold because nothing could break it.
    #[must_use]
    pub fn has_to_happen(&self) -> Vec<Event> {
        let mut events = vec![Event::Kept, Event::Dropped, Event::Stale];
        let mut add = |condition: bool, event: Event| events.extend(condition.then_some(event));
        add(self.variant.order != Order::Kept && self.variant.flaw != Flaw::NoReservation, Event::Overtaken);
        add(self.variant.pings > 0, Event::Confirmed);
        add(self.variant.breaks, Event::Gap);
        add(self.variant.nests, Event::CalledBesideStale);
        events
    }
}

/// Without a heartbeat there is no bound.
const TOLD: [Verdict; 3] = [Holds, Broken, Holds];
const ALL: [Verdict; 3] = [Holds, Holds, Holds];
const NONE_TOLD: [Verdict; 3] = [Broken, Broken, Holds];
const NOT_OWN: [Verdict; 3] = [Holds, Broken, Broken];

/// All scenarios.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    [order(), tags(), own(), nested(), contact(), gaps()].concat()
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

fn flaw(flaw: Flaw, variant: Variant) -> Variant {
    Variant { flaw, ..variant }
}

fn order() -> Vec<Scenario> {
    let in_order = || Variant::new(Order::Kept);
    let any = || Variant::new(Order::Any);
    vec![
        Scenario::new("l1", "messages in order, nothing is reserved", TOLD, flaw(Flaw::NoReservation, in_order())),
        Scenario::new("l2", "l1, any order", NONE_TOLD, flaw(Flaw::NoReservation, any())),
        Scenario::new("l3", "l2, reserved before GET", TOLD, any()),
        Scenario::new("l3_flush", "l3, and FLUSHALL", TOLD, Variant { flushes: true, ..any() }),
        Scenario::new("l4", "l1, keeps its own fill, with NOLOOP", NONE_TOLD, flaw(Flaw::OwnFill, in_order())),
    ]
}

fn tags() -> Vec<Scenario> {
    let told = || Variant { tag: Tag::Told, ..Variant::new(Order::Any) };
    let of_value = || Variant { tag: Tag::FromValue, ..told() };
    vec![
        Scenario::new("near_tag", "l3, with a tag in the same GET", TOLD, told()),
        Scenario::new("near_value_tag", "near_tag, only the value tells of the tag", TOLD, of_value()),
        Scenario::new(
            "near_tag_unreserved",
            "near_tag, only the entry is reserved",
            NONE_TOLD,
            flaw(Flaw::TagUnreserved, told()),
        ),
        Scenario::new(
            "near_value_tag_unreserved",
            "near_value_tag, only the entry is reserved",
            NONE_TOLD,
            flaw(Flaw::TagUnreserved, of_value()),
        ),
    ]
}

fn own() -> Vec<Scenario> {
    let writes = || Variant { writes: true, ..Variant::new(Order::Any) };
    vec![
        Scenario::new("near_own", "l3, an own write drops the copy when it was answered", TOLD, writes()),
        Scenario::new(
            "near_own_before",
            "near_own, it does so before it is sent",
            NOT_OWN,
            flaw(Flaw::DropsBefore, writes()),
        ),
    ]
}

fn nested() -> Vec<Scenario> {
    let nests = || Variant { nests: true, ..Variant::new(Order::Any) };
    vec![
        Scenario::new("near_nested", "l3, calls inside of a load do not use the copy", TOLD, nests()),
        Scenario::new("near_nested_copy", "near_nested, they do", TOLD, flaw(Flaw::CopyInLoad, nests())),
    ]
}

/// The heartbeat, on a connection that holds.
fn beating(order: Order) -> Variant {
    Variant { pings: 2, ..Variant::new(order) }
}

fn contact() -> Vec<Scenario> {
    vec![
        Scenario::new("near_beat", "l3, heartbeat, news are dealt with as they come", ALL, beating(Order::AnswersLate)),
        Scenario::new("near_beat_overtaken", "near_beat, PONG overtakes news", TOLD, beating(Order::Any)),
        Scenario::new(
            "near_beat_at_pong",
            "near_beat, PONG confirms up to when it comes",
            TOLD,
            flaw(Flaw::ConfirmsAtPong, beating(Order::AnswersLate)),
        ),
    ]
}

fn gaps() -> Vec<Scenario> {
    let gap = || Variant { changes: 1, breaks: true, ..beating(Order::AnswersLate) };
    let small = || Variant { reads: 1, ..gap() };
    let tagged = Variant { tag: Tag::FromValue, ..small() };
    let own = || Variant { writes: true, ..small() };
    let served = Variant { serves_in_gap: true, ..own() };
    let broken = |name, what, this| Scenario::new(name, what, NONE_TOLD, flaw(this, small()));
    vec![
        Scenario::new("near_gap", "near_beat, the connection is lost and made anew", ALL, gap()),
        Scenario::new("near_gap_own", "near_gap, and an own write", ALL, own()),
        Scenario::new("near_gap_tag", "near_gap, with a tag of which the value tells", ALL, tagged),
        Scenario::new("near_gap_served", "near_gap_own, `on_gap = \"serve\"`", NONE_TOLD, served),
        broken("near_gap_at_pong", "near_gap, PONG confirms up to when it comes", Flaw::ConfirmsAtPong),
        broken("near_gap_early", "near_gap, in use before tracking is on", Flaw::RegainsEarly),
        broken("near_gap_old", "near_gap, reads on the connection that was given up are kept", Flaw::ReadsOnOld),
        broken("near_gap_late_epoch", "near_gap, the epoch is read with the answer", Flaw::EpochAtAnswer),
        broken("near_gap_without_epoch", "near_gap, copies outlive the gap", Flaw::NoEpoch),
    ]
}
