#!/usr/bin/env bash
# Builds the native library for another system, and tests it where its programs can run here:
#   native/targets/target.sh list
#   native/targets/target.sh build|test TARGET [--note|--quick]
# TARGET is a row of targets.tsv, named as Zig names it: Zig's C compiler knows the headers and libraries of all of them, but
# for Emscripten, which is a compiler of its own.
# build/src and build/include are there already; build/TARGET gets lib/ and include/. With --note what was seen goes into
# states.tsv, which the README's table of targets is made of. With --quick only what the row names is built and tested, nothing of it
# in C++, whose library would be compiled first. Ends with 75 where the tools cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/build/tools

fail() { printf 'mimalloc: %s\n' "$*" >&2; exit 1; }
unavailable() { printf 'mimalloc: %s\n' "$*" >&2; exit 75; }
quiet() { "$@" >"$work/log" 2>&1 || { grep -E 'error|undefined' "$work/log" >&2 || tail -40 "$work/log" >&2; fail "the whole of it is in $work/log"; }; }

names() { grep -v '^#' "$here/targets.tsv" | cut -f 1; }

# Zig is one download with the headers of all systems. What it compiles of them, once for each, stays in its cache.
need_zig() {
  zig=$(ls "$tools"/node_modules/@zigc/*/bin/zig 2>/dev/null | head -n 1 || true)
  if [ -z "$zig" ] || [ "$here/package.json" -nt "$tools/package.json" ]; then
    command -v npm >/dev/null || unavailable "needs npm, which brings the compiler for other systems"
    printf 'installing the compiler for other systems ...\n' >&2
    mkdir -p "$tools"
    cp "$here/package.json" "$tools/"
    npm install --silent --no-audit --no-fund --prefix "$tools" >&2 || unavailable "npm cannot bring the compiler for other systems"
    zig=$(ls "$tools"/node_modules/@zigc/*/bin/zig | head -n 1)
  fi
}

# Debian's Emscripten wants Debian's JavaScript, also with another node. What node 20 has is kept from it: it loads modules
# as in a page if there is fetch, and marking while a program runs loses what lies below frames of WebAssembly.
need_emscripten() {
  command -v emcc >/dev/null || unavailable "needs Emscripten (Debian and Ubuntu: apt install emscripten node-acorn)"
  if [ -d /usr/share/nodejs ]; then export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}; fi
}

write_emscripten_toolchain() {
  {
    printf 'include("%s/cmake/Modules/Platform/Emscripten.cmake")\n' "$(em-config EMSCRIPTEN_ROOT)"
    printf 'set(CMAKE_CROSSCOMPILING_EMULATOR %s)\n' "$emulator"
    case $target in *-threads) printf 'set(CMAKE_C_FLAGS_INIT -pthread)\n' ;; esac
  } >"$work/toolchain.cmake"
}

# qemu 7.2 may leave a forked child waiting for ever for a lock of its own: so does one run of the test forks in eight, and none
# with qemu 10. One that is older than that is left for unstable's.
need_qemu() {
  local version newer=$tools/qemu/usr/bin/${emulator%-static}
  version=$("$emulator" --version 2>/dev/null | sed -n 's/^qemu.* version \([0-9]*\).*/\1/p' || true)
  [ "${version:-0}" -lt 10 ] || return 0
  if [ ! -x "$newer" ]; then
    printf 'unpacking a newer qemu ...\n' >&2
    rm -rf "$tools/qemu"
    mkdir -p "$tools"
    "$root/scripts/unstable.sh" --alone "$(dpkg --print-architecture)" "$tools/qemu" qemu-user >&2 || true
  fi
  [ ! -x "$newer" ] || emulator=$newer
}

# The first program of all sets up a system for a minute, and starts of other programs may fail meanwhile.
need_wine() {
  [ -e "$WINEPREFIX/ready" ] && return
  printf 'setting up wine ...\n' >&2
  mkdir -p "$tools"
  wine64 wineboot --init >/dev/null 2>&1 && touch "$WINEPREFIX/ready" || unavailable "wine cannot be set up"
}

# CMake wants each tool as a program of one word. glibc's symbols are those of an old version, so that the library runs there.
write_toolchain() {
  local tool
  if [ "$system" = Emscripten ]; then write_emscripten_toolchain; return; fi
  mkdir -p "$work/bin"
  for tool in cc c++; do printf '#!/bin/sh\nexec "%s" %s -target %s "$@"\n' "$zig" "$tool" "$1" >"$work/bin/$tool"; done
  for tool in ar ranlib; do printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$tool" >"$work/bin/$tool"; done
  chmod +x "$work"/bin/*
  {
    printf 'set(MI_TARGET %s)\nset(CMAKE_SYSTEM_NAME %s)\nset(CMAKE_SYSTEM_PROCESSOR %s)\n' "$target" "$system" "$processor"
    printf 'set(CMAKE_C_COMPILER "%s")\nset(CMAKE_CXX_COMPILER "%s")\n' "$work/bin/cc" "$work/bin/c++"
    if [ "$system" = Generic ]; then printf 'set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n'; fi # nothing to link with
    printf 'set(CMAKE_AR "%s")\nset(CMAKE_RANLIB "%s")\n' "$work/bin/ar" "$work/bin/ranlib"
    if [ "$emulator" != nothing ] && [ "$emulator" != itself ]; then printf 'set(CMAKE_CROSSCOMPILING_EMULATOR %s)\n' "$emulator"; fi
  } >"$work/toolchain.cmake"
}

configure() {
  export ZIG_GLOBAL_CACHE_DIR=$tools/cache ZIG_LOCAL_CACHE_DIR=$tools/cache
  quiet cmake -S "$root/native/cmake" -B "$work/out" -DCMAKE_TOOLCHAIN_FILE="$work/toolchain.cmake" -DMI_SOURCE_DIR="$root/build" \
    -DMI_INSTALL_TOPLEVEL=ON -DCMAKE_INSTALL_LIBDIR=lib "$@"
}

# A state is what was seen of a target: linked, or run with which tests.
write_state() { [ -z "$note" ] || "$here/states.sh" write "$target" "$1"; }

command=${1:-} target=${2:-} note= quick=
case ${3:-} in --note) note=yes ;; --quick) quick=yes ;; ?*) fail "target.sh knows --note and --quick, and not $3" ;; esac
if [ "$command" = list ]; then names; exit; fi
row=$(awk -F '\t' -v t="$target" '$1 == t' "$here/targets.tsv")
if [ -z "$row" ]; then fail "there is no target $target; there are: $(names | tr '\n' ' ')"; fi
IFS=$'\t' read -r _ system processor emulator quickly <<<"$row"
# Debian's wine64 is not on the path. What it says of itself is no part of what a program says.
export PATH=$PATH:/usr/lib/wine WINEDEBUG=-all WINEPREFIX=$tools/wine
prefix=$root/build/$target work=$root/build/$target/work
if [ -n "$quick" ]; then
  [ -n "${quickly:-}" ] || fail "the row of $target names nothing to build quickly"
  work=$root/build/$target/quick
fi
case $command:$emulator in test:qemu-*) need_qemu ;; esac
if [ "$system" = Emscripten ]; then need_emscripten; else need_zig; fi
mkdir -p "$work"
case $target in
  *-gnu | *-gnueabihf) if [ "$system" = Linux ]; then write_toolchain "$target.2.31"; else write_toolchain "$target"; fi ;;
  *) write_toolchain "$target" ;;
esac
case $command in
  build)
    configure -DMI_BUILD_TESTS=OFF
    quiet cmake --build "$work/out" -j "$(nproc)"
    quiet cmake --install "$work/out" --prefix "$prefix"
    case $("$here/states.sh" of "$target") in '' | linked | "not "*) write_state linked ;; esac
    printf 'ready: build/%s/lib\n' "$target" >&2 ;;
  test)
    if [ "$emulator" = nothing ]; then fail "no program of $target can run here"; fi
    [ "$emulator" = itself ] || command -v "${emulator%% *}" >/dev/null || unavailable "needs ${emulator%% *}"
    case $target in *-linux-musl) [ "$emulator" != itself ] || [ -e /lib/ld-musl-x86_64.so.1 ] || unavailable "needs musl's loader (Debian and Ubuntu: apt install musl)" ;; esac
    case $emulator in *qemu-*) QEMU_LD_PREFIX=$("$here/sysroot.sh" "$processor") && export QEMU_LD_PREFIX ;; esac
    [ "$emulator" != wine64 ] || need_wine
    settings=() built=() tests=()
    if [ -n "$quick" ]; then
      settings=(-DCMAKE_CXX_COMPILER_{ID_RUN=ON,FORCED=ON,ID=Clang,VERSION=20,FRONTEND_VARIANT=GNU})
      built=(--target $(printf '%s\n' $quickly | cut -d = -f 1 | sort -u))
      tests=(-R "^($(printf '%s\n' $quickly | cut -d = -f 2 | paste -sd '|'))\$")
    fi
    configure -DMI_BUILD_TESTS=ON "${settings[@]}"
    quiet cmake --build "$work/out" -j "$(nproc)" "${built[@]}"
    passed=yes
    ctest --test-dir "$work/out" --output-on-failure --no-tests=error -j "$(nproc)" "${tests[@]}" >"$work/tests" 2>&1 || passed=
    sed -n '/% tests passed/,$p' "$work/tests"
    count=$(sed -n 's/.*tests passed.* out of //p' "$work/tests")
    if [ -z "$passed" ]; then
      write_state "fails: $(sed -n 's/^\t *[0-9]* - \(.*\) (.*/\1/p' "$work/tests" | sort | paste -sd ' ')"
      fail "what the tests said is in $work/tests"
    fi
    [ -z "$quick" ] || exit 0
    case $target in
      *-linux-gnu*)
        quiet cmake --install "$work/out" --prefix "$prefix"
        programs=$("$here/programs.sh" "$prefix/lib/libmimalloc.so" "$QEMU_LD_PREFIX" "$emulator") ||
          { write_state "$count tests pass under ${emulator##*/}; real programs fail"; fail "real programs fail"; } ;;
    esac
    case $emulator in itself) ;; *) ran_by=${emulator%% *} under=" under ${ran_by##*/}" ;; esac
    write_state "run: $count tests${under:-}${programs:+, and $programs}" ;;
  *) fail "target.sh builds or tests, and does not $command" ;;
esac
