#!/usr/bin/env bash
# Node's own tests of buffers, streams, files, processes and threads, on Debian's Node; each is a file.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() {
  source_of nodejs
  find source -mindepth 1 -maxdepth 1 ! -name test -exec rm -rf {} +
}

# Debian's Node reads modules of its own from /usr/share/nodejs. Where they are not installed, its library gets a name that is as long,
# of a link to where they are.
find_modules() {
  local library link
  for library in "$tree"/usr/lib/*/libnode.so.*; do
    [ -e "$library" ] || return 0
    link=$(mktemp -u /tmp/nodejs-XXXXX)
    ln -s "$tree/usr/share/nodejs" "$link"
    # shellcheck disable=SC2064
    trap "rm -f '$link'" EXIT
    mkdir "$folder/lib"
    sed "s,/usr/share/nodejs,$link,g" "$library" >"$folder/lib/${library##*/}"
    export LD_LIBRARY_PATH="$folder/lib:$LD_LIBRARY_PATH"
  done
}

# attempt FILE: what the test says goes to $folder/said.
attempt() {
  local flags
  read -ra flags <<<"$(sed -n 's,^// Flags: ,,p' "$1" | paste -sd ' ')"
  timeout -k 5 120 node "${flags[@]}" "$1" >"$folder/said" 2>&1 </dev/null
}

# Some tests depend on how fast the machine is: what fails is tried once more, unless it crashed. $folder/again has what the first try said.
run() {
  local parts=(buffer-[a-f]* zlib-b*) part test status
  [ -n "$quick" ] || parts=(buffer* zlib* stream-[r-w]* fs-r* crypto-[c-h]* vm-[a-m]* worker-me* child-process-[a-e]* http-a* http2-cl*)
  find_modules
  cd source
  for part in "${parts[@]}"; do
    for test in test/parallel/test-$part.js; do
      status=0
      attempt "$test" || status=$?
      if [ $status != 0 ]; then { echo "$test: $status"; cat "$folder/said"; } >>"$folder/again"; fi
      if [ $status != 0 ] && [ $status -lt 128 ]; then attempt "$test" && status=0; fi
      if [ $status = 0 ]; then echo "${test##*/}: passed"; else echo "${test##*/}: failed"; fi
    done
  done
}
$command
