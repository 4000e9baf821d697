//! The dependencies support the minimal Rust version that the workspace declares. (Clippy's `incompatible_msrv` checks
//! the library's own code against the same declaration.)
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../cached-core/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `1.88` is `1.88.0`.
fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<_> = text.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    parts.resize(3, 0);
    parts
}

#[test]
fn no_dependency_of_the_library_needs_a_newer_rust_than_it_declares() {
    let metadata = metadata();
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let core = packages.values().find(|package| package["name"] == "cached-core").unwrap();
    let declared = version(core["rust_version"].as_str().expect("cached-core declares a rust-version"));

    let mut reached = BTreeSet::new();
    let mut to_visit = vec![core["id"].as_str().unwrap()];
    while let Some(id) = to_visit.pop() {
        if !reached.insert(id) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                to_visit.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    assert!(reached.len() > 20, "the graph was not read");
    let too_new: Vec<_> = reached
        .iter()
        .map(|id| packages[id])
        .filter(|package| package["rust_version"].as_str().is_some_and(|needed| version(needed) > declared))
        .map(|package| format!("{} {} needs {}", package["name"], package["version"], package["rust_version"]))
        .collect();
    assert!(too_new.is_empty(), "declared is {declared:?}, but {too_new:#?}");
}
