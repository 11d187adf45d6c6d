#!/usr/bin/env bash
# A runner whose backend is killed (SIGKILL, after which the server recovers) or terminated in the middle of a
# site leaves that site as it was, no row that says it runs and no claim; the next runner does it and the
# rest, and nothing twice.
set -euo pipefail
database=fault_rollout
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"$bin/createdb" "$database"

psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE TABLE public.executions (schema_name text);
CREATE TABLE public.gate (x int);
SELECT FROM module_versioning.register_module('killed', isolation => 'schema');
SELECT count(module_versioning.create_version(module_versioning.module_id('killed'), v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0']) v;
SELECT FROM module_versioning.add_migration(module_versioning.module_id('killed'), '1.0.0', 'CREATE TABLE t (x int)');
-- The third site waits at the gate, in the middle of its script.
SELECT FROM module_versioning.add_migration(module_versioning.module_id('killed'), '1.1.0', $up$
    INSERT INTO public.executions SELECT current_schema();
    ALTER TABLE t ADD COLUMN y int;
    DO $$ BEGIN IF current_schema() = 'killed_killed-3' THEN LOCK TABLE public.gate; END IF; END $$;
    ALTER TABLE t ADD COLUMN z int
$up$);
SELECT count(module_versioning.publish_version(v.id)) FROM module_versioning.get_versions(module_versioning.module_id('killed')) v;
SELECT count(module_versioning.install_module((module_versioning.register_site('killed-' || n, id => ('00000000-0000-4000-8000-00000000000' || n)::uuid)).id,
    module_versioning.module_id('killed'), '1.0.0')) FROM generate_series(1, 5) n;
SELECT FROM module_versioning.create_rollout(module_versioning.module_id('killed'), '1.1.0');
SQL
rollout=$(psql -c "SELECT id FROM module_versioning.rollouts")

expect() { # what, expected, SQL
    local got
    got=$(psql -c "$3")
    [ "$got" = "$2" ] || { echo "$1: got $got instead of $2"; exit 1; }
}
await() { # SQL that is true in the end, also over a restart of the server
    for _ in $(seq 3000); do
        if [ "$(psql -c "$1" 2>/dev/null)" = t ]; then return; fi
    done
    echo "never true: $1"; exit 1
}
terminate() { psql -o /dev/null -c "SELECT pg_terminate_backend($1)"; }
kill_hard() { kill -KILL "$1"; }

for how in kill_hard terminate; do
    # A session holds the gate until it is told to leave.
    exec {gate}> >("$bin/psql" -qXAt -d "$database" >/dev/null 2>&1)
    echo "BEGIN; LOCK TABLE public.gate IN SHARE MODE;" >&"$gate"
    await "SELECT count(*) = 1 FROM pg_locks WHERE relation = 'public.gate'::regclass AND granted"

    "$bin/psql" -qX -d "$database" -c "SET module_versioning.lock_timeout = 0" \
        -c "CALL module_versioning.run_rollout('$rollout')" >/dev/null 2>&1 &
    runner=$!
    await "SELECT count(*) = 1 FROM module_versioning.progress WHERE site = 'killed-3' AND operation = 'rollout' AND statement_number = 3"
    expect "seen while it runs ($how)" "migration|1|1|3|4" \
        "SELECT step, migration_number, migration_count, statement_number, statement_count FROM module_versioning.progress"
    $how "$(psql -c "SELECT pid FROM module_versioning.progress")"
    wait "$runner" || true
    await "SELECT count(*) = 0 FROM module_versioning.progress"
    { echo "COMMIT;" >&"$gate"; } 2>/dev/null || true
    exec {gate}>&-

    expect "sites after $how" "killed-1:success killed-2:success killed-3:pending killed-4:pending killed-5:pending" \
        "SELECT string_agg(site_slug || ':' || status, ' ' ORDER BY site_id) FROM module_versioning.rollout_sites"
    expect "runs that say running after $how" 0 "SELECT count(*) FROM module_versioning.module_migration_runs WHERE status = 'running'"
    expect "columns of the third after $how" x \
        "SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_schema = 'killed_killed-3' AND table_name = 't'"
    expect "locks left after $how" 0 "SELECT count(*) FROM pg_locks WHERE locktype IN ('userlock', 'advisory')"
done

psql -c "CALL module_versioning.run_rollout('$rollout')"
expect "the rollout" "completed|5|0" "SELECT status, success, failed FROM module_versioning.get_rollout('$rollout')"
expect "executions" "5|5" "SELECT count(*), count(DISTINCT schema_name) FROM public.executions"
"$bin/dropdb" "$database"
