//! Commands that were on their way when their connection broke, and are carried out at any time later.

use super::super::variant::{Flaw, Plan, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn late(breaks: u8, variant: Variant) -> Variant {
    Variant { breaks, ..variant }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let both = [Some(Plan::both(Way::Put)), Some(Plan::tag(Way::Bracket))];
    vec![
        Scenario::new("late", "c1, a command is carried out late", FRESH, late(1, entry(Way::Plain))),
        Scenario::new("late_twice", "c1, two commands are", FRESH, late(2, entry(Way::Plain))).large(),
        Scenario::new(
            "late_refresh",
            "c6, a command is carried out late",
            FRESH,
            Variant { refreshes: true, ..late(1, entry(Way::Plain)) },
        )
        .large(),
        Scenario::new(
            "late_flight",
            "flight, a command is carried out late",
            FRESH,
            Variant { shares: true, ..late(1, entry(Way::Plain)) },
        )
        .large(),
        Scenario::new(
            "late_bridge",
            "bridge, a command is carried out late",
            FRESH,
            Variant { bridges: true, ..late(1, entry(Way::Plain)) },
        )
        .huge(),
        Scenario::new("late_bracket", "d2, a command is carried out late", BOTH, late(1, crash(entry(Way::Bracket))))
            .large(),
        Scenario::new("late_tags", "t3, a command is carried out late", FRESH, late(1, tag_and_entry(Way::Plain)))
            .large(),
        Scenario::new("late_put", "put, two commands are carried out late", BOTH, late(2, entry(Way::Put))).large(),
        Scenario::new(
            "late_put_again",
            "put, BEGIN is repeated, a command is carried out late",
            BOTH,
            Variant { begins_again: true, ..late(1, entry(Way::Put)) },
        )
        .large(),
        Scenario::new(
            "late_put_both",
            "put_both, a command is carried out late",
            BOTH,
            Variant { reads: [1, 1, 0], tags: Tags::Known, ..late(1, crash(Variant::new(both))) },
        )
        .huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "resend_same_id",
            "late, ACQUIRE is sent again with the same id",
            BROKEN,
            flaw(Flaw::SameId, late(1, entry(Way::Plain))),
        ),
        Scenario::new(
            "resend_same_tag",
            "late_tags, TAG is sent again with the same stamp",
            BROKEN,
            flaw(Flaw::SameId, late(1, one_tag(Way::Plain))),
        ),
        Scenario::new(
            "put_token_again",
            "late_put, a late BEGIN places the same token again",
            BROKEN,
            flaw(Flaw::TokenAgain, late(1, entry(Way::Put))),
        ),
    ]
}
