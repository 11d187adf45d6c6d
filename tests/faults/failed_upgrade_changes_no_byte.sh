#!/usr/bin/env bash
# After a failed upgrade every table of every site is byte for byte what it was: the SHA-256 over its
# COPY BINARY output, in both layouts.
set -euo pipefail
database=fault_bytes
psql() { "${PG_BIN:-/usr/lib/postgresql/15/bin}/psql" -qXAt -v ON_ERROR_STOP=1 -d "$database" "$@"; }
"${PG_BIN:-/usr/lib/postgresql/15/bin}/createdb" "$database"

psql -o /dev/null <<'SQL'
CREATE EXTENSION module_versioning;
CREATE ROLE bytes_owner NOLOGIN;
SELECT FROM module_versioning.register_module('shared', owner_role => 'bytes_owner');
SELECT FROM module_versioning.register_module('separate', isolation => 'schema', owner_role => 'bytes_owner');
SELECT count(module_versioning.register_site(s)) FROM unnest(ARRAY['a', 'b']) s;
DO $$
DECLARE
    module uuid;
    site uuid;
    next text;
BEGIN
    FOREACH module IN ARRAY ARRAY[module_versioning.module_id('shared'), module_versioning.module_id('separate')] LOOP
        FOREACH next IN ARRAY ARRAY['1.0.0', '1.1.0'] LOOP
            PERFORM module_versioning.create_version(module, next::module_versioning.semver);
        END LOOP;
        PERFORM module_versioning.add_migration(module, '1.0.0', $up$
            CREATE TABLE item (id int PRIMARY KEY, site_id uuid, body text, price numeric, extra jsonb, at timestamptz);
            CREATE TABLE part (id int PRIMARY KEY, site_id uuid, item int REFERENCES item ON DELETE CASCADE);
        $up$);
        PERFORM module_versioning.add_migration(module, '1.1.0', $up$
            UPDATE item SET body = body || '!', price = price * 2;
            DELETE FROM part WHERE id % 2 = 0;
            ALTER TABLE item ALTER COLUMN price TYPE double precision;
            ALTER TABLE item DROP COLUMN extra;
            TRUNCATE part;
            DROP TABLE part;
            CREATE TABLE fresh (id int);
        $up$);
        PERFORM module_versioning.add_migration(module, '1.1.0', 'UPDATE item SET body = NULL; SELECT 1 / count(*) FILTER (WHERE body IS NOT NULL) FROM item');
        PERFORM module_versioning.publish_version(v.id) FROM module_versioning.get_versions(module) v;
        FOREACH site IN ARRAY ARRAY[module_versioning.site_id('a'), module_versioning.site_id('b')] LOOP
            PERFORM module_versioning.install_module(site, module, '1.0.0');
        END LOOP;
    END LOOP;
    FOREACH next IN ARRAY ARRAY['shared', 'separate_a', 'separate_b'] LOOP
        EXECUTE format('INSERT INTO %I.item SELECT n, module_versioning.site_id(CASE WHEN n %% 2 = 0 THEN ''a'' ELSE ''b'' END),
            repeat(''x'', n), n / 7.0, jsonb_build_object(''n'', n), timestamptz ''epoch'' + n * interval ''1 hour'' FROM generate_series(1, 500) n', next);
        EXECUTE format('INSERT INTO %I.part SELECT id, site_id, id FROM %I.item', next, next);
    END LOOP;
END
$$;
SQL

tables="shared.item shared.part separate_a.item separate_a.part separate_b.item separate_b.part"
hashes() { for table in $tables; do psql -c "COPY $table TO STDOUT (FORMAT binary)" | sha256sum; done; }

before=$(hashes)
for module in shared separate; do
    for site in a b; do
        # With force, for what it would break is not the point here.
        result=$(psql -c "SELECT status, sqlstate, statement_number, backup_id IS NULL FROM module_versioning.upgrade_module(
            module_versioning.site_id('$site'), module_versioning.module_id('$module'), '1.1.0', force => true)")
        [ "$result" = "failed|22012|2|t" ] || { echo "$module on $site: $result"; exit 1; }
    done
done
after=$(hashes)
[ "$before" = "$after" ] || { echo "bytes differ:"; diff <(echo "$before") <(echo "$after"); exit 1; }

left=$(psql -c "SELECT count(*) FROM module_versioning.module_data_backups")
chunks=$(psql -c "SELECT count(*) FROM module_versioning_data.chunks")
runs=$(psql -c "SELECT string_agg(DISTINCT status || ':' || coalesce(sqlstate, '-'), ' ' ORDER BY status || ':' || coalesce(sqlstate, '-'))
                FROM module_versioning.module_migration_runs r JOIN module_versioning.module_migrations m ON m.id = r.migration_id
                WHERE m.to_version::text = '1.1.0'")
versions=$(psql -c "SELECT DISTINCT module_versioning.get_installed_version(site_id, module_id) FROM module_versioning.site_modules")
new=$(psql -c "SELECT count(*) FROM pg_class WHERE relname = 'fresh'")
[ "$left|$chunks|$runs|$versions|$new" = "0|0|failed:22012 rolled_back:-|1.0.0|0" ] ||
    { echo "snapshots $left, chunks $chunks, runs $runs, versions $versions, new tables $new"; exit 1; }
