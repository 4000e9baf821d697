use super::*;
use crate::key::MAX_SEGMENT;

fn form<T: KeyIdentity>(value: &T) -> String {
    let (mut out, mut failed) = (String::new(), false);
    value.write(&mut SegmentWriter::new(&mut out, &mut failed));
    assert!(!failed && out.len() <= MAX_SEGMENT, "{out}");
    out
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_written_with_hyphens() {
    assert_eq!(form(&uuid::Uuid::from_u128(0xAB)), "00000000-0000-0000-0000-0000000000ab");
}

#[cfg(feature = "chrono")]
#[test]
fn dates_and_times_of_chrono_are_written_without_colons() {
    use ::chrono::{DateTime, FixedOffset, Month, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

    let day = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
    let clock = NaiveTime::from_hms_nano_opt(9, 5, 7, 500).unwrap();
    assert_eq!(form(&day), "2026-01-31");
    assert_eq!(form(&NaiveDate::from_ymd_opt(-44, 3, 15).unwrap()), "-0044-03-15");
    assert_eq!(form(&NaiveDate::MAX), "262142-12-31");
    assert_eq!(form(&clock), "T090507.000000500");
    assert_eq!(form(&NaiveTime::MIN), "T000000");
    assert_eq!(form(&day.and_time(clock)), "2026-01-31T090507.000000500");
    assert_eq!(form(&day.and_time(clock).and_utc()), "2026-01-31T090507.000000500Z");
    assert_eq!(form(&DateTime::<Utc>::MIN_UTC), "-262143-01-01T000000Z");
    assert_eq!(form(&FixedOffset::east_opt(5400).unwrap()), "UTC+0130");
    assert_eq!(form(&FixedOffset::west_opt(18_001).unwrap()), "UTC-050001");
    assert_eq!(form(&TimeDelta::milliseconds(-1500)), "(-1,-500000000)");
    assert_eq!(form(&(Month::May, Weekday::Sun)), "(May,Sun)");
}

#[cfg(feature = "chrono")]
#[test]
fn one_moment_of_chrono_has_one_form_in_all_zones() {
    use ::chrono::{DateTime, FixedOffset, TimeZone as _};

    let moment = DateTime::from_timestamp(1_769_860_800, 0).unwrap();
    let zones = [-43_200, -1, 0, 3600, 50_400].map(|east| FixedOffset::east_opt(east).unwrap());
    for zone in zones {
        assert_eq!(form(&zone.from_utc_datetime(&moment.naive_utc())), "2026-01-31T120000Z");
    }
}

#[cfg(feature = "chrono")]
#[test]
fn a_leap_second_is_neither_the_second_before_nor_the_one_after() {
    use ::chrono::{NaiveTime, Timelike as _};

    let at = |second, nanos| NaiveTime::from_hms_opt(23, 59, second).unwrap().with_nanosecond(nanos).unwrap();
    assert_eq!(form(&at(59, 1_000_000_000)), "T235959+1");
    assert_eq!(form(&at(59, 1_500_000_000)), "T235959+1.500000000");
    assert_eq!(form(&at(58, 1_500_000_000)), "T235958+1.500000000");
    assert_eq!(form(&at(59, 500_000_000)), "T235959.500000000");
}

#[cfg(feature = "time")]
#[test]
fn dates_and_times_of_time_are_written_without_colons() {
    use ::time::{Date, Duration, Month, Time, UtcOffset, Weekday};

    let day = Date::from_calendar_date(2026, Month::January, 31).unwrap();
    let clock = Time::from_hms_nano(9, 5, 7, 500).unwrap();
    assert_eq!(form(&day), "2026-01-31");
    assert_eq!(form(&Date::MIN), "-9999-01-01");
    assert_eq!(form(&clock), "T090507.000000500");
    assert_eq!(form(&day.with_time(clock)), "2026-01-31T090507.000000500");
    assert_eq!(form(&day.with_time(clock).assume_utc()), "2026-01-31T090507.000000500Z");
    assert_eq!(form(&day.with_time(clock).as_utc()), "2026-01-31T090507.000000500Z");
    assert_eq!(form(&UtcOffset::from_hms(1, 30, 0).unwrap()), "UTC+0130");
    assert_eq!(form(&UtcOffset::from_hms(0, 0, -1).unwrap()), "UTC-000001");
    assert_eq!(form(&Duration::milliseconds(-1500)), "(-1,-500000000)");
    assert_eq!(form(&(Month::May, Weekday::Sunday)), "(May,Sunday)");
}

#[cfg(feature = "time")]
#[test]
fn one_moment_of_time_has_one_form_in_all_zones() {
    use ::time::{OffsetDateTime, UtcOffset};

    let moment = OffsetDateTime::from_unix_timestamp(1_769_860_800).unwrap();
    for hours in [-12, -1, 0, 1, 14] {
        let zone = UtcOffset::from_hms(hours, 0, 0).unwrap();
        assert_eq!(form(&moment.to_offset(zone)), "2026-01-31T120000Z");
    }
}

#[cfg(feature = "time")]
#[test]
fn a_moment_whose_year_in_utc_is_unknown_still_has_one_form() {
    use ::time::{PrimitiveDateTime, UtcOffset};

    let [east, west] = [1, -1].map(|hours| UtcOffset::from_hms(hours, 0, 0).unwrap());
    assert_eq!(form(&PrimitiveDateTime::MIN.assume_offset(east)), "unix(-377705120400,0)");
    assert_eq!(form(&PrimitiveDateTime::MAX.assume_offset(west)), "unix(253402304399,999999999)");
}

#[cfg(feature = "rust_decimal")]
#[test]
fn a_decimal_has_one_form_whatever_its_scale() {
    use rust_decimal::Decimal;

    let decimal = |number, scale| form(&Decimal::new(number, scale));
    assert_eq!([decimal(15, 1), decimal(150, 2), decimal(1_500_000, 6)], ["1.5", "1.5", "1.5"]);
    assert_eq!([decimal(2, 0), decimal(200, 2)], ["2.0", "2.0"]);
    assert_eq!([decimal(0, 0), decimal(0, 28), form(&-Decimal::new(0, 2))], ["0.0", "0.0", "0.0"]);
    assert_eq!(decimal(-1, 28), "-0.0000000000000000000000000001");
    assert_eq!(form(&Decimal::MIN), "-79228162514264337593543950335.0");
}
