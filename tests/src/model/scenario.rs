//! What is searched, under the names of the protocol's notes, and what is expected.

use super::variant::{Flaw, Plan, Tags, Variant, Way};

/// What a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No run breaks the rule.
    Holds,
    /// Some run does.
    Broken,
}

/// A variant with a name and the expected verdicts.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// A short name.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// What is searched.
    pub variant: Variant,
    /// Whether reads are fresh.
    pub fresh: Verdict,
    /// Whether reads are linearizable.
    pub linearizable: Verdict,
}

use Verdict::{Broken, Holds};

fn scenario(
    name: &'static str,
    what: &'static str,
    [fresh, linearizable]: [Verdict; 2],
    variant: Variant,
) -> Scenario {
    Scenario { name, what, variant, fresh, linearizable }
}

fn entry(way: Way) -> Variant {
    Variant::new([Some(Plan::entry(way)); 2])
}

fn tag(way: Way) -> Variant {
    Variant { tags: Tags::Known, ..Variant::new([Some(Plan::tag(way)); 2]) }
}

fn tag_and_entry(way: Way) -> Variant {
    Variant { tags: Tags::Known, ..Variant::new([Some(Plan::tag(way)), Some(Plan::entry(way))]) }
}

/// All scenarios.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    [plain(), bracket(), bracket_broken(), tags(), puts(), flights(), late()].concat()
}

fn plain() -> Vec<Scenario> {
    let plain = || entry(Way::Plain);
    let flaw = |flaw| Variant { flaw, ..plain() };
    vec![
        scenario("a1", "GET, SET, DEL", [Broken, Broken], flaw(Flaw::NoLease)),
        scenario(
            "a2",
            "double delete",
            [Broken, Broken],
            Variant { flaw: Flaw::NoLease, ..entry(Way::DoubleDelete) },
        ),
        scenario("b", "a lock around load and SET", [Broken, Broken], flaw(Flaw::Lock)),
        scenario("c1", "lease in the value's key", [Holds, Broken], plain()),
        scenario("c3", "lease in its own key, DEL of the value", [Broken, Broken], flaw(Flaw::LeaseKeyForgotten)),
        scenario("c4", "... DEL of the value, then of the lease", [Broken, Broken], flaw(Flaw::ValueThenLease)),
        scenario("c5", "... DEL of the lease, then of the value", [Holds, Broken], flaw(Flaw::LeaseThenValue)),
        scenario("c6", "refresh that stores if unchanged", [Holds, Broken], Variant { refreshes: true, ..plain() }),
        scenario(
            "c7",
            "refresh that stores blindly",
            [Broken, Broken],
            Variant { refreshes: true, ..flaw(Flaw::BlindRefresh) },
        ),
        scenario("c8", "load in an older snapshot", [Broken, Broken], flaw(Flaw::OldSnapshot)),
        scenario(
            "c9",
            "callers share any load under way",
            [Broken, Broken],
            Variant { shares: true, ..flaw(Flaw::ShareAnyLoad) },
        ),
        scenario(
            "c10",
            "callers share what is proved, and refresh",
            [Holds, Broken],
            Variant { shares: true, refreshes: true, ..plain() },
        ),
        scenario("c11", "writer crashes", [Broken, Broken], Variant { crashes: true, ..plain() }),
        scenario("c14", "Redis restarts empty", [Holds, Broken], Variant { restarts: true, ..plain() }),
    ]
}

fn bracket() -> Vec<Scenario> {
    let bracket = || entry(Way::Bracket);
    let crash = || Variant { crashes: true, ..bracket() };
    vec![
        scenario("d1", "bracket", [Holds, Holds], bracket()),
        scenario("d2", "bracket, crash", [Holds, Holds], crash()),
        scenario("d2 again", "d2, BEGIN repeated", [Holds, Holds], Variant { begins_again: true, ..crash() }),
        scenario(
            "d3",
            "d2, refresh and shared loads",
            [Holds, Holds],
            Variant { shares: true, refreshes: true, ..crash() },
        ),
        scenario("d4", "d2, complete at the commit", [Holds, Holds], Variant { complete_at_commit: true, ..crash() }),
        scenario(
            "d5",
            "d2, the other writer does not bracket",
            [Holds, Broken],
            Variant { crashes: false, ..Variant::new([Some(Plan::entry(Way::Bracket)), Some(Plan::entry(Way::Plain))]) },
        ),
        scenario("d7", "marker ends before the commit", [Holds, Broken], Variant { late_commits: true, ..bracket() }),
        scenario("d14", "d1, Redis restarts empty", [Holds, Broken], Variant { restarts: true, ..bracket() }),
    ]
}

fn bracket_broken() -> Vec<Scenario> {
    let crash = || Variant { crashes: true, ..entry(Way::Bracket) };
    let flaw = |flaw| Variant { flaw, ..crash() };
    vec![
        scenario("d6", "one marker for all, crash", [Broken, Broken], flaw(Flaw::SharedMarker)),
        scenario("d8", "d7 and crash", [Broken, Broken], Variant { late_commits: true, ..crash() }),
        scenario("d15", "d14 and crash", [Broken, Broken], Variant { restarts: true, ..crash() }),
        scenario("d16", "BEGIN does not delete, crash", [Broken, Broken], flaw(Flaw::NoDeleteAtBegin)),
        scenario("d17", "ACQUIRE does not look at markers, crash", [Broken, Broken], flaw(Flaw::NoMarkerCheck)),
        scenario(
            "d18",
            "END does not delete, marker ends before the commit",
            [Broken, Broken],
            Variant { crashes: false, late_commits: true, ..flaw(Flaw::NoDeleteAtEnd) },
        ),
    ]
}

fn tags() -> Vec<Scenario> {
    vec![
        scenario(
            "t1",
            "counters that are never lost",
            [Holds, Broken],
            Variant { flaw: Flaw::TagCounter, ..tag(Way::Plain) },
        ),
        scenario(
            "t2",
            "counters, evicted",
            [Broken, Broken],
            Variant { flaw: Flaw::TagCounter, tag_evictions: 1, ..tag(Way::Plain) },
        ),
        scenario("t3", "stamps, evicted", [Holds, Broken], Variant { tag_evictions: 1, ..tag_and_entry(Way::Plain) }),
        scenario(
            "t4",
            "tag read after the load",
            [Broken, Broken],
            Variant { flaw: Flaw::TagAfterLoad, ..tag(Way::Plain) },
        ),
        scenario("t5", "writer crashes", [Broken, Broken], Variant { crashes: true, ..tag(Way::Plain) }),
        scenario(
            "t6",
            "bracket, crash, evicted",
            [Holds, Holds],
            Variant { crashes: true, tag_evictions: 1, ..tag_and_entry(Way::Bracket) },
        ),
        scenario(
            "value tags",
            "tags from the value, namespace's register",
            [Holds, Broken],
            Variant { tags: Tags::FromValue, tag_evictions: 1, ..tag_and_entry(Way::Plain) },
        ),
        scenario(
            "value tags crash",
            "... bracket, crash",
            [Holds, Holds],
            Variant { tags: Tags::FromValue, crashes: true, ..tag_and_entry(Way::Bracket) },
        ),
        scenario(
            "value_tags_without_register",
            "... without the namespace's register",
            [Broken, Broken],
            Variant { tags: Tags::FromValue, flaw: Flaw::NoNamespaceRegister, ..tag(Way::Plain) },
        ),
        scenario(
            "value_tags_without_marker",
            "... whose brackets do not mark it, crash",
            [Broken, Broken],
            Variant { tags: Tags::FromValue, crashes: true, flaw: Flaw::UnmarkedNamespace, ..tag(Way::Bracket) },
        ),
    ]
}

fn puts() -> Vec<Scenario> {
    let two = || entry(Way::Put);
    vec![
        scenario("put", "two writers that put", [Holds, Holds], two()),
        scenario("put crash", "... and may crash", [Holds, Holds], Variant { crashes: true, ..two() }),
        scenario(
            "put plain",
            "one puts, one is plain",
            [Holds, Broken],
            Variant::new([Some(Plan::entry(Way::Put)), Some(Plan::entry(Way::Plain))]),
        ),
        scenario(
            "put tag",
            "one puts an entry with a tag, one brackets the tag",
            [Holds, Holds],
            Variant {
                tags: Tags::Known,
                crashes: true,
                ..Variant::new([Some(Plan::entry(Way::Put)), Some(Plan::tag(Way::Bracket))])
            },
        ),
        scenario(
            "put both",
            "one puts entry and tag, one brackets the tag",
            [Holds, Holds],
            Variant {
                tags: Tags::Known,
                crashes: true,
                ..Variant::new([Some(Plan::both(Way::Put)), Some(Plan::tag(Way::Bracket))])
            },
        ),
        scenario(
            "put late",
            "two writers that put, marker ends before the commit",
            [Holds, Broken],
            Variant { late_commits: true, ..two() },
        ),
        scenario(
            "put_without_token",
            "END stores when nobody else has a marker",
            [Broken, Broken],
            Variant { flaw: Flaw::PutWithoutToken, ..two() },
        ),
    ]
}

fn flights() -> Vec<Scenario> {
    let shared = |variant| Variant { shares: true, ..variant };
    let flaw = |flaw| Variant { flaw, ..shared(tag(Way::Plain)) };
    vec![
        scenario("flight", "two callers share", [Holds, Broken], shared(entry(Way::Plain))),
        scenario("flight bracket", "... bracket, crash", [Holds, Holds], shared(Variant { crashes: true, ..entry(Way::Bracket) })),
        scenario("flight tags", "two callers share, with a tag", [Holds, Broken], shared(tag_and_entry(Way::Plain))),
        scenario(
            "fill_proof_without_tags",
            "FILL=1 is taken as a proof whatever became of the tag",
            [Broken, Broken],
            flaw(Flaw::ProofWithoutTags),
        ),
        scenario(
            "fill_proof_by_answer",
            "who joins before the answer of FILL shares",
            [Broken, Broken],
            Variant { flaw: Flaw::ProofByAnswer, ..shared(entry(Way::Plain)) },
        ),
        scenario(
            "found_with_kept_tag",
            "ACQUIRE is repeated, TAG is not",
            [Broken, Broken],
            // Another process's value is what is found.
            Variant { reads: [1; 3], ..flaw(Flaw::KeptTag) },
        ),
    ]
}

fn late() -> Vec<Scenario> {
    let late = |breaks, variant| Variant { breaks, ..variant };
    vec![
        scenario("late", "commands carried out late", [Holds, Broken], late(1, entry(Way::Plain))),
        scenario("late bracket", "... bracket, crash", [Holds, Holds], late(1, Variant { crashes: true, ..entry(Way::Bracket) })),
        scenario("late tags", "... with a tag", [Holds, Broken], late(1, tag_and_entry(Way::Plain))),
        scenario("late put", "... two writers that put", [Holds, Holds], late(2, entry(Way::Put))),
        scenario(
            "resend_same_id",
            "ACQUIRE is sent again with the same id",
            [Broken, Broken],
            Variant { flaw: Flaw::SameId, ..late(1, entry(Way::Plain)) },
        ),
        scenario(
            "resend_same_tag",
            "TAG is sent again with the same stamp",
            [Broken, Broken],
            Variant { flaw: Flaw::SameId, ..late(1, tag(Way::Plain)) },
        ),
        scenario(
            "put_token_again",
            "a late BEGIN places the same token again",
            [Broken, Broken],
            Variant { flaw: Flaw::TokenAgain, ..late(1, entry(Way::Put)) },
        ),
    ]
}
