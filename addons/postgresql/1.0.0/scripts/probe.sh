#!/bin/sh
# Prints what this member is, as JSON; fails, with the server's reason, while it cannot serve.
set -eu

# The log is for the statements of others.
export PGAPPNAME=probe PGCONNECT_TIMEOUT=4
export PGOPTIONS="-c statement_timeout=4s -c log_statement=none -c log_min_duration_statement=-1"
exec psql --no-psqlrc --no-password --tuples-only --no-align --quiet --dbname=postgres --command="
  select json_build_object('role', 'primary', 'writable', not pg_is_in_recovery(),
    'position', (pg_current_wal_lsn() - '0/0')::bigint,
    'lineage', system_identifier || '/' || timeline_id)
  from pg_control_system(), pg_control_checkpoint()"
