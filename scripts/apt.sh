# What the scripts have in common that take packages from Debian's mirrors; each sources this. Nothing is installed and no root is
# needed: apt works in a folder of the script's own, and the system's package lists stay as they are.

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

# needs WHY PROGRAM...
needs() {
  local why=$1 program; shift
  for program in "$@"; do command -v "$program" >/dev/null || fail "there is no $program here: $why"; done
}

# work_in FOLDER: where apt works until the script ends. What it said last is in $work/log.
work_in() {
  work=$1
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists,cache/archives}/partial
}

# run_apt LISTS PROGRAM ARG...: with the package lists in a folder, the system's or $work/lists. The user is root only so that nobody
# else need be able to write here.
system_lists=/var/lib/apt/lists
run_apt() {
  local lists=$1 program=$2; shift 2
  "$program" -q -o Dir::State::Lists="$lists" -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

# Why apt failed.
reason() { grep -m 1 '^E:' "$work/log" || tail -n 1 "$work/log"; }

# Finds the suite that has this system's Debian, not its updates or security fixes: its name becomes $release, its mirror $mirror.
find_suite() {
  local suite
  suite=$(suites "$system_lists")
  if [ -z "$suite" ]; then
    # A system that has no lists yet, as in a new container.
    run_apt "$work/lists" apt-get update >"$work/log" 2>&1 || true
    suite=$(suites "$work/lists")
  fi
  [ -n "$suite" ] || fail "apt's configured sources name no mirror of Debian's that can be reached"
  read -r mirror release <<<"$suite"
}

# suites LISTS
suites() {
  { run_apt "$1" apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null || true; } |
    awk '$1 == "Debian" && $2 == "main" && $4 !~ /-/ { print $3, $4 }' | sort -u
}

# signed_by: the keys of Debian's own suites, as an option of a line of apt's sources.
signed_by() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ ! -e $keys ] || echo "signed-by=$keys"
}

# newest PATTERN: of the names that are read the last one, as names sort, that a regular expression matches as a whole.
newest() { grep -xE "$1" | sort -V | tail -n 1; }

# unpack_into FOLDER: what apt has downloaded becomes a file tree.
unpack_into() {
  local folder=$1 name archive
  mkdir -p "$folder"/usr/{lib,bin,sbin}
  # A package may still have files in the places that are links nowadays.
  for name in lib bin sbin; do ln -s "usr/$name" "$folder/$name"; done
  for archive in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$folder" --keep-directory-symlink --no-same-owner
  done
}
