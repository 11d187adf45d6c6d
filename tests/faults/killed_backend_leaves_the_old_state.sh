#!/usr/bin/env bash
# A backend that dies in the middle of an upgrade (terminated, or killed so that the server recovers from a
# crash) leaves the old state: the version, the tables, the rows, and no run that says 'running'. Where it dies
# is decided by a lock that another session holds: before the first statement, between two, in a later
# migration, in a deferred constraint, while another module is installed, in a rollback.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
database=fault_killed
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"$bin/createdb" "$database"

psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE ROLE killed_owner NOLOGIN;
-- Where a script has to wait for whoever holds the gate.
CREATE FUNCTION public.gate(number int) RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock(9100 + number)';
CREATE FUNCTION public.gate_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.gate(4); RETURN NULL; END';
SELECT FROM module_versioning.register_module('killed', isolation => 'schema', owner_role => 'killed_owner');
SELECT FROM module_versioning.register_module('killed-too', isolation => 'schema', owner_role => 'killed_owner');
SELECT FROM module_versioning.register_site('site');
DO $$
DECLARE
    module uuid := module_versioning.module_id('killed');
    other uuid := module_versioning.module_id('killed-too');
    next text;
BEGIN
    FOREACH next IN ARRAY ARRAY['1.0.0', '1.1.0', '1.2.0'] LOOP
        PERFORM module_versioning.create_version(module, next::module_versioning.semver);
    END LOOP;
    PERFORM module_versioning.create_version(other, '1.0.0');
    PERFORM module_versioning.add_migration(module, '1.0.0',
        'CREATE TABLE item (id int PRIMARY KEY, body text); INSERT INTO item SELECT n, n FROM generate_series(1, 1000) n', 'DROP TABLE item');
    PERFORM module_versioning.add_migration(module, '1.1.0',
        'SELECT public.gate(1); UPDATE item SET body = NULL; CREATE TABLE fresh (id int); SELECT public.gate(2); DROP TABLE fresh; ALTER TABLE item DROP COLUMN body',
        'SELECT public.gate(5); ALTER TABLE item ADD body text; SELECT public.gate(6)');
    PERFORM module_versioning.add_migration(module, '1.2.0',
        'SELECT public.gate(3); CREATE CONSTRAINT TRIGGER late AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.gate_trigger(); INSERT INTO item VALUES (0)',
        'DELETE FROM item WHERE id = 0; DROP TRIGGER late ON item');
    PERFORM module_versioning.add_migration(other, '1.0.0', 'CREATE TABLE other (id int); SELECT public.gate(7)');
    PERFORM module_versioning.publish_version(v.id) FROM module_versioning.get_versions(module) v;
    PERFORM module_versioning.publish_version(v.id) FROM module_versioning.get_versions(other) v;
    PERFORM module_versioning.install_module(module_versioning.site_id('site'), module, '1.0.0');
END
$$;
SQL

state() {
    psql <<'SQL'
SELECT 'version', m.slug, module_versioning.get_installed_version(s.site_id, s.module_id) FROM module_versioning.site_modules s JOIN module_versioning.modules m ON m.id = s.module_id ORDER BY 2;
SELECT 'run', direction, status FROM module_versioning.module_migration_runs ORDER BY ordinal;
SELECT 'activation', status FROM module_versioning.site_module_versions ORDER BY ordinal;
SELECT 'table', c.oid::regclass, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname LIKE 'killed%' AND c.relkind = 'r' AND a.attnum > 0 ORDER BY c.relname, a.attnum;
SELECT 'backups', count(*) FROM module_versioning.module_data_backups;
SELECT 'chunks', count(*) FROM module_versioning_data.chunks;
SELECT 'locks', count(*) FROM pg_locks WHERE locktype = 'advisory';
SELECT 'item', md5(string_agg(i::text, ',' ORDER BY i.id)) FROM killed_site.item i;
SELECT 'check', check_name, passed FROM module_versioning.verify_module(module_versioning.site_id('site'), module_versioning.module_id('killed'));
SQL
}

until_true() { # until a query says t; the server answers or is about to
    for _ in $(seq 3000); do
        if [ "$(psql -c "$1" 2>/dev/null)" = t ]; then return; fi
        read -rt 0.01 <> <(:) || true
    done
    echo "never came true: $1"
    exit 1
}

calls_up="module_versioning.upgrade_module(module_versioning.site_id('site'), module_versioning.module_id('killed'))"
calls_down="module_versioning.rollback_module(module_versioning.site_id('site'), module_versioning.module_id('killed'), '1.0.0', force => true)"
calls_install="module_versioning.install_module(module_versioning.site_id('site'), module_versioning.module_id('killed-too'))"

# kill_at GATE HOW CALL: starts CALL, which stops at the gate, and ends its backend.
kill_at() {
    local gate=$1 how=$2 call=$3 before after pid keeper
    before=$(state)
    # Whoever keeps the gate shut holds its lock until its input ends.
    exec {shut}> >("$bin/psql" -qXAt -d "$database" >/dev/null 2>&1)
    keeper=$!
    echo "SET application_name TO 'keeper'; SELECT pg_advisory_lock(9100 + $gate);" >&"$shut"
    until_true "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 9100 + $gate"
    PGAPPNAME=victim psql -c "SET module_versioning.lock_timeout TO 0" -c "SELECT status FROM $call" >/dev/null 2>&1 &
    until_true "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 9100 + $gate"
    pid=$(psql -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'")
    case $how in
        terminate) psql -c "SELECT pg_terminate_backend($pid)" >/dev/null ;;
        kill) kill -9 "$pid" ;;
    esac
    wait $! 2>/dev/null || true
    exec {shut}>&-
    wait "$keeper" 2>/dev/null || true
    until_true "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name IN ('victim', 'keeper')"
    after=$(state)
    [ "$before" = "$after" ] || { echo "$how at gate $gate of $call:"; diff <(echo "$before") <(echo "$after"); exit 1; }
}

for gate in 1 2 3 4; do kill_at "$gate" terminate "$calls_up"; done
for gate in 1 4; do kill_at "$gate" kill "$calls_up"; done
kill_at 7 terminate "$calls_install"
kill_at 7 kill "$calls_install"

# Nothing stands in the way of the next try; and down the same.
[ "$(psql -c "SELECT status FROM $calls_up")" = success ] || { echo "the upgrade did not go through afterwards"; exit 1; }
for gate in 5 6; do kill_at "$gate" terminate "$calls_down"; done
kill_at 6 kill "$calls_down"
[ "$(psql -c "SELECT status FROM $calls_down")" = success ] || { echo "the rollback did not go through afterwards"; exit 1; }
