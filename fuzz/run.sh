#!/usr/bin/env bash
# Fuzzes every target for a number of seconds (default: 15): `bash fuzz/run.sh [seconds] [target ..]`.
# Needs the pinned toolchain and a C++ compiler, no nightly and no cargo-fuzz: the flags that cargo-fuzz passes to the
# compiler for `--sanitizer none` are stable, and a sanitizer would find little in safe Rust.
# With cargo-fuzz: `cargo fuzz run envelope fuzz/corpus/envelope fuzz/seeds/envelope`.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-15}
case "$seconds" in ''|*[!0-9]*) echo "usage: bash fuzz/run.sh [seconds per target] [target ..]" >&2; exit 2 ;; esac
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(envelope key template)

missing() { echo "fuzz: $1 is missing; $2" >&2; exit 3; }
command -v cargo >/dev/null || missing cargo "install Rust by rustup"
# The compiler that the crate `cc` uses.
read -ra compiler <<<"${CXX:-c++}"
command -v "${compiler[0]}" >/dev/null || missing "a C++ compiler (${compiler[0]})" \
  "libFuzzer is C++: apt-get install g++, dnf install gcc-c++, or set CXX"
echo '#include <mutex>' | "${compiler[@]}" -std=c++17 -x c++ -fsyntax-only - 2>/dev/null ||
  missing "a working C++17 compiler" "${compiler[*]} cannot compile '#include <mutex>'; apt-get install g++"

# Exactly the flags of cargo-fuzz 0.13; it adds the last two on Linux and to release builds.
coverage=(-Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
  --cfg fuzzing)
host=$(rustc -vV | sed -n 's/^host: //p')
case "$host" in *-linux-*) coverage+=(-Cllvm-args=-sanitizer-coverage-stack-depth) ;; esac
coverage+=(-Ccodegen-units=1)

target_dir=${CARGO_TARGET_DIR:-$PWD/target}
# `--target` keeps the flags from build scripts.
RUSTFLAGS="${coverage[*]}" cargo build --locked --release --target "$host" --target-dir "$target_dir" \
  "${targets[@]/#/--bin=}"

status=0
for target in "${targets[@]}"; do
  corpus=corpus/$target
  mkdir -p "$corpus" "artifacts/$target"
  log=$(mktemp)
  echo "+ $target, $seconds s"
  if ! "$target_dir/$host/release/$target" -max_total_time="$seconds" -artifact_prefix="artifacts/$target/" \
    -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 "$corpus" "seeds/$target" >"$log" 2>&1; then
    status=1
    # The panic; or without one, libFuzzer's own words (a time-out, too much memory).
    grep -aA 6 panicked "$log" || tail -n 40 "$log"
    echo "$target: FAILED; the input is in fuzz/artifacts/$target; again by: $target_dir/$host/release/$target <file>"
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  last=$(grep -aoE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -n 1 || true)
  echo "$target: ${runs:-no} executions, ${last:-no coverage}"
  rm -f "$log"
done
exit "$status"
