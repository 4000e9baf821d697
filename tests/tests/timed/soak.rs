//! The soak, for a few seconds: see `cargo run --release -p tests --bin soak -- --help`.

use std::process::Command;

fn soak(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).args(arguments).output().expect("the soak starts");
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// The number behind `name=` in the summary.
fn figure(text: &str, name: &str) -> u64 {
    let found =
        text.lines().find_map(|line| line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')));
    found.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no `{name}` in: {text}"))
}

/// Many of these fit into a few seconds; a failover takes some by itself.
const SHORT: &str = "freeze,cut,restart,flush,evict,delete,kill";

#[test]
fn nothing_stale_through_faults_of_one_server() {
    let (is_well, text) = soak(&["--seconds", "6", "--faults", SHORT]);
    assert!(is_well, "{text}");
    for name in ["reads", "writes", "faults"] {
        assert!(figure(&text, name) > 10, "{text}");
    }
}

#[test]
fn nothing_stale_through_failovers() {
    let (is_well, text) = soak(&["--seconds", "6", "--faults", "failover"]);
    assert!(is_well, "{text}");
    for name in ["reads", "writes"] {
        assert!(figure(&text, name) > 10, "{text}");
    }
    assert!(figure(&text, "faults") > 0 && !text.contains(" 0 failovers"), "{text}");
}

/// A soak that finds nothing when a safeguard is missing proves nothing.
fn is_noticed(safeguard: &str) {
    let (is_well, text) = soak(&["--seconds", "10", "--faults", SHORT, "--without", safeguard]);
    assert!(!is_well && figure(&text, "stale") > 0, "{text}");
}

#[test]
#[ignore = "takes 10 s; part of .ci/long"]
fn it_would_notice_a_missing_lease() {
    is_noticed("lease");
}

#[test]
#[ignore = "takes 10 s; part of .ci/long"]
fn it_would_notice_a_missing_bracket() {
    is_noticed("bracket");
}

#[test]
#[ignore = "takes 10 s; part of .ci/long"]
fn it_would_notice_a_missing_fence() {
    is_noticed("fence");
}
