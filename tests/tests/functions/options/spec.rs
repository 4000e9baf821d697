//! The promises of a function's options, read from the words of its attribute.

use super::source::{Failure, Row, life};
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// No value is stored for longer than this, before jitter.
const LONGEST: Duration = life();

/// An option as it is written: its name, and its value or an empty text.
pub(crate) type Written = (&'static str, String);

/// `ttl = "1m", spawn` → `[("ttl", "\"1m\""), ("spawn", "")]`
pub(crate) fn written(options: &'static str) -> Vec<Written> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, letter) in options.char_indices() {
        match letter {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&options[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&options[from..]);
    let split = |part: &'static str| match part.split_once('=') {
        // The compiler breaks lines anywhere.
        Some((name, value)) => (name.trim(), value.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => (part.trim(), String::new()),
    };
    parts.into_iter().map(split).collect()
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option that is there or not")]
pub(crate) struct Spec {
    /// `None`: the value decides.
    ttl: Option<Duration>,
    pub(crate) jitter: f64,
    /// `None`: it is not stored.
    none_ttl: Option<Duration>,
    has_condition: bool,
    pub(crate) listens: bool,
    pub(crate) is_tagged: bool,
    pub(crate) names_tags: bool,
    pub(crate) is_kept: bool,
    pub(crate) revalidate: Duration,
    pub(crate) if_error: Duration,
    /// β.
    pub(crate) ahead: Option<f64>,
    pub(crate) in_background: bool,
    pub(crate) load_timeout: Option<Duration>,
    pub(crate) is_batch: bool,
    /// `None`: no error is stored.
    error_ttl: Option<Duration>,
    pub(crate) absence: Absence,
}

/// How a row that is not there is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    None,
    /// An error that is an answer.
    Error,
    /// An error that is not.
    Failure,
}

impl Spec {
    pub(crate) fn of(options: &[Written]) -> Self {
        let value = |name: &str| options.iter().find(|(option, _)| *option == name).map(|(_, value)| value.as_str());
        let has = |name: &str, part: &str| value(name).is_some_and(|value| value.contains(part));
        let number = |text: &str| text.parse::<f64>().unwrap();
        Self {
            ttl: match value("ttl") {
                Some(closure) if closure.starts_with('|') => None,
                Some("\"timed\"") => Some(MS(120)),
                Some("life()") => Some(life()),
                Some(text) => Some(time(text)),
                None => panic!("the table names a `ttl` for each function"),
            },
            jitter: value("jitter").map_or(0.1, number),
            none_ttl: match value("none_ttl") {
                Some("\"off\"") => None,
                Some(text) => Some(time(text)),
                // The class `short`.
                None => Some(MS(60)),
            },
            has_condition: value("cache_if").is_some(),
            listens: value("invalidate_on").is_some(),
            is_tagged: has("tags", "group:<id>"),
            names_tags: has("tags", "row.tags()"),
            is_kept: value("local").is_some(),
            revalidate: value("stale_while_revalidate").map_or(Duration::ZERO, time),
            if_error: value("stale_if_error").map_or(Duration::ZERO, time),
            ahead: value("refresh_ahead").map(|beta| if beta.is_empty() { 1.0 } else { number(beta) }),
            in_background: value("refresh").is_some(),
            load_timeout: value("load_timeout").map(time),
            is_batch: value("batch").is_some(),
            error_ttl: value("error_if").map(|_| value("error_ttl").map_or(MS(60), time)),
            absence: Absence::None,
        }
    }

    /// The promises about the row with this id.
    pub(crate) fn for_row(&self, id: u64) -> Self {
        if self.is_batch || !Failure::says_gone(id) {
            return self.clone();
        }
        match self.error_ttl {
            Some(ttl) => Self { absence: Absence::Error, none_ttl: Some(ttl), ..self.clone() },
            None => Self { absence: Absence::Failure, ..self.clone() },
        }
    }

    /// The promises about a stored state: an error ends with its time, whatever the options say about values.
    pub(crate) fn for_stored(&self, state: Option<&Row>) -> Self {
        if state.is_some() || self.absence != Absence::Error {
            return self.clone();
        }
        Self { revalidate: Duration::ZERO, if_error: Duration::ZERO, ahead: None, in_background: false, ..self.clone() }
    }

    /// How long a state may be stored, before jitter; `None` if it is not stored.
    pub(crate) fn ttl(&self, state: Option<&Row>) -> Option<Duration> {
        match state {
            None => self.none_ttl,
            Some(row) if self.has_condition && !row.is_kept() => None,
            Some(row) => Some(self.ttl.unwrap_or_else(|| row.ttl())),
        }
    }

    /// From this time on, with a little to spare, nothing is served that is stored by now.
    pub(crate) fn gone_from(&self, now: Duration) -> Duration {
        now + LONGEST.mul_f64(1.0 + self.jitter) + self.window() + MS(10)
    }

    /// How long a value is kept past its end.
    pub(crate) fn window(&self) -> Duration {
        self.revalidate.max(self.if_error)
    }
}

fn time(text: &str) -> Duration {
    MS(text.trim_matches('"').strip_suffix("ms").unwrap().parse().unwrap())
}
