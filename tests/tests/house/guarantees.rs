//! The tests that the chapter on guarantees names exist.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of each file of tests, including those in a folder of its name: `tests/<binary>/<file>.rs`, or a binary
/// of one file. The published suite of stores counts as a part of `conformance`.
fn sources(tests: &Path, suite: &Path) -> BTreeMap<String, String> {
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let mut read = |path: &Path, name: &Path| {
        let name = name.file_stem().unwrap().to_string_lossy().into_owned();
        sources.entry(name).or_default().push_str(&fs::read_to_string(path).unwrap());
    };
    for entry in inside(tests) {
        if !entry.is_dir() {
            read(&entry, &entry);
            continue;
        }
        for file in inside(&entry) {
            if file.is_dir() {
                for part in inside(&file) {
                    read(&part, &file);
                }
            } else {
                read(&file, &file);
            }
        }
    }
    for file in inside(suite) {
        read(&file, suite);
    }
    sources
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_test_that_the_chapter_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chapter = fs::read_to_string(root.join("../cached-core/GUARANTEES.md")).unwrap();
    let sources = sources(&root.join("tests"), &root.join("../cached-core/src/store/conformance"));
    let named: Vec<_> = chapter.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    let named: Vec<_> =
        named.into_iter().filter(|(file, _)| file.chars().all(|c| c.is_ascii_lowercase() || c == '_')).collect();
    assert!(named.len() > 30, "the chapter names tests: {named:?}");
    let is_there = |(file, test): &(&str, &str)| {
        sources.get(*file).is_some_and(|source| {
            source.contains(&format!("fn {test}("))
                || source.contains(&format!("{test},"))
                || source.contains(&format!(" {test}\n"))
        })
    };
    let missing: Vec<_> = named.iter().filter(|named| !is_there(named)).collect();
    assert!(missing.is_empty(), "not there: {missing:#?}");
}
