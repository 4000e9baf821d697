//! The forms of types of other crates, each behind the feature that is named after its crate.
//!
//! Dates and times have the form of ISO 8601, but without colons, which separate segments: `2026-01-31T120000Z`.

use super::{KeyIdentity, KeySegment, SegmentWriter};
#[cfg(any(feature = "chrono", feature = "time"))]
use std::fmt::Write as _;

/// Appends a date: `2026-01-31`, `-0044-03-15`.
#[cfg(any(feature = "chrono", feature = "time"))]
fn push_date(out: &mut String, year: i32, month: u32, day: u32) {
    let sign = if year < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
}

/// Appends a time of day: `T120000`, `T235959.500000000`. In a leap second, `chrono` counts more nanoseconds than a
/// second has: `T235959+1.500000000`.
#[cfg(any(feature = "chrono", feature = "time"))]
fn push_time(out: &mut String, hour: u32, minute: u32, second: u32, nanos: u32) {
    const SECOND: u32 = 1_000_000_000;
    let _ = write!(out, "T{hour:02}{minute:02}{second:02}");
    if nanos >= SECOND {
        out.push_str("+1");
    }
    if !nanos.is_multiple_of(SECOND) {
        let _ = write!(out, ".{:09}", nanos % SECOND);
    }
}

/// Appends the offset of a time zone: `UTC+0130`, `UTC-0500`, and with seconds `UTC+000001`. The name keeps it from
/// looking like an integer.
#[cfg(any(feature = "chrono", feature = "time"))]
fn push_offset(out: &mut String, seconds: i32) {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let _ = write!(out, "UTC{sign}{:02}{:02}", all / 3600, all / 60 % 60);
    if !all.is_multiple_of(60) {
        let _ = write!(out, "{:02}", all % 60);
    }
}

macro_rules! forms {
    ($([$($generics:tt)*] $ty:ty: $value:ident, $out:ident => $form:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> KeyIdentity for $ty {
            fn write(&self, $out: &mut SegmentWriter<'_>) {
                let $value = self;
                $form;
            }
        }

        impl<$($generics)*> KeySegment for $ty {}
    )*};
}

#[cfg(feature = "uuid")]
forms! {
    [] uuid::Uuid: id, out => out.part().push_str(id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
}

#[cfg(feature = "chrono")]
mod chrono {
    use super::{KeyIdentity, KeySegment, SegmentWriter, push_date, push_offset, push_time};
    use chrono::{DateTime, Datelike as _, FixedOffset, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
    use chrono::{TimeZone, Timelike as _, Weekday};

    fn date(out: &mut String, date: NaiveDate) {
        push_date(out, date.year(), date.month(), date.day());
    }

    fn time(out: &mut String, time: NaiveTime) {
        push_time(out, time.hour(), time.minute(), time.second(), time.nanosecond());
    }

    fn date_time(out: &mut String, both: NaiveDateTime) {
        date(out, both.date());
        time(out, both.time());
    }

    forms! {
        [Tz: TimeZone] DateTime<Tz>: moment, out => {
            let out = out.part();
            date_time(out, moment.naive_utc());
            out.push('Z');
        };
        [] NaiveDateTime: both, out => date_time(out.part(), *both);
        [] NaiveDate: day, out => date(out.part(), *day);
        [] NaiveTime: clock, out => time(out.part(), *clock);
        [] FixedOffset: offset, out => push_offset(out.part(), offset.local_minus_utc());
        [] TimeDelta: span, out => out.tuple(&[&span.num_seconds(), &span.subsec_nanos()]);
        [] Month: month, out => out.text(month.name());
        [] Weekday: day, out => out.text(&day.to_string());
    }
}

#[cfg(feature = "time")]
mod time {
    use super::{KeyIdentity, KeySegment, SegmentWriter, push_date, push_offset, push_time};
    use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset, Weekday};

    fn date(out: &mut String, date: Date) {
        push_date(out, date.year(), u8::from(date.month()).into(), date.day().into());
    }

    fn time(out: &mut String, time: Time) {
        let (hour, minute, second, nanos) = time.as_hms_nano();
        push_time(out, hour.into(), minute.into(), second.into(), nanos);
    }

    fn utc(out: &mut SegmentWriter<'_>, moment: UtcDateTime) {
        let out = out.part();
        date(out, moment.date());
        time(out, moment.time());
        out.push('Z');
    }

    forms! {
        [] OffsetDateTime: moment, out => match moment.checked_to_utc() {
            Some(moment) => utc(out, moment),
            // In UTC, its year is beyond those that the crate knows.
            None => out.variant("unix", &[&moment.unix_timestamp(), &moment.nanosecond()]),
        };
        [] UtcDateTime: moment, out => utc(out, *moment);
        [] PrimitiveDateTime: both, out => {
            let out = out.part();
            date(out, both.date());
            time(out, both.time());
        };
        [] Date: day, out => date(out.part(), *day);
        [] Time: clock, out => time(out.part(), *clock);
        [] UtcOffset: offset, out => push_offset(out.part(), offset.whole_seconds());
        [] Duration: span, out => out.tuple(&[&span.whole_seconds(), &span.subsec_nanoseconds()]);
        [] Month: month, out => out.text(&month.to_string());
        [] Weekday: day, out => out.text(&day.to_string());
    }
}

#[cfg(feature = "rust_decimal")]
forms! {
    [] rust_decimal::Decimal: number, out => {
        // `1.0` is `1.00`, and `-0` is `0`.
        let number = number.normalize();
        let part = out.part();
        part.push_str(&number.to_string());
        // So that it does not look like an integer.
        if number.is_integer() {
            part.push_str(".0");
        }
    };
}

#[cfg(test)]
mod tests;
