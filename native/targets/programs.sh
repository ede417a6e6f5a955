#!/usr/bin/env bash
# programs.sh LIBRARY SYSROOT EMULATOR: runs real programs of the sysroot's system with the library preloaded. What they
# print must be what they print without it, and the library must say at the end that it was there. Says which they were.
set -euo pipefail
library=$1 sysroot=$2 emulator=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

words='BEGIN { for (i = 0; i < 30000; i++) a[i % 977] = a[i % 977] "" i; for (k = 0; k < 977; k++) n += length(a[k]); print n }'
tables='create table t(a, b);
insert into t with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) select x, hex(x * 7919) from c;
select a % 97, count(*), max(b) from t group by 1 order by 1;'
objects='
import hashlib, json, threading
rows = [{str(i): list(range(i % 40))} for i in range(4000)]
print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())
threads = [threading.Thread(target=lambda: sorted(map(str, range(5000)))) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(sum(len(json.dumps(row)) for row in rows))'

# run PROGRAM FLAG...: with flags for the emulator
run() {
  local program=$1 file=$sysroot/usr/bin/$1; shift
  local all=("$emulator" -L "$sysroot" -E "PYTHONHOME=$sysroot/usr" "$@" "$file")
  case $program in
    busybox) "${all[@]}" awk "$words" ;;
    sqlite3) "${all[@]}" :memory: "$tables" ;;
    python*) "${all[@]}" -c "$objects" ;;
  esac
}

fail() { printf 'mimalloc: %s\n' "$*" >&2; exit 1; }

ran=
for program in busybox sqlite3 python3.13; do
  run $program >"$folder/without" 2>"$folder/said" || fail "$program does not run without the library: $(tail -n 2 "$folder/said")"
  run $program -E "LD_PRELOAD=$library" -E MIMALLOC_SHOW_STATS=1 >"$folder/with" 2>"$folder/said" ||
    fail "$program does not run with the library: $(tail -n 2 "$folder/said")"
  cmp "$folder/without" "$folder/with" >&2 || fail "$program prints something else with the library"
  grep -q '^statistics ' "$folder/said" || fail "$program ran without the library: $(head -n 2 "$folder/said")"
  ran="$ran${ran:+, }$program"
done
printf '%s\n' "$ran"
