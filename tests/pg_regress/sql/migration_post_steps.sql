-- Post-steps: statements of a migration that need the top level, declared, due, run by hand, confirmed.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE post_owner NOLOGIN;
CREATE ROLE post_stranger NOLOGIN;
GRANT EXECUTE ON FUNCTION module_versioning.add_post_step TO post_stranger;

SELECT id AS crm FROM module_versioning.register_module('post-crm', isolation => 'schema', schema_name => 'post', owner_role => 'post_owner') \gset
SELECT id AS north FROM module_versioning.register_site('post-north') \gset
SELECT id AS south FROM module_versioning.register_site('post-south') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'crm', '1.0.0') \gset
SELECT id AS v2 FROM module_versioning.create_version(:'crm', '1.1.0') \gset
SELECT id AS v3 FROM module_versioning.create_version(:'crm', '1.2.0') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'crm', '1.0.0', $$
    CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE log (day date, site int) PARTITION BY LIST (site);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)
$$, 'DROP TABLE person, log') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'crm', '1.1.0', 'ALTER TABLE person ADD COLUMN email text', 'DROP INDEX IF EXISTS person_email; ALTER TABLE person DROP COLUMN email') \gset
SELECT id AS m3 FROM module_versioning.add_migration(:'crm', '1.2.0', 'SELECT 1', 'SELECT 1') \gset

\echo What can be one, and what can not.
SELECT command, position, statement, created_by FROM module_versioning.add_post_step(:'m2', E'-- by e-mail\n  CREATE INDEX CONCURRENTLY person_email ON person (email);');
SELECT id AS index_step, position FROM module_versioning.add_post_step(:'m2', 'CREATE INDEX CONCURRENTLY person_email ON person (email)') \gset
SELECT id AS vacuum_step, position FROM module_versioning.add_post_step(:'m2', 'VACUUM (ANALYZE) person') \gset
SELECT id AS drop_step FROM module_versioning.add_post_step(:'m3', 'DROP INDEX CONCURRENTLY person_email') \gset
SELECT id AS detach_step FROM module_versioning.add_post_step(:'m3', 'ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY') \gset
SELECT id AS reindex_step FROM module_versioning.add_post_step(:'m3', 'REINDEX INDEX CONCURRENTLY person_pkey') \gset
SELECT command, position FROM module_versioning.post_steps ORDER BY migration_id = :'m3', position;
CREATE FUNCTION pg_temp.try(migration uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    PERFORM module_versioning.add_post_step(migration, statement);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail, hint);
END
$$;
SELECT s AS statement, pg_temp.try(:'m2', s) FROM unnest(ARRAY[
    'CREATE INDEX ON person (name)', 'CREATE INDEX CONCURRENTLY ON person (name)', 'VACUUM person; VACUUM log', '', '-- nothing', 'UPDATE person SET id = 1',
    'COMMIT', 'ALTER SYSTEM SET work_mem = 1', 'CREATE DATABASE d', 'REINDEX DATABASE', 'COPY person FROM STDIN', 'DROP INDEX CONCURRENTLY a, b', 'CREATE INDEX CONCURRENTLY'
]) s;
SELECT pg_temp.try(NULL, 'VACUUM person');
SELECT pg_temp.try(:'m2', NULL);
SELECT regexp_replace(pg_temp.try(gen_random_uuid(), 'VACUUM person'), '[0-9a-f-]{36}', '…');
SET ROLE post_stranger;
SELECT statement FROM module_versioning.add_post_step(:'m2', 'VACUUM log');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

\echo Published, it is settled.
SELECT count(module_versioning.publish_version(v)) FROM unnest(ARRAY[:'v1', :'v2', :'v3']::uuid[]) v;
SELECT pg_temp.try(:'m2', 'VACUUM log');
SELECT pg_temp.try(:'m2', 'VACUUM (ANALYZE) person');
DELETE FROM module_versioning.post_steps;
\echo :LAST_ERROR_SQLSTATE
UPDATE module_versioning.post_steps SET statement = 'VACUUM';
\echo :LAST_ERROR_SQLSTATE

\echo Due for each site after its upgrade, and announced before.
SELECT count(module_versioning.install_module(s, :'crm', '1.0.0')) FROM unnest(ARRAY[:'north', :'south']::uuid[]) s;
SELECT count(*) FROM module_versioning.get_post_steps();
SELECT * FROM module_versioning.confirm_post_step(:'index_step');
\echo :LAST_ERROR_SQLSTATE
SELECT unnest(warnings) AS warning FROM module_versioning.plan_upgrade(:'north', :'crm', '1.1.0');
SELECT status, unnest(warnings) AS warning FROM module_versioning.upgrade_module(:'north', :'crm', '1.1.0');
SELECT status FROM module_versioning.upgrade_module(:'south', :'crm', '1.1.0');
SELECT module, site, version, step, statement, search_path, run_as FROM module_versioning.get_post_steps();
SELECT site, step, script FROM module_versioning.get_post_steps(:'north');
SELECT * FROM module_versioning.get_post_steps('00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE
SELECT passed, detail FROM module_versioning.verify_module(:'north', :'crm') WHERE check_name = 'post_steps';

\echo Not there, invalid, on another table, and at last done.
SELECT * FROM module_versioning.confirm_post_step(:'index_step', :'north');
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX person_email ON "post_post-north".log_1 (day);
SELECT * FROM module_versioning.confirm_post_step(:'index_step', :'north');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX "post_post-north".person_email;
INSERT INTO "post_post-north".person VALUES (1, 'a', 'x'), (2, 'b', 'x');
CREATE UNIQUE INDEX CONCURRENTLY person_email ON "post_post-north".person (email);
SELECT * FROM module_versioning.confirm_post_step(:'index_step', :'north');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX CONCURRENTLY "post_post-north".person_email;
SET ROLE post_owner;
SET search_path TO "post_post-north", pg_temp;
CREATE INDEX CONCURRENTLY person_email ON person (email);
RESET search_path;
RESET ROLE;
SELECT passed, detail FROM module_versioning.verify_module(:'north', :'crm') WHERE check_name = 'schema';
SELECT s.slug, c.status, c.detail FROM module_versioning.confirm_post_step(:'index_step', :'north') c JOIN module_versioning.sites s ON s.id = c.for_site_id;
SELECT status, detail FROM module_versioning.confirm_post_step(:'index_step', :'north');
SELECT passed, detail FROM module_versioning.verify_module(:'north', :'crm') WHERE check_name IN ('schema', 'extra');
\echo Everywhere means everywhere.
SELECT status FROM module_versioning.confirm_post_step(:'index_step');
\echo :LAST_ERROR_SQLSTATE
SELECT s.slug, c.status, c.detail FROM module_versioning.confirm_post_step(:'vacuum_step') c JOIN module_versioning.sites s ON s.id = c.for_site_id ORDER BY 1;
SELECT site, statement FROM module_versioning.get_post_steps();
SELECT d.status, d.confirmed_at IS NOT NULL AS at, d.confirmed_by FROM module_versioning.post_step_dues d JOIN module_versioning.post_steps p ON p.id = d.post_step_id ORDER BY p.position, d.status;

\echo A later one drops the index; an older version brings it back as it was.
SELECT status FROM module_versioning.upgrade_module(:'north', :'crm', '1.2.0');
SELECT status FROM module_versioning.confirm_post_step(:'drop_step', :'north');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.confirm_post_step(:'detach_step', :'north');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX CONCURRENTLY "post_post-north".person_email;
ALTER TABLE "post_post-north".log DETACH PARTITION "post_post-north".log_1 CONCURRENTLY;
SELECT status, detail FROM module_versioning.confirm_post_step(:'drop_step', :'north');
SELECT status, detail FROM module_versioning.confirm_post_step(:'detach_step', :'north');
SELECT status, detail FROM module_versioning.confirm_post_step(:'reindex_step', :'north');
SELECT check_name, passed, detail FROM module_versioning.verify_module(:'north', :'crm') WHERE check_name IN ('schema', 'extra', 'post_steps');
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'north', :'crm', '1.1.0');
SELECT passed, detail FROM module_versioning.verify_module(:'north', :'crm') WHERE check_name = 'schema';

\echo Undone with their migration, and with the installation.
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'north', :'crm', '1.0.0');
SELECT site, statement FROM module_versioning.get_post_steps();
SELECT status FROM module_versioning.uninstall_module(:'south', :'crm');
SELECT count(*) FROM module_versioning.post_step_dues;

\echo An index that was made but never confirmed is no reason to stop what drops it.
SELECT status FROM module_versioning.upgrade_module(:'north', :'crm', '1.1.0');
DROP INDEX IF EXISTS "post_post-north".person_email;
CREATE INDEX CONCURRENTLY person_email ON "post_post-north".person (email);
SELECT status, unnest(warnings) AS warning FROM module_versioning.rollback_module(:'north', :'crm', '1.0.0');

\echo Shared migrations: once for all sites.
SELECT id AS shop FROM module_versioning.register_module('post-shop', schema_name => 'post_shop', owner_role => 'post_owner') \gset
SELECT id AS s1 FROM module_versioning.create_version(:'shop', '1.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'shop', '1.0.0', 'CREATE TABLE product (id int, site_id uuid)', 'DROP TABLE product') \gset
SELECT id AS step FROM module_versioning.add_post_step(:'m', 'CREATE INDEX CONCURRENTLY product_site ON product (site_id)') \gset
SELECT status FROM module_versioning.publish_version(:'s1');
SELECT count(module_versioning.install_module(s, :'shop', '1.0.0')) FROM unnest(ARRAY[:'north', :'south']::uuid[]) s;
SELECT site, search_path, statement FROM module_versioning.get_post_steps();
SELECT site, search_path, statement FROM module_versioning.get_post_steps(:'south');
\echo An index of that name which is another one is not it.
CREATE UNIQUE INDEX product_site ON post_shop.product (site_id, id DESC) INCLUDE (id) WHERE id > 0;
SELECT for_site_id, status, detail FROM module_versioning.confirm_post_step(:'step', :'south');
\echo :LAST_ERROR_SQLSTATE
DROP INDEX post_shop.product_site;
CREATE INDEX CONCURRENTLY product_site ON post_shop.product (site_id);
SELECT for_site_id, status, detail FROM module_versioning.confirm_post_step(:'step', :'south');
SELECT count(*) FROM module_versioning.get_post_steps();
SELECT bool_and(passed) FROM module_versioning.verify_module(:'north', :'shop');

\echo Adopted: what the catalog shows needs no hand.
SELECT id AS east FROM module_versioning.register_site('post-east') \gset
CREATE SCHEMA "post_post-east" AUTHORIZATION post_owner;
SET ROLE post_owner;
SET search_path TO "post_post-east";
CREATE TABLE person (id int PRIMARY KEY, name text, email text);
CREATE TABLE log (day date, site int) PARTITION BY LIST (site);
CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
CREATE INDEX person_email ON person (email);
RESET search_path;
RESET ROLE;
SELECT status, warnings FROM module_versioning.adopt_module(:'east', :'crm', '1.1.0');
SELECT statement FROM module_versioning.get_post_steps(:'east');
SELECT passed, detail FROM module_versioning.verify_module(:'east', :'crm') WHERE check_name IN ('schema', 'extra', 'post_steps');
