//! Values of types of other crates, and paths: what is equal though it is written differently, and what is nearly equal.

use cached_core::CacheKey;
use fastrand::Rng;
use rust_decimal::Decimal;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, CacheKey)]
pub(crate) enum Argument {
    Moment(chrono::DateTime<chrono::FixedOffset>),
    Local(chrono::NaiveDateTime),
    Day(chrono::NaiveDate),
    Clock(chrono::NaiveTime),
    Zone(chrono::FixedOffset),
    Span(chrono::TimeDelta),
    Weekday(chrono::Weekday),
    Month(chrono::Month),
    OtherMoment(time::OffsetDateTime),
    OtherLocal(time::PrimitiveDateTime),
    OtherDay(time::Date),
    OtherClock(time::Time),
    OtherZone(time::UtcOffset),
    OtherSpan(time::Duration),
    OtherWeekday(time::Weekday),
    OtherMonth(time::Month),
    Decimal(Decimal),
    Path(PathBuf),
    Name(OsString),
}

pub(crate) const KINDS: usize = 19;

fn one<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())].clone()
}

/// Seconds near midnight, the end of a month and 1970, and offsets that lead from one to another.
fn seconds(rng: &mut Rng) -> i64 {
    one(rng, &[0, -1, 3600, -3600, 86_399, 86_400, 1_769_903_999, 1_769_904_000])
}

fn nanos(rng: &mut Rng) -> u32 {
    one(rng, &[0, 1, 500_000_000, 999_999_999])
}

fn offset(rng: &mut Rng) -> i32 {
    one(rng, &[0, 1, -1, 60, 3600, -3600, 86_399])
}

fn chrono_moment(rng: &mut Rng) -> chrono::DateTime<chrono::FixedOffset> {
    use chrono::Timelike as _;
    let moment = chrono::DateTime::from_timestamp(seconds(rng), nanos(rng)).unwrap();
    // Also in a leap second.
    let moment = if rng.bool() { moment } else { moment.with_nanosecond(1_000_000_000 + nanos(rng)).unwrap() };
    moment.with_timezone(&chrono::FixedOffset::east_opt(offset(rng)).unwrap())
}

fn time_moment(rng: &mut Rng) -> time::OffsetDateTime {
    use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
    let zone = UtcOffset::from_whole_seconds(offset(rng)).unwrap();
    match rng.u8(..8) {
        0 => PrimitiveDateTime::MIN.assume_offset(zone),
        1 => PrimitiveDateTime::MAX.assume_offset(zone),
        _ => {
            let moment = OffsetDateTime::from_unix_timestamp(seconds(rng)).unwrap();
            moment.replace_nanosecond(nanos(rng)).unwrap().to_offset(zone)
        }
    }
}

fn path(rng: &mut Rng) -> OsString {
    let parts = ["a", "/", "//", ".", "..", "%FF", "\u{ff}", ":", "7"];
    let path: OsString = (0..rng.usize(..5)).map(|_| OsString::from(one(rng, &parts))).collect();
    #[cfg(unix)]
    let path = {
        use std::os::unix::ffi::OsStringExt as _;
        let last = one(rng, &[b'a', 0xff, 0xc3, 0xbf]);
        let mut bytes = path.into_vec();
        bytes.extend(rng.bool().then_some(last));
        OsString::from_vec(bytes)
    };
    path
}

impl Argument {
    /// Any value.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.usize(..KINDS) {
            0 => Self::Moment(chrono_moment(rng)),
            1 => Self::Local(chrono_moment(rng).naive_local()),
            2 => Self::Day(chrono_moment(rng).date_naive()),
            3 => Self::Clock(chrono_moment(rng).time()),
            4 => Self::Zone(*chrono_moment(rng).offset()),
            5 => Self::Span(chrono_moment(rng) - chrono_moment(rng)),
            6 => Self::Weekday(chrono::Weekday::try_from(rng.u8(..7)).unwrap()),
            7 => Self::Month(chrono::Month::try_from(rng.u8(1..=12)).unwrap()),
            8 => Self::OtherMoment(time_moment(rng)),
            9 => {
                let moment = time_moment(rng);
                Self::OtherLocal(moment.date().with_time(moment.time()))
            }
            10 => Self::OtherDay(time_moment(rng).date()),
            11 => Self::OtherClock(time_moment(rng).time()),
            12 => Self::OtherZone(time_moment(rng).offset()),
            13 => Self::OtherSpan(time_moment(rng) - time_moment(rng)),
            14 => Self::OtherWeekday(time_moment(rng).weekday()),
            15 => Self::OtherMonth(time_moment(rng).month()),
            16 => {
                let number = one(rng, &[0, 1, 10, 100, 15, 150, -1, -10]);
                let decimal = Decimal::new(number, one(rng, &[0, 1, 2, 28]));
                Self::Decimal(if rng.bool() { decimal } else { -decimal })
            }
            17 => Self::Path(path(rng).into()),
            _ => Self::Name(path(rng)),
        }
    }
}
