//! The table has all pairs.

use super::table::subjects;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Options that say where the function is and what it is called, not how it behaves.
const NO_BEHAVIOUR: [&str; 4] = ["key", "cache", "crate", "uncommitted"];
/// Options of every function in the table: the first argument is left out of the key.
const EVERYWHERE: [&str; 1] = ["skip"];
/// Options that a batch refuses.
const NOT_IN_A_BATCH: [&str; 6] =
    ["stale_while_revalidate", "stale_if_error", "refresh_ahead", "refresh", "spawn", "load_timeout"];
/// Stands for an option that is left out.
const ABSENT: &str = "left out";

/// One option of a function, and the way it is written.
type Way = (&'static str, String);

/// Whether two options do not compile together, written in these ways; then the UI test that shows the message.
fn refused(one: &Way, other: &Way) -> Option<&'static str> {
    let is = |way: &Way, name: &str| way.0 == name && way.1 != ABSENT;
    let is_not = |way: &Way, name: &str| way.0 == name && way.1 == ABSENT;
    let either = |rule: &dyn Fn(&Way, &Way) -> bool| rule(one, other) || rule(other, one);
    if either(&|one, other| is(one, "batch") && NOT_IN_A_BATCH.iter().any(|name| is(other, name))) {
        return Some("batch/freshness.rs");
    }
    if either(&|one, other| is(one, "batch") && ["error_if", "error_ttl"].iter().any(|name| is(other, name))) {
        return Some("errors/not_here.rs");
    }
    if either(&|one, other| is(one, "error_ttl") && is_not(other, "error_if")) {
        return Some("errors/options.rs");
    }
    // Not a matter of pairs: it needs neither of two other options.
    either(&|one, other| is(one, "load_timeout") && is_not(other, "spawn")).then_some("freshness/contradictions.rs")
}

fn ways() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut ways = BTreeMap::<_, BTreeSet<_>>::new();
    for (name, value) in subjects().into_iter().flat_map(|subject| subject.options) {
        ways.entry(name).or_default().insert(value);
    }
    for (name, ways) in &mut ways {
        let is_left_out = |options: &[Way]| !options.iter().any(|(option, _)| option == name);
        if subjects().iter().any(|subject| is_left_out(&subject.options)) {
            ways.insert(ABSENT.to_owned());
        }
    }
    ways
}

#[test]
fn every_pair_of_options_stands_in_the_table() {
    let ways = ways();
    let mut seen = BTreeSet::new();
    for subject in subjects() {
        let written: BTreeMap<_, _> = subject.options.iter().cloned().collect();
        let way = |name| written.get(name).cloned().unwrap_or_else(|| ABSENT.to_owned());
        let full: Vec<Way> = ways.keys().map(|name| (*name, way(name))).collect();
        for (at, one) in full.iter().enumerate() {
            seen.extend(full[at + 1..].iter().map(|other| (one.clone(), other.clone())));
        }
    }
    let all: Vec<Way> = ways.iter().flat_map(|(name, ways)| ways.iter().map(move |way| (*name, way.clone()))).collect();
    let mut missing = Vec::new();
    for (at, one) in all.iter().enumerate() {
        for other in all[at + 1..].iter().filter(|other| other.0 != one.0) {
            let is_seen = seen.contains(&(one.clone(), other.clone()));
            match refused(one, other) {
                Some(shown) => {
                    assert!(!is_seen, "{one:?} with {other:?} compiles");
                    let shown = Path::new("../ui-tests/tests/fail").join(shown);
                    let text = std::fs::read_to_string(&shown).unwrap();
                    for (name, _) in [one, other].into_iter().filter(|(_, way)| *way != ABSENT) {
                        assert!(text.contains(name), "no UI test shows `{name}` in {}", shown.display());
                    }
                }
                None if is_seen => {}
                None => missing.push((one, other)),
            }
        }
    }
    assert!(missing.is_empty(), "{} pairs stand in no function: {missing:#?}", missing.len());
}

/// A new option must be added to the table.
#[test]
fn every_option_stands_in_the_table() {
    let known = include_str!("../../../../cached-macros/src/parse/known.rs");
    let rows = known.lines().filter(|line| line.trim_start().starts_with("(\"") && line.contains("[Read"));
    let options: BTreeSet<&str> = rows.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(options.len() > 20, "{options:?}");
    let ways = ways();
    let in_table: BTreeSet<&str> = ways.keys().copied().chain(NO_BEHAVIOUR).chain(EVERYWHERE).collect();
    assert_eq!(options, in_table);
    let behaves = |name: &&str| ways[name].len() > 1;
    assert!(ways.keys().all(behaves), "an option that is always the same: {ways:?}");
}
