#!/usr/bin/env bash
# Counts the instructions of the pure parts by valgrind and sets them against bench/pure/counts.txt; --update writes it.
# A part's instructions are the difference of two runs over the difference of their rounds, so that what comes before
# the rounds does not count. Counts do not depend on what else the machine does.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/machine.sh

has valgrind || fail "missing: valgrind; install it: apt-get install --no-install-recommends valgrind"
has jq || fail "missing: jq; run make prepare"
FEW=100
MANY=300
# In percent; a compiler of another version moves some counts by a few.
TOLERANCE=${TOLERANCE:-5}
# Their cryptography is written for each kind of processor, so they are told and not compared.
BY_PROCESSOR=" verify-es256 secret-tag remembered-token "
table=bench/pure/counts.txt

crates=(jose core guard operations server)
say "building the benches" >&2
built=$(cargo bench --locked --no-run --bench pure --message-format=json "${crates[@]/#/-pgatepost-}" |
  jq -r 'select(.executable != null and .target.kind == ["bench"]) | "\(.manifest_path | split("/")[-2] | ltrimstr("gatepost-")) \(.executable)"')

instructions() { # of a program with a part and rounds
  local said
  said=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1) || fail "$*: $said"
  sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$said"
}

found=""
for crate in "${crates[@]}"; do
  program=$(sed -n "s/^$crate //p" <<<"$built")
  [ -n "$program" ] || fail "no bench was built of gatepost-$crate"
  for part in $("$program"); do
    few=$(instructions "$program" "$part" "$FEW")
    many=$(instructions "$program" "$part" "$MANY")
    found+="$crate/$part $(((many - few) / (MANY - FEW)))"$'\n'
  done
done

if [ "${1:-}" = --update ]; then
  printf '%s' "$found" >"$table"
  say "wrote $table"
  exit 0
fi

failed=0
printf '%-28s %12s %12s\n' part before now
while read -r part now; do
  before=$(sed -n "s|^$part ||p" "$table")
  verdict=""
  case "$BY_PROCESSOR" in *" ${part#*/} "*) verdict="  not compared: cryptography differs by processor" ;; esac
  if [ -z "$before" ]; then
    verdict="  NEW: run $0 --update" failed=1
  elif [ -z "$verdict" ] && [ $((now * 100)) -gt $((before * (100 + TOLERANCE))) ]; then
    verdict="  MORE than $TOLERANCE % above" failed=1
  elif [ -z "$verdict" ] && [ $((now * 100)) -lt $((before * (100 - TOLERANCE))) ]; then
    verdict="  less: run $0 --update and keep it"
  fi
  printf '%-28s %12s %12s%s\n' "$part" "${before:--}" "$now" "$verdict"
done < <(printf '%s' "$found")
while read -r part _; do
  grep -q "^$part " <<<"$found" || { printf '%-28s GONE: run %s --update\n' "$part" "$0"; failed=1; }
done <"$table"
[ "$failed" = 0 ] || fail "the pure parts take more instructions than $table says; mend it, or say why in the commit and run $0 --update"
