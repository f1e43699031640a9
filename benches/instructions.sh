#!/usr/bin/env bash
# Instructions of reading and writing a Path of 172 octets, counted by callgrind: the difference between 2,000 and 1,000
# times, so that what happens once does not count. Prints the table that is in docs/performance.md; exit status 1 if one
# is above its aim. Needs valgrind. Usage: benches/instructions.sh
set -euo pipefail
cd "$(dirname "$0")/.."
bench=$(cargo bench --no-run --message-format short -p rsvp-wire --bench instructions 2>&1 |
  sed -n 's/.*Executable .*(\(.*\))$/\1/p')

# Instructions of a whole run.
count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

status=0
echo "| what | instructions | aim |"
echo "|---|---|---|"
while read -r what aim name; do
  each=$((($(count "$what" 2000) - $(count "$what" 1000)) / 1000))
  echo "| $name | $each | $aim |"
  [ "$each" -le "$aim" ] || status=1
done <<'END'
read 1500 parse: framing, checksum and every object into its type
write 600 write: every object from its type, length and checksum
END
exit $status
