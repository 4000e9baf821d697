//! Writers that store the new value with END.

use super::super::variant::{Flaw, Plan, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw};

fn with_tag(plans: [Plan; 2]) -> Variant {
    Variant { tags: Tags::Known, ..Variant::new(plans.map(Some)) }
}

pub(super) fn all() -> Vec<Scenario> {
    [entries(), tags()].concat()
}

fn entries() -> Vec<Scenario> {
    let two = || entry(Way::Put);
    let mixed = || Variant::new([Some(Plan::entry(Way::Put)), Some(Plan::entry(Way::Plain))]);
    vec![
        Scenario::new("put", "two writers that put", BOTH, two()),
        Scenario::new("put_crash", "put, writers crash", BOTH, crash(two())),
        Scenario::new(
            "put_again",
            "put_crash, BEGIN is repeated",
            BOTH,
            Variant { begins_again: true, ..crash(two()) },
        )
        .large(),
        Scenario::new("put_refresh", "put_crash, and refresh", BOTH, Variant { refreshes: true, ..crash(two()) })
            .of([2, 1, 0]),
        Scenario::new(
            "put_plain",
            "one puts and may crash, one is plain",
            FRESH,
            Variant { crashes: [true, false], ..mixed() },
        ),
        Scenario::new(
            "put_in_time",
            "put, a marker ends before the commit",
            FRESH,
            Variant { late_commits: true, ..two() },
        ),
        Scenario::new("put_restart", "put, Redis restarts empty", FRESH, Variant { restarts: true, ..two() }),
        Scenario::new(
            "put_without_token",
            "put, END stores when nobody else has a marker",
            BROKEN,
            flaw(Flaw::PutWithoutToken, two()),
        ),
    ]
}

fn tags() -> Vec<Scenario> {
    let (entry, both, tag) = (Plan::entry(Way::Put), Plan::both(Way::Put), Plan::tag(Way::Bracket));
    vec![
        Scenario::new(
            "put_tag",
            "one puts an entry with a tag, one brackets the tag, both crash",
            BOTH,
            crash(with_tag([entry, tag])),
        )
        .large(),
        Scenario::new(
            "put_both",
            "one puts an entry and writes its tag, one brackets the tag, both crash",
            BOTH,
            crash(with_tag([both, tag])),
        )
        .large(),
        Scenario::new(
            "put_both_twice",
            "two put an entry and write its tag, both crash",
            BOTH,
            crash(with_tag([both; 2])),
        )
        .large(),
        Scenario::new(
            "put_tag_plain",
            "one puts an entry with a tag, one writes the tag and is plain",
            FRESH,
            with_tag([entry, Plan::tag(Way::Plain)]),
        )
        .large(),
    ]
}
