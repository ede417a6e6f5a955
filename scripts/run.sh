#!/usr/bin/env bash
# Runs a program on the native library: scripts/run.sh LIBRARY [--stats] [--profile[=NAME]] PROGRAM ARG...
# A profile of the heap is in NAME.PID.1.pb afterwards, for pprof; the name is mimalloc unless it is given.
# A library that is preloaded already stays, behind ours.
set -euo pipefail
library=$1; shift
while :; do
  case ${1:-} in
    --stats) export MIMALLOC_SHOW_STATS=1 ;;
    --profile) export MIMALLOC_PROFILE=$PWD/mimalloc ;;
    --profile=?*) export MIMALLOC_PROFILE=${1#--profile=} ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { echo "run what? ./mimalloc run [--stats] [--profile[=NAME]] PROGRAM ARG..." >&2; exit 2; }
case $(uname -s) in
  Darwin) export DYLD_INSERT_LIBRARIES="$library${DYLD_INSERT_LIBRARIES:+:$DYLD_INSERT_LIBRARIES}" ;;
  *) export LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" ;;
esac
exec "$@"
