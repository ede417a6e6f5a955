#!/usr/bin/env bash
# Unpacks packages of this system's Debian, and of what they depend on all that is not installed, into a folder:
#   scripts/unpack.sh FOLDER PACKAGE...
# PACKAGE is a regular expression for a package's whole name: of several the newest is taken, as names sort. FOLDER becomes a file tree
# with the names and versions of the packages in FOLDER/packages. Nothing is installed, so that no service starts and no root is needed.
set -euo pipefail
folder=$1; shift

fail() { echo "unpack.sh: $*" >&2; exit 1; }
for program in apt-get apt-cache dpkg-deb; do
  command -v $program >/dev/null || fail "there is no $program here: only a system made of Debian's packages can get $*"
done
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
folder=$(cd "$folder" && pwd)
work=$folder/apt
trap 'rm -rf "$work"' EXIT

# The user is root only so that nobody else need be able to write here.
lists=/var/lib/apt/lists
run_apt() {
  "$@" -q -o Dir::State::Lists="$lists" -o Dir::Cache="$work" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30
}
download() {
  local pattern name names=()
  for pattern in "$@"; do
    name=$(run_apt apt-cache pkgnames 2>/dev/null | grep -xE "$pattern" | sort -V | tail -n 1 || true)
    names+=("${name:-$pattern}")
  done
  run_apt apt-get install -y --download-only --no-install-recommends --reinstall "${names[@]}" >"$work/log" 2>&1
}
# A system's lists may be missing, or so old that what they name is gone.
if ! download "$@"; then
  lists=$work/lists
  run_apt apt-get update >"$work/log" 2>&1 || true
  download "$@" || fail "not to be had: $* ($(grep -m 1 '^E:' "$work/log" || tail -n 1 "$work/log"))"
fi

mkdir -p "$folder"/usr/{lib,bin,sbin}
# A package may still have files in the places that are links nowadays.
for name in lib bin sbin; do ln -s "usr/$name" "$folder/$name"; done
for archive in "$work"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$folder" --keep-directory-symlink --no-same-owner
  dpkg-deb -f "$archive" Package Version | sed 's/^[A-Za-z]*: //' | paste -sd ' ' >>"$work/names"
done
mv "$work/names" "$folder/packages"
