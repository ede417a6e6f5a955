#!/usr/bin/env bash
# Redis' own tests, of a server that is built for libc's malloc.
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

prepare() {
  source_of redis
  quietly make -C source -j"$(nproc)" MALLOC=libc OPTIMIZATION=-O2
}

run() {
  local units=(unit/type/hash unit/type/zset) unit parts=()
  [ -n "$quick" ] || units+=(unit/type/list unit/type/list-2 unit/type/list-3 unit/type/set unit/type/string unit/type/stream
    unit/type/incr unit/keyspace unit/expire unit/sort unit/scan unit/dump unit/bitops unit/hyperloglog unit/multi unit/pubsub
    unit/scripting unit/functions unit/other unit/protocol unit/quit unit/slowlog unit/geo unit/querybuf unit/tracking unit/acl
    unit/aofrw unit/lazyfree unit/maxmemory integration/rdb integration/aof integration/replication integration/replication-psync)
  for unit in "${units[@]}"; do parts+=(--single "$unit"); done
  cd source
  ./runtest --clients 2 "${parts[@]}" 2>&1 | sed 's/\x1b\[[0-9;]*m//g' |
    sed -nE -e 's/^\[ok\]: (.*) \([0-9]+ ms\)$/\1: passed/p' -e 's/^\[(err|exception|timeout)\]: (.*)/\2: failed/p'
}
$command
