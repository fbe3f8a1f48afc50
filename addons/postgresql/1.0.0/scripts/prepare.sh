#!/bin/sh
# Makes the database, once in the life of a volume. Nothing half-made is ever at its place: it is made
# beside it, and renamed when it is whole and on disk. The password goes by file.
set -eu
umask 077

new=$PGDATA.new
if [ -f "$PGDATA/PG_VERSION" ]; then
  found=$(cat "$PGDATA/PG_VERSION")
  runs=$(postgres --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
  if [ "$found" != "$runs" ]; then
    echo "the volume holds data of PostgreSQL $found, and this is $runs, which cannot read it: go back" \
      "to a runtime version $found.x, or load a dump into a new App" >&2
    exit 1
  fi
  # A volume that came back may have other modes, which the server does not accept.
  chmod 0700 "$PGDATA"
  exit 0
fi
if [ -e "$PGDATA" ]; then
  echo "$PGDATA is there and is no database (no PG_VERSION in it): look at it, and move it away" >&2
  exit 1
fi
rm -rf "$new"
initdb --pgdata="$new" --username="$(cat /credentials/superuser-username)" \
  --pwfile=/credentials/superuser-password --auth-local=peer --auth-host=scram-sha-256 \
  --encoding=UTF8 --locale=C.UTF-8 --data-checksums >&2
mv "$new" "$PGDATA"
sync
