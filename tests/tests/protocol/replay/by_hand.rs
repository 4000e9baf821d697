//! Runs of the model in which a value is set by hand and all promises are kept.

use tests::model::{Action, Task};

pub(crate) struct HandRun {
    pub(crate) name: &'static str,
    /// The scenario to which it belongs.
    pub(crate) of: &'static str,
    pub(crate) steps: Vec<Action>,
    /// What the reads return, in the order in which they do.
    pub(crate) returned: &'static [&'static str],
    /// Lines of the replay's log, each of which must occur once.
    pub(crate) says: &'static [&'static str],
}

const IS_SET: &[&str] = &["a value was set by hand"];
const IS_REFUSED: &[&str] = &["nothing was set by hand: a write is in progress"];

fn of(process: u8) -> Task {
    Task { process, refresh: false }
}

/// A call that finds nothing, and loads.
fn load(process: u8) -> [Action; 4] {
    [Action::Get(process), Action::Acquire(of(process)), Action::Select(of(process)), Action::Fill(of(process))]
}

/// The load is older than the value, so its FILL is refused.
pub(crate) fn set_during_a_load() -> HandRun {
    let begins = [Action::Get(0), Action::Acquire(of(0)), Action::Select(of(0))];
    let steps = [Action::Commit(0), Action::Set, Action::Fill(of(0)), Action::Get(1), Action::Unlink(0)];
    HandRun {
        name: "set_during_a_load",
        of: "set",
        steps: [&begins[..], &steps, &load(0), &[Action::Get(1)]].concat(),
        returned: &["reader 0 returned v0", "reader 1 returned v1", "reader 0 returned v1", "reader 1 returned v1"],
        says: IS_SET,
    }
}

/// Nothing is set between BEGIN and END, and later loads are stored as ever.
pub(crate) fn set_during_a_bracket() -> HandRun {
    let alone = [Action::Get(0), Action::Acquire(of(0)), Action::Select(of(0))];
    HandRun {
        name: "set_during_a_bracket",
        of: "set_bracket",
        steps: [
            &[Action::Begin(0), Action::Set][..],
            &alone,
            &[Action::Commit(0), Action::End(0)],
            &load(1),
            &[Action::Get(0)],
        ]
        .concat(),
        returned: &["reader 0 returned v0", "reader 1 returned v1", "reader 0 returned v1"],
        says: IS_REFUSED,
    }
}

/// A SET that is refused leaves the writer's token where it is, so END puts its value.
pub(crate) fn set_during_a_put() -> HandRun {
    HandRun {
        name: "set_during_a_put",
        of: "set_put",
        steps: vec![Action::Begin(0), Action::Set, Action::Commit(0), Action::End(0), Action::Get(0), Action::Get(1)],
        returned: &["reader 0 returned v1", "reader 1 returned v1"],
        says: IS_REFUSED,
    }
}

/// TAG of the value that is set is refused as well.
pub(crate) fn set_during_a_bracket_of_the_tag() -> HandRun {
    let read = [Action::Get(0), Action::Acquire(of(0)), Action::Tag(of(0)), Action::Select(of(0)), Action::Fill(of(0))];
    HandRun {
        name: "set_during_a_bracket_of_the_tag",
        of: "set_tags",
        steps: [&[Action::Begin(0), Action::SetTag, Action::Commit(0), Action::End(0)][..], &read, &[Action::Get(1)]]
            .concat(),
        returned: &["reader 0 returned v1", "reader 1 returned v1"],
        says: IS_REFUSED,
    }
}

/// SET replaces the lease of another build's load, beside which a value is being loaded. Neither load is served: the
/// base of the one is gone, and the FILL of the other is refused.
pub(crate) fn set_beside_a_load_of_another_build() -> HandRun {
    let other = [Action::Get(1), Action::Acquire(of(1)), Action::Select(of(1))];
    let beside = [Action::Get(0), Action::GetBeside(0), Action::Acquire(of(0)), Action::Select(of(0))];
    let write = [Action::Begin(0), Action::Commit(0), Action::End(0)];
    HandRun {
        name: "set_beside_a_load_of_another_build",
        of: "set_beside",
        steps: [
            &other[..],
            &beside,
            &[Action::Set, Action::Fill(of(0)), Action::Fill(of(1))],
            &write,
            &load(1),
            &[Action::Get(0), Action::GetBeside(0), Action::Acquire(of(0)), Action::Select(of(0)), Action::Fill(of(0))],
        ]
        .concat(),
        returned: &["reader 1 returned v0", "reader 0 returned v0", "reader 1 returned v1", "reader 0 returned v1"],
        says: IS_SET,
    }
}

/// SET replaces the base, so what stands beside it ends.
pub(crate) fn set_over_the_value_of_another_build() -> HandRun {
    let beside = |reader: u8| {
        [
            Action::Get(reader),
            Action::GetBeside(reader),
            Action::Acquire(of(reader)),
            Action::Select(of(reader)),
            Action::Fill(of(reader)),
        ]
    };
    HandRun {
        name: "set_over_the_value_of_another_build",
        of: "set_beside",
        steps: [
            &load(1)[..],
            &beside(0),
            &[Action::Set, Action::Get(0)],
            &beside(1),
            &[Action::Begin(0), Action::Commit(0), Action::End(0)],
            &load(0),
            &beside(1)[..4],
        ]
        .concat(),
        returned: &[
            "reader 1 returned v0",
            "reader 0 returned v0",
            "reader 0 returned v0",
            "reader 1 returned v0",
            "reader 0 returned v1",
            "reader 1 returned v1",
        ],
        says: IS_SET,
    }
}
