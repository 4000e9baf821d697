//! A replica that replaces its primary and lacks the last commands.

use super::super::variant::{Flaw, Old, Plan, Variant, Way};
use super::{BROKEN, FRESH, Scenario, entry, flaw, one_tag};

fn failover(old: Old, variant: Variant) -> Variant {
    Variant { reads: [2, 1, 0], failover: Some(old), ..variant }
}

fn one(way: Way) -> Variant {
    Variant::new([Some(Plan::entry(way)), None])
}

pub(super) fn all() -> Vec<Scenario> {
    [gone(), demoted(), broken()].concat()
}

fn gone() -> Vec<Scenario> {
    let failover = |variant| failover(Old::Gone, variant);
    vec![
        Scenario::new("failover", "one writer; a replica without the last commands", FRESH, failover(one(Way::Plain))),
        Scenario::new("failover_bracket", "failover, bracket", FRESH, failover(one(Way::Bracket))),
        Scenario::new("failover_tag", "failover, with a tag", FRESH, failover(one_tag(Way::Plain))).huge(),
        Scenario::new("failover_two", "failover, two writers", FRESH, failover(entry(Way::Plain))).huge(),
        Scenario::new(
            "failover_put",
            "failover, two writers that put",
            FRESH,
            Variant { reads: [1, 1, 0], ..failover(entry(Way::Put)) },
        )
        .huge(),
    ]
}

fn demoted() -> Vec<Scenario> {
    let demoted = |variant| failover(Old::Demoted, variant);
    let split = |variant| failover(Old::Split, variant);
    vec![
        Scenario::new("demoted", "failover, the old primary answers reads", FRESH, demoted(one(Way::Plain))),
        Scenario::new("demoted_tag", "demoted, with a tag", FRESH, demoted(one_tag(Way::Plain))).huge(),
        Scenario::new(
            "demoted_put",
            "demoted, two writers that put",
            FRESH,
            Variant { reads: [1, 1, 0], ..demoted(entry(Way::Put)) },
        )
        .huge(),
        Scenario::new("two_primaries", "demoted, at first the old primary takes writes", FRESH, split(one(Way::Plain))),
        Scenario::new("two_primaries_two", "two_primaries, two writers", FRESH, split(entry(Way::Plain))).huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "failover_without_replay",
            "failover, nothing is removed again",
            BROKEN,
            flaw(Flaw::NoReplay, failover(Old::Gone, one(Way::Plain))),
        ),
        Scenario::new(
            "failover_without_beat",
            "failover, a connection is made for the next call only",
            BROKEN,
            flaw(Flaw::NoBeat, failover(Old::Gone, one(Way::Plain))),
        ),
        Scenario::new(
            "demoted_without_role",
            "demoted, the beat does not ask for the role",
            BROKEN,
            flaw(Flaw::NoRole, failover(Old::Demoted, one(Way::Plain))),
        ),
    ]
}
