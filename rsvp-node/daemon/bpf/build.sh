#!/usr/bin/env bash
# Builds flow.bpf.o from flow.bpf.c, beside it. With `--check` it builds into a temporary file and fails unless the octets
# are those of the object that is there. The object depends on the compiler alone, which is Debian 12's clang 14
# (apt-get install clang-14 llvm-14 libbpf-dev); building the daemon needs none of them.
set -euo pipefail
cd "$(dirname "$0")"

build() {
  # The kernel's headers are found where Debian has them for the machine that builds; nothing in them that the program
  # uses depends on the machine.
  clang-14 -O2 -g -fdebug-compilation-dir=. -target bpf -mcpu=v3 -Wall -Wextra -Werror \
    -I"/usr/include/$(uname -m)-linux-gnu" -c flow.bpf.c -o "$1"
  llvm-strip-14 -g "$1"
}

case "${1-}" in
  "")
    build flow.bpf.o
    ;;
  --check)
    object=$(mktemp)
    trap 'rm -f "$object"' EXIT
    build "$object"
    if ! cmp flow.bpf.o "$object"; then
      echo "flow.bpf.o is not what flow.bpf.c gives: run rsvp-node/daemon/bpf/build.sh and commit the object" >&2
      exit 1
    fi
    echo "flow.bpf.o is what flow.bpf.c gives"
    ;;
  *)
    echo "usage: build.sh [--check]" >&2
    exit 2
    ;;
esac
