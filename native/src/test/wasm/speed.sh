#!/usr/bin/env bash
# How large a module is, and how fast its malloc, with this library and with the default one: native/src/test/wasm/speed.sh [ROUNDS]
# After ./mimalloc build --target wasm32-emscripten; needs clang with wasi-libc (CLANG), emcc and node.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../../.." && pwd)
out=$root/build/wasm-speed rounds=${1:-9} clang=${CLANG:-clang}
if [ -d /usr/share/nodejs ]; then export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}; fi
mkdir -p "$out"
cd "$out"

wasi() { "$clang" --target=wasm32-wasi -fno-builtin -s "$@"; }
emscripten() { emcc -fno-builtin -sEXIT_RUNTIME=1 "$@"; }
emscriptens=$root/build/wasm32-emscripten/lib/libmimalloc.a

"$clang" --target=wasm32-wasi -O2 -DMI_MALLOC_OVERRIDE -fvisibility=hidden -I "$root/build/include" -c "$root/build/src/mimalloc.c" -o mimalloc.o
wasi -O2 "$here/speed.c" -o wasi-default.wasm
wasi -O2 "$here/speed.c" mimalloc.o -o wasi-mimalloc.wasm
for malloc in dlmalloc emmalloc; do
  emscripten -O2 "$here/speed.c" -sALLOW_MEMORY_GROWTH=1 -sMALLOC=$malloc -o "emscripten-$malloc.js"
done
emscripten -O2 "$here/speed.c" -sALLOW_MEMORY_GROWTH=1 "$emscriptens" -o emscripten-mimalloc.js

run() {
  case $1 in
    *.wasm) node --no-warnings "$here/wasi.mjs" "$1" ;;
    *) node --no-experimental-fetch --no-incremental-marking "$1" ;;
  esac
}
: >results
for ((i = 0; i < rounds; i++)); do
  for program in wasi-*.wasm emscripten-*.js; do echo "$program $(run "$program")" >>results; done
done

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-26s %9s %9s %9s %9s %5s\n' program bytes pair random batch MiB
for program in wasi-*.wasm emscripten-*.js; do
  printf '%-26s %9s' "$program" "$(stat -c %s "${program%.*}.wasm")"
  for column in 2 3 4; do printf ' %9s' "$(awk -v p="$program" -v c=$column '$1 == p { print $c }' results | median)"; done
  printf ' %5s\n' "$(awk -v p="$program" '$1 == p { print $5 }' results | median)"
done
