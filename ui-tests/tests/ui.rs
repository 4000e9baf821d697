//! Compiles and runs every file under `tests/pass` and `tests/mended`, and compares what rustc says about those under
//! `tests/fail`.
//!
//! Messages of rustc drift between versions: run this on the toolchain of `rust-toolchain.toml` only. Bless with
//! `TRYBUILD=overwrite cargo test -p ui-tests`, then read every difference: is the caret at the right token, is there
//! one error for one fault, does it say what to write?

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    cases.pass("tests/mended/*.rs");
    cases.compile_fail("tests/fail/**/*.rs");
}
