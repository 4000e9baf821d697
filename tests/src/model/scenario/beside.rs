//! Two builds of one service, neither of which can read what the other stores.

use super::super::variant::{Flaw, Old, Plan, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag_and_entry};

fn builds(variant: Variant) -> Variant {
    Variant { builds: true, ..variant }
}

fn one(way: Way) -> Variant {
    Variant { writers: [Some(Plan::entry(way)), None], ..entry(way) }
}

/// Two callers of the first build share; the other build's reader is in another process.
fn shared(reads: [u8; 3], variant: Variant) -> Variant {
    Variant { shares: true, reads, ..variant }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), flights(), faults(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    vec![
        Scenario::new("beside", "c1, two builds", FRESH, builds(entry(Way::Plain))),
        Scenario::new(
            "beside_refresh",
            "beside, and refresh",
            FRESH,
            Variant { refreshes: true, ..builds(entry(Way::Plain)) },
        ),
        Scenario::new("beside_bracket", "beside, bracket, writers crash", BOTH, builds(crash(entry(Way::Bracket)))),
        Scenario::new(
            "beside_put",
            "beside, writers of both builds put and crash",
            BOTH,
            builds(crash(entry(Way::Put))),
        ),
        Scenario::new("beside_tags", "beside, with a tag", FRESH, builds(tag_and_entry(Way::Plain))),
        Scenario::new(
            "beside_tags_bracket",
            "beside_tags, bracket, writers crash",
            BOTH,
            builds(crash(tag_and_entry(Way::Bracket))),
        ),
        Scenario::new(
            "beside_value_tags",
            "beside, tags from the value",
            FRESH,
            Variant { tags: Tags::FromValue, ..builds(tag_and_entry(Way::Plain)) },
        ),
        Scenario::new(
            "beside_three",
            "beside with three readers",
            FRESH,
            Variant { reads: [2; 3], ..builds(entry(Way::Plain)) },
        ),
        Scenario::new(
            "beside_blind",
            "beside_refresh, FILL beside the entry compares with nothing",
            FRESH,
            Variant { refreshes: true, ..builds(flaw(Flaw::BlindBeside, entry(Way::Plain))) },
        ),
    ]
}

fn flights() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "beside_flight",
            "beside, one writer, two callers share",
            FRESH,
            shared([2, 1, 1], builds(one(Way::Plain))),
        ),
        Scenario::new(
            "beside_flight_bracket",
            "beside_flight, bracket, the writer crashes",
            BOTH,
            shared([2, 1, 1], builds(crash(one(Way::Bracket)))),
        ),
        Scenario::new(
            "beside_flight_put",
            "beside_flight, two writers put",
            BOTH,
            shared([1, 1, 1], builds(entry(Way::Put))),
        ),
        Scenario::new(
            "beside_flight_tags",
            "beside_flight, with a tag",
            FRESH,
            shared([1, 1, 1], builds(tag_and_entry(Way::Plain))),
        ),
    ]
}

fn faults() -> Vec<Scenario> {
    let failover = |old, variant| Variant { reads: [2, 1, 0], failover: Some(old), ..builds(variant) };
    vec![
        Scenario::new(
            "beside_restart",
            "beside, Redis restarts empty",
            FRESH,
            Variant { restarts: true, ..builds(entry(Way::Plain)) },
        ),
        Scenario::new(
            "beside_late",
            "beside, a command is carried out late",
            FRESH,
            Variant { breaks: 1, ..builds(entry(Way::Plain)) },
        ),
        Scenario::new(
            "beside_taken",
            "beside, a lease is taken over",
            FRESH,
            Variant { takes_over: true, ..builds(entry(Way::Plain)) },
        ),
        Scenario::new("beside_failover", "beside, one writer, a failover", FRESH, failover(Old::Gone, one(Way::Plain))),
        Scenario::new(
            "beside_demoted",
            "beside_failover, the old primary answers reads",
            FRESH,
            failover(Old::Demoted, one(Way::Plain)),
        ),
        Scenario::new(
            "beside_two_primaries",
            "beside_demoted, at first it takes writes",
            FRESH,
            failover(Old::Split, one(Way::Plain)),
        ),
        Scenario::new(
            "beside_failover_tag",
            "beside_failover, with a tag",
            FRESH,
            failover(Old::Gone, one_tag(Way::Plain)),
        ),
    ]
}

fn broken() -> Vec<Scenario> {
    let without = |fault, variant| flaw(fault, builds(variant));
    vec![
        Scenario::new(
            "own_entries",
            "two builds with an entry each, writers delete one",
            BROKEN,
            without(Flaw::OwnEntries, entry(Way::Plain)),
        ),
        Scenario::new(
            "base_not_recorded",
            "beside, what stands there is good for any entry",
            BROKEN,
            without(Flaw::BaseNotRecorded, entry(Way::Plain)),
        ),
        Scenario::new(
            "base_after_load",
            "beside, the entry's head is read after the load",
            BROKEN,
            without(Flaw::BaseAfterLoad, entry(Way::Plain)),
        ),
        Scenario::new(
            "beside_nothing",
            "beside, also where there is no entry",
            BROKEN,
            without(Flaw::BesideNothing, entry(Way::Plain)),
        ),
        Scenario::new(
            "fill_proof_without_base",
            "beside_flight, FILL=1 is a proof whatever became of the entry",
            BROKEN,
            shared([2, 1, 1], without(Flaw::ProofWithoutBase, one(Way::Plain))),
        ),
        Scenario::new(
            "found_with_kept_base",
            "beside_flight, ACQUIRE is announced, the entry is not read again",
            BROKEN,
            shared([2, 1, 1], without(Flaw::KeptBase, one(Way::Plain))),
        ),
    ]
}
