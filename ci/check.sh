#!/usr/bin/env bash
# Everything that must hold before a change lands, in the order in which a mistake shows cheapest.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"

steps=7
number=0
current="start"
step() {
  number=$((number + 1))
  current=$1
  printf '\n== %d/%d %s (after %s)\n' "$number" "$steps" "$current" "$(elapsed)"
}
elapsed() { printf '%dm%02ds' $((SECONDS / 60)) $((SECONDS % 60)); }
trap 'printf "\ncheck: FAILED at step %d/%d: %s (after %s)\n" "$number" "$steps" "$current" "$(elapsed)" >&2' ERR

step "machine: tools and databases"
ci/prepare.sh

step "format: cargo fmt --check"
cargo fmt --all --check

step "lint: cargo clippy, warnings are errors"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "build: the workspace and its tests"
cargo test --workspace --locked --no-run

step "test: cargo test"
cargo test --workspace --locked

# OpenSSL is built for this step alone; a plain build does without it.
step "test: keys of four primes"
cargo test --locked -p gatepost-jose --features multi-prime
cargo test --locked -p gatepost-operations -p gatepost-server -p gatepost --features gatepost/multi-prime \
  --test it four_primes

step "interop: real clients and the documents' commands"
ci/interop.sh

trap - ERR
printf '\ncheck: all %d steps passed in %s\n' "$steps" "$(elapsed)"
