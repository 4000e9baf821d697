//! Durations as they are written in options: `"90s"`, `"5m"`, `"1h30m"`.

use std::fmt;

use syn::LitInt;

use crate::diagnostics::list;

/// The longest accepted duration. A longer one is probably a wrong unit.
const LONGEST: u64 = 365 * 86_400_000;

struct Unit {
    name: &'static str,
    millis: u64,
    /// What people write instead, in lower case.
    aliases: &'static [&'static str],
}

/// From large to small, which is their order in a duration.
const UNITS: [Unit; 5] = [
    Unit { name: "d", millis: 86_400_000, aliases: &["day", "days"] },
    Unit { name: "h", millis: 3_600_000, aliases: &["hr", "hrs", "hour", "hours"] },
    Unit { name: "m", millis: 60_000, aliases: &["min", "mins", "minute", "minutes"] },
    Unit { name: "s", millis: 1_000, aliases: &["sec", "secs", "second", "seconds"] },
    Unit { name: "ms", millis: 1, aliases: &["milli", "millis", "msec", "msecs", "millisecond", "milliseconds"] },
];

/// Why a text is not a duration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing, something that does not begin with a digit, or a time of day.
    Malformed,
    /// `"0s"`.
    Zero,
    /// More than a year.
    TooLong,
    /// `"90"`: digits without a unit.
    NoUnit(String),
    /// `"1.5h"`.
    Fraction,
    /// `"30m1h"`, `"1m1m"`.
    Order,
    /// `"5 minutes"`: the unit as written and, if the meaning is clear, how to write the duration.
    Unit { unit: String, meant: Option<String> },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a duration; write for example `90s`, `5m` or `1h30m`"),
            Self::Zero => f.write_str("a duration of zero caches nothing; write at least `1ms`"),
            Self::TooLong => f.write_str("longer than a year; write at most `365d`"),
            Self::NoUnit(digits) => write!(f, "a duration needs a unit; write `{digits}s` for seconds"),
            Self::Fraction => f.write_str("a duration takes whole numbers; write `1h30m` for one and a half hours"),
            Self::Order => f.write_str("write each unit at most once, the larger one first, for example `1h30m`"),
            Self::Unit { meant: Some(meant), .. } => write!(f, "write `{meant}`"),
            Self::Unit { unit, meant: None } => {
                write!(f, "unknown unit `{unit}`; the units are {}", list(UNITS.iter().map(|unit| unit.name)))
            }
        }
    }
}

/// How to write a duration that has no quotes: `300`, `5m`.
pub(crate) fn of_number(number: &LitInt) -> String {
    let written = number.to_string();
    if millis(&written).is_ok() {
        return format!("is a string; write `ttl = \"{written}\"`");
    }
    format!("needs a unit; write `ttl = \"{}s\"` for seconds", number.base10_digits())
}

/// The duration in milliseconds.
pub(crate) fn millis(text: &str) -> Result<u64, Fault> {
    // `01:30:00`
    if text.contains(':') {
        return Err(Fault::Malformed);
    }
    if text.contains('.') {
        return Err(Fault::Fraction);
    }
    let parts = split(text)?;
    let mut total: u64 = 0;
    let mut smallest_yet = None;
    for (digits, written) in &parts {
        let unit = UNITS.iter().position(|unit| unit.name == *written).ok_or_else(|| unknown_unit(written, &parts))?;
        if smallest_yet.is_some_and(|smallest| unit <= smallest) {
            return Err(Fault::Order);
        }
        smallest_yet = Some(unit);

        let per_unit = UNITS.get(unit).map_or(0, |unit| unit.millis);
        // Digits that do not fit into 64 bits are too long in any unit.
        let number: u64 = digits.parse().map_err(|_| Fault::TooLong)?;
        total = number.checked_mul(per_unit).and_then(|part| total.checked_add(part)).ok_or(Fault::TooLong)?;
    }
    match total {
        0 => Err(Fault::Zero),
        total if total > LONGEST => Err(Fault::TooLong),
        total => Ok(total),
    }
}

/// `"1h30m"` as `[("1", "h"), ("30", "m")]`; the units are not checked here.
fn split(text: &str) -> Result<Vec<(&str, &str)>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        if digits.is_empty() {
            return Err(Fault::Malformed);
        }
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        if unit.is_empty() {
            return Err(Fault::NoUnit(digits.to_owned()));
        }
        parts.push((digits, unit));
        rest = after;
    }
    if parts.is_empty() { Err(Fault::Malformed) } else { Ok(parts) }
}

/// The fault for an unknown unit. Suggests `5m` for `5 minutes`, if every part has a known meaning.
fn unknown_unit(written: &str, parts: &[(&str, &str)]) -> Fault {
    let meant: Option<String> = parts
        .iter()
        .map(|(digits, written)| {
            let written = written.trim().to_lowercase();
            let unit = UNITS.iter().find(|unit| unit.name == written || unit.aliases.contains(&written.as_str()))?;
            Some(format!("{digits}{}", unit.name))
        })
        .collect();
    Fault::Unit { unit: written.trim().to_owned(), meant: meant.filter(|meant| millis(meant).is_ok()) }
}
