-- The schema layout: each site has its own schema, and every migration runs for each.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE layout_owner NOLOGIN;

SELECT id AS base FROM module_versioning.register_module('layout-base', owner_role => 'layout_owner') \gset
SELECT id AS module FROM module_versioning.register_module('layout', isolation => 'schema', schema_name => 'we"ird.layout', owner_role => 'layout_owner') \gset
SELECT id AS north FROM module_versioning.register_site('layout "north"') \gset
SELECT id AS south FROM module_versioning.register_site('layout-south') \gset
SELECT id AS b1 FROM module_versioning.create_version(:'base', '1.0.0') \gset
SELECT id AS b2 FROM module_versioning.create_version(:'base', '2.0.0') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'module', '1.0.0', dependencies => '{"layout-base": "^1.0.0"}') \gset
SELECT id AS v2 FROM module_versioning.create_version(:'module', '1.1.0', dependencies => '{"layout-base": "^1.0.0"}') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE "Posts; --" (id int PRIMARY KEY, "ti""tle" text, parent int REFERENCES "Posts; --")
$$, 'DROP TABLE "Posts; --"') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'module', '1.1.0', 'ALTER TABLE "Posts; --" ADD COLUMN body text', 'ALTER TABLE "Posts; --" DROP COLUMN body') \gset
SELECT count(*) FROM (SELECT module_versioning.publish_version(v) FROM unnest(ARRAY[:'b1', :'b2', :'v1', :'v2']::uuid[]) v) published;

\echo An unmet dependency blocks the installation.
SELECT status FROM module_versioning.install_module(:'north', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.install_module(:'north', :'base', '1.0.0');
SELECT status FROM module_versioning.install_module(:'south', :'base', '1.0.0');
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.install_module(:'north', :'module', '1.0.0');
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.install_module(:'south', :'module', '1.0.0');
SELECT s.slug, i.schema_name FROM module_versioning.site_modules i JOIN module_versioning.sites s ON s.id = i.site_id WHERE i.module_id = :'module' ORDER BY 1;
SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname LIKE 'we"ird%' ORDER BY 1;

INSERT INTO "we""ird.layout_layout ""north""".  "Posts; --" VALUES (1, 'one', NULL), (2, 'two', 1), (3, 'self', 3);
INSERT INTO "we""ird.layout_layout-south".  "Posts; --" VALUES (7, 'seven', NULL);
SELECT table_name, site_column, row_count FROM module_versioning.get_module_tables(:'module', :'north');
SELECT table_name, site_column, row_count FROM module_versioning.get_module_tables(:'module', :'south');

\echo One site is upgraded, the other stays.
SELECT status, warnings, backup_id IS NOT NULL AS snapshot FROM module_versioning.upgrade_module(:'north', :'module');
SELECT module_versioning.get_installed_version(:'north', :'module') AS north, module_versioning.get_installed_version(:'south', :'module') AS south;
SELECT nspname, count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'Posts; --' AND a.attnum > 0 AND nspname LIKE 'we"ird%' GROUP BY 1 ORDER BY 1;

UPDATE "we""ird.layout_layout ""north""".  "Posts; --" SET "ti""tle" = 'changed', body = 'text' WHERE id = 1;
DELETE FROM "we""ird.layout_layout ""north""".  "Posts; --" WHERE id = 2;
SELECT l->>'table' AS "table", l->>'column' AS "column", l->>'values' AS "values" FROM module_versioning.plan_rollback(:'north', :'module', '1.0.0') p, jsonb_array_elements(data_loss) l;
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', 'restore');
SELECT * FROM "we""ird.layout_layout ""north""".  "Posts; --" ORDER BY id;
SELECT * FROM "we""ird.layout_layout-south".  "Posts; --" ORDER BY id;

\echo What others depend on neither goes nor changes.
SELECT status FROM module_versioning.uninstall_module(:'north', :'base');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.upgrade_module(:'north', :'base', '2.0.0');
\echo :LAST_ERROR_SQLSTATE

\echo Drift is found and named.
ALTER TABLE "we""ird.layout_layout-south".  "Posts; --" ALTER COLUMN "ti""tle" SET NOT NULL;
CREATE INDEX tenants_own ON "we""ird.layout_layout-south".  "Posts; --" ("ti""tle");
SELECT check_name, passed, detail FROM module_versioning.verify_module(:'south', :'module');
ALTER TABLE "we""ird.layout_layout-south".  "Posts; --" ALTER COLUMN "ti""tle" DROP NOT NULL;

\echo Uninstalling drops the schema, unless something elsewhere needs it.
CREATE VIEW public.layout_view AS SELECT id FROM "we""ird.layout_layout ""north""".  "Posts; --";
SELECT status FROM module_versioning.uninstall_module(:'north', :'module');
\echo :LAST_ERROR_SQLSTATE
DROP VIEW public.layout_view;
SELECT status, from_version, to_version, backup_id IS NOT NULL AS snapshot FROM module_versioning.uninstall_module(:'north', :'module');
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'we"ird%' ORDER BY 1;
SELECT module_versioning.get_installed_version(:'north', :'module') AS installed;
SELECT status FROM module_versioning.uninstall_module(:'north', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.install_module(:'north', :'module', '1.0.0');
SELECT count(*) FROM "we""ird.layout_layout ""north""".  "Posts; --";
