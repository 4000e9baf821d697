use crate::suggest::{did_you_mean, nearest, option_meant};

#[test]
fn finds_slips_of_the_pen() {
    let names = ["key", "skip", "ttl", "none_ttl", "cache_if", "id"];
    let cases = [
        ("kye", Some("key")),
        ("tll", Some("ttl")),
        ("skipp", Some("skip")),
        ("TTL", Some("ttl")),
        ("nonettl", Some("none_ttl")),
        ("uid", Some("id")),
        ("cacheif", Some("cache_if")),
        ("timeout", None),
        ("", None),
    ];
    for (wanted, expected) in cases {
        assert_eq!(nearest(wanted, names), expected, "{wanted}");
    }
}

#[test]
fn a_single_letter_is_like_no_other() {
    assert_eq!(nearest("a", ["b"]), None);
    assert_eq!(nearest("ä", ["ä"]), Some("ä"));
}

#[test]
fn prefers_the_nearest() {
    assert_eq!(nearest("lang", ["long", "lang"]), Some("lang"));
    assert_eq!(nearest("bd", ["id", "db"]), Some("db"));
    assert_eq!(did_you_mean("lanf", ["land", "x"]), "did you mean `land`? ");
    assert_eq!(did_you_mean("zzz", ["land"]), "");
}

#[test]
fn knows_names_of_other_crates() {
    let names = ["key", "ttl", "cache_if"];
    let cases = [
        ("ttl_secs", Some("ttl")),
        ("expires", Some("ttl")),
        ("prefix", Some("key")),
        ("condition", Some("cache_if")),
        ("tll", Some("ttl")),
        ("retries", None),
    ];
    for (wanted, expected) in cases {
        assert_eq!(option_meant(wanted, names), expected, "{wanted}");
    }
}
