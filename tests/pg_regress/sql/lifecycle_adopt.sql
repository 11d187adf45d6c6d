-- Adopting schemas that were there before: compared object by object with what the migrations make.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE adopt_owner NOLOGIN;
CREATE ROLE adopt_app NOLOGIN;

SELECT id AS base FROM module_versioning.register_module('adopt-base', isolation => 'schema', owner_role => 'adopt_owner') \gset
SELECT id AS crm FROM module_versioning.register_module('adopt-crm', isolation => 'schema', schema_name => 'adopt_crm', owner_role => 'adopt_owner') \gset
SELECT id AS north FROM module_versioning.register_site('adopt-north', platform_version => '1.0.0') \gset
SELECT id AS south FROM module_versioning.register_site('adopt-south', platform_version => '2.0.0') \gset
SELECT id AS b1 FROM module_versioning.create_version(:'base', '1.0.0') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'crm', '1.0.0', min_platform_version => '1.0.0') \gset
SELECT id AS v2 FROM module_versioning.create_version(:'crm', '1.1.0', min_platform_version => '2.0.0') \gset
SELECT id AS v3 FROM module_versioning.create_version(:'crm', '2.0.0', dependencies => '{"adopt-base": "^1.0.0"}') \gset
SELECT id AS draft FROM module_versioning.create_version(:'crm', '3.0.0') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'crm', '1.0.0', $$
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood DEFAULT 'glad');
    CREATE TABLE note (person int REFERENCES person, body text CHECK (body <> ''));
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched();
    CREATE VIEW glad AS SELECT id, name FROM person WHERE mood = 'glad';
    ALTER TABLE note ENABLE ROW LEVEL SECURITY;
    CREATE POLICY everybody ON note USING (body IS NOT NULL);
    COMMENT ON TABLE person IS 'People';
    GRANT SELECT ON person TO adopt_app
$$, 'DROP VIEW glad; DROP TABLE note, person; DROP FUNCTION touched; DROP TYPE mood') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'crm', '1.1.0', 'CREATE INDEX person_name ON person (name); UPDATE person SET name = upper(name)', 'DROP INDEX person_name') \gset
SELECT id AS m3 FROM module_versioning.add_migration(:'crm', '2.0.0', 'ALTER TABLE person ADD COLUMN email text', 'ALTER TABLE person DROP COLUMN email') \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'b1', :'v1', :'v2', :'v3']::uuid[]) v;

\echo Nothing to adopt, nothing named, nothing known.
SELECT status FROM module_versioning.adopt_module(:'north', :'crm', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'north', :'crm', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'north', :'crm', '9.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS installations FROM module_versioning.site_modules WHERE module_id = :'crm';

-- Two schemas, made by hand in another order and with other numbers.
CREATE SCHEMA "adopt_crm_adopt-north" AUTHORIZATION adopt_owner;
CREATE SCHEMA "adopt_crm_adopt-south" AUTHORIZATION adopt_owner;
SET ROLE adopt_owner;
SET search_path TO "adopt_crm_adopt-north";
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('glad');
ALTER TYPE mood ADD VALUE 'sad' BEFORE 'glad';
CREATE TABLE note (person int, body text CHECK (body <> ''));
CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, extra int, name text NOT NULL, mood mood DEFAULT 'glad');
ALTER TABLE person DROP COLUMN extra;
ALTER TABLE note ADD FOREIGN KEY (person) REFERENCES person, ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON note USING (body IS NOT NULL);
CREATE TRIGGER touch BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched();
CREATE VIEW glad AS SELECT id, name FROM person WHERE mood = 'glad';
COMMENT ON TABLE person IS 'People';
GRANT SELECT ON person TO adopt_app;
INSERT INTO person (name) VALUES ('Anna'), ('Bilal');
INSERT INTO note VALUES (1, 'first');
SET search_path TO "adopt_crm_adopt-south";
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, mood mood DEFAULT 'glad', phone text);
CREATE TABLE note (person int REFERENCES person, body text);
CREATE TABLE diary (day date);
CREATE VIEW glad AS SELECT id, name FROM person WHERE mood <> 'sad';
CREATE INDEX person_name ON person (name);
RESET search_path;
RESET ROLE;

\echo Equal: adopted, and nothing ran.
BEGIN;
SELECT status, direction, from_version, to_version, backup_id, cardinality(run_ids) AS runs, verified, warnings
FROM module_versioning.adopt_module(:'north', :'crm', '1.0.0');
ROLLBACK;
SELECT count(*) AS installations FROM module_versioning.site_modules WHERE module_id = :'crm';
SELECT status, direction, from_version, to_version, backup_id, cardinality(run_ids) AS runs, verified, warnings
FROM module_versioning.adopt_module(:'north', :'crm', '1.0.0');
SELECT count(*) AS runs FROM module_versioning.get_migration_history(:'north', :'crm');
SELECT * FROM "adopt_crm_adopt-north".person ORDER BY id;
SELECT nspname FROM pg_namespace WHERE nspname ~ '^module_versioning_[0-9a-f]{32}$';
SELECT check_name, passed, detail FROM module_versioning.verify_module(:'north', :'crm');
SELECT sequence FROM module_versioning.get_pending_migrations(:'north', :'crm', '2.0.0');
SELECT table_name, row_count FROM module_versioning.get_module_tables(:'crm', :'north');

\echo Again is nothing, another version is another matter.
SELECT status FROM module_versioning.adopt_module(:'north', :'crm', '1.0.0');
SELECT status FROM module_versioning.adopt_module(:'north', :'crm', '1.1.0');
\echo :LAST_ERROR_SQLSTATE

\echo The platform of north is too old for 1.1.0; of south a dependency is missing for 2.0.0; a draft is none.
SELECT status FROM module_versioning.upgrade_module(:'north', :'crm', '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'south', :'crm', '2.0.0', true);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'south', :'crm', '3.0.0', true);
\echo :LAST_ERROR_SQLSTATE

\echo What belongs to somebody else is not for the module to take.
ALTER SCHEMA "adopt_crm_adopt-south" OWNER TO adopt_app;
SELECT status FROM module_versioning.adopt_module(:'south', :'crm', '1.1.0', true);
\echo :LAST_ERROR_SQLSTATE
ALTER SCHEMA "adopt_crm_adopt-south" OWNER TO adopt_owner;

\echo Different: refused with every difference, or accepted with a warning for each.
SELECT status FROM module_versioning.adopt_module(:'south', :'crm', '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) AS installations FROM module_versioning.site_modules WHERE module_id = :'crm';
SELECT status, unnest(warnings) AS warning FROM module_versioning.adopt_module(:'south', :'crm', '1.1.0', true);
SELECT check_name, passed, detail FROM module_versioning.verify_module(:'south', :'crm') WHERE check_name IN ('schema', 'extra');
SELECT tenant_objects FROM module_versioning.schema_states WHERE site_id = :'south';
SELECT count(*) AS runs FROM module_versioning.get_migration_history(:'south', :'crm');

\echo What was adopted can be upgraded and rolled back; what was missing still is.
SELECT status FROM module_versioning.install_module(:'south', :'base');
SELECT status, unnest(warnings) AS warning FROM module_versioning.upgrade_module(:'south', :'crm', '2.0.0');
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'south', :'crm', '1.1.0');
SELECT passed, detail FROM module_versioning.verify_module(:'south', :'crm') WHERE check_name = 'schema';
DELETE FROM module_versioning.module_migrations WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE

\echo Migrations that name their schema, or that fail without rows, cannot be rehearsed.
SELECT id AS named FROM module_versioning.register_module('adopt-named', owner_role => 'adopt_owner') \gset
SELECT id AS n1 FROM module_versioning.create_version(:'named', '1.0.0') \gset
SELECT id AS n2 FROM module_versioning.create_version(:'named', '1.1.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'named', '1.0.0', 'CREATE TABLE IF NOT EXISTS "adopt-named".item (id int, site_id uuid)') \gset
SELECT id AS m FROM module_versioning.add_migration(:'named', '1.1.0', 'DO $d$ BEGIN IF NOT EXISTS (SELECT FROM pg_tables WHERE tablename = ''gizmo'') THEN RAISE ''no gizmo''; END IF; END $d$') \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'n1', :'n2']::uuid[]) v;
CREATE SCHEMA "adopt-named" AUTHORIZATION adopt_owner;
SET ROLE adopt_owner;
CREATE TABLE "adopt-named".item (id int, site_id uuid);
RESET ROLE;
SELECT status FROM module_versioning.adopt_module(:'north', :'named', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'north', :'named', '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status, unnest(warnings) AS warning FROM module_versioning.adopt_module(:'north', :'named', '1.1.0', true);
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'named';
SELECT bool_and(passed) FROM module_versioning.verify_module(:'north', :'named');

\echo Shared tables: the first site is compared with the migrations, the next with what is recorded.
SELECT id AS shop FROM module_versioning.register_module('adopt-shop', schema_name => 'adopt_shop', owner_role => 'adopt_owner') \gset
SELECT id AS s1 FROM module_versioning.create_version(:'shop', '1.0.0') \gset
SELECT id AS s2 FROM module_versioning.create_version(:'shop', '2.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '1.0.0', 'CREATE TABLE product (id int PRIMARY KEY, site_id uuid NOT NULL, name text); CREATE TABLE unit (name text)', 'DROP TABLE product, unit') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '1.0.0', 'INSERT INTO product VALUES (0, module_versioning.current_site_id(), ''Sample'')', 'SELECT 1', scope => 'site') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '2.0.0', 'ALTER TABLE product DROP COLUMN name', 'ALTER TABLE product ADD COLUMN name text') \gset
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'s1', :'s2']::uuid[]) v;
CREATE SCHEMA adopt_shop AUTHORIZATION adopt_owner;
SET ROLE adopt_owner;
CREATE TABLE adopt_shop.product (id int PRIMARY KEY, site_id uuid NOT NULL, name text);
CREATE TABLE adopt_shop.unit (name text);
RESET ROLE;
INSERT INTO adopt_shop.product VALUES (1, :'north', 'Tea'), (2, :'south', 'Jam');
ALTER TABLE adopt_shop.unit OWNER TO adopt_app;
SELECT status FROM module_versioning.adopt_module(:'north', :'shop', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.adopt_module(:'north', :'shop', '1.0.0', true);
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE adopt_shop.unit OWNER TO adopt_owner;
SELECT status, warnings FROM module_versioning.adopt_module(:'north', :'shop', '1.0.0');
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'shop' ORDER BY 1;
SELECT m.sequence, a.site_id IS NULL AS shared, a.run_id FROM module_versioning.applied_migrations a
JOIN module_versioning.module_migrations m ON m.id = a.migration_id WHERE m.module_id = :'shop' ORDER BY 1;
SELECT bool_and(passed) FROM module_versioning.verify_module(:'north', :'shop');
CREATE INDEX tenants ON adopt_shop.product (name);
SELECT status FROM module_versioning.adopt_module(:'south', :'shop', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX adopt_shop.tenants;
SELECT status, warnings FROM module_versioning.adopt_module(:'south', :'shop', '1.0.0');
SELECT status, warnings FROM module_versioning.upgrade_module(:'south', :'shop', '2.0.0', force => true);
SELECT passed, detail FROM module_versioning.verify_module(:'south', :'shop') WHERE check_name = 'schema';

\echo A site that says it is at 1.0.0 finds the shared tables ahead, in a way that breaks 1.0.0.
SELECT id AS west FROM module_versioning.register_site('adopt-west') \gset
SELECT status FROM module_versioning.adopt_module(:'west', :'shop', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status, unnest(warnings) AS warning FROM module_versioning.adopt_module(:'west', :'shop', '1.0.0', true);
