#!/usr/bin/env bash
# The C compiler makes Git; each object is what it is on the system's malloc.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() { source_of git; }

run() {
  local made=(git) file
  [ -z "$quick" ] || made=(xdiff/lib.a reftable/libreftable.a)
  make -C source -j"$(nproc)" NO_CURL=1 NO_EXPAT=1 NO_OPENSSL=1 NO_GETTEXT=1 CFLAGS='-O2 -ffile-prefix-map='"$folder"'=.' "${made[@]}" \
    >"$folder/log" 2>&1 || echo 'make: failed'
  cd source
  find . -name '*.o' | sort | while read -r file; do digest "$file" "$file"; done
}
$command
