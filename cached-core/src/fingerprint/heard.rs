//! What a `Deserialize` says when it is answered with what it did not want: serde's derived code names fields, variants and
//! types in its errors, and those are the only words that come out of a buffered form.

use serde::de;
use std::cell::RefCell;
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    Missing(&'static str),
    Duplicate(&'static str),
    Variants(&'static [&'static str]),
    Fields(&'static [&'static str]),
    /// A sequence ended after so many items.
    Length(usize, String),
    Other(String),
}

thread_local! {
    /// The complaints so far, while somebody listens.
    static EAR: RefCell<Option<Vec<Heard>>> = const { RefCell::new(None) };
}

fn hear(heard: impl FnOnce() -> Heard) -> Stop {
    // A message is made by the user's code, so nothing is borrowed meanwhile.
    if EAR.with_borrow(Option::is_some) {
        let heard = heard();
        EAR.with_borrow_mut(|ear| ear.as_mut().map(|ear| ear.push(heard)));
    }
    Stop
}

/// Runs a `Deserialize`. Returns whether it made a value, and what it complained of, also where it went on all the same.
pub(super) fn listen<T>(run: impl FnOnce() -> Result<T, Stop>) -> Answer {
    let before = EAR.replace(Some(Vec::new()));
    let is_ok = is_made(run);
    let heard = EAR.replace(before).unwrap_or_default();
    Answer { is_ok, heard }
}

/// Runs a `Deserialize`. One that is written by hand may take its input for granted; a panic there is like an error.
pub(super) fn is_made<T>(run: impl FnOnce() -> Result<T, Stop>) -> bool {
    catch_unwind(AssertUnwindSafe(|| run().is_ok())).unwrap_or(false)
}

/// What came of one made-up value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) is_ok: bool,
    pub(super) heard: Vec<Heard>,
}

impl Answer {
    /// The names of variants that it tells and `other` does not.
    pub(super) fn variants(&self, other: &Self) -> Option<&'static [&'static str]> {
        self.heard.iter().filter(|heard| !other.heard.contains(heard)).find_map(|heard| match heard {
            Heard::Variants(variants) => Some(*variants),
            _ => None,
        })
    }

    /// The field that was given twice. It has taken the first value, or it would have complained of that.
    pub(super) fn duplicate(&self, other: &Self) -> Option<&'static str> {
        self.heard.iter().filter(|heard| !other.heard.contains(heard)).find_map(|heard| match heard {
            Heard::Duplicate(name) => Some(*name),
            _ => None,
        })
    }

    /// The fields that are missing.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.heard.iter().filter_map(|heard| match heard {
            Heard::Missing(name) => Some(*name),
            _ => None,
        })
    }

    /// Whether a sequence was not long enough with so many items, so that it has taken all of these.
    pub(super) fn ends_after(&self, items: usize) -> bool {
        self.heard.iter().any(|heard| matches!(heard, Heard::Length(length, _) if *length == items))
    }
}

/// The error of all that is made up.
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
        hear(|| Heard::Other(message.to_string()))
    }

    // What was given instead is known, and left out, so that all that is refused is refused with the same words.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        hear(|| Heard::Other(expected.to_string()))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        hear(|| Heard::Other(expected.to_string()))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        hear(|| Heard::Length(length, expected.to_string()))
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        hear(|| Heard::Variants(variants))
    }

    fn unknown_field(_: &str, fields: &'static [&'static str]) -> Self {
        hear(|| Heard::Fields(fields))
    }

    fn missing_field(field: &'static str) -> Self {
        hear(|| Heard::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        hear(|| Heard::Duplicate(field))
    }
}
