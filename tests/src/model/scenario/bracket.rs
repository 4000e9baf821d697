//! BEGIN, commit, END.

use super::super::variant::{Flaw, Plan, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw};

pub(super) fn all() -> Vec<Scenario> {
    [holding(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let bracket = || entry(Way::Bracket);
    let shared = || Variant { refreshes: true, shares: true, ..crash(bracket()) };
    let mixed = [Some(Plan::entry(Way::Bracket)), Some(Plan::entry(Way::Plain))];
    vec![
        Scenario::new("d1", "bracket", BOTH, bracket()),
        Scenario::new("d2", "d1, writers crash", BOTH, crash(bracket())),
        Scenario::new("d2_again", "d2, BEGIN is repeated", BOTH, Variant { begins_again: true, ..crash(bracket()) })
            .large(),
        Scenario::new("d2_three", "d2 with three readers", BOTH, Variant { reads: [2; 3], ..crash(bracket()) }).huge(),
        Scenario::new("d3", "d2, refresh and shared loads", BOTH, shared()).of([2, 1, 0]),
        Scenario::new(
            "d4",
            "d2, a write is complete at its commit",
            BOTH,
            Variant { complete_at_commit: true, ..crash(bracket()) },
        ),
        Scenario::new(
            "d5",
            "d2, the other writer is plain and does not crash",
            FRESH,
            Variant { crashes: [true, false], ..Variant::new(mixed) },
        ),
        Scenario::new("d7", "d1, a marker ends before the commit", FRESH, Variant { late_commits: true, ..bracket() }),
        Scenario::new("d14", "d1, Redis restarts empty", FRESH, Variant { restarts: true, ..bracket() }),
    ]
}

fn broken() -> Vec<Scenario> {
    let crash = || crash(entry(Way::Bracket));
    vec![
        Scenario::new("d6", "d2 with one marker for all", BROKEN, flaw(Flaw::SharedMarker, crash())),
        Scenario::new("d8", "d7 and crash", BROKEN, Variant { late_commits: true, ..crash() }),
        Scenario::new("d15", "d14 and crash", BROKEN, Variant { restarts: true, ..crash() }),
        Scenario::new("d16", "d2, BEGIN does not delete", BROKEN, flaw(Flaw::NoDeleteAtBegin, crash())),
        Scenario::new("d17", "d2, ACQUIRE does not look at markers", BROKEN, flaw(Flaw::NoMarkerCheck, crash())),
        Scenario::new(
            "d18",
            "d7, END does not delete",
            BROKEN,
            Variant { late_commits: true, ..flaw(Flaw::NoDeleteAtEnd, entry(Way::Bracket)) },
        ),
    ]
}
