use crate::duration::{Fault, millis};

#[test]
fn units_are_read() {
    let cases = [
        ("250ms", 250),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("365d", 31_536_000_000),
        ("007s", 7_000),
    ];
    for (text, expected) in cases {
        assert_eq!(millis(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_fault_says_what_to_write() {
    let cases = [
        ("0s", "a duration of zero caches nothing; write at least `1ms`"),
        ("366d", "longer than a year; write at most `365d`"),
        ("99999999999999999999999s", "longer than a year; write at most `365d`"),
        ("18446744073709551615d", "longer than a year; write at most `365d`"),
        ("90", "a duration needs a unit; write `90s` for seconds"),
        ("1h30", "a duration needs a unit; write `30s` for seconds"),
        ("5 minutes", "write `5m`"),
        ("5 m", "write `5m`"),
        ("5M", "write `5m`"),
        ("1 hour 30 min", "write `1h30m`"),
        ("2w", "unknown unit `w`; the units are `d`, `h`, `m`, `s`, `ms`"),
        ("1.5h", "a duration takes whole numbers; write `1h30m` for one and a half hours"),
        ("30m1h", "write each unit at most once, the larger one first, for example `1h30m`"),
        ("1m1m", "write each unit at most once, the larger one first, for example `1h30m`"),
    ];
    for (text, expected) in cases {
        let fault = millis(text).expect_err(text);
        assert_eq!(fault.to_string(), expected, "{text}");
    }
}

#[test]
fn a_duration_begins_with_a_digit() {
    assert_eq!(millis(""), Err(Fault::Malformed));
    assert_eq!(millis("-5s"), Err(Fault::Malformed));
}
