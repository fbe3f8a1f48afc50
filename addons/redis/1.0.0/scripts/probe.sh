#!/bin/sh
# Prints what this member is, as JSON; fails, with the reason, while it cannot serve.
set -eu

if ! info=$(redis-cli -h 127.0.0.1 -p 6379 INFO replication persistence 2>&1); then
  echo "redis does not answer: $info" >&2
  exit 1
fi
if ! said=$(printf '%s\n' "$info" | awk -F: '
  { sub(/\r$/, ""); field[$1] = $2 }
  function fail(why) { print why; failed = 1; exit 1 }
  END {
    if (failed) exit 1
    if (!("role" in field)) fail("redis answered without a role")
    if (field["loading"] != 0) fail("redis is loading its data")
    leads = field["role"] == "master"
    if (!leads && field["master_link_status"] != "up") fail("the link to the primary is down")
    printf "{\"role\":\"%s\",\"writable\":%s,\"position\":%s,\"lineage\":\"%s\"}\n", \
      leads ? "primary" : "replica", leads ? "true" : "false", \
      leads ? field["master_repl_offset"] : field["slave_repl_offset"], field["master_replid"]
  }'); then
  echo "$said" >&2
  exit 1
fi
echo "$said"
