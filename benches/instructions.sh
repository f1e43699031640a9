#!/usr/bin/env bash
# Instructions, counted by callgrind, of reading and writing a Path of 172 octets, and of what a transit router does with
# messages (rsvp-node/benches/instructions.rs says how): the difference between 2,000 and 1,000 times, so that what happens
# once does not count. Prints the tables that are in docs/performance.md; exit status 1 if one is above its aim. Given
# what an earlier run printed, it shows the ratio of each count to the earlier one. Needs valgrind.
#
# benches/instructions.md has the counts that stand, and says for which compiler: another one makes other counts.
# --check fails if one is more than 5 % above them; --accept puts those of now in their place. A change that costs more says so
# with the file in its commit.
# Usage: benches/instructions.sh [EARLIER | --check | --accept]
set -euo pipefail
mode=show
earlier=
case "${1:-}" in
  --check | --accept) mode=${1#--} ;;
  *) earlier=${1:+$(realpath "$1")} ;;
esac
cd "$(dirname "$0")/.."
stands=benches/instructions.md
compiler=$(rustc --version)
if [ "$mode" = check ]; then
  earlier=$(realpath "$stands")
  if ! grep -qxF "$compiler" "$stands"; then
    echo "$stands is of $(grep -m 1 '^rustc' "$stands"), and this is $compiler: nothing to compare."
    echo "Write the counts of this compiler with benches/instructions.sh --accept, from a commit whose counts are known to be good."
    exit 0
  fi
fi

# One way of building, whatever the environment says, so that counts can be compared.
export CARGO_INCREMENTAL=0

# The program that a crate's bench `instructions` is.
built() {
  "${CARGO:-cargo}" bench --no-run --message-format short -p "$1" --bench instructions 2>&1 |
    sed -n 's/.*Executable .*(\(.*\))$/\1/p'
}

# Instructions of a whole run. Without an environment, so that nothing in memory is elsewhere another time.
count() {
  env -i "$(type -P valgrind)" --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

# Instructions of one time.
each() {
  local less more
  less=$(count "$1" "$2" 1000)
  more=$(count "$1" "$2" 2000)
  echo $(((more - less) / 1000))
}

# A cell with the ratio to what an earlier run counted under the same name; nothing without an earlier run.
ratio() {
  [ -n "$earlier" ] || return 0
  awk -F ' *[|] *' -v name="$1" -v now="$2" '$2 == name { printf " %.3f |", now / $3; found = 1 }
    END { if (!found) printf " |" }' "$earlier"
}

status=0
# A count that is checked: none there, or one more than 5 % above what stands, is a failure.
held() {
  [ "$mode" = check ] || return 0
  awk -F ' *[|] *' -v name="$1" -v now="$2" '$2 == name { found = now <= $3 * 1.05 } END { exit !found }' "$earlier" && return 0
  echo "$1: $2 instructions are more than 5 % above what stands in $stands" >&2
  status=1
}

# Both tables.
tables() {
  local wire engine what aim name now
  wire=$(built rsvp-wire)
  engine=$(built rsvp-node)
  echo "| what | instructions | aim |${earlier:+ of the earlier count |}"
  echo "|---|---|---|${earlier:+---|}"
  while read -r what aim name; do
    now=$(each "$wire" "$what")
    echo "| $name | $now | $aim |$(ratio "$name" "$now")"
    held "$name" "$now"
    [ "$mode" != show ] || [ "$now" -le "$aim" ] || status=1
  done <<'END'
read 1500 parse: framing, checksum and every object into its type
write 600 write: every object from its type, length and checksum
END

  echo
  echo "| what | instructions |${earlier:+ of the earlier count |}"
  echo "|---|---|${earlier:+---|}"
  while read -r what name; do
    now=$(each "$engine" "$what")
    echo "| $name | $now |$(ratio "$name" "$now")"
    held "$name" "$now"
  done <<'END'
new-path new Path, forwarded
new-resv new Resv, admitted and forwarded
path-in Path refresh in
resv-in Resv refresh in
path-out Path refresh out
resv-out Resv refresh out
merge-ff merge of 100 FF requests for one sender, one of which changes
merge-se merge of 100 SE requests for one sender, one of which changes
path-tear PathTear of a reserved session, forwarded
resv-tear ResvTear, forwarded
END
}

if [ "$mode" = accept ]; then
  # No table is half written when something fails.
  new=$(
    echo "Instructions that stand: \`benches/instructions.sh --accept\` writes this file, and \`--check\` allows 5 % more. They are of"
    echo
    echo "$compiler"
    echo
    tables
  )
  printf '%s\n' "$new" >"$stands"
  cat "$stands"
else
  tables
fi
if [ "$mode" = check ] && [ "$status" != 0 ]; then
  echo "Win it back, or say in the commit why it is worth that, and write the new counts with benches/instructions.sh --accept." >&2
fi
exit $status
