#!/bin/bash
# A Redis of its own, on a socket in a folder of its own: a script fills it, benchmark clients, a digest at the end.
#   redis.sh THOUSANDS                            (of requests in each benchmark; the script makes about as many)
set -euo pipefail
folder=$(mktemp -d "${TMPDIR:-/tmp}/mimalloc-redis.XXXXXX")
# Debian's server brings an allocator of its own, unless it is told to take the system's.
if [[ -n ${REDIS_SYSTEM_MALLOC:-} && -z ${LD_PRELOAD:-} ]]; then export LD_PRELOAD=libc.so.6; fi
# One program for all, told apart by its name.
(exec -a redis-server redis-check-rdb --port 0 --unixsocket "$folder/s" --dir "$folder" --save '' --appendonly no \
  --enable-debug-command yes --logfile "$folder/log") &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
cli() { redis-cli -s "$folder/s" "$@"; }
for _ in {1..100}; do [[ -S $folder/s ]] && cli ping >/dev/null 2>&1 && break; sleep 0.05; done

cli eval "local x = 1
for i = 1, $1 * 600 do
  x = (x * 16807) % 2147483647
  redis.call('SET', 'key:' .. x % 60000, string.rep('v', 1 + x % 300))
  if i % 3 == 0 then redis.call('HSET', 'hash:' .. x % 900, 'field' .. i, x) end
  if i % 5 == 0 then redis.call('ZADD', 'set:' .. x % 300, x, 'member' .. i) end
  if i % 7 == 0 then redis.call('DEL', 'key:' .. (x * 7) % 60000) end
end
return redis.call('DBSIZE')" 0
redis-benchmark -s "$folder/s" -q -P 32 -c 20 -n $(($1 * 1000)) -d 64 -t set,get,incr,lpush,lpop,sadd,hset >/dev/null
cli debug digest
cli shutdown nosave 2>/dev/null || true
wait $server 2>/dev/null || true
