//! What a `Deserialize` complains of when it is given something that it did not ask for.
//!
//! Serde's derived code names fields, variants and types in its errors. Behind serde's buffers, nothing else can be
//! learned about a type.

use serde::de;
use std::cell::RefCell;
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complaint {
    Missing(&'static str),
    Duplicate(&'static str),
    Variants(&'static [&'static str]),
    Fields(&'static [&'static str]),
    /// A sequence ended after this number of items.
    Length(usize, String),
    Other(String),
}

thread_local! {
    /// The complaints so far; `None` while nobody collects them.
    static COMPLAINTS: RefCell<Option<Vec<Complaint>>> = const { RefCell::new(None) };
}

fn complain(make: impl FnOnce() -> Complaint) -> Stop {
    // The user's code makes the message and may complain itself, so nothing is borrowed meanwhile.
    if COMPLAINTS.with_borrow(Option::is_some) {
        let complaint = make();
        COMPLAINTS.with_borrow_mut(|all| all.as_mut().map(|all| all.push(complaint)));
    }
    Stop
}

/// Runs a `Deserialize`. Returns whether it made a value, and all of its complaints, including those after which it
/// went on.
pub(super) fn answer_of<T>(run: impl FnOnce() -> Result<T, Stop>) -> Answer {
    let before = COMPLAINTS.replace(Some(Vec::new()));
    let is_ok = succeeds(run);
    let complaints = COMPLAINTS.replace(before).unwrap_or_default();
    Answer { is_ok, complaints }
}

/// Runs a `Deserialize`; whether it made a value. A panic counts as an error, because a `Deserialize` written by hand
/// may panic at input that it does not expect.
pub(super) fn succeeds<T>(run: impl FnOnce() -> Result<T, Stop>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run().is_ok())).unwrap_or(false)
}

/// What a `Deserialize` made of one made-up value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) is_ok: bool,
    pub(super) complaints: Vec<Complaint>,
}

impl Answer {
    /// The names of variants that this answer lists and `other` does not.
    pub(super) fn variants(&self, other: &Self) -> Option<&'static [&'static str]> {
        self.complaints.iter().filter(|one| !other.complaints.contains(one)).find_map(|one| match one {
            Complaint::Variants(variants) => Some(*variants),
            _ => None,
        })
    }

    /// The field that was given twice. It has accepted the first value, or it would have complained of that one.
    pub(super) fn duplicate(&self, other: &Self) -> Option<&'static str> {
        self.complaints.iter().filter(|one| !other.complaints.contains(one)).find_map(|one| match one {
            Complaint::Duplicate(name) => Some(*name),
            _ => None,
        })
    }

    /// The fields that are missing.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.complaints.iter().filter_map(|one| match one {
            Complaint::Missing(name) => Some(*name),
            _ => None,
        })
    }

    /// Whether a sequence ended too early after `items` items, which means that all of these were accepted.
    pub(super) fn ends_after(&self, items: usize) -> bool {
        self.complaints.iter().any(|one| matches!(one, Complaint::Length(length, _) if *length == items))
    }
}

/// The error of every deserializer of made-up values.
#[derive(Debug)]
pub(super) struct Stop;

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trace ends here")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: Display>(message: T) -> Self {
        complain(|| Complaint::Other(message.to_string()))
    }

    // Leaves out what was given, so that every refused value gives the same complaint.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        complain(|| Complaint::Other(expected.to_string()))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        complain(|| Complaint::Other(expected.to_string()))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        complain(|| Complaint::Length(length, expected.to_string()))
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        complain(|| Complaint::Variants(variants))
    }

    fn unknown_field(_: &str, fields: &'static [&'static str]) -> Self {
        complain(|| Complaint::Fields(fields))
    }

    fn missing_field(field: &'static str) -> Self {
        complain(|| Complaint::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        complain(|| Complaint::Duplicate(field))
    }
}
