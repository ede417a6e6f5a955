#!/usr/bin/env bash
# Runs a program on the native library: scripts/run.sh LIBRARY [--stats] [--profile[=NAME]] [--dump[=NAME]] [--live[=NAME]] PROGRAM ARG...
# A profile of the heap is in NAME.PID.1.pb afterwards, for pprof; the name is mimalloc unless it is given. With --dump
# `./mimalloc map PID` can draw its heap, with --live `./mimalloc top PID` shows it; the files are NAME.PID.* here.
# A library that is preloaded already stays, behind ours.
set -euo pipefail
library=$1; shift
while :; do
  case ${1:-} in
    --stats) export MIMALLOC_SHOW_STATS=1 ;;
    --profile) export MIMALLOC_PROFILE=$PWD/mimalloc ;;
    --profile=?*) export MIMALLOC_PROFILE=${1#--profile=} ;;
    --dump) export MIMALLOC_DUMP=$PWD/mimalloc ;;
    --dump=?*) export MIMALLOC_DUMP=${1#--dump=} ;;
    --live) export MIMALLOC_LIVE=$PWD/mimalloc ;;
    --live=?*) export MIMALLOC_LIVE=${1#--live=} ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { echo "run what? ./mimalloc run [--stats] [--profile[=NAME]] [--dump[=NAME]] [--live[=NAME]] PROGRAM ARG..." >&2; exit 2; }
case $(uname -s) in
  Darwin) export DYLD_INSERT_LIBRARIES="$library${DYLD_INSERT_LIBRARIES:+:$DYLD_INSERT_LIBRARIES}" ;;
  *) export LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" ;;
esac
exec "$@"
