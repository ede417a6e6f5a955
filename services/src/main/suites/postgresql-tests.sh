#!/usr/bin/env bash
# PostgreSQL's own regression tests, by 20 connections at a time.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

home=$(ls -d "$tree"/usr/lib/postgresql/*)

prepare() {
  source_of "postgresql-${home##*/}"
  cd source/src/test/regress
  quietly cc -O2 -fPIC -shared -I "$tree/usr/include/postgresql/${home##*/}/server" -o regress.so regress.c
  cp "$home"/lib/{autoinc,refint}.so .
}

# As root the server refuses to run: a user of its own in a namespace of its own is none.
run() {
  local as=() tests=(--schedule=parallel_schedule)
  [ -z "$quick" ] || tests=(test_setup boolean text numeric strings)
  [ "$(id -u)" != 0 ] || as=(unshare --user --map-user=1000)
  mkdir "$folder/out"
  cd source/src/test/regress
  "${as[@]}" "$home/lib/pgxs/src/test/regress/pg_regress" --bindir="$home/bin" --inputdir=. --dlpath=. --outputdir="$folder/out" \
    --temp-instance="$folder/instance" --max-connections=20 "${tests[@]}" 2>&1 | tee "$folder/said" |
    sed -nE 's/^(test|    ) *([a-z0-9_]+) +\.\.\. (ok|FAILED).*/\2: \3/p' | sed -e 's/: ok$/: passed/' -e 's/: FAILED$/: failed/'
}
$command
