#!/usr/bin/env bash
# Git's own tests of objects, packs, merges and history.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

options=(NO_CURL=1 NO_EXPAT=1 NO_OPENSSL=1 NO_GETTEXT=1 NO_TCLTK=1 NO_PERL=1 NO_PYTHON=1)

prepare() {
  source_of git
  quietly make -C source -j"$(nproc)" "${options[@]}" all
}

run() {
  local some='t0001 t1300 t5300 t6300' part test
  [ -n "$quick" ] || some='t00 t10 t13 t14 t30 t40 t42 t53 t60 t63 t64 t76'
  cd source/t
  for part in $some; do
    for test in "$part"*.sh; do
      if "./$test" >"$folder/said" 2>&1; then test="$test: passed"; else test="$test: failed"; fi
      sed -nE '/# TODO/d; s/^ok [0-9]+ - (.*)/\1: passed/p; s/^not ok [0-9]+ - (.*)/\1: failed/p' "$folder/said" | sed "s/^/${test%%-*} /"
      printf '%s\n' "$test"
    done
  done
}
$command
