#!/usr/bin/env bash
# A backend that ends while it takes, writes out, takes in, restores or deletes a snapshot (cancelled, terminated, or killed so
# that the server recovers from a crash) leaves the rows, the snapshots and the store as they were, and the next try works. Where it ends is
# decided by a lock that another session holds: on the store's chunks, or on a gate in a constraint of the table.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
database=fault_snapshot
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"$bin/createdb" "$database"
psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE ROLE snapshot_owner NOLOGIN;
CREATE FUNCTION public.gate(id int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF id = 15000 THEN PERFORM pg_advisory_xact_lock(9201); END IF;
    RETURN true;
END $$;
SELECT FROM module_versioning.register_module('snapshot', isolation => 'schema', owner_role => 'snapshot_owner');
SELECT FROM module_versioning.register_site('site');
SELECT FROM module_versioning.create_version(module_versioning.module_id('snapshot'), '1.0.0');
SELECT FROM module_versioning.add_migration(module_versioning.module_id('snapshot'), '1.0.0',
    'CREATE TABLE item (id int PRIMARY KEY, body text, CHECK (public.gate(id)))', 'DROP TABLE item');
SELECT module_versioning.publish_version(v.id) FROM module_versioning.get_versions(module_versioning.module_id('snapshot')) v;
SELECT FROM module_versioning.install_module(module_versioning.site_id('site'), module_versioning.module_id('snapshot'));
-- Several chunks.
INSERT INTO snapshot_site.item SELECT n, repeat(md5(n::text), 3) FROM generate_series(1, 20000) n;
SQL
site="module_versioning.site_id('site'), module_versioning.module_id('snapshot')"
first=$(psql -c "SELECT id FROM module_versioning.snapshot_module_data($site)")
second=$(psql -c "UPDATE snapshot_site.item SET body = reverse(body) WHERE id % 2 = 0" \
    -c "SELECT id FROM module_versioning.snapshot_module_data($site, 'manual', NULL)")
# The server's account writes beside its data.
home=$(psql -c "SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '')")
folder=${home}fault_snapshot_export

state() {
    psql <<'SQL'
SELECT 'snapshot', type, row_count, root_hash FROM module_versioning.list_snapshots() ORDER BY ordinal;
SELECT 'verified', v.* FROM module_versioning.list_snapshots() l, module_versioning.verify_snapshot(l.id) v ORDER BY l.ordinal;
SELECT 'chunks', count(*), sum(octet_length(content)) FROM module_versioning_data.chunks;
SELECT 'references', count(*) FROM module_versioning_data.snapshot_chunks;
SELECT 'manifests', count(*) FROM module_versioning_data.snapshots;
SELECT 'rows', count(*), md5(string_agg(i::text, ',' ORDER BY i.id)) FROM snapshot_site.item i;
SELECT 'triggers', tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'snapshot_site.item'::regclass ORDER BY 2;
SELECT 'version', module_versioning.get_installed_version(site_id, module_id) FROM module_versioning.site_modules;
SELECT 'progress', count(*) FROM module_versioning.progress;
SQL
    if [ -e "$folder" ]; then echo "$folder is there"; fi
}

until_true() { # until a query says t; the server answers or is about to
    for _ in $(seq 3000); do
        if [ "$(psql -c "$1" 2>/dev/null)" = t ]; then return; fi
        read -rt 0.01 <> <(:) || true
    done
    echo "never came true: $1"
    exit 1
}

# die_at LOCK HOW CALL: a keeper takes LOCK, CALL runs until it waits for it, and is ended.
die_at() {
    local lock=$1 how=$2 call=$3 before after pid keeper
    before=$(state)
    exec {shut}> >("$bin/psql" -qXAt -d "$database" >/dev/null 2>&1)
    keeper=$!
    echo "SET application_name TO 'keeper'; BEGIN; $lock;" >&"$shut"
    until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'keeper' AND state = 'idle in transaction'"
    PGAPPNAME=victim psql -c "SET module_versioning.lock_timeout TO 0" -c "$call" >/dev/null 2>&1 &
    until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event_type = 'Lock'"
    pid=$(psql -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'")
    case $how in
        cancel | terminate) psql -o /dev/null -c "SELECT pg_${how}_backend($pid)" ;;
        kill) kill -9 "$pid" ;;
    esac
    wait $! 2>/dev/null || true
    exec {shut}>&-
    wait "$keeper" 2>/dev/null || true
    until_true "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name IN ('victim', 'keeper')"
    after=$(state)
    [ "$before" = "$after" ] || { echo "$how in $call:"; diff <(echo "$before") <(echo "$after"); exit 1; }
}
partials() { find "$home" -maxdepth 1 -name '.module_versioning-*.partial' | wc -l; }

no_writing="LOCK TABLE module_versioning_data.chunks IN SHARE MODE"
no_reading="LOCK TABLE module_versioning_data.chunks IN ACCESS EXCLUSIVE MODE"
gate="SELECT pg_advisory_xact_lock(9201)"
take="SELECT row_count FROM module_versioning.snapshot_module_data($site)"
restore="SELECT count(*) FROM module_versioning.restore_module_data('$first', create_backup => false)"
export="SELECT count(*) FROM module_versioning.export_snapshot('$first', '$folder', true)"
import="SELECT count(*) FROM module_versioning.import_snapshot('$folder')"

for how in cancel terminate kill; do
    # Taken: with chunks that aren't there yet.
    psql -c "UPDATE snapshot_site.item SET body = body || '$how' WHERE id > 10000"
    die_at "$no_writing" $how "$take"
    # Restored: rows that have changed, then rows that come by COPY.
    die_at "$gate" $how "$restore"
    psql -c "DELETE FROM snapshot_site.item WHERE id > 5000"
    die_at "$gate" $how "$restore"
    psql -c "TRUNCATE snapshot_site.item"
    die_at "$gate" $how "$restore"
    [ "$(psql -c "$restore")" = 1 ]
    [ "$(psql -c "SELECT unchanged FROM module_versioning.diff_snapshot('$first')")" = 20000 ]
    # Written out: nothing of that name appears. What a killed one leaves goes with the next.
    die_at "$no_reading" $how "$export"
    if [ $how = cancel ]; then left=0; else left=1; fi
    [ "$(partials)" = $left ] || { echo "$how left $(partials) folders"; exit 1; }
    [ "$(psql -c "$export")" = 1 ]
    [ "$(partials)" = 0 ] || { echo "an export left $(partials) folders"; exit 1; }
    # Taken in: where none of its chunks is there.
    kept=$(psql -c "SELECT count(module_versioning.delete_snapshot(id)) FROM module_versioning.list_snapshots() WHERE id = '$first'")
    [ "$kept" = 1 ]
    die_at "$no_writing" $how "$import"
    [ "$(psql -c "$import")" = 1 ]
    first=$(psql -c "SELECT id FROM module_versioning.list_snapshots() WHERE backup_url IS NOT NULL")
    restore="SELECT count(*) FROM module_versioning.restore_module_data('$first', create_backup => false)"
    export="SELECT count(*) FROM module_versioning.export_snapshot('$first', '$folder', true)"
    [ "$(psql -c "SELECT unchanged FROM module_versioning.diff_snapshot('$first')")" = 20000 ]
    rm -rf "$folder"
    # Deleted: all of it or nothing.
    die_at "$no_writing" $how "SELECT module_versioning.delete_snapshot('$second')"
done
# An export that is still being written is nobody's to take away.
exec {shut}> >("$bin/psql" -qXAt -d "$database" >/dev/null 2>&1)
keeper=$!
echo "SET application_name TO 'keeper'; BEGIN; $no_reading;" >&"$shut"
until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'keeper' AND state = 'idle in transaction'"
PGAPPNAME=victim psql -o /dev/null -c "$export" &
victim=$!
until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event_type = 'Lock'"
PGAPPNAME=other psql -o /dev/null -c "SELECT module_versioning.export_snapshot('$second', '${folder}_other')" &
other=$!
until_true "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'other' AND wait_event_type = 'Lock'"
[ "$(partials)" = 2 ] || { echo "$(partials) folders are being written"; exit 1; }
echo "COMMIT;" >&"$shut"
wait "$victim" "$other"
exec {shut}>&-
wait "$keeper"
[ "$(partials)" = 0 ]
[ -e "$folder/metadata.json" ] && [ -e "${folder}_other/metadata.json" ]
rm -rf "$folder" "${folder}_other"
