# What the suites have in common; each is a script beside this one, called
#   NAME.sh prepare TREE FOLDER        makes what all runs begin with in FOLDER; TREE has the packages
#   NAME.sh run TREE FOLDER [quick]    runs the tests in FOLDER, of which this run has its own copy
# A run prints a line for each test: its name, and "passed", "failed" or "skipped"; it ends with 0 also when tests fail. An allocator may
# be preloaded.
set -eu
command=$1 tree=$2 folder=$3 quick=${4:-}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
# What the packages brought comes before the system's.
for name in "$tree"/usr/lib/*-linux-gnu; do export LD_LIBRARY_PATH="$name:$name/blas:$name/lapack:$name/pulseaudio"; done
export PATH="$tree/usr/bin:$tree/usr/sbin:$PATH" LC_ALL=C
cd "$folder"

# Runs a command, of which only failure is of interest.
quietly() { "$@" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }; }

# source PACKAGE: its source is in FOLDER/source.
source_of() { "$root/scripts/source.sh" "$folder/source" "$1"; }

# digest NAME FILE: a test that passes with the contents of a file
digest() { printf '%s of %s: passed\n' "$1" "$(sha256sum <"$2" | cut -c 1-16)"; }
