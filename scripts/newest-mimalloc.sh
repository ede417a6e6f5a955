#!/usr/bin/env bash
# Unpacks the newest C mimalloc that Debian has, which is unstable's, for the benchmarks and tests to compare with:
#   scripts/newest-mimalloc.sh FOLDER
# FOLDER gets libmimalloc.so, its headers in include, and a file named version.
set -euo pipefail
folder=$1
[ -e "$folder/libmimalloc.so" ] && [ -e "$folder/include/mimalloc.h" ] && [ -s "$folder/version" ] && exit 0

fail() { echo "newest-mimalloc.sh: $*" >&2; exit 1; }
for program in apt-get apt-cache dpkg dpkg-deb; do
  command -v $program >/dev/null || fail "there is no $program here: only a system made of Debian's packages can get its newest mimalloc"
done
rm -rf "$folder"
mkdir -p "$folder/include"
tree=$folder/tree
trap 'rm -rf "$tree"' EXIT
# The version of the interface is in the package's name. Its libc is to be the system's.
"$(dirname "${BASH_SOURCE[0]}")/unstable.sh" --alone "$(dpkg --print-architecture)" "$tree" 'libmimalloc[0-9.]+' libmimalloc-dev
read -r package version <"$tree/package"
library=$(find "$tree" -name 'libmimalloc.so.*' | sort | head -n 1)

# It is made for a newer system, and its libc may lack what it needs.
complaint=$(LD_PRELOAD="$(readlink -f "$library")" /bin/sh -c : 2>&1) && [ -z "$complaint" ] || fail "unstable's $package does not run here: $complaint"
find "$tree" -name 'mimalloc*.h' -exec cp {} "$folder/include" \;
cp -L "$library" "$folder/libmimalloc.so"
echo "${version%%[-+]*}" >"$folder/version"
echo "unpacked C mimalloc ${version%%[-+]*}, Debian unstable's $package" >&2
