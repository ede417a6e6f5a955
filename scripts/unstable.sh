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

fail() { echo "unstable.sh: $*" >&2; exit 1; }
for program in apt-get apt-cache dpkg-deb; do
  command -v $program >/dev/null || fail "there is no $program here: only a system made of Debian's packages can get newer ones"
done

mkdir "$folder"
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
echo "deb [arch=$processor $signed] $mirror unstable main" >"$work/sources.list"
# An empty status: what is installed is no answer.
: >"$work/status"
unstable() {
  run_apt "$work/unstable" "$1" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Status="$work/status" -o APT::Architecture="$processor" -o APT::Architectures="$processor" "${@:2}"
}
unstable apt-get update >"$work/log" 2>&1 || true
package=$(unstable apt-cache pkgnames 2>/dev/null | grep -xE "$pattern" | sort -V | tail -n 1 || true)
[ -n "$package" ] || fail "the mirror has no $pattern in its suite unstable: $(grep -m 1 '^[EW]:' "$work/log" || echo 'no word why')"
if [ -n "$alone" ]; then
  (cd "$work/cache/archives" && unstable apt-get download "$package" "$@") >>"$work/log" 2>&1 || package_is_missing=yes
else
  unstable apt-get install -y --download-only --no-install-recommends "$package" "$@" >>"$work/log" 2>&1 || package_is_missing=yes
fi
[ -z "${package_is_missing:-}" ] || fail "$package cannot be downloaded: $(grep -m 1 '^E:' "$work/log" || tail -n 1 "$work/log")"

mkdir -p "$folder"/usr/{lib,bin,sbin}
# A package may still have files in the places that are links nowadays.
for name in lib bin sbin; do ln -s "usr/$name" "$folder/$name"; done
for archive in "$work"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$folder" --keep-directory-symlink --no-same-owner
done
version=$(dpkg-deb -f "$work/cache/archives/$package"_*.deb Version)
echo "$package ${version#*:}" >"$folder/package"
