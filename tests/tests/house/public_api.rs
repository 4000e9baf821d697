//! The public API is the one that `cached-core/public-api.txt` lists, so every change of it shows in a diff. After an
//! intended change: `PUBLIC_API=overwrite cargo test -p tests --test house public_api`.
//!
//! The listing has all features but `tls`, which adds no item and would compile C. It omits what every type gets by
//! itself (blanket implementations, auto traits), and what `#[doc(hidden)]` reserves for generated code.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use public_api::Builder;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The format of rustdoc's JSON changes with the compiler, and `public-api` reads one format only.
const FORMAT: u64 = 57;
/// Crates whose items may stand in a signature. Their major versions are then ours as well.
const MAY_BE_SEEN: [&str; 14] = [
    "alloc",
    "bytes",
    "cached_core",
    "cached_macros",
    "chrono",
    "core",
    "rust_decimal",
    "serde_core",
    "std",
    "time",
    // `JoinHandle` of `Cache::spawn`; 1.0, like the runtime that every application of the library has.
    "tokio",
    // The two traits of the feature `tower`, made to be named by all.
    "tower_layer",
    "tower_service",
    "uuid",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Lets rustdoc describe the library, in its own directory, so that other builds do not start afresh.
fn rustdoc_json() -> PathBuf {
    let target = root().join("target/public-api");
    let output = Command::new(env!("CARGO"))
        .args(["rustdoc", "--locked", "--quiet", "-p", "cached-core", "--lib", "--features"])
        .args(["chrono,conformance,lz4,msgpack,postcard,rust_decimal,time,tower,uuid", "--target-dir"])
        .arg(&target)
        .args(["--", "-Zunstable-options", "--output-format", "json", "--cap-lints", "warn"])
        .current_dir(root())
        // JSON is not a stable output of rustdoc. This is set for this crate only, so dependencies whose build scripts
        // look for unstable features find none.
        .env("RUSTC_BOOTSTRAP", "cached_core")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTDOCFLAGS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("doc/cached_core.json")
}

fn listing() -> String {
    let json = rustdoc_json();
    let description: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(
        description["format_version"], FORMAT,
        "this is not the pinned toolchain; when that changes, take the version of `public-api` that reads its format"
    );
    let api = Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true).build().unwrap();
    let lines: Vec<_> = api.items().map(ToString::to_string).collect();
    lines.join("\n") + "\n"
}

/// The crates that paths in the listing begin with.
fn crates_in(listing: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let paths = listing.match_indices("::").map(|(at, _)| &listing[..at]);
    paths
        .filter_map(|before| {
            let start = before.rfind(|c: char| !is_name(c) && c != ':').map_or(0, |at| at + 1);
            let path = &before[start..];
            let first = path.split("::").next()?;
            // Not a crate: `Self::Item`, `T::Owned`, and `u8::write`.
            (first.starts_with(|c: char| c.is_ascii_lowercase()) && !is_primitive(first)).then_some(first)
        })
        .collect()
}

fn is_primitive(name: &str) -> bool {
    let digits = name.trim_start_matches(['i', 'u', 'f']);
    matches!(name, "bool" | "char" | "str" | "isize" | "usize") || digits.parse::<u8>().is_ok()
}

#[test]
fn changes_of_the_public_api_are_meant() {
    let file = root().join("cached-core/public-api.txt");
    let listing = listing();
    assert!(listing.contains("pub struct cached_core::Cache"), "the listing was not made:\n{listing}");
    if std::env::var_os("PUBLIC_API").is_some_and(|value| value == "overwrite") {
        std::fs::write(&file, &listing).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    // As sets: in what order the lines stand, and in how many blocks the methods of a type, is no business of users.
    let (before, now): (BTreeSet<_>, BTreeSet<_>) = (kept.lines().collect(), listing.lines().collect());
    let gone: Vec<_> = before.difference(&now).map(|line| format!("- {line}")).collect();
    let new: Vec<_> = now.difference(&before).map(|line| format!("+ {line}")).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public API has changed:\n{}\n{}\nIf that is meant: PUBLIC_API=overwrite cargo test -p tests --test house public_api",
        gone.join("\n"),
        new.join("\n")
    );
    // A major release of redis-rs must not be one of ours.
    assert!(!crates_in(&listing).contains("redis"), "a type of redis-rs is public");
    let unexpected: Vec<_> = crates_in(&listing).into_iter().filter(|name| !MAY_BE_SEEN.contains(name)).collect();
    assert!(unexpected.is_empty(), "public signatures name items of {unexpected:?}");
}

#[test]
fn a_public_type_of_another_crate_would_be_seen() {
    let line = "pub fn cached_core::Cache::raw(&self, &redis::aio::Connection) -> core::option::Option<T::Item>";
    assert_eq!(crates_in(line), BTreeSet::from(["cached_core", "core", "redis"]));
}
