#!/usr/bin/env bash
# Makes what is handed out: the program with keys of four primes built in, tried, and packed with what belongs to it.
# Its steps can be had alone: `try PROGRAM`, and `pack PROGRAM FOLDER`, which builds nothing (paths from the root of the
# project, or absolute).
# The same files give the same archive, byte by byte: names in order, one date (SOURCE_DATE_EPOCH, else that of the last
# commit), nobody's account. The program itself is the same only from the same toolchain and folder.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/machine.sh

FEATURE=multi-prime
BESIDE=(LICENSE LICENSE-APACHE LICENSE-MIT README.md gatepost.example.toml)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What a caller has set must reach neither the trial nor its state.
for setting in $(compgen -e GATEPOST_); do unset "$setting"; done

build() {
  has perl && has make || fail "missing: perl or make, which OpenSSL is built with; run make prepare"
  say "building; the first time takes ten minutes and more" >&2
  cargo build --release --locked -p gatepost --features "$FEATURE"
}

# Whether this may be handed out at all.
fit() { # PROGRAM
  [ -f "$1" ] && [ -x "$1" ] || fail "no such program: $1"
  "$1" version --json | jq -e --arg feature "$FEATURE" '.features | index([$feature])' >/dev/null ||
    fail "$1 was built without $FEATURE: cargo build --release --locked -p gatepost --features $FEATURE"
}

try() { # PROGRAM
  local program=$1 data=$scratch/data said
  fit "$program"
  said=$("$program" init --yes --data "$data" 2>&1) || fail "init: $said"
  said=$("$program" doctor --data "$data" 2>&1) || fail "doctor on a fresh state: $said"
  said=$("$program" key rotate --primes 4 --data "$data" 2>&1) || fail "a key of four primes: $said"
  said=$("$program" key promote --now --data "$data" 2>&1) || fail "a key of four primes: $said"
  # That such keys bring little on this processor is a warning, and no reason to hand nothing out.
  said=$("$program" doctor --data "$data" 2>&1) || fail "doctor with a key of four primes: $said"
  grep -q 'key of four primes' <<<"$said" || fail "doctor says nothing of the key of four primes: $said"
  say "tried: $("$program" version | paste -sd ' '), doctor, a key of four primes"
}

pack() { # PROGRAM FOLDER
  local program=$1 folder=$2 name date
  fit "$program"
  name=gatepost-$("$program" version --json | jq -er .version)-$(rustc -vV | sed -n 's/^host: //p')
  date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  install -d -m 755 "$scratch/$name" "$folder"
  install -m 755 "$program" "$scratch/$name/gatepost"
  install -m 644 "${BESIDE[@]}" "$scratch/$name/"
  (cd "$scratch/$name" && sha256sum gatepost "${BESIDE[@]}" >"$scratch/SHA256SUMS")
  install -m 644 "$scratch/SHA256SUMS" "$scratch/$name/"
  LC_ALL=C tar --create --file - --directory "$scratch" --format=ustar --sort=name --mtime="@$date" \
    --owner=0 --group=0 --numeric-owner "$name" | gzip --no-name --best >"$scratch/archive"
  install -m 644 "$scratch/archive" "$folder/$name.tar.gz"
  (cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
  look_through "$folder/$name.tar.gz" "$name"
  say "made $folder/$name.tar.gz ($(stat -c %s "$folder/$name.tar.gz") bytes)"
  say "     $(cut -d' ' -f1 "$folder/$name.tar.gz.sha256")"
}

# The archive as who gets it sees it.
look_through() { # ARCHIVE NAME
  mkdir "$scratch/unpacked"
  tar --extract --gzip --file "$1" --directory "$scratch/unpacked"
  (cd "$scratch/unpacked/$2" && sha256sum --check --quiet --strict SHA256SUMS) || fail "$1: its sums do not fit"
  "$scratch/unpacked/$2/gatepost" version >/dev/null || fail "$1: its program does not run"
}

has jq || fail "missing: jq; run make prepare"
case "$#:${1:-}" in
  0:)
    target=$(cargo metadata --no-deps --locked --format-version 1 | jq -r .target_directory)
    build
    try "$target/release/gatepost"
    pack "$target/release/gatepost" "$target/handed-out"
    ;;
  2:try) try "$2" ;;
  3:pack) pack "$2" "$3" ;;
  *) fail "usage: ci/release.sh [try PROGRAM | pack PROGRAM FOLDER]" ;;
esac
