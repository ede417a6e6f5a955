#!/usr/bin/env bash
# Compiles the C source that ./mimalloc build makes, by its CMake project, and installs it:
#   scripts/compile.sh BUILD PREFIX [--pgo]
# BUILD has src/mimalloc.c and include/; PREFIX gets lib/ and include/. With --pgo the compiler is told what happens how
# often: the library is first compiled with counters, which the benchmarks' own programs then run on.
# Environment: CC, CFLAGS, LDFLAGS; with --pgo also CXX.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd) how=${3:-}
mkdir -p "$2"
prefix=$(cd "$2" && pwd)
cc=${CC:-cc}

# Of CMake's and make's words only those matter that tell what went wrong.
quiet() {
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  grep -A 5 -E 'warning:|^CMake Warning' "$work/log" >&2 || true
}

# compile OPTION...: libmimalloc.so, libmimalloc.a and mimalloc.o in $work/out
compile() {
  CC=$cc quiet cmake -S "$here/native/cmake" -B "$work/out" -DMI_SOURCE_DIR="$build" -DMI_BUILD_TESTS=OFF \
    -DMI_INSTALL_TOPLEVEL=ON -DCMAKE_INSTALL_LIBDIR=lib "$@"
  quiet cmake --build "$work/out"
}

# Runs programs on the library with counters, which leave what they counted beside its object.
train() {
  local native=$here/bench/src/main/native run program variant
  local flags=(-O2 -fno-builtin-malloc -fno-builtin-free -pthread)
  # shellcheck disable=SC2086  # the compiler may be several words
  $cc "${flags[@]}" -std=gnu17 -c -o "$work/bench.o" "$native/bench.c"
  for run in small cfrac larson xmalloc phases 'batch lifo' 'batch fifo' tree realloc large threads pareto remote mixed; do
    read -r program variant <<<"$run"
    if [ -e "$native/$program.c" ]; then
      $cc "${flags[@]}" -std=gnu17 -o "$work/$program" "$native/$program.c" "$work/bench.o" -lm -ldl
    else
      ${CXX:-c++} "${flags[@]}" -std=c++20 -o "$work/$program" "$native/$program.cpp" "$work/bench.o" -lm -ldl
    fi
    # Nothing of the user's environment: options of the allocator would be part of the lesson.
    env -i LD_PRELOAD="$work/out/libmimalloc.so" "$work/$program" 0.05 "$variant" >/dev/null
  done
}

# A new folder each time: a CMake folder keeps the compiler and the flags that it first saw.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$how" = --pgo ]; then
  echo "compiling libmimalloc with counters ..." >&2
  compile -DMI_PGO=generate
  echo "training it ..." >&2
  train
  echo "compiling libmimalloc as the counters say ..." >&2
  # In the same folder, as the counters are known by the name of the object.
  compile -DMI_PGO=use
else
  echo "compiling libmimalloc ..." >&2
  compile
fi
quiet cmake --install "$work/out" --prefix "$prefix"
