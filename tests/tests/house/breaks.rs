//! The list of breaks fits the code. `.ci/breaks` checks that tests notice them.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tests::Break;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn all() -> Vec<Break> {
    Break::all(root()).unwrap().into_values().flatten().collect()
}

#[test]
fn the_text_of_each_stands_in_its_file_exactly_once() {
    let mut files = BTreeMap::new();
    let stale: Vec<_> = all()
        .into_iter()
        .filter_map(|one| {
            let code = files.entry(one.file.clone()).or_insert_with(|| fs::read_to_string(root().join(&one.file)));
            let places = code.as_ref().map_or(0, |code| one.places(code));
            (places != 1).then(|| format!("{}: {places} times in {}", one.name, one.file.display()))
        })
        .collect();
    assert!(stale.is_empty(), "the code has moved on; mend tests/breaks:\n{}", stale.join("\n"));
}

#[test]
fn there_are_many_breaks_and_each_says_what_it_is() {
    let all = all();
    assert!(all.len() >= 80, "{}", all.len());
    let names: BTreeSet<_> = all.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), all.len(), "two have one name");
    for Break { name, find, put, harm, red, .. } in &all {
        assert!(find != put && !find.trim().is_empty(), "{name} breaks nothing");
        assert!(!harm.is_empty() && red.starts_with("-p "), "{name}");
    }
}

/// For `-p tests --test NAME FILE::..` the program exists, and the file in it.
#[test]
fn the_tests_that_each_names_are_there() {
    let tests = root().join("tests/tests");
    let is_there = |red: &str| {
        let Some((_, chosen)) = red.split_once("-p tests --test ") else { return true };
        let (program, filter) = chosen.split_once(' ').unwrap_or((chosen, ""));
        let folder = tests.join(program);
        let file = filter.split("::").next().unwrap_or_default();
        let is_file = filter.contains("::") && !file.is_empty();
        let name = |path: &Path| path.with_extension("rs").is_file();
        (name(&folder) || name(&folder.join("main"))) && (!is_file || name(&folder.join(file)))
    };
    let gone: Vec<_> = all().into_iter().filter(|one| !is_there(&one.red)).map(|one| (one.name, one.red)).collect();
    assert!(gone.is_empty(), "no such tests: {gone:#?}");
}
