#!/usr/bin/env bash
# A database restored from pg_dump has the registry, the history, what is installed and the snapshots.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
"$bin/createdb" fault_dump
"$bin/psql" -qX -d fault_dump -v ON_ERROR_STOP=1 -f examples/shop.sql >/dev/null
# A rollout on its way: one site is done, the others wait.
"$bin/psql" -qX -d fault_dump -v ON_ERROR_STOP=1 -o /dev/null -c "SELECT count(a.*) FROM module_versioning.create_rollout(module_versioning.module_id('shop'), '2.0.0', force => true) r,
    module_versioning.advance_rollout(r.id, 1) a"

# A module with every kind of object: after a restore too the live schema has to be what was recorded.
"$bin/psql" -qX -d fault_dump -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
SELECT id AS module FROM module_versioning.register_module('kinds', isolation => 'schema', schema_name => 'kinds') \gset
SELECT id AS version FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN positive AS int DEFAULT 1 CHECK (value > 0);
    CREATE TYPE span AS RANGE (subtype = int);
    CREATE SEQUENCE counter AS smallint INCREMENT 3 CYCLE;
    CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, name varchar(10) COLLATE "C" DEFAULT 'a'::text || 'b', mood mood, rank positive,
        twice int GENERATED ALWAYS AS (2) STORED, at timestamptz DEFAULT now(), CHECK (name::text <> ''));
    CREATE TABLE part (id int, k text) PARTITION BY LIST (k);
    CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a', 'b');
    CREATE TABLE child (extra int) INHERITS (person);
    CREATE UNLOGGED TABLE fast (id int, name text) WITH (fillfactor = 70);
    CREATE TABLE late (id int REFERENCES person DEFERRABLE INITIALLY DEFERRED);
    CREATE INDEX by_name ON person (lower(name), id DESC) INCLUDE (mood) WHERE rank > 3;
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION twice(a int, b mood DEFAULT 'sad') RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT a * 2; END;
    CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
    CREATE TRIGGER touch BEFORE UPDATE OF name ON person FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION touched();
    CREATE VIEW glad AS SELECT id, twice(id) FROM person WHERE mood = 'glad';
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM person;
    CREATE RULE nothing AS ON DELETE TO fast DO INSTEAD NOTHING;
    CREATE STATISTICS related ON name, mood FROM person;
    ALTER TABLE person ENABLE ROW LEVEL SECURITY;
    CREATE POLICY others ON person FOR SELECT USING (name <> current_user::text);
    GRANT SELECT (name), UPDATE ON person TO pg_monitor;
    REVOKE EXECUTE ON FUNCTION touched() FROM PUBLIC;
    COMMENT ON COLUMN person.name IS 'what it is called'
$$) \gset
SELECT id FROM module_versioning.add_post_step(:'migration', 'CREATE INDEX CONCURRENTLY later ON person (rank)') \gset
SELECT status FROM module_versioning.publish_version(:'version');
SELECT status FROM module_versioning.install_module(module_versioning.site_id('north'), :'module');
SQL

query="SELECT 'module', slug, schema_name, owner_role FROM module_versioning.modules
UNION ALL SELECT 'version', version::text, status, active_installs::text FROM module_versioning.module_versions
UNION ALL SELECT 'installed', status, activated_at::text, ordinal::text FROM module_versioning.site_module_versions
UNION ALL SELECT 'migration', to_version::text, checksum, sequence::text FROM module_versioning.module_migrations
UNION ALL SELECT 'rehearsed', to_version::text, concat_ws(' ', reversibility, suggested_bump, reversibility_detail), findings::text FROM module_versioning.module_migrations
UNION ALL SELECT 'run', status, direction, ordinal::text FROM module_versioning.module_migration_runs
UNION ALL SELECT 'applied', migration_id::text, site_id::text, '' FROM module_versioning.applied_migrations
UNION ALL SELECT 'state', fingerprint, '', '' FROM module_versioning.schema_states
UNION ALL SELECT 'kept state', fingerprint, '', '' FROM module_versioning.schema_versions
UNION ALL SELECT 'post-step', p.statement, p.command, d.status FROM module_versioning.post_steps p LEFT JOIN module_versioning.post_step_dues d ON d.post_step_id = p.id
UNION ALL SELECT 'verified', s.slug, c.check_name, c.passed || ' ' || c.detail
FROM module_versioning.site_modules i JOIN module_versioning.sites s ON s.id = i.site_id, module_versioning.verify_module(i.site_id, i.module_id) c
UNION ALL SELECT 'rollout', status, waves::text, ordinal::text FROM module_versioning.rollouts
UNION ALL SELECT 'rollout site', site_slug, wave::text, status FROM module_versioning.rollout_sites
UNION ALL SELECT 'snapshot', b.root_hash, v.table_name, v.ok::text FROM module_versioning.module_data_backups b, module_versioning.verify_snapshot(b.id) v
ORDER BY 1, 2, 3, 4"
"$bin/createdb" fault_restored
"$bin/pg_dump" fault_dump >/tmp/fault_dump.$$.sql
"$bin/psql" -qX -d fault_restored -v ON_ERROR_STOP=1 -f /tmp/fault_dump.$$.sql >/dev/null
rm -f /tmp/fault_dump.$$.sql
source=$("$bin/psql" -qXAt -d fault_dump -c "$query")
restored=$("$bin/psql" -qXAt -d fault_restored -c "$query")
[ -n "$source" ] && [ "$source" = "$restored" ] || { diff <(echo "$source") <(echo "$restored"); exit 1; }

# And it goes on working there: the next upgrade and its history come after what was restored.
result=$("$bin/psql" -qXAt -d fault_restored -c "SELECT status FROM (SELECT site_id FROM module_versioning.rollout_sites WHERE status = 'pending' ORDER BY site_slug LIMIT 1) waiting,
    module_versioning.upgrade_module(waiting.site_id, module_versioning.module_id('shop'), '2.0.0', force => true)")
[ "$result" = success ] || { echo "upgrade after restore: $result"; exit 1; }
newest=$("$bin/psql" -qXAt -d fault_restored -c "SELECT count(*) FROM module_versioning.module_migration_runs WHERE ordinal <= 0")
[ "$newest" = 0 ]
