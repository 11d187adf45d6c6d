#!/usr/bin/env bash
# How fast a schema is described, side by side with pg_dump --schema-only over the same one in one run on a
# private cluster: 200 tables of 10 columns with a key, an index, a foreign key, a check and a comment each. Prints
# medians of the client's wall clock, connections included, the ratios and what they should be; nothing
# passes or fails.
# usage: schema.sh     (the extension is installed in the PostgreSQL of PG_CONFIG; TABLES, ROUNDS by environment)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

tables=${TABLES:-200} rounds=${ROUNDS:-15}
root=$PWD/.bench
work=$(mktemp -d)
trap 'cluster_stop "$root"; rm -rf "$work"' EXIT
cluster_start "$root" "-c shared_buffers=256MB"
sql() { "$PG_BIN/psql" -qAtX -v ON_ERROR_STOP=1 "$@"; }

sql -v tables="$tables" <<'SQL'
CREATE EXTENSION module_versioning;
CREATE SCHEMA bench;
SET search_path = bench;
SELECT format($f$
    CREATE TABLE item_%1$s (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site_id uuid NOT NULL,
        parent bigint %2$s, name varchar(100) NOT NULL DEFAULT '', body text, amount numeric(12,2) CHECK (amount >= 0),
        tags text[] DEFAULT '{}', extra jsonb, created_at timestamptz NOT NULL DEFAULT now(), state integer DEFAULT 1);
    CREATE INDEX ON item_%1$s (site_id);
    COMMENT ON TABLE item_%1$s IS 'Items.';
$f$, n, CASE WHEN n > 1 THEN format('REFERENCES item_%s', n - 1) END) FROM generate_series(1, :tables) n \gexec
VACUUM ANALYZE;
SQL

milliseconds() {
    local before=$EPOCHREALTIME
    "$@" >/dev/null
    local after=$EPOCHREALTIME
    echo $(((${after/./} - ${before/./}) / 10)) | sed -E 's/^(.*)(..)$/\1.\2/'
}
median() { sort -n <"$work/$1" | sed -n "$((rounds / 2 + 1))p"; }
for _ in $(seq "$rounds"); do
    milliseconds "$PG_BIN/pg_dump" --schema-only --schema=bench >>"$work/dump"
    milliseconds sql -c "SELECT module_versioning.capture_schema('bench')" >>"$work/capture"
    milliseconds sql -c "SELECT module_versioning.schema_fingerprint('bench')" >>"$work/fingerprint"
    milliseconds sql -c "SELECT 1" >>"$work/connect"
done
# A second description in the same connection, as one that measures a change takes two.
{
    echo '\timing on'
    for _ in $(seq "$rounds"); do echo "SELECT length(module_versioning.schema_fingerprint('bench'));"; done
} | sql | sed -n 's/^Time: \([0-9.]*\).*/\1/p' >"$work/again"

line() { printf '%-52s %8.1f ms\n' "$1" "$(median "$2")"; }
ratio() { printf '%-52s %8.3f      goal %s\n' "$1" "$(awk -v a="$(median "$2")" -v b="$(median "$3")" 'BEGIN { print a / b }')" "$4"; }
echo "$tables tables, $((tables * 10)) columns; median of $rounds"
line 'pg_dump --schema-only' dump
line 'capture_schema' capture
line 'schema_fingerprint' fingerprint
line 'schema_fingerprint in an open connection' again
line 'SELECT 1 (the connection alone)' connect
ratio 'capture_schema / pg_dump --schema-only' capture dump '<= 0.33'
ratio 'schema_fingerprint / pg_dump --schema-only' fingerprint dump '<= 0.33'
