//! Commit, then delete.

use super::super::variant::{Flaw, Variant, Way};
use super::{BROKEN, FRESH, Scenario, crash, entry, flaw};

pub(super) fn all() -> Vec<Scenario> {
    [naive(), leased(), broken()].concat()
}

fn naive() -> Vec<Scenario> {
    let plain = || entry(Way::Plain);
    vec![
        Scenario::new("a1", "GET, SET, DEL", BROKEN, flaw(Flaw::NoLease, plain())),
        Scenario::new("a2", "double delete", BROKEN, flaw(Flaw::NoLease, entry(Way::DoubleDelete))),
        Scenario::new("b", "a lock around load and SET", BROKEN, flaw(Flaw::Lock, plain())),
    ]
}

fn leased() -> Vec<Scenario> {
    let plain = || entry(Way::Plain);
    let shared = || Variant { refreshes: true, shares: true, ..plain() };
    vec![
        Scenario::new("c1", "lease in the value's key", FRESH, plain()),
        Scenario::new("c1_three", "c1 with three readers", FRESH, Variant { reads: [2; 3], ..plain() }).huge(),
        Scenario::new(
            "c5",
            "lease in its own key: DEL of the lease, then of the value",
            FRESH,
            flaw(Flaw::LeaseThenValue, plain()),
        ),
        Scenario::new("c6", "a refresh stores if unchanged", FRESH, Variant { refreshes: true, ..plain() }),
        Scenario::new("c10", "c6, callers share what is proved", FRESH, shared()),
        Scenario::new(
            "c10_three",
            "c10 with a reader in another process",
            FRESH,
            Variant { reads: [2, 1, 1], ..shared() },
        )
        .huge(),
        Scenario::new("c14", "c1, Redis restarts empty", FRESH, Variant { restarts: true, ..plain() }),
    ]
}

fn broken() -> Vec<Scenario> {
    let plain = || entry(Way::Plain);
    vec![
        Scenario::new("c3", "lease in its own key: DEL of the value", BROKEN, flaw(Flaw::LeaseKeyForgotten, plain())),
        Scenario::new("c4", "c3, then DEL of the lease", BROKEN, flaw(Flaw::ValueThenLease, plain())),
        Scenario::new(
            "c7",
            "a refresh stores blindly",
            BROKEN,
            Variant { refreshes: true, ..flaw(Flaw::BlindRefresh, plain()) },
        ),
        Scenario::new("c8", "the load reads an older snapshot", BROKEN, flaw(Flaw::OldSnapshot, plain())),
        Scenario::new(
            "c9",
            "callers share any load under way",
            BROKEN,
            Variant { shares: true, ..flaw(Flaw::ShareAnyLoad, plain()) },
        ),
        Scenario::new("c11", "c1, a writer crashes", BROKEN, crash(plain())),
    ]
}
