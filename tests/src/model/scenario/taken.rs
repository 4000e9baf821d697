//! Leases that others take over, and leaders that stall.

use super::super::variant::{Flaw, Plan, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn taken(variant: Variant) -> Variant {
    Variant { takes_over: true, ..variant }
}

fn stalls(variant: Variant) -> Variant {
    Variant { shares: true, stalls: true, ..variant }
}

fn one(way: Way) -> Variant {
    Variant { reads: [2, 1, 0], ..Variant::new([Some(Plan::entry(way)), None]) }
}

pub(super) fn all() -> Vec<Scenario> {
    [leases(), leaders(), broken()].concat()
}

fn leases() -> Vec<Scenario> {
    let late = |variant| Variant { breaks: 1, ..variant };
    vec![
        Scenario::new("taken", "c1, a lease is taken over", FRESH, taken(entry(Way::Plain))),
        Scenario::new("taken_tags", "taken, with a tag", FRESH, taken(tag_and_entry(Way::Plain))).large(),
        Scenario::new("taken_bracket", "taken, bracket, writers crash", BOTH, taken(crash(entry(Way::Bracket))))
            .large(),
        Scenario::new("taken_put", "taken, writers put and crash", BOTH, taken(crash(entry(Way::Put)))).large(),
        Scenario::new(
            "taken_tags_bracket",
            "taken_tags, bracket, writers crash",
            BOTH,
            taken(crash(tag_and_entry(Way::Bracket))),
        )
        .huge(),
        Scenario::new("taken_late", "taken, a command is carried out late", FRESH, taken(late(entry(Way::Plain))))
            .huge(),
        Scenario::new(
            "taken_flight",
            "taken_tags, two callers share, with a reader in another process",
            FRESH,
            Variant { reads: [2, 1, 1], shares: true, ..taken(one_tag(Way::Plain)) },
        )
        .huge(),
    ]
}

fn leaders() -> Vec<Scenario> {
    vec![
        Scenario::new("stalled", "flight, one writer, a leader stalls", FRESH, stalls(one(Way::Plain))),
        Scenario::new(
            "stalled_taken",
            "stalled, and its lease is taken over",
            FRESH,
            Variant { writers: entry(Way::Plain).writers, ..taken(stalls(one(Way::Plain))) },
        )
        .huge(),
        Scenario::new(
            "stalled_bracket",
            "stalled_taken, one bracket, the writer crashes",
            BOTH,
            taken(stalls(crash(one(Way::Bracket)))),
        )
        .of([1, 1, 0]),
        Scenario::new(
            "stalled_tags",
            "stalled_taken, with a tag",
            FRESH,
            Variant { reads: [2, 1, 0], ..taken(stalls(tag_and_entry(Way::Plain))) },
        )
        .huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "taken_after_load",
            "c1, a waiter loads, and stores over the lease that stands there then",
            BROKEN,
            flaw(Flaw::LeaseAfterLoad, taken(entry(Way::Plain))),
        ),
        Scenario::new(
            "taken_unmarked",
            "taken_put, a token is taken over without a look at markers",
            BROKEN,
            flaw(Flaw::TakesUnmarked, taken(crash(entry(Way::Put)))),
        ),
        Scenario::new(
            "stalled_to_all",
            "stalled, what the stalled leader has loaded is for all who wait",
            BROKEN,
            flaw(Flaw::StalledToAll, stalls(one(Way::Plain))),
        ),
    ]
}
