-- What others keep in a module's schema stays theirs; what the migrations made is watched object by object.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE drift_owner NOLOGIN;
CREATE ROLE drift_tenant NOLOGIN;
CREATE SCHEMA drift_elsewhere;

SELECT id AS crm FROM module_versioning.register_module('drift-crm', isolation => 'schema', schema_name => 'drift', owner_role => 'drift_owner') \gset
SELECT id AS site FROM module_versioning.register_site('s') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'crm', '1.0.0') \gset
SELECT id AS v2 FROM module_versioning.create_version(:'crm', '1.1.0') \gset
SELECT id AS v3 FROM module_versioning.create_version(:'crm', '2.0.0') \gset
SELECT id AS v4 FROM module_versioning.create_version(:'crm', '3.0.0') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'crm', '1.0.0', $$
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE SEQUENCE counter;
    CREATE TABLE styles ("Q" text, d date DEFAULT '2026-02-01', t timestamptz DEFAULT '2026-02-01 12:00+00', i interval DEFAULT '1 day -2 hours', f float8 DEFAULT 0.1, b bytea DEFAULT '\xff', s text DEFAULT 'back\slash');
    CREATE TABLE person (id int PRIMARY KEY, name text, rank positive, mood mood, total int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE INDEX person_name ON person (name);
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE VIEW names AS SELECT name FROM person;
    ALTER TABLE person ENABLE ROW LEVEL SECURITY;
    CREATE POLICY all_rows ON person USING (true);
    GRANT SELECT ON person TO drift_tenant
$$, 'SELECT 1') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'crm', '1.1.0', 'ALTER TABLE person RENAME TO people; ALTER TABLE people RENAME COLUMN name TO full_name', 'ALTER TABLE people RENAME TO person; ALTER TABLE person RENAME COLUMN full_name TO name') \gset
SELECT id AS m3 FROM module_versioning.add_migration(:'crm', '2.0.0', 'DROP VIEW names CASCADE; ALTER TABLE people DROP COLUMN mood CASCADE; CREATE TABLE extra (a int); CREATE INDEX full_names ON people (full_name)',
    'ALTER TABLE people ADD COLUMN mood mood; CREATE VIEW names AS SELECT id FROM people; DROP TABLE extra') \gset
SELECT id AS m4 FROM module_versioning.add_migration(:'crm', '3.0.0', 'DROP TABLE people', 'CREATE TABLE people (id int)') \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'v1', :'v2', :'v3', :'v4']::uuid[]) v;
SELECT status, warnings FROM module_versioning.install_module(:'site', :'crm', '1.0.0');
CREATE FUNCTION pg_temp.schema_check() RETURNS TABLE (check_name text, passed boolean, object text) LANGUAGE sql AS $$
    SELECT c.check_name, c.passed, o FROM module_versioning.verify_module(module_versioning.site_id('s'), module_versioning.module_id('drift-crm')) c,
        regexp_split_to_table(c.detail, ', (?=missing|different|extra|column|index|table|view|trigger|policy|constraint|grants|comment)') o
    WHERE c.check_name IN ('schema', 'extra')
$$;

\echo Each kind of change is named, one at a time.
CREATE FUNCTION pg_temp.after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    BEGIN
        SET LOCAL search_path TO drift_s;
        EXECUTE change;
        SET LOCAL search_path TO pg_catalog;
        SELECT string_agg(c.detail, ' ') INTO found
        FROM module_versioning.verify_module(module_versioning.site_id('s'), module_versioning.module_id('drift-crm')) c
        WHERE c.check_name = 'schema' AND NOT c.passed OR c.check_name = 'extra' AND c.detail NOT LIKE 'Nothing%';
        RAISE EXCEPTION USING MESSAGE = 'undo';
    EXCEPTION WHEN raise_exception THEN
        RETURN coalesce(found, '-');
    END;
END
$$;
SELECT change, pg_temp.after(change) AS found FROM unnest(ARRAY[
    'SELECT 1',
    'DROP TABLE person CASCADE',
    'ALTER TABLE person DROP COLUMN rank', 'ALTER TABLE person ALTER rank TYPE bigint', 'ALTER TABLE person ALTER rank SET DEFAULT 3',
    'ALTER TABLE person ALTER rank SET NOT NULL', 'ALTER TABLE person ALTER total DROP EXPRESSION',
    'ALTER TABLE person ADD GENERATED int', 'ALTER TABLE person ADD tenants int',
    'DROP INDEX person_name', 'ALTER INDEX person_name RENAME TO other_name', 'CREATE INDEX tenants ON person (id)',
    'ALTER TABLE person DROP CONSTRAINT person_pkey', 'ALTER TABLE person ADD CHECK (id > 0)', 'ALTER TABLE person DISABLE TRIGGER touch',
    'DROP TRIGGER touch ON person', 'CREATE TRIGGER mine BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION touched()',
    'ALTER TABLE person DISABLE ROW LEVEL SECURITY', 'ALTER POLICY all_rows ON person USING (false)', 'CREATE POLICY mine ON person USING (true)',
    'ALTER TABLE person OWNER TO drift_tenant', 'REVOKE SELECT ON person FROM drift_tenant', 'GRANT INSERT ON person TO drift_tenant',
    'GRANT UPDATE (name) ON person TO PUBLIC', 'COMMENT ON COLUMN person.name IS ''mine''',
    'CREATE OR REPLACE VIEW names AS SELECT name FROM person WHERE false', 'CREATE VIEW mine AS SELECT 1', 'CREATE TABLE mine (a int primary key)',
    'CREATE OR REPLACE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''', 'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS ''SELECT 1''',
    'REVOKE EXECUTE ON FUNCTION touched() FROM PUBLIC',
    'ALTER SEQUENCE counter INCREMENT 2', 'ALTER TYPE mood RENAME VALUE ''sad'' TO ''blue''', 'ALTER DOMAIN positive DROP CONSTRAINT positive_check',
    'CREATE RULE mine AS ON INSERT TO person DO ALSO SELECT 1', 'CREATE STATISTICS mine ON id, name FROM person', 'ALTER TABLE person SET (fillfactor = 50)'
]) AS change;

\echo How a session is set makes no difference.
BEGIN;
SET LOCAL quote_all_identifiers = on;
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL extra_float_digits = -15;
SET LOCAL bytea_output = 'escape';
SET LOCAL standard_conforming_strings = off;
SET LOCAL search_path = drift_s;
SELECT passed, detail FROM module_versioning.verify_module(:'site', :'crm') WHERE check_name = 'schema';
ROLLBACK;

\echo A tenant adds objects: told until a change has seen them, then kept as known.
ALTER TABLE drift_s.person ADD COLUMN tenants_note text;
CREATE INDEX tenants_index ON drift_s.person (name);
CREATE TRIGGER tenants_trigger BEFORE UPDATE ON drift_s.person FOR EACH ROW EXECUTE FUNCTION drift_s.touched();
CREATE POLICY tenants_policy ON drift_s.person USING (tenants_note IS NULL);
CREATE TABLE drift_s.tenants_table (a int PRIMARY KEY);
INSERT INTO drift_s.tenants_table VALUES (7);
ALTER TABLE drift_s.tenants_table OWNER TO drift_owner;
CREATE VIEW drift_s.tenants_view AS SELECT name, tenants_note FROM drift_s.person;
GRANT SELECT ON drift_s.person TO PUBLIC;
ALTER TABLE drift_s.person ALTER rank SET DEFAULT 5;
SELECT * FROM pg_temp.schema_check();
SELECT status, unnest(warnings) AS warning FROM module_versioning.upgrade_module(:'site', :'crm', '1.1.0');
SELECT * FROM pg_temp.schema_check();
SELECT table_counts FROM module_versioning.list_snapshots(:'site', :'crm') ORDER BY created_at LIMIT 1;
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'site', :'crm', '1.0.0');
SELECT * FROM pg_temp.schema_check();
SELECT table_counts FROM module_versioning.list_snapshots(:'site', :'crm') WHERE type = 'pre_rollback';
ALTER TABLE drift_s.person ALTER rank DROP DEFAULT;
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '1.1.0');
SELECT a FROM drift_s.tenants_table;

\echo A script that takes views of a tenant along is stopped, unless that is accepted.
CREATE VIEW drift_s.glad AS SELECT id FROM drift_s.people WHERE mood = 'glad';
CREATE VIEW drift_elsewhere.glad AS SELECT *, 'sad'::drift_s.mood AS mood FROM drift_s.names;
CREATE VIEW drift_elsewhere.gladder AS SELECT * FROM drift_elsewhere.glad;
SELECT blockers, can_upgrade FROM module_versioning.plan_upgrade(:'site', :'crm', '2.0.0');
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.apply_module_migration(:'site', :'m3');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.get_installed_version(:'site', :'crm');
SELECT schemaname, viewname FROM pg_views WHERE schemaname LIKE 'drift%' ORDER BY 1, 2;
SELECT status, unnest(warnings) AS warning FROM module_versioning.upgrade_module(:'site', :'crm', '2.0.0', force => true);
SELECT schemaname, viewname FROM pg_views WHERE schemaname LIKE 'drift%' ORDER BY 1, 2;

\echo A down script that does less than the up did, or something else, is told.
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'site', :'crm', '1.1.0');
SELECT * FROM pg_temp.schema_check();
DROP INDEX drift_s.full_names;
CREATE OR REPLACE VIEW drift_s.names AS SELECT id FROM drift_s.people;
DROP VIEW drift_s.names;
CREATE VIEW drift_s.names AS SELECT full_name AS name FROM drift_s.people;
ALTER VIEW drift_s.names OWNER TO drift_owner;
SELECT * FROM pg_temp.schema_check();

\echo Dropping a table takes the column that a tenant added.
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '2.0.0');
DROP VIEW drift_s.tenants_view;
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '3.0.0');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE drift_s.people DROP COLUMN tenants_note CASCADE;
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '3.0.0');

\echo A view of a tenant on a column whose type changes is told before it makes the script fail.
SELECT id AS v5 FROM module_versioning.create_version(:'crm', '3.1.0') \gset
SELECT id AS m5 FROM module_versioning.add_migration(:'crm', '3.1.0', 'ALTER TABLE extra ALTER COLUMN a TYPE bigint', 'ALTER TABLE extra ALTER COLUMN a TYPE int') \gset
SELECT status FROM module_versioning.publish_version(:'v5');
CREATE VIEW drift_s.on_extra AS SELECT a FROM drift_s.extra;
SELECT can_upgrade, blockers, warnings FROM module_versioning.plan_upgrade(:'site', :'crm', '3.1.0');
SELECT status, sqlstate, error_message, error_detail FROM module_versioning.upgrade_module(:'site', :'crm', '3.1.0');
DROP VIEW drift_s.on_extra;
SELECT can_upgrade, blockers, warnings FROM module_versioning.plan_upgrade(:'site', :'crm', '3.1.0');

\echo A down script is looked at in the same way.
SELECT id AS v6 FROM module_versioning.create_version(:'crm', '3.2.0') \gset
SELECT id AS m6 FROM module_versioning.add_migration(:'crm', '3.2.0', 'CREATE TABLE later (a int)', 'DROP TABLE later CASCADE') \gset
SELECT status FROM module_versioning.publish_version(:'v6');
SELECT status FROM module_versioning.upgrade_module(:'site', :'crm', '3.2.0');
CREATE MATERIALIZED VIEW drift_elsewhere.on_later AS SELECT a FROM drift_s.later;
SELECT can_rollback, blockers FROM module_versioning.plan_rollback(:'site', :'crm', '3.0.0');
SELECT status FROM module_versioning.rollback_module(:'site', :'crm', '3.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'site', :'crm', '3.0.0', force => true);
SELECT count(*) AS views FROM pg_matviews WHERE schemaname = 'drift_elsewhere';

\echo Uninstalling would take the table of a tenant along.
SELECT status FROM module_versioning.uninstall_module(:'site', :'crm');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE drift_s.tenants_table;
SELECT status FROM module_versioning.uninstall_module(:'site', :'crm');
SELECT count(*) FROM module_versioning.schema_versions WHERE site_id = :'site';

\echo What the migrations themselves make elsewhere is theirs to drop.
SELECT id AS api FROM module_versioning.register_module('drift-api', isolation => 'schema', schema_name => 'drift_api', owner_role => 'drift_owner') \gset
GRANT CREATE, USAGE ON SCHEMA drift_elsewhere TO drift_owner;
SELECT id AS a1 FROM module_versioning.create_version(:'api', '1.0.0') \gset
SELECT id AS a2 FROM module_versioning.create_version(:'api', '1.1.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'api', '1.0.0', 'CREATE TABLE t (a int); CREATE VIEW drift_elsewhere.api AS SELECT * FROM t', 'DROP TABLE t CASCADE') \gset
SELECT id AS m FROM module_versioning.add_migration(:'api', '1.1.0', 'DROP TABLE t CASCADE; CREATE TABLE t (a int); CREATE VIEW drift_elsewhere.api AS SELECT * FROM t', 'ALTER TABLE t ADD COLUMN b int; DROP VIEW drift_elsewhere.api') \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'a1', :'a2']::uuid[]) v;
SELECT status FROM module_versioning.install_module(:'site', :'api', '1.0.0');
SELECT outside_objects FROM module_versioning.schema_states WHERE module_id = :'api';
SELECT can_upgrade, blockers, warnings FROM module_versioning.plan_upgrade(:'site', :'api', '1.1.0');
SELECT status, warnings FROM module_versioning.upgrade_module(:'site', :'api', '1.1.0');
SELECT status FROM module_versioning.uninstall_module(:'site', :'api');

\echo Shared tables: registered, renamed, moved and dropped with the migrations; partitions with their root.
SELECT id AS shop FROM module_versioning.register_module('drift-shop', schema_name => 'drift_shop', owner_role => 'drift_owner') \gset
SELECT id AS s1 FROM module_versioning.create_version(:'shop', '1.0.0') \gset
SELECT id AS s2 FROM module_versioning.create_version(:'shop', '2.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '1.0.0', $$
    CREATE TABLE a (id int, site_id uuid);
    CREATE TABLE b (id int);
    CREATE TABLE "C c" (id int, site_id uuid) PARTITION BY LIST (id);
    CREATE TABLE "C c1" PARTITION OF "C c" DEFAULT;
    CREATE TEMPORARY TABLE gone (id int);
    CREATE VIEW v AS SELECT * FROM a;
    CREATE TABLE drift_elsewhere.d (id int, site_id uuid)
$$, 'DROP TABLE a, b, "C c", drift_elsewhere.d CASCADE') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '2.0.0', $$
    ALTER TABLE a RENAME TO aa;
    ALTER TABLE b SET SCHEMA drift_elsewhere;
    ALTER TABLE drift_elsewhere.d RENAME TO e;
    ALTER TABLE drift_elsewhere.e SET SCHEMA drift_shop;
    DROP TABLE "C c";
    CREATE TABLE f (site_id uuid)
$$, $$
    ALTER TABLE aa RENAME TO a;
    ALTER TABLE drift_elsewhere.b SET SCHEMA drift_shop;
    ALTER TABLE e RENAME TO d;
    ALTER TABLE d SET SCHEMA drift_elsewhere;
    DROP TABLE f;
    CREATE TABLE "C c" (id int, site_id uuid) PARTITION BY LIST (id);
    CREATE TABLE "C c1" PARTITION OF "C c" DEFAULT
$$) \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'s1', :'s2']::uuid[]) v;
SELECT status FROM module_versioning.install_module(:'site', :'shop', '1.0.0');
SET ROLE drift_owner;
CREATE TABLE drift_shop.tenants (a int);
RESET ROLE;
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'shop' ORDER BY 1;
SELECT status, warnings FROM module_versioning.upgrade_module(:'site', :'shop', '2.0.0');
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'shop' ORDER BY 1;
SELECT status, warnings FROM module_versioning.rollback_module(:'site', :'shop', '1.0.0');
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'shop' ORDER BY 1;
SELECT check_name, passed FROM module_versioning.verify_module(:'site', :'shop') WHERE NOT passed;

\echo A composite type is an object of the schema, with its attributes.
SELECT id AS typed FROM module_versioning.register_module('drift-typed', isolation => 'schema', owner_role => 'drift_owner') \gset
SELECT id AS v FROM module_versioning.create_version(:'typed', '1.0.0') \gset
SELECT sequence FROM module_versioning.add_migration(:'typed', '1.0.0', 'CREATE TYPE pair AS (a int, b text)');
SELECT status FROM module_versioning.publish_version(:'v');
SELECT id AS typed_site FROM module_versioning.register_site('drift-typed') \gset
SELECT status FROM module_versioning.install_module(:'typed_site', :'typed');
ALTER TYPE "drift-typed_drift-typed".pair DROP ATTRIBUTE b;
SELECT passed, detail FROM module_versioning.verify_module(:'typed_site', :'typed') WHERE check_name = 'schema';
