#!/usr/bin/env bash
# Compiles the C source that ./mimalloc build makes:
#   scripts/compile.sh BUILD LIB [--pgo]
# BUILD has src/mimalloc.c and include/; LIB gets libmimalloc.so and libmimalloc.a. With --pgo the compiler is told what
# happens how often: the library is first compiled with counters, which the benchmarks' own programs then run on.
# Environment: CC, CFLAGS, LDFLAGS; with --pgo also CXX.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd) how=${3:-}
mkdir -p "$2"
lib=$(cd "$2" && pwd)
cc=${CC:-cc}

# compile FLAG...: mimalloc.o, and of it libmimalloc.so
compile() {
  # shellcheck disable=SC2086  # the compiler and its flags are several words
  $cc -std=gnu11 -O2 -falign-functions=64 -g1 -fPIC -fvisibility=hidden -fexceptions -ffunction-sections -fdata-sections -pthread \
    -Wall -Wextra -Werror=implicit-function-declaration -DMI_MALLOC_OVERRIDE -I "$build/include" ${CFLAGS:-} "$@" -c -o "$work/mimalloc.o" "$build/src/mimalloc.c"
  # nodelete: threads that end later still call into the library.
  # shellcheck disable=SC2086
  $cc -shared -pthread -Wl,-soname,libmimalloc.so.3 -Wl,--gc-sections -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,--strip-debug \
    ${LDFLAGS:-} "$@" -o "$work/libmimalloc.so" "$work/mimalloc.o"
}

# Runs programs on the library with counters, which leave what they counted beside mimalloc.o.
train() {
  local native=$here/bench/src/main/native run program variant
  local flags=(-O2 -fno-builtin-malloc -fno-builtin-free -pthread)
  # shellcheck disable=SC2086
  $cc "${flags[@]}" -std=gnu17 -c -o "$work/bench.o" "$native/bench.c"
  for run in small cfrac larson xmalloc phases 'batch lifo' 'batch fifo' tree realloc large threads pareto remote mixed; do
    read -r program variant <<<"$run"
    if [ -e "$native/$program.c" ]; then
      $cc "${flags[@]}" -std=gnu17 -o "$work/$program" "$native/$program.c" "$work/bench.o" -lm -ldl
    else
      ${CXX:-c++} "${flags[@]}" -std=c++20 -o "$work/$program" "$native/$program.cpp" "$work/bench.o" -lm -ldl
    fi
    # Nothing of the user's environment: options of the allocator would be part of the lesson.
    env -i LD_PRELOAD="$work/libmimalloc.so" "$work/$program" 0.05 "$variant" >/dev/null
  done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$how" = --pgo ]; then
  if $cc -dM -E -x c /dev/null | grep -q __clang__; then
    echo "compile.sh: --pgo is for gcc; set CC" >&2
    exit 1
  fi
  echo "compiling libmimalloc with counters ..." >&2
  compile -fprofile-generate -fprofile-update=atomic
  echo "training it ..." >&2
  train
  echo "compiling libmimalloc as the counters say ..." >&2
  # The counters are known by the name of the object, so that it keeps its place. What was not reached is compiled as if
  # there were none, rather than for size.
  compile -fprofile-use -fprofile-partial-training -Werror=missing-profile
else
  echo "compiling libmimalloc ..." >&2
  compile
fi
rm -f "$lib/libmimalloc.a"
ar rcs "$lib/libmimalloc.a" "$work/mimalloc.o"
cp "$work/libmimalloc.so" "$lib/libmimalloc.so.new"
mv "$lib/libmimalloc.so.new" "$lib/libmimalloc.so.3"
ln -sf libmimalloc.so.3 "$lib/libmimalloc.so"
