//! An application builds few crates for this library beyond those that it has anyway, and none twice.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// An async service has these, or chose them by choosing Redis. Their dependencies are not counted.
const GIVEN: [&str; 3] = ["tokio", "serde", "redis"];
/// Every crate costs build time, and adds someone who can publish code into the application.
const MOST: usize = 60;

/// `cached-core` with its default features, its normal and build dependencies on this platform: depth, name, version.
fn tree() -> Vec<(usize, String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", "cached-core", "-e", "normal,build", "--no-dedupe", "--prefix", "depth"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            // `2futures-core v0.3.34 (..)`
            let (depth, package) = line.split_at(line.find(|c: char| !c.is_ascii_digit()).unwrap());
            let mut words = package.split(' ').map(str::to_owned);
            (depth.parse().unwrap(), words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

#[test]
fn the_library_brings_few_crates_of_its_own() {
    let tree = tree();
    assert!(tree.len() > 50 && GIVEN.iter().all(|given| tree.iter().any(|(_, name, _)| name == given)), "{tree:?}");

    let mut given = BTreeSet::new();
    // The depth of the given crate whose dependencies these lines are.
    let mut inside: Option<usize> = None;
    for (depth, name, version) in &tree {
        inside = inside.filter(|outer| depth > outer);
        if inside.is_none() && GIVEN.contains(&name.as_str()) {
            inside = Some(*depth);
        }
        if inside.is_some() {
            given.insert((name, version));
        }
    }
    let all: BTreeSet<_> = tree.iter().skip(1).map(|(_, name, version)| (name, version)).collect();
    let own: Vec<String> = all.difference(&given).map(|(name, version)| format!("{name} {version}")).collect();
    println!("{} crates, of which {} come with {GIVEN:?}; the other {}:", all.len(), given.len(), own.len());
    println!("{}", own.join("\n"));
    assert!(own.len() <= MOST, "{} crates, more than {MOST}: {own:#?}", own.len());

    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in &all {
        versions.entry(name).or_default().insert(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    assert!(versions.is_empty(), "built in several versions: {versions:?}");
}
