#!/usr/bin/env bash
# What was seen of each target, in states.tsv, and the README's table of it:
#   native/targets/states.sh of TARGET
#   native/targets/states.sh write TARGET STATE
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
states=$here/states.tsv

state_of() { awk -F '\t' -v t="$1" '$1 == t { print $2 }' "$states"; }

lines() {
  local each
  printf '# target\tstate, as the last test or build left it\n'
  for each in $("$here/target.sh" list) $("$root/scripts/jvm-target.sh" list); do
    if [ "$each" = "$1" ]; then printf '%s\t%s\n' "$each" "$2"; else awk -F '\t' -v t="$each" '$1 == t' "$states"; fi
  done
}

readme() {
  awk -F '\t' -v states="$states" '
    function table(line, part) {
      print "| target | state |"
      print "|---|---|"
      while ((getline line < states) > 0) if (line !~ /^#/) { split(line, part, "\t"); printf "| `%s` | %s |\n", part[1], part[2] }
    }
    /^<!-- end of targets -->/ { inside = 0 }
    !inside { print }
    /^<!-- targets:/ { inside = 1; table() }' "$root/README.md"
}

# replace FILE COMMAND...: the command reads the file, too, and may fail.
replace() {
  local made; made=$(mktemp)
  "${@:2}" >"$made"
  cmp -s "$made" "$1" || cp "$made" "$1"
  rm "$made"
}

case ${1:-}:$# in
  of:2) state_of "$2" ;;
  write:3)
    exec 9>>"$states"
    flock 9
    replace "$states" lines "$2" "$3"
    replace "$root/README.md" readme ;;
  *) printf 'mimalloc: states.sh knows of TARGET and write TARGET STATE, and not %s\n' "$*" >&2; exit 1 ;;
esac
