#!/usr/bin/env bash
# Unpacks packages of this system's Debian, and of what they depend on all that is not installed, into a folder:
#   scripts/unpack.sh FOLDER PACKAGE...
# PACKAGE is a regular expression for a package's whole name: of several the newest is taken, as names sort. PACKAGE/debian is the version
# that Debian has, where the system has a newer one from elsewhere: the one that scripts/source.sh has the source of. FOLDER becomes a
# file tree with the names and versions of the packages in FOLDER/packages. Nothing is installed, so that no service starts and no root
# is needed.
set -euo pipefail
folder=$1; shift
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

needs "only a system made of Debian's packages can get $*" apt-get apt-cache dpkg-deb
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work_in "$folder/apt"
case " $* " in *"/debian "*) find_suite ;; esac

# download LISTS PACKAGE...
download() {
  local lists=$1 package name names=(); shift
  for package in "$@"; do
    name=$(run_apt "$lists" apt-cache pkgnames 2>/dev/null | newest "${package%/debian}") || true
    name=${name:-${package%/debian}}
    case $package in */debian) name+=/$release ;; esac
    names+=("$name")
  done
  run_apt "$lists" apt-get install -y --download-only --no-install-recommends --reinstall --allow-downgrades "${names[@]}" >"$work/log" 2>&1
}
# A system's lists may be missing, or so old that what they name is gone.
if ! download "$system_lists" "$@"; then
  run_apt "$work/lists" apt-get update >"$work/log" 2>&1 || true
  download "$work/lists" "$@" || fail "not to be had: $* ($(reason))"
fi

unpack_into "$folder"
for archive in "$work"/cache/archives/*.deb; do
  dpkg-deb -f "$archive" Package Version | sed 's/^[A-Za-z]*: //' | paste -sd ' ' >>"$work/names"
done
mv "$work/names" "$folder/packages"
