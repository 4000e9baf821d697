//! Calls that refresh by force.

use super::super::variant::{Flaw, Plan, Tags, Variant, Way};
use super::{BOTH, BROKEN, FRESH, Scenario, crash, entry, flaw};

/// One writer tells nobody of its commit, the other one works in this way.
fn beside(way: Way) -> Variant {
    Variant { forces: 1, ..Variant::new([Some(Plan::entry(Way::Silent)), Some(Plan::entry(way))]) }
}

/// Two calls may refresh by force, beside a writer that tells nobody.
fn twice() -> Variant {
    Variant { forces: 2, writers: [Some(Plan::entry(Way::Silent)), None], ..beside(Way::Plain) }
}

/// As many reads as it takes to go back in time, since there are many steps between them.
fn fewer(variant: Variant) -> Variant {
    Variant { reads: [2, 1, 0], ..variant }
}

fn refreshes(variant: Variant) -> Variant {
    Variant { refreshes: true, ..variant }
}

/// Two callers share, in one process.
fn shared(variant: Variant) -> Variant {
    Variant { shares: true, ..variant }
}

fn with_tag(variant: Variant) -> Variant {
    let writers = [Some(Plan::entry(Way::Silent)), Some(Plan::tag(Way::Bracket))];
    Variant { tags: Tags::Known, writers, ..variant }
}

pub(super) fn all() -> Vec<Scenario> {
    [holding(), broken()].concat()
}

fn holding() -> Vec<Scenario> {
    let bracket = || Variant { forces: 1, ..crash(entry(Way::Bracket)) };
    let put = || Variant { crashes: [false, true], ..beside(Way::Put) };
    vec![
        Scenario::new("forced", "c1, a writer is silent, a call refreshes by force", FRESH, beside(Way::Plain)),
        Scenario::new("forced_refresh", "forced, and refresh", FRESH, refreshes(beside(Way::Plain))).large(),
        Scenario::new("forced_twice", "forced, one writer, two calls do, and refresh", FRESH, refreshes(twice())),
        Scenario::new("forced_bracket", "d2, a call refreshes by force", BOTH, bracket()).large(),
        Scenario::new("forced_bracket_refresh", "forced_bracket, and refresh", BOTH, refreshes(bracket())).huge(),
        Scenario::new("forced_put", "forced, the other writer puts and crashes", FRESH, put()).large(),
        Scenario::new(
            "forced_tags",
            "forced_twice, the other writer brackets a tag and crashes",
            FRESH,
            Variant { crashes: [false, true], ..with_tag(fewer(twice())) },
        )
        .huge(),
        Scenario::new(
            "forced_value_tags",
            "forced_tags, one call does, tags from the value",
            FRESH,
            Variant { tags: Tags::FromValue, forces: 1, crashes: [false, true], ..with_tag(fewer(twice())) },
        )
        .huge(),
        Scenario::new("forced_flight", "forced_twice, callers share", FRESH, shared(refreshes(twice()))).large(),
        Scenario::new(
            "forced_flight_bracket",
            "forced_flight, the other writer brackets and crashes",
            FRESH,
            Variant { crashes: [false, true], forces: 2, ..shared(fewer(beside(Way::Bracket))) },
        )
        .huge(),
        Scenario::new(
            "forced_late",
            "forced, a command is carried out late",
            FRESH,
            Variant { breaks: 1, ..fewer(beside(Way::Plain)) },
        )
        .huge(),
        Scenario::new(
            "forced_beside",
            "forced, two builds",
            FRESH,
            Variant { builds: true, ..fewer(beside(Way::Plain)) },
        )
        .huge(),
        Scenario::new(
            "forced_beside_twice",
            "forced_twice, two builds",
            FRESH,
            Variant { builds: true, ..refreshes(twice()) },
        )
        .large(),
        Scenario::new(
            "forced_ended",
            "forced_twice, a load over a value may find nothing to store",
            FRESH,
            Variant { unstored: true, ..refreshes(twice()) },
        ),
    ]
}

fn broken() -> Vec<Scenario> {
    let one_bracket = [Some(Plan::entry(Way::Bracket)), None];
    let unmarked = Variant { forces: 1, writers: one_bracket, ..crash(entry(Way::Bracket)) };
    vec![
        Scenario::new(
            "forced_by_ticket",
            "forced_twice, a refresh lease in place of TAKEOVER",
            BROKEN,
            flaw(Flaw::ForcedByTicket, twice()),
        ),
        Scenario::new(
            "forced_lease_respected",
            "forced_twice, TAKEOVER leaves the lease of another load",
            BROKEN,
            flaw(Flaw::LeaseRespected, twice()),
        ),
        Scenario::new(
            "forced_head_kept",
            "forced_twice, TAKEOVER gives no fresh head",
            BROKEN,
            flaw(Flaw::HeadKept, refreshes(twice())),
        ),
        Scenario::new(
            "forced_unmarked",
            "forced_bracket, one writer, TAKEOVER does not look at markers",
            BROKEN,
            flaw(Flaw::TakeoverUnmarked, unmarked),
        ),
        Scenario::new(
            "forced_token_respected",
            "forced_put, TAKEOVER leaves a writer's token",
            BROKEN,
            flaw(Flaw::TokenRespected, beside(Way::Put)),
        ),
        Scenario::new(
            "forced_same_id",
            "forced_late, TAKEOVER is sent again with the same id",
            BROKEN,
            Variant { breaks: 1, reads: [1, 1, 0], ..flaw(Flaw::SameTakeover, beside(Way::Plain)) },
        ),
        Scenario::new(
            "forced_shares_load",
            "forced_flight without refresh, who comes after TAKEOVER shares the load",
            BROKEN,
            flaw(Flaw::ForcedSharesLoad, shared(twice())),
        )
        .huge(),
        Scenario::new(
            "forced_shares_proof",
            "forced_flight without refresh, who comes before FILL shares what it has stored",
            BROKEN,
            flaw(Flaw::ForcedSharesProof, shared(twice())),
        ),
    ]
}
