//! Values past their time: refreshed by whoever has the ticket, or loaded over by a flight.

use super::super::variant::{Flaw, Plan, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn ticket(variant: Variant) -> Variant {
    Variant { refreshes: true, ticket: true, ..variant }
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
    [tickets(), bridges(), unstored(), broken()].concat()
}

fn tickets() -> Vec<Scenario> {
    vec![
        Scenario::new("ticket", "c6, a refresh needs a ticket and looks again", FRESH, ticket(entry(Way::Plain)))
            .large(),
        Scenario::new("ticket_tags", "ticket, with a tag", FRESH, ticket(tag_and_entry(Way::Plain))).huge(),
        Scenario::new("ticket_bracket", "ticket, bracket, writers crash", BOTH, ticket(crash(entry(Way::Bracket))))
            .huge(),
        Scenario::new("ticket_put", "ticket, writers put and crash", BOTH, ticket(crash(entry(Way::Put)))).huge(),
    ]
}

fn bridges() -> Vec<Scenario> {
    vec![
        Scenario::new("bridge", "c1, a value past its time is loaded over", FRESH, bridge(entry(Way::Plain))),
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
        Scenario::new("bridge_refresh", "bridge_flight, and ticket", FRESH, ticket(shared(entry(Way::Plain)))).huge(),
    ]
}

/// Loads over a value that find nothing to store.
fn unstored() -> Vec<Scenario> {
    let nothing = |variant| Variant { unstored: true, ..variant };
    vec![
        Scenario::new(
            "unstored",
            "ticket, a refresh may find nothing to store: RELEASE of the old value",
            FRESH,
            nothing(ticket(one_entry())),
        )
        .large(),
        Scenario::new("unstored_flight", "bridge_flight, the same", FRESH, nothing(shared(one_entry()))).large(),
        Scenario::new("unstored_put", "unstored, a writer puts", BOTH, nothing(ticket(one_put()))).large(),
        Scenario::new(
            "unstored_late",
            "unstored, a command may come late",
            FRESH,
            nothing(Variant { breaks: 1, ..ticket(one_entry()) }),
        )
        .huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "head_after_load",
            "ticket, the head is read after the load",
            BROKEN,
            flaw(Flaw::HeadAfterLoad, ticket(one_entry())),
        ),
        Scenario::new(
            "stale_before_tags",
            "bridge, a value past its time is served before its tags were judged",
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
