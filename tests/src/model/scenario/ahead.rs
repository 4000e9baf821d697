//! Values past their end: refreshed by the holder of the refresh lease, or loaded over by a flight.

use super::super::variant::{Flaw, Plan, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn refresh_lease(variant: Variant) -> Variant {
    Variant { refreshes: true, refresh_lease: true, ..variant }
}

fn bridge(variant: Variant) -> Variant {
    Variant { bridges: true, ..variant }
}

fn shared(variant: Variant) -> Variant {
    Variant { shares: true, ..bridge(variant) }
}

fn one_entry() -> Variant {
    Variant { writers: [Some(Plan::entry(Way::Plain)), None], ..entry(Way::Plain) }
}

fn one_put() -> Variant {
    Variant { writers: [Some(Plan::entry(Way::Put)), None], ..entry(Way::Put) }
}

pub(super) fn all() -> Vec<Scenario> {
    [refresh_leases(), bridges(), unstored(), broken()].concat()
}

fn refresh_leases() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "refresh_lease",
            "c6, a refresh needs a refresh lease and looks again",
            FRESH,
            refresh_lease(entry(Way::Plain)),
        )
        .large(),
        Scenario::new(
            "refresh_lease_tags",
            "refresh_lease, with a tag",
            FRESH,
            refresh_lease(tag_and_entry(Way::Plain)),
        )
        .huge(),
        Scenario::new(
            "refresh_lease_bracket",
            "refresh_lease, bracket, writers crash",
            BOTH,
            refresh_lease(crash(entry(Way::Bracket))),
        )
        .huge(),
        Scenario::new(
            "refresh_lease_put",
            "refresh_lease, writers put and crash",
            BOTH,
            refresh_lease(crash(entry(Way::Put))),
        )
        .huge(),
    ]
}

fn bridges() -> Vec<Scenario> {
    vec![
        Scenario::new("bridge", "c1, a value past its end is loaded over", FRESH, bridge(entry(Way::Plain))),
        Scenario::new("bridge_flight", "bridge, two callers share", FRESH, shared(entry(Way::Plain))).large(),
        Scenario::new("bridge_tags", "bridge_flight, with a tag", FRESH, shared(tag_and_entry(Way::Plain))).large(),
        Scenario::new("bridge_bracket", "bridge_flight, bracket", BOTH, shared(entry(Way::Bracket))).of([2, 1, 0]),
        Scenario::new(
            "bridge_bracket_crash",
            "bridge_bracket, writers crash",
            BOTH,
            shared(crash(entry(Way::Bracket))),
        )
        .huge(),
        Scenario::new(
            "bridge_three",
            "bridge_flight, with a reader in another process",
            FRESH,
            Variant { reads: [2, 1, 1], ..shared(entry(Way::Plain)) },
        )
        .huge(),
        Scenario::new(
            "bridge_refresh",
            "bridge_flight, and refresh_lease",
            FRESH,
            refresh_lease(shared(entry(Way::Plain))),
        )
        .huge(),
    ]
}

/// Loads over a value that find nothing to store.
fn unstored() -> Vec<Scenario> {
    let nothing = |variant| Variant { unstored: true, ..variant };
    vec![
        Scenario::new(
            "unstored",
            "refresh_lease, a refresh may find nothing to store: RELEASE of the old value",
            FRESH,
            nothing(refresh_lease(one_entry())),
        )
        .large(),
        Scenario::new("unstored_flight", "bridge_flight, the same", FRESH, nothing(shared(one_entry()))).large(),
        Scenario::new("unstored_put", "unstored, a writer puts", BOTH, nothing(refresh_lease(one_put()))).large(),
        Scenario::new(
            "unstored_late",
            "unstored, a command may come late",
            FRESH,
            nothing(Variant { breaks: 1, ..refresh_lease(one_entry()) }),
        )
        .huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "head_after_load",
            "refresh_lease, the head is read after the load",
            BROKEN,
            flaw(Flaw::HeadAfterLoad, refresh_lease(one_entry())),
        ),
        Scenario::new(
            "stale_before_tags",
            "bridge, a value past its end is served before its tags were judged",
            BROKEN,
            flaw(Flaw::StaleBeforeTags, bridge(one_tag(Way::Plain))),
        ),
        Scenario::new(
            "look_without_tags",
            "bridge_tags, the other look judges the head only",
            BROKEN,
            Variant { reads: [2, 1, 0], ..flaw(Flaw::LookWithoutTags, shared(one_tag(Way::Plain))) },
        ),
        Scenario::new(
            "stale_to_all",
            "bridge_flight, when the load fails all who follow get the leader's value",
            BROKEN,
            Variant { reads: [2, 1, 0], ..flaw(Flaw::StaleToAll, shared(one_entry())) },
        ),
    ]
}
