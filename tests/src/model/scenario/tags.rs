//! Entries with a tag, named by the call or only by the value.

use super::super::variant::{Flaw, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, flaw, one_tag, tag, tag_and_entry};

pub(super) fn all() -> Vec<Scenario> {
    [known(), from_value()].concat()
}

fn known() -> Vec<Scenario> {
    let evicted = |variant| Variant { tag_evictions: 1, ..variant };
    vec![
        Scenario::new("t1", "tags are counters, never lost", FRESH, flaw(Flaw::TagCounter, tag(Way::Plain))),
        Scenario::new("t2", "t1, evicted", BROKEN, evicted(flaw(Flaw::TagCounter, tag(Way::Plain)))),
        Scenario::new("t3", "tags are stamps, evicted", FRESH, evicted(tag_and_entry(Way::Plain))).large(),
        Scenario::new(
            "t3_refresh",
            "t3, and refresh",
            FRESH,
            Variant { refreshes: true, ..evicted(tag_and_entry(Way::Plain)) },
        )
        .large(),
        Scenario::new("t4", "t3, the tag is read after the load", BROKEN, flaw(Flaw::TagAfterLoad, tag(Way::Plain))),
        Scenario::new("t5", "t3, a writer crashes", BROKEN, crash(tag(Way::Plain))),
        Scenario::new("t6", "t3, bracket, writers crash", BOTH, crash(evicted(tag_and_entry(Way::Bracket)))).large(),
        Scenario::new(
            "t6_restart",
            "t3, bracket, Redis restarts empty",
            FRESH,
            Variant { restarts: true, ..tag_and_entry(Way::Bracket) },
        )
        .large(),
    ]
}

fn from_value() -> Vec<Scenario> {
    let of_value = |variant| Variant { tags: Tags::FromValue, ..variant };
    let evicted = |variant| Variant { tag_evictions: 1, ..of_value(variant) };
    vec![
        Scenario::new(
            "value_tags",
            "tags from the value, with the namespace's register, evicted",
            FRESH,
            evicted(tag_and_entry(Way::Plain)),
        )
        .large(),
        Scenario::new(
            "value_tags_refresh",
            "value_tags, and refresh",
            FRESH,
            Variant { refreshes: true, ..evicted(tag_and_entry(Way::Plain)) },
        )
        .huge(),
        Scenario::new(
            "value_tags_crash",
            "value_tags, bracket, writers crash",
            BOTH,
            crash(of_value(tag_and_entry(Way::Bracket))),
        )
        .large(),
        Scenario::new(
            "value_tags_without_register",
            "value_tags without the namespace's register",
            BROKEN,
            flaw(Flaw::NoNamespaceRegister, of_value(tag(Way::Plain))),
        ),
        Scenario::new(
            "value_tags_without_marker",
            "value_tags_crash, brackets do not mark the namespace",
            BROKEN,
            flaw(Flaw::UnmarkedNamespace, crash(of_value(one_tag(Way::Bracket)))),
        ),
    ]
}
