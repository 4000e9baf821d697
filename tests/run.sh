#!/usr/bin/env bash
# Runs all tests; `--long` with many more generated cases. Needs a Rust toolchain; installs redis-server where it can.
set -euo pipefail
cd "$(dirname "$0")/.."

long=
case "${1-}" in
  "") ;;
  --long) long=1 ;;
  *) echo "usage: bash tests/run.sh [--long]" >&2; exit 2 ;;
esac

if ! command -v redis-server >/dev/null; then
  echo "redis-server is missing; the tests start servers of their own."
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # Only the program: the package must not start a server.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null
  else
    echo "Install it and start again:"
    echo "  Debian, Ubuntu:  sudo apt-get install redis-server"
    echo "  Fedora:          sudo dnf install redis"
    echo "  Alpine:          sudo apk add redis"
    echo "  macOS:           brew install redis"
    exit 3
  fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# Continues after a failure, so that one run shows all.
run() {
  echo "+ $*"
  "$@" 2>&1 | tee -a "$log" || status=1
}

# Always the whole workspace: with fewer packages, dependencies have other features and are compiled again.
tests() { run cargo test --locked --no-fail-fast --workspace "$@"; }
# Tests that measure time have the machine to themselves: one at a time, after all others.
others=(--test lints)
for path in */tests/*.rs examples/*/tests/*.rs tests/tests/*/; do
  name=$(basename "$path" .rs)
  [ "$name" = timed ] || others+=(--test "$name")
done

tests --lib --bins "${others[@]}"
tests --doc
tests --test timed -- --test-threads=1
if [ -n "$long" ]; then
  # The soak must notice a missing safeguard.
  run cargo test --locked --no-fail-fast --release -p tests --test timed soak:: -- --ignored --test-threads=1
  run env TEST_CASES=1000000 PROPTEST_CASES=100000 cargo test --locked --no-fail-fast --release -p tests --test keys_and_values keys:: -- --nocapture
  run cargo test --locked --no-fail-fast --release -p tests --test protocol model:: -- --ignored --nocapture
  run env PROPTEST_CASES=1000000 cargo test --locked --no-fail-fast --release -p cached-core --all-features --lib envelope
fi

read -r passed failed < <(grep -a '^test result:' "$log" | awk '{ passed += $4; failed += $6 } END { print passed + 0, failed + 0 }')
server=$(redis-server --version | grep -oE 'v=[0-9.]+' | cut -c3-)
echo
echo "$passed tests passed: on the memory store and on real servers (redis-server $server, started and ended by the tests)."
summary="$passed passed, $failed failed"
# CI repeats it as its own last line.
mkdir -p target && echo "$summary" >target/tests-summary
echo "$summary"
exit "$status"
