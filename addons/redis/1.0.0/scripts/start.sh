#!/bin/sh
# Ordinal 0 leads; every other member follows it. Members are known by DNS names, which stay when a
# pod comes back with another address.
set -eu

set -- /middleware/config/redis.conf --replica-announce-ip "$PAAMESH_POD.$PAAMESH_GROUP-h"
if [ "$PAAMESH_ORDINAL" != 0 ]; then
  set -- "$@" --replicaof "$PAAMESH_LEADER" 6379
fi
exec redis-server "$@"
