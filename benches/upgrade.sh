#!/usr/bin/env bash
# What upgrade_module adds to the time of a script: the median over many rounds of the upgrade of a module of
# 20 small tables, without snapshot, beside `psql -1` of the same script. The aim is less than 25 ms.
# usage: upgrade.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

rounds=${1:-30}
root=$PWD/.bench
psql() { "$PG_BIN/psql" -qXAt -v ON_ERROR_STOP=1 "$@"; }

work=$(mktemp -d)
trap 'cluster_stop "$root"; rm -rf "$work"' EXIT
cluster_start "$root" "-c shared_buffers=256MB"
for n in $(seq 20); do
    echo "CREATE TABLE item_$n (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site_id uuid NOT NULL, name text NOT NULL DEFAULT '', at timestamptz DEFAULT now());"
    echo "CREATE INDEX ON item_$n (site_id);"
done >"$work/create.sql"
for n in $(seq 20); do
    echo "ALTER TABLE item_$n ADD COLUMN note text;"
    echo "CREATE INDEX item_${n}_name ON item_$n (name);"
done >"$work/up.sql"
# Each round has a site of its own, and a plain schema with the same tables and rows.
{
    echo "CREATE EXTENSION module_versioning;"
    echo 'CREATE PROCEDURE fill(place text) LANGUAGE plpgsql AS $$ BEGIN FOR n IN 1..20 LOOP EXECUTE format($f$ INSERT INTO %I.item_%s (site_id, name) SELECT gen_random_uuid(), i FROM generate_series(1, 100) i $f$, place, n); END LOOP; END $$;'
    echo "SELECT count(*) FROM module_versioning.register_module('bench', isolation => 'schema');"
    echo "SELECT count(module_versioning.create_version(module_versioning.module_id('bench'), v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0']) v;"
} | psql >/dev/null
psql -v create="$(cat "$work/create.sql")" -v up="$(cat "$work/up.sql")" -v rounds="$rounds" >/dev/null <<'SQL'
SELECT count(*) FROM module_versioning.add_migration(module_versioning.module_id('bench'), '1.0.0', :'create');
SELECT count(*) FROM module_versioning.add_migration(module_versioning.module_id('bench'), '1.1.0', :'up');
SELECT count(module_versioning.publish_version(v.id)) FROM module_versioning.get_versions(module_versioning.module_id('bench')) v;
SELECT count(module_versioning.register_site('s' || n)) FROM generate_series(1, 2 * :rounds) n;
SELECT count(module_versioning.install_module(module_versioning.site_id('s' || n), module_versioning.module_id('bench'), '1.0.0')) FROM generate_series(1, 2 * :rounds) n;
SQL
for n in $(seq $((2 * rounds))); do
    { echo "CREATE SCHEMA plain_$n; SET search_path TO plain_$n;"; cat "$work/create.sql"; } | psql >/dev/null
    psql -c "CALL fill('plain_$n')" -c "CALL fill('bench_s$n')"
done
psql -c 'VACUUM ANALYZE'

milliseconds() { # of the client's wall clock, connection included, as somebody who waits for it sees it
    local before=$EPOCHREALTIME
    "$@" >/dev/null
    local after=$EPOCHREALTIME
    echo $(((${after/./} - ${before/./}) / 10)) | sed -E 's/^(.*)(..)$/\1.\2/'
}
plain() { psql -1 -c "SET search_path TO plain_$1" -f "$work/up.sql"; }
upgrade() { psql -c "SELECT 1 / (status = 'success')::int FROM module_versioning.upgrade_module(module_versioning.site_id('s$1'), module_versioning.module_id('bench'), '1.1.0', create_backup => false)"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

for n in $(seq "$rounds"); do
    milliseconds plain "$n" >>"$work/plain.ms"
    milliseconds upgrade "$n" >>"$work/upgrade.ms"
done
report() { # what psql took, what upgrade_module took
    printf '  psql -1          %8.1f ms\n  upgrade_module   %8.1f ms\n  added            %8.1f ms\n' "$1" "$2" "$(awk "BEGIN { print $2 - $1 }")"
}
echo "each in a connection of its own, median:"
report "$(median <"$work/plain.ms")" "$(median <"$work/upgrade.ms")"

# The other half of the rounds one after the other in one connection, as through a pool.
for n in $(seq $((rounds + 1)) $((2 * rounds))); do
    printf 'BEGIN; SET search_path TO plain_%s;\n\\i %s\nCOMMIT;\n' "$n" "$work/up.sql" >>"$work/plain.all"
    echo "SELECT 1 / (status = 'success')::int FROM module_versioning.upgrade_module(module_versioning.site_id('s$n'), module_versioning.module_id('bench'), '1.1.0', create_backup => false);" >>"$work/upgrade.all"
done
echo "in an open connection, mean:"
report "$(milliseconds psql -f "$work/plain.all" | awk "{ print \$1 / $rounds }")" \
    "$(milliseconds psql -f "$work/upgrade.all" | awk "{ print \$1 / $rounds }")"
