//! Callers of one process share.

use super::super::variant::{Flaw, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw, one_tag, tag, tag_and_entry};

fn shared(variant: Variant) -> Variant {
    Variant { shares: true, ..variant }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let of_value = |variant| Variant { tags: Tags::FromValue, ..variant };
    vec![
        Scenario::new("flight", "two callers share", FRESH, shared(entry(Way::Plain))),
        Scenario::new("flight_bracket", "flight, bracket, writers crash", BOTH, shared(crash(entry(Way::Bracket))))
            .large(),
        Scenario::new("flight_put", "flight, writers put and crash", BOTH, shared(crash(entry(Way::Put)))).large(),
        Scenario::new("flight_tags", "flight, with a tag", FRESH, shared(tag_and_entry(Way::Plain))),
        Scenario::new(
            "flight_tags_three",
            "flight_tags, with a reader in another process",
            FRESH,
            Variant { reads: [2, 1, 1], ..shared(tag_and_entry(Way::Plain)) },
        )
        .huge(),
        Scenario::new(
            "flight_tags_bracket",
            "flight_tags, bracket, writers crash",
            BOTH,
            shared(crash(tag_and_entry(Way::Bracket))),
        )
        .huge(),
        Scenario::new(
            "flight_value_tags",
            "flight, tags from the value",
            FRESH,
            of_value(shared(tag_and_entry(Way::Plain))),
        )
        .large(),
    ]
}

fn broken() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "fill_proof_without_tags",
            "flight_tags, FILL=1 is a proof whatever became of the tag",
            BROKEN,
            flaw(Flaw::ProofWithoutTags, shared(tag(Way::Plain))),
        ),
        Scenario::new(
            "fill_proof_by_answer",
            "flight, who joins before the answer to FILL shares",
            BROKEN,
            flaw(Flaw::ProofByAnswer, shared(entry(Way::Plain))),
        ),
        Scenario::new(
            "found_with_kept_tag",
            "flight_tags, ACQUIRE is announced again, TAG is not sent again",
            BROKEN,
            // The value that is found is another process's.
            Variant { reads: [1; 3], ..flaw(Flaw::KeptTag, shared(one_tag(Way::Plain))) },
        ),
    ]
}
