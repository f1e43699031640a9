#!/usr/bin/env bash
# Instructions, counted by callgrind, of reading and writing a Path of 172 octets, and of what a transit router does with
# messages (rsvp-node/benches/instructions.rs says how): the difference between 2,000 and 1,000 times, so that what happens
# once does not count. Prints the tables that are in docs/performance.md; exit status 1 if one is above its aim. Given
# what an earlier run printed, it shows the ratio of each count to the earlier one. Needs valgrind.
# Usage: benches/instructions.sh [EARLIER]
set -euo pipefail
earlier=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."

# One way of building, whatever the environment says, so that counts can be compared.
export CARGO_INCREMENTAL=0

# The program that a crate's bench `instructions` is.
built() {
  cargo bench --no-run --message-format short -p "$1" --bench instructions 2>&1 |
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
wire=$(built rsvp-wire)
engine=$(built rsvp-node)
echo "| what | instructions | aim |${earlier:+ of the earlier count |}"
echo "|---|---|---|${earlier:+---|}"
while read -r what aim name; do
  now=$(each "$wire" "$what")
  echo "| $name | $now | $aim |$(ratio "$name" "$now")"
  [ "$now" -le "$aim" ] || status=1
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
exit $status
