#!/usr/bin/env bash
# rsvp decode against tcpdump, in the same run on the same machine: time per packet, time against size, and memory. Makes
# its captures with examples/path_capture.rs, checks that every packet is in the output, and prints the table that is in
# docs/performance.md. Needs tcpdump and GNU time (the package `time`). Captures and output are in a folder in TMPDIR, of
# which 5 GB may be needed at a time; where that is decides what the kernel's share of the time is. Usage:
# benches/decode.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release -p rsvp-cli --no-default-features --bin rsvp --example path_capture
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
rsvp=$target/rsvp

# The capture of so many packets; with `distinct`, of ones in which nothing repeats.
capture() { "$target/examples/path_capture" "$1" 60000 "$work/$1.pcap" "${2-}"; }

# Runs a command with its output in $work/out: seconds of processor time (its own and the kernel's for it), of those its
# own, and KiB of memory.
measure() {
  local TIMEFORMAT='%3U %3S'
  { time command time -o "$work/memory" -f '%M' "$@" >"$work/out" 2>"$work/errors"; } 2>"$work/time"
  awk '{ printf "%.3f %.3f ", $1 + $2, $1 }' "$work/time"
  tail -1 "$work/memory"
}

# The least of some runs, and its own time and the memory of that one.
best() { for _ in $(seq "$runs"); do measure "$@"; done | sort -g | head -1; }

# That the output of a form holds every packet.
holds() {
  local found
  case $1 in
    tcpdump) found=$(grep -c 'RSVPv1 Path Message' "$work/out") ;;
    -v) found=$(grep -c '^     0  Path (type 1)' "$work/out") ;;
    --json) found=$(grep -c '"message":"Path".*"truncated":false' "$work/out") ;;
    --stats) found=$(awk '/^Path / { print $2 }' "$work/out") ;;
  esac
  [ "$found" = "$2" ] || { echo "$1 shows $found of $2 packets" >&2; exit 1; }
}

count=200000
row() { awk -v name="$1" -v t="$2" -v n="$3" -v m="$4" -v r="$reference" -v aim="$5" \
  'BEGIN { printf "| %s | %.2f µs | %.3f | %s | %.1f MiB |\n", name, t / n * 1e6, t / r, aim, m / 1024 }'; }
compare() {
  capture $count "$2"
  read -r reference _ memory < <(best tcpdump -n -v -r "$work/$count.pcap")
  holds tcpdump $count
  echo "| $1 | per packet | of tcpdump's time | aim | memory |"
  echo "|---|---|---|---|---|"
  row '`tcpdump -n -v -r`' "$reference" $count "$memory" ''
  for form in "-v 0.5" "--json 1" "--stats 0.1"; do
    read -r option aim <<<"$form"
    read -r seconds _ memory < <(best "$rsvp" decode "$option" "$work/$count.pcap")
    holds "$option" $count
    row "\`rsvp decode $option\`" "$seconds" $count "$memory" "$aim"
  done
  rm "$work/$count.pcap"
  echo
}
compare "200,000 Path messages, 60,000 sessions" ""
compare "the same, nothing but SESSION and SENDER_TEMPLATE ever twice" distinct
echo "Per packet: the process's own time + the kernel's for it, memory"
echo
echo "| packets | \`-v\` | \`--json\` | \`--stats\` |"
echo "|---|---|---|---|"
for count in 20000 200000 2000000; do
  [ -e "$work/$count.pcap" ] || capture $count
  cells=""
  for option in -v --json --stats; do
    read -r seconds own memory < <(best "$rsvp" decode "$option" "$work/$count.pcap")
    holds "$option" $count
    cells+=$(awk -v t="$seconds" -v u="$own" -v n=$count -v m="$memory" \
      'BEGIN { printf " %.2f + %.2f µs, %.1f MiB |", u / n * 1e6, (t - u) / n * 1e6, m / 1024 }')
  done
  echo "| $count |$cells"
  rm "$work/$count.pcap"
done
