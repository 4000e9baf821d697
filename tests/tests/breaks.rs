//! The list of breaks fits the code as it is. Whether tests notice them, `.ci/breaks` sees.
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
fn there_are_many_and_each_says_what_it_is() {
    let all = all();
    assert!(all.len() >= 80, "{}", all.len());
    let names: BTreeSet<_> = all.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), all.len(), "two have one name");
    for Break { name, find, put, harm, red, .. } in &all {
        assert!(find != put && !find.trim().is_empty(), "{name} breaks nothing");
        assert!(!harm.is_empty() && red.starts_with("-p "), "{name}");
    }
}
