//! Two builds of one service; neither can read what the other stores.

use super::super::variant::{Flaw, Old, Plan, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn builds(variant: Variant) -> Variant {
    Variant { builds: true, ..variant }
}

fn one(way: Way) -> Variant {
    Variant::new([Some(Plan::entry(way)), None])
}

/// Two callers of the first build share; the other build's reader is in another process.
fn shared(reads: [u8; 3], variant: Variant) -> Variant {
    Variant { shares: true, reads, ..builds(variant) }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), tagged(), flights(), faults(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let plain = || builds(entry(Way::Plain));
    let refreshes = |variant| Variant { refreshes: true, ..variant };
    // Two processes of the second build.
    let three = |variant| Variant { reads: [2, 1, 1], ..variant };
    vec![
        Scenario::new("beside", "c1, two builds", FRESH, plain()),
        Scenario::new("beside_refresh", "beside, and refresh", FRESH, refreshes(plain())),
        Scenario::new("beside_bracket", "beside, bracket, writers crash", BOTH, builds(crash(entry(Way::Bracket))))
            .of([1, 2, 0]),
        Scenario::new(
            "beside_put",
            "beside, a writer of each build puts, both crash",
            BOTH,
            builds(crash(entry(Way::Put))),
        )
        .of([1, 2, 0]),
        Scenario::new("beside_three", "beside, two processes of the second build", FRESH, three(plain())).of([1, 1, 1]),
        Scenario::new(
            "beside_three_refresh",
            "beside_three, more reads, and refresh",
            FRESH,
            refreshes(Variant { reads: [2, 2, 1], ..plain() }),
        )
        .huge(),
        Scenario::new(
            "beside_blind",
            "beside_three, FILL beside the entry compares with nothing",
            FRESH,
            flaw(Flaw::BlindBeside, three(plain())),
        )
        .of([1, 1, 1]),
        Scenario::new(
            "beside_blind_bracket",
            "beside_blind, bracket, writers crash",
            BOTH,
            flaw(Flaw::BlindBeside, three(builds(crash(entry(Way::Bracket))))),
        )
        .huge(),
    ]
}

fn tagged() -> Vec<Scenario> {
    vec![
        Scenario::new("beside_tags", "beside, with a tag", FRESH, builds(tag_and_entry(Way::Plain))).large(),
        Scenario::new(
            "beside_tags_bracket",
            "beside_tags, bracket, writers crash",
            BOTH,
            builds(crash(tag_and_entry(Way::Bracket))),
        )
        .huge(),
        Scenario::new(
            "beside_value_tags",
            "beside, tags from the value",
            FRESH,
            Variant { tags: Tags::FromValue, ..builds(tag_and_entry(Way::Plain)) },
        )
        .large(),
    ]
}

fn flights() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "beside_flight",
            "beside, one writer, two callers share",
            FRESH,
            shared([2, 1, 1], one(Way::Plain)),
        ),
        Scenario::new(
            "beside_flight_bracket",
            "beside_flight, bracket, the writer crashes",
            BOTH,
            shared([2, 1, 1], crash(one(Way::Bracket))),
        )
        .of([1, 1, 1]),
        Scenario::new("beside_flight_put", "beside_flight, two writers put", BOTH, shared([1, 1, 1], entry(Way::Put)))
            .huge(),
        Scenario::new(
            "beside_flight_tags",
            "beside_flight, two writers, with a tag",
            FRESH,
            shared([1, 1, 1], tag_and_entry(Way::Plain)),
        )
        .huge(),
    ]
}

fn faults() -> Vec<Scenario> {
    let plain = || builds(entry(Way::Plain));
    let failover = |old, variant| Variant { failover: Some(old), ..builds(variant) };
    vec![
        Scenario::new("beside_restart", "beside, Redis restarts empty", FRESH, Variant { restarts: true, ..plain() })
            .large(),
        Scenario::new("beside_late", "beside, a command is carried out late", FRESH, Variant { breaks: 1, ..plain() })
            .large(),
        Scenario::new(
            "beside_taken",
            "beside_three, a lease is taken over",
            FRESH,
            Variant { takes_over: true, reads: [2, 1, 1], ..plain() },
        )
        .of([1, 1, 1]),
        Scenario::new("beside_failover", "beside, one writer, a failover", FRESH, failover(Old::Gone, one(Way::Plain)))
            .of([1, 2, 0]),
        Scenario::new(
            "beside_demoted",
            "beside_failover, the old primary answers reads",
            FRESH,
            failover(Old::Demoted, one(Way::Plain)),
        )
        .huge(),
        Scenario::new(
            "beside_two_primaries",
            "beside_demoted, at first it takes writes",
            FRESH,
            failover(Old::Split, one(Way::Plain)),
        )
        .huge(),
        Scenario::new(
            "beside_failover_tag",
            "beside_failover, with a tag",
            FRESH,
            Variant { reads: [1, 2, 0], ..failover(Old::Gone, one_tag(Way::Plain)) },
        )
        .huge(),
    ]
}

fn broken() -> Vec<Scenario> {
    let without = |fault| flaw(fault, builds(entry(Way::Plain)));
    let shared_without = |fault| shared([2, 1, 1], flaw(fault, one(Way::Plain)));
    vec![
        Scenario::new(
            "own_entries",
            "two builds with an entry each, writers delete one",
            BROKEN,
            without(Flaw::OwnEntries),
        ),
        Scenario::new(
            "base_not_recorded",
            "beside, what stands there is good for any entry",
            BROKEN,
            without(Flaw::BaseNotRecorded),
        ),
        Scenario::new(
            "base_after_load",
            "beside, the entry's head is read after the load",
            BROKEN,
            without(Flaw::BaseAfterLoad),
        ),
        Scenario::new(
            "beside_token",
            "beside_put, a writer's token is taken for the lease of the other build's load",
            BROKEN,
            flaw(Flaw::BesideToken, builds(crash(entry(Way::Put)))),
        )
        .of([1, 2, 0]),
        Scenario::new("beside_nothing", "beside, also where there is no entry", BROKEN, without(Flaw::BesideNothing)),
        Scenario::new(
            "fill_proof_without_base",
            "beside_flight, FILL=1 is a proof whatever became of the entry",
            BROKEN,
            shared_without(Flaw::ProofWithoutBase),
        ),
        Scenario::new(
            "found_with_kept_base",
            "beside_flight, what ACQUIRE finds is judged by the entry that was read before",
            BROKEN,
            shared_without(Flaw::KeptBase),
        ),
    ]
}
