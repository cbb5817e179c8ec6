#!/usr/bin/env bash
# Installs the pinned clients and runs them, and the documents' commands, against a real server.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/machine.sh

use_brought_node
folder=$(checks_folder)
binary=${GATEPOST_BIN:-$(dirname "$folder")/debug/gatepost}
if [ -z "${GATEPOST_BIN:-}" ]; then
  say "building $binary"
  cargo build --quiet --locked -p gatepost
fi
[ -x "$binary" ] || fail "$binary is no program; build it with: cargo build -p gatepost"

environment=$folder/python
wanted=$(cat interop/python/requirements.txt; python3 --version)
if [ "$(cat "$environment/installed" 2>/dev/null)" != "$wanted" ]; then
  say "installing the Python clients"
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --no-input --disable-pip-version-check -r interop/python/requirements.txt ||
    fail "pip could not install interop/python/requirements.txt; is the package index reachable?"
  printf '%s\n' "$wanted" >"$environment/installed"
fi

say "installing the Node clients"
npm ci --prefix interop/node --no-audit --no-fund --loglevel=error ||
  fail "npm could not install interop/node/package-lock.json; is the registry reachable?"

exec "$environment/bin/python" interop/run.py --gatepost "$binary" "$@"
