#!/usr/bin/env bash
# Runs a program on the native library: scripts/run.sh LIBRARY [--stats] PROGRAM ARG...
# A library that is preloaded already stays, behind ours.
set -euo pipefail
library=$1; shift
if [ "${1:-}" = --stats ]; then
  export MIMALLOC_SHOW_STATS=1
  shift
fi
[ $# -gt 0 ] || { echo "run what? ./mimalloc run [--stats] PROGRAM ARG..." >&2; exit 2; }
case $(uname -s) in
  Darwin) export DYLD_INSERT_LIBRARIES="$library${DYLD_INSERT_LIBRARIES:+:$DYLD_INSERT_LIBRARIES}" ;;
  *) export LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" ;;
esac
exec "$@"
