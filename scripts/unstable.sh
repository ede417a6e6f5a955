#!/usr/bin/env bash
# Unpacks packages of Debian's suite unstable into a folder, for this processor or for another:
#   scripts/unstable.sh [--alone] PROCESSOR FOLDER PACKAGE [NAME...]
# PROCESSOR is a word of Debian's, as amd64 or arm64. PACKAGE is a regular expression for a package's whole name: of several the newest
# is taken, as names sort. With it come the packages NAME, and what all of these depend on, unless they are to be alone. FOLDER must be
# new; it becomes a file tree of that system, with the first package's name and version in FOLDER/package. Nothing is installed, no root
# is needed, and the system's own package lists stay as they are: apt works in FOLDER, and takes the mirror that this system has Debian's
# packages from.
set -euo pipefail
alone=
if [ "${1:-}" = --alone ]; then alone=yes; shift; fi
processor=$1 folder=$2 pattern=$3; shift 3
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

needs "only a system made of Debian's packages can get newer ones" apt-get apt-cache dpkg-deb
mkdir "$folder"
folder=$(cd "$folder" && pwd)
work_in "$folder/apt"
mkdir -p "$work/unstable/partial"
find_suite
echo "deb [arch=$processor $(signed_by)] $mirror unstable main" >"$work/sources.list"
# An empty status: what is installed is no answer.
: >"$work/status"
unstable() {
  run_apt "$work/unstable" "$1" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Status="$work/status" -o APT::Architecture="$processor" -o APT::Architectures="$processor" "${@:2}"
}
unstable apt-get update >"$work/log" 2>&1 || true
package=$(unstable apt-cache pkgnames 2>/dev/null | newest "$pattern") || true
[ -n "$package" ] || fail "the mirror has no $pattern in its suite unstable: $(grep -m 1 '^[EW]:' "$work/log" || echo 'no word why')"
if [ -n "$alone" ]; then
  (cd "$work/cache/archives" && unstable apt-get download "$package" "$@") >>"$work/log" 2>&1 || package_is_missing=yes
else
  unstable apt-get install -y --download-only --no-install-recommends "$package" "$@" >>"$work/log" 2>&1 || package_is_missing=yes
fi
[ -z "${package_is_missing:-}" ] || fail "$package cannot be downloaded: $(reason)"

unpack_into "$folder"
version=$(dpkg-deb -f "$work/cache/archives/$package"_*.deb Version)
echo "$package ${version#*:}" >"$folder/package"
