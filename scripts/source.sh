#!/usr/bin/env bash
# Unpacks the source of a package of this system's Debian into a folder, with the changes that Debian makes:
#   scripts/source.sh FOLDER PACKAGE
# FOLDER must be new. Nothing is installed and no root is needed; apt works in a folder of its own, with the mirror that this system has
# Debian's packages from.
set -euo pipefail
folder=$1 package=$2

fail() { echo "source.sh: $*" >&2; exit 1; }
for program in apt-get dpkg-source; do
  command -v $program >/dev/null || fail "there is no $program here: the source of $package comes from Debian (its package dpkg-dev)"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial

# The user is root only so that nobody else need be able to write here.
run_apt() {
  apt-get -q -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::Etc::SourceList="$work/sources.list" \
    -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root -o Acquire::Retries=1 -o Acquire::http::Timeout=30 \
    -o Acquire::https::Timeout=30 "$@"
}
# Mirrors have the sources of the suite itself, and not always those of its security fixes: what a binary has newer is missing here.
suite=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 == "main" && $4 !~ /-/ { print $3, $4 }' | sort -u | head -n 1)
[ -n "$suite" ] || fail "apt's configured sources name no mirror of Debian's"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] && signed="[signed-by=$keys]" || signed=
echo "deb-src $signed $suite main" >"$work/sources.list"
run_apt update >"$work/log" 2>&1 || true
(cd "$work" && run_apt source "$package") >>"$work/log" 2>&1 ||
  fail "not to be had: the source of $package ($(grep -m 1 '^E:' "$work/log" || tail -n 1 "$work/log"))"
mv "$(find "$work" -mindepth 1 -maxdepth 1 -type d -name "*-[0-9]*")" "$folder"
