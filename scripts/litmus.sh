#!/usr/bin/env bash
# Asks the memory model of C11 whether the protocols between threads are right, by herd7, which tries all executions it allows:
#   scripts/litmus.sh [--install | --write]
# tests/litmus has a protocol in each file, with the memory orders that core's accessors have. What a file says may not exist must not.
# Its comment's last line tells the weakest order that would do at each access, in the order of the text, if all others stay: with a
# weaker one the test must fail, or it would show nothing. --write enters these lines; without it they are compared. --install only
# unpacks herd7, which is Debian unstable's, into build/tools.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=$here/../tests/litmus tools=$here/../build/tools
herd=$tools/herd

fail() { printf 'litmus.sh: %s\n' "$*" >&2; exit 1; }

if ! [ -e "$herd/ready" ]; then
  mkdir -p "$tools"
  rm -rf "$herd"
  "$here/unstable.sh" "$(dpkg --print-architecture)" "$herd" herdtools7
  # The package has many tools, each of which is large.
  find "$herd/usr/bin" -type f -not -name herd7 -delete
  rm -rf "$herd"/usr/share/{doc,herdtools7/litmus}
  touch "$herd/ready"
fi
[ "${1:-}" = --install ] && exit 0
# It is made for a newer system, and comes with that system's libc.
loader=$(ls "$herd"/usr/lib/*/ld-linux-*.so.* | head -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# holds FILE: never is what the test says may not exist.
holds() {
  local said
  said=$("$loader" --library-path "$(dirname "$loader")" "$herd/usr/bin/herd7" -set-libdir "$herd/usr/share/herdtools7/herd" \
    -model rc11.cat "$1" 2>&1) || true
  case $said in
    *Warning* | *rror*) fail "herd7 says of $1: $said" ;;
    *"Observation "*" Never "*) return 0 ;;
    *"Observation "*) return 1 ;;
    *) fail "herd7 does not understand $1: $said" ;;
  esac
}

# Orders that are weaker than one, from the weakest on, for a load, a store, or what is both.
weaker() {
  local acquire='' release=''
  case $2 in
    load) acquire=acquire ;;
    store) release=release ;;
    both) acquire=acquire release=release ;;
  esac
  case $1 in
    relaxed) ;;
    acquire | release) echo relaxed ;;
    acq_rel) echo relaxed $acquire $release ;;
    seq_cst) echo relaxed $acquire $release; [ "$2" = both ] && echo acq_rel ;;
  esac
  return 0
}

# needs FILE: the weakest order that does, for each access.
needs() {
  local file=$1 count number line order kind weak all=''
  count=$(grep -c memory_order_ "$file")
  for ((number = 1; number <= count; number++)); do
    line=$(grep memory_order_ "$file" | sed -n "${number}p")
    order=${line##*memory_order_}; order=${order%%)*}
    case $line in *_load_*) kind=load ;; *_store_*) kind=store ;; *) kind=both ;; esac
    for weak in $(weaker "$order" $kind) "$order"; do
      awk -v n="$number" -v with="memory_order_$weak" '/memory_order_/ && ++i == n { sub(/memory_order_[a-z_]+/, with) } { print }' "$file" >"$work/weak.litmus"
      if [ "$weak" = "$order" ] || holds "$work/weak.litmus"; then break; fi
    done
    all+=", $weak"
  done
  echo "   needs: ${all#, } *)"
}

passed=0
for file in "$tests"/*.litmus; do
  name=$(basename "$file" .litmus)
  holds "$file" || fail "$name: what may not be can be"
  found=$(needs "$file")
  case $found in *acquire* | *seq_cst* | *acq_rel*) ;; *) fail "$name shows nothing: it holds with any order" ;; esac
  if [ "${1:-}" = --write ]; then
    sed -i '/^   needs: /d; s/^\((\*.*[^)]\|   .*[^)]\)  *\*)$/\1/' "$file"
    # Behind the comment's last line, before the initial state.
    awk -v needs="$found" '/^\{/ && !done { print needs; done = 1 } { print }' "$file" >"$work/new" && cp "$work/new" "$file"
  elif ! grep -qxF -- "$found" "$file"; then
    fail "$name: its orders are other ones than the file says:$found"
  fi
  passed=$((passed + 1))
done
echo "litmus.sh: $passed passed, 0 failed"
