#!/usr/bin/env bash
# Unpacks the source of a package of this system's Debian into a folder, with the changes that Debian makes:
#   scripts/source.sh FOLDER PACKAGE
# FOLDER must be new. Nothing is installed and no root is needed; apt works in a folder of its own, with the mirror that this system has
# Debian's packages from.
set -euo pipefail
folder=$1 package=$2
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

needs "the source of $package comes from Debian (its package dpkg-dev)" apt-get dpkg-source
work_in "$(mktemp -d)"
# Mirrors have the sources of the suite itself, and not always those of its security fixes: what a binary has newer is missing here.
find_suite
signed=$(signed_by)
echo "deb-src ${signed:+[$signed]} $mirror $release main" >"$work/sources.list"
from_source() { run_apt "$work/lists" apt-get -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null "$@"; }
from_source update >"$work/log" 2>&1 || true
(cd "$work" && from_source source "$package") >>"$work/log" 2>&1 || fail "not to be had: the source of $package ($(reason))"
mv "$(find "$work" -mindepth 1 -maxdepth 1 -type d -name "*-[0-9]*")" "$folder"
