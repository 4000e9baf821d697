//! Values that are set by hand.

use super::super::variant::{Flaw, Plan, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, tag_and_entry};

fn sets(variant: Variant) -> Variant {
    Variant { sets: 1, ..variant }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let bracket = || sets(crash(entry(Way::Bracket)));
    let put_and_bracket = Variant::new([Some(Plan::entry(Way::Put)), Some(Plan::entry(Way::Bracket))]);
    vec![
        Scenario::new("set", "c1, a value is set by hand", FRESH, sets(entry(Way::Plain))),
        Scenario::new("set_bracket", "d2, a value is set by hand", BOTH, bracket()),
        Scenario::new("set_twice", "d2, two values are", BOTH, Variant { sets: 2, ..bracket() }).large(),
        Scenario::new(
            "set_refresh",
            "set_bracket, refresh and shared loads",
            BOTH,
            Variant { refreshes: true, shares: true, ..bracket() },
        )
        .huge(),
        Scenario::new(
            "set_put",
            "one puts and one brackets, both crash, a value is set by hand",
            BOTH,
            sets(crash(put_and_bracket)),
        )
        .large(),
        Scenario::new("set_tags", "set_bracket, with a tag", BOTH, sets(crash(tag_and_entry(Way::Bracket)))).large(),
        Scenario::new("set_beside", "set_bracket, two builds", BOTH, Variant { builds: true, ..bracket() })
            .of([1, 2, 0]),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "set_unmarked",
            "set_bracket, SET does not look at markers",
            BROKEN,
            flaw(Flaw::SetsUnmarked, sets(crash(entry(Way::Bracket)))),
        ),
        Scenario::new(
            "set_late",
            "d1, a SET by hand is carried out late",
            BROKEN,
            Variant { breaks: 1, ..sets(entry(Way::Bracket)) },
        ),
    ]
}
