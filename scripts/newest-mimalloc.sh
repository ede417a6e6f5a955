#!/usr/bin/env bash
# Unpacks the newest C mimalloc that Debian has, which is unstable's, for the benchmarks to compare with:
#   scripts/newest-mimalloc.sh FOLDER
# FOLDER gets libmimalloc.so and a file named version. Nothing is installed, no root is needed, and the system's own package
# lists stay as they are: apt works in FOLDER, and takes the mirror that this system has Debian's packages from.
set -euo pipefail
folder=$1
[ -e "$folder/libmimalloc.so" ] && [ -s "$folder/version" ] && exit 0

fail() { echo "newest-mimalloc.sh: $*" >&2; exit 1; }
for program in apt-get apt-cache dpkg dpkg-deb; do
  command -v $program >/dev/null || fail "there is no $program here: only a system made of Debian's packages can get its newest mimalloc"
done

rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$folder/apt
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,unstable}/partial "$work/cache/archives/partial"

# run_apt LISTS PROGRAM ARG...: the user is root only so that nobody else need be able to write here.
run_apt() {
  local lists=$1 program=$2; shift 2
  "$program" -q -o Dir::State::Lists="$lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root -o Acquire::Retries=1 \
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

# The mirror of the configured suite that has Debian's own packages, not its updates or security fixes.
mirrors() {
  run_apt "$1" apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 == "main" && $4 !~ /-/ { print $3 }' | sort -u
}
mirror=$(mirrors /var/lib/apt/lists | head -n 1)
if [ -z "$mirror" ]; then
  # A system that has no lists yet, as in a new container.
  run_apt "$work/lists" apt-get update >"$work/log" 2>&1 || true
  mirror=$(mirrors "$work/lists" | head -n 1)
fi
[ -n "$mirror" ] || fail "apt's configured sources name no mirror of Debian's that can be reached"

keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] && signed="signed-by=$keys" || signed=
echo "deb [arch=$(dpkg --print-architecture) $signed] $mirror unstable main" >"$work/sources.list"
# An empty status: what is installed is no answer.
: >"$work/status"
unstable() {
  run_apt "$work/unstable" "$1" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Status="$work/status" "${@:2}"
}
unstable apt-get update >"$work/log" 2>&1 || true
# The version of the interface is in the package's name.
package=$(unstable apt-cache pkgnames libmimalloc 2>/dev/null | grep -xE 'libmimalloc[0-9.]+' | sort -V | tail -n 1 || true)
[ -n "$package" ] || fail "the mirror has no mimalloc in its suite unstable: $(grep -m 1 '^[EW]:' "$work/log" || echo 'no word why')"
(cd "$work" && unstable apt-get download "$package") >>"$work/log" 2>&1 || fail "$package cannot be downloaded: $(grep -m 1 '^E:' "$work/log")"
dpkg-deb -x "$work/$package"_*.deb "$work/tree"
cp -L "$(find "$work/tree" -name 'libmimalloc.so.*' | sort | head -n 1)" "$work/libmimalloc.so"

# It is made for a newer system, and its libc may lack what it needs.
complaint=$(LD_PRELOAD="$work/libmimalloc.so" /bin/sh -c : 2>&1) && [ -z "$complaint" ] || fail "unstable's $package does not run here: $complaint"
version=$(dpkg-deb -f "$work/$package"_*.deb Version)
version=${version#*:}
mv "$work/libmimalloc.so" "$folder/libmimalloc.so"
echo "${version%%[-+]*}" >"$folder/version"
echo "unpacked C mimalloc ${version%%[-+]*}, Debian unstable's $package" >&2
