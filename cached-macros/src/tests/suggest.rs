use crate::suggest::{did_you_mean, nearest, option_meant};

#[test]
fn typing_errors_are_found() {
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
fn single_letters_are_never_similar() {
    assert_eq!(nearest("a", ["b"]), None);
    assert_eq!(nearest("ä", ["ä"]), Some("ä"));
}

#[test]
fn the_nearest_name_is_preferred() {
    assert_eq!(nearest("lang", ["long", "lang"]), Some("lang"));
    assert_eq!(nearest("bd", ["id", "db"]), Some("db"));
    assert_eq!(did_you_mean("lanf", ["land", "x"]), "did you mean `land`? ");
    assert_eq!(did_you_mean("zzz", ["land"]), "");
}

#[test]
fn names_of_other_crates_are_known() {
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
