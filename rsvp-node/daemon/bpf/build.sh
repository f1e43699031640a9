#!/usr/bin/env bash
# Builds each NAME.bpf.o from its NAME.bpf.c, beside it. With `--check` it builds into a temporary file and fails unless the octets
# are those of the object that is there. The objects depend on the compiler alone, which is Debian 12's clang 14
# (apt-get install clang-14 llvm-14 libbpf-dev); building the daemon needs none of them.
set -euo pipefail
cd "$(dirname "$0")"

# What an egress interface runs, and what a cgroup does.
programs=(flow hooks)

build() {
  # The kernel's headers are found where Debian has them for the machine that builds; nothing in them that the programs
  # use depends on the machine.
  clang-14 -O2 -g -fdebug-compilation-dir=. -target bpf -mcpu=v3 -Wall -Wextra -Werror \
    -I"/usr/include/$(uname -m)-linux-gnu" -c "$1.bpf.c" -o "$2"
  llvm-strip-14 -g "$2"
}

case "${1-}" in
  "")
    for program in "${programs[@]}"; do
      build "$program" "$program.bpf.o"
    done
    ;;
  --check)
    object=$(mktemp)
    trap 'rm -f "$object"' EXIT
    for program in "${programs[@]}"; do
      build "$program" "$object"
      if ! cmp "$program.bpf.o" "$object"; then
        echo "$program.bpf.o is not what $program.bpf.c gives: run rsvp-node/daemon/bpf/build.sh and commit the object" >&2
        exit 1
      fi
      echo "$program.bpf.o is what $program.bpf.c gives"
    done
    ;;
  *)
    echo "usage: build.sh [--check]" >&2
    exit 2
    ;;
esac
