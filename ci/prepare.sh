#!/usr/bin/env bash
# Sees that this machine has what the checks need; installs it where it may, else names it and stops.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/machine.sh

missing=()
python_can_make_environments || missing+=(python3 python3-venv)
has cc || missing+=(gcc libc6-dev)
has make || missing+=(make)
has perl || missing+=(perl)
has curl || missing+=(curl ca-certificates)
has jq || missing+=(jq)
has node || missing+=(nodejs)
has npm || missing+=(npm)
postgres_bin >/dev/null || missing+=(postgresql)
for proxy in nginx haproxy apache2 caddy; do
  has_server "$proxy" || missing+=("$proxy")
done
lua_can_speak_to_sockets || missing+=(lua-socket)

if ((${#missing[@]})); then
  if ! has apt-get; then
    fail "missing: ${missing[*]} (Debian's names); install them with this system's package manager"
  elif [ "$(id -u)" = 0 ]; then
    root=()
  elif has sudo && sudo -n true 2>/dev/null; then
    root=(sudo -n)
  else
    fail "missing: ${missing[*]}; install them: sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # What is installed for tests must not take ports of this machine: Debian starts what policy-rc.d does not forbid.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin "$policy"
    trap '"${root[@]}" rm -f "$policy"' EXIT
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi

has cargo || fail "missing: cargo; install Rust from https://rustup.rs (rust-toolchain.toml names the toolchain)"
for part in fmt clippy; do
  cargo "$part" --version >/dev/null 2>&1 && continue
  has rustup || fail "missing: cargo $part; install this toolchain's rustfmt and clippy"
  rustup component add rustfmt clippy
done

use_brought_node
if ! node_is_new_enough; then
  say "node is $(node --version), the clients under test need $NODE_WANTED or newer: installing $NODE_BROUGHT beside it"
  npm install --prefix "$(checks_folder)/runtime" --no-audit --no-fund --loglevel=error "node@$NODE_BROUGHT" >/dev/null ||
    fail "npm could not install node@$NODE_BROUGHT; install Node $NODE_WANTED or newer, see https://nodejs.org"
  use_brought_node
  node_is_new_enough || fail "node is still $(node --version); install Node $NODE_WANTED or newer, see https://nodejs.org"
fi
python_can_make_environments || fail "python3 still cannot make virtual environments; install python3-venv for $(python3 --version)"
bin=$(postgres_bin) || fail "postgres is installed but initdb was not found; put its folder into PATH"

say "$(cargo --version), $(cc --version | head -n 1)"
say "$(server nginx -v 2>&1), $(server haproxy -v | head -n 1), $(server apache2 -v | head -n 1), caddy $(server caddy version)"
say "node $(node --version), npm $(npm --version 2>/dev/null), $(python3 --version), $("$bin/postgres" --version)"
