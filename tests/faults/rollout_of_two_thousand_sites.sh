#!/usr/bin/env bash
# 2,000 sites on a server with default settings: in one transaction they don't fit into the lock table, which is
# said before anything is done; 1,000 subtransactions and more in one call do work; run_rollout has no limit.
set -euo pipefail
database=fault_two_thousand
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"$bin/createdb" "$database"

psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE ROLE thousands_owner NOLOGIN;
SELECT FROM module_versioning.register_module('many', isolation => 'schema', owner_role => 'thousands_owner');
SELECT count(module_versioning.create_version(module_versioning.module_id('many'), v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0', '1.2.0']) v;
SELECT FROM module_versioning.add_migration(module_versioning.module_id('many'), '1.0.0', 'CREATE TABLE t (x int)');
SELECT FROM module_versioning.add_migration(module_versioning.module_id('many'), '1.1.0', 'CREATE TABLE u (x int PRIMARY KEY); ALTER TABLE t ADD COLUMN y int');
SELECT FROM module_versioning.add_migration(module_versioning.module_id('many'), '1.2.0', 'SELECT 1');
SELECT count(module_versioning.publish_version(v.id)) FROM module_versioning.get_versions(module_versioning.module_id('many')) v;
DO $$
BEGIN
    FOR n IN 1..2000 LOOP
        PERFORM module_versioning.install_module((module_versioning.register_site('many-' || n)).id, module_versioning.module_id('many'), '1.0.0');
        COMMIT;
    END LOOP;
END
$$;
SQL
create() { psql -c "SELECT id FROM module_versioning.create_rollout(module_versioning.module_id('many'), '$1', create_backup => false)"; }
expect() { # what, expected, SQL
    local got
    got=$(psql -c "$3")
    [ "$got" = "$2" ] || { echo "$1: got $got instead of $2"; exit 1; }
}

rollout=$(create 1.1.0)
refusal=$("$bin/psql" -qXAt -d "$database" -v VERBOSITY=verbose -c "SELECT count(*) FROM module_versioning.advance_rollout('$rollout', 2000)" 2>&1 || true)
case $refusal in
    *"53400: 2000 sites don't fit into one transaction"*"Each takes about"*) ;;
    *) echo "no refusal: $refusal"; exit 1 ;;
esac
expect "after the refusal" "pending|2000" "SELECT status, pending FROM module_versioning.get_rollout('$rollout')"
psql -c "CALL module_versioning.run_rollout('$rollout')"
expect "one transaction for each" "completed|2000" "SELECT status, success FROM module_versioning.get_rollout('$rollout')"

# A script without locks of its own: 500 sites and some 2,500 subtransactions in one call.
rollout=$(create 1.2.0)
expect "many subtransactions" 500 "SELECT count(*) FROM module_versioning.advance_rollout('$rollout', 500) WHERE status = 'success'"
expect "what is left" "running|500|1500" "SELECT status, success, pending FROM module_versioning.get_rollout('$rollout')"
"$bin/dropdb" "$database"
