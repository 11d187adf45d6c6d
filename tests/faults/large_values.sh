#!/usr/bin/env bash
# Values as large as PostgreSQL takes go into a snapshot, out of the server and back into the table, the same to the byte: 100 MB
# of text, bytea and jsonb, and one of 600 MB, which has no text form that a server could hold. That one is left out where
# memory is short; LARGE_VALUES=all also has it changed and put back, which takes as long again.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
available_mb=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || echo 0)
database=fault_large
psql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"$bin/createdb" "$database"
trap '"$bin/dropdb" --if-exists --force "$database"' EXIT
psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE ROLE large_owner NOLOGIN;
SELECT FROM module_versioning.register_module('large', isolation => 'schema', owner_role => 'large_owner');
SELECT FROM module_versioning.register_site('site');
SELECT FROM module_versioning.create_version(module_versioning.module_id('large'), '1.0.0');
SELECT FROM module_versioning.add_migration(module_versioning.module_id('large'), '1.0.0',
    'CREATE TABLE item (id int PRIMARY KEY, t text, b bytea, j jsonb)', 'DROP TABLE item');
SELECT module_versioning.publish_version(v.id) FROM module_versioning.get_versions(module_versioning.module_id('large')) v;
SELECT FROM module_versioning.install_module(module_versioning.site_id('site'), module_versioning.module_id('large'));
-- The server's own compression is not what this is about: where there is a fast one, it is taken.
DO $$ BEGIN ALTER TABLE large_site.item ALTER t SET COMPRESSION lz4, ALTER b SET COMPRESSION lz4, ALTER j SET COMPRESSION lz4;
EXCEPTION WHEN OTHERS THEN NULL; END $$;
INSERT INTO large_site.item VALUES (1, 'small', NULL, NULL), (2, repeat('0123456789', 10000000), NULL, NULL),
    (3, NULL, decode(repeat('00ff10', 35000000), 'hex'), NULL), (4, NULL, NULL, jsonb_build_object('a', repeat('x', 100000000), 'b', 1.0)), (6, 'last', NULL, NULL);
SQL
site="module_versioning.site_id('site'), module_versioning.module_id('large')"
take="SELECT id FROM module_versioning.snapshot_module_data($site)"
digest() { psql -c "SELECT id, octet_length(t), octet_length(b), sha256(b), md5(t), md5(j ->> 'a'), j ->> 'b' FROM large_site.item ORDER BY id"; }
same() { [ "$before" = "$(digest)" ] || { echo "different after $1"; exit 1; }; }
restore() { psql -c "SELECT rows_restored, rows_kept FROM module_versioning.restore_module_data('$backup', create_backup => false)"; }
folder=$(psql -c "SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '')")fault_large_export
trap '"$bin/dropdb" --if-exists --force "$database"; rm -rf "$folder"' EXIT

before=$(digest)
backup=$(psql -c "$take")
psql -c "UPDATE large_site.item SET t = t || 'x', b = substr(b, 2) WHERE id < 5"
[ "$(restore)" = '3|2' ]
same 'an update'
# By way of a folder, into an empty table.
psql -o /dev/null -c "SELECT module_versioning.export_snapshot('$backup', '$folder')" -c "SELECT module_versioning.delete_snapshot('$backup')" -c "TRUNCATE large_site.item"
backup=$(psql -c "SELECT id FROM module_versioning.import_snapshot('$folder')")
[ "$(restore)" = '5|0' ]
same 'an import'

if [ "$available_mb" -lt 6000 ]; then
    echo "the value of 600 MB is left out: $available_mb MB of memory, 6000 needed"
    exit 0
fi
# Doubled, because one of that length can't be written out.
psql -c "INSERT INTO large_site.item (id, b) SELECT 5, x || x FROM (SELECT convert_to(repeat('abcdefghij', 30000000), 'UTF8') AS x) y" \
    -c "DELETE FROM large_site.item WHERE id IN (2, 3, 4)"
before=$(digest)
backup=$(psql -c "$take")
psql -c "DELETE FROM large_site.item WHERE id = 5"
[ "$(restore)" = '1|2' ]
same 'a deletion of 600 MB'
if [ "${LARGE_VALUES:-}" = all ]; then
    psql -c "UPDATE large_site.item SET b = set_byte(b, 599999999, 0) WHERE id = 5"
    [ "$(restore)" = '1|2' ]
    same 'an update of 600 MB'
fi
