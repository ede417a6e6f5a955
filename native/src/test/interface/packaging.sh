#!/bin/sh
# packaging.sh BUILD PROGRAMS: installs what was built, and builds programs against the installed tree: with each compiler
# that is there, for each language standard, without a warning; by flags, by pkg-config, by find_package.
set -eu
build=$1 programs=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tree=$folder/tree
cmake --install "$build" --prefix "$tree" >"$folder/log" || { cat "$folder/log"; exit 1; }

# It may be moved.
mv "$tree" "$folder/elsewhere"
tree=$folder/elsewhere
pc=$(dirname "$(find "$tree" -name mimalloc.pc)")
export PKG_CONFIG_PATH="$pc"
shared=$(dirname "$(find "$tree" -name 'libmimalloc*.so')")
static=$(find "$tree" -name 'libmimalloc*.a')
object=$(find "$tree" -name 'mimalloc*.o')
include=$(dirname "$(find "$tree" -name mimalloc.h)")
export LD_LIBRARY_PATH="$shared"
for header in mimalloc.h mimalloc-stats.h mimalloc-override.h mimalloc-new-delete.h; do
  [ -e "$include/$header" ] || { echo "$header is not installed"; exit 1; }
done
[ "$(pkg-config --modversion mimalloc)" = 3.6.0 ]
pkg-config --variable=implementation_version mimalloc | grep -qx "[0-9]*\.[0-9]*\.[0-9]*\(-SNAPSHOT\)\?"
flags=$(pkg-config --cflags --libs mimalloc)
private=$(pkg-config --static --libs-only-other mimalloc)

warnings='-Wall -Wextra -Wpedantic -Wshadow -Werror'
built=0
# build COMMAND...: compiles to a program, and runs it.
build() {
  "$@" -o "$folder/program" || { echo "failed: $*"; exit 1; }
  "$folder/program" >"$folder/output" || { cat "$folder/output"; echo "program of $* failed"; exit 1; }
  built=$((built + 1))
}
for cc in gcc clang; do
  command -v $cc >/dev/null || continue
  for standard in c11 c17 c2x gnu17; do
    build $cc -std=$standard $warnings "$programs/five.c" $flags
    build $cc -std=$standard $warnings -I "$include" "$programs/five.c" "$static" $private
    build $cc -std=$standard $warnings -I "$include" "$object" "$programs/five.c" $private
  done
  build $cc -std=gnu11 $warnings "$programs/override.c" $flags
done
for cxx in g++ clang++; do
  command -v $cxx >/dev/null || continue
  for standard in c++11 c++14 c++17 c++20 c++2b; do
    build $cxx -std=$standard $warnings "$programs/five.cpp" $flags
    build $cxx -std=$standard $warnings "$programs/new-delete.cpp" $flags
  done
done

mkdir "$folder/project"
cat >"$folder/project/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.18)
project(consumer C CXX)
find_package(mimalloc 3.6 REQUIRED CONFIG)
foreach(target mimalloc mimalloc-static)
  add_executable(c-${target} ${PROGRAMS}/five.c)
  target_link_libraries(c-${target} PRIVATE ${target})
  add_executable(cpp-${target} ${PROGRAMS}/five.cpp)
  target_link_libraries(cpp-${target} PRIVATE ${target})
endforeach()
if(NOT EXISTS "${MIMALLOC_INCLUDE_DIR}/mimalloc.h" OR NOT EXISTS "${MIMALLOC_OBJECT_DIR}")
  message(FATAL_ERROR "MIMALLOC_INCLUDE_DIR is ${MIMALLOC_INCLUDE_DIR}")
endif()
PROJECT
cmake -S "$folder/project" -B "$folder/consumer" -DCMAKE_PREFIX_PATH="$tree" -DPROGRAMS="$programs" >"$folder/log" 2>&1 &&
  cmake --build "$folder/consumer" >>"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
for program in c-mimalloc c-mimalloc-static cpp-mimalloc cpp-mimalloc-static; do
  "$folder/consumer/$program" >/dev/null
  built=$((built + 1))
done
echo "$built programs built against the installed tree"
