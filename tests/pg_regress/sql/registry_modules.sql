-- Modules, sites and their tables: registering, registering again, and what is refused.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, module_versioning;

SELECT slug, name, isolation, schema_name, site_column, owner_role = current_user AS owned
FROM register_module('rm-shop', 'The shop');
SELECT slug, name, isolation, schema_name, site_column
FROM register_module(slug => 'rm-blog', isolation => 'schema', schema_name => 'rm_blog', site_column => 'tenant');
-- Again: only what is given is compared.
SELECT count(*) FROM register_module('rm-shop');
SELECT count(*) FROM register_module('rm-shop', 'The shop', 'row', NULL, 'site_id');
SELECT count(*) FROM register_module('rm-shop', 'A shop', 'schema');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM modules WHERE slug LIKE 'rm-%';

-- What is no slug.
SELECT register_module(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module(E'rm\nshop');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module(' rm-shop');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module(repeat('x', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('0e984725-c51c-4bf4-9960-e1c80e27aba0');
\echo :LAST_ERROR_SQLSTATE

-- Other bad arguments.
SELECT register_module('rm-x', isolation => 'table');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('rm-x', schema_name => 'pg_catalog');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('rm-x', schema_name => 'module_versioning');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('rm-x', schema_name => repeat('s', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('rm-x', site_column => '');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module('rm-x', owner_role => 'rm_nobody');
\echo :LAST_ERROR_SQLSTATE

-- Names that have to be quoted are names.
SELECT slug, schema_name FROM register_module('rm "we''ird" größe; --');
SELECT schema_name = repeat('x', 63) AS fits FROM register_module(repeat('x', 63));

-- Ids from slugs.
SELECT module_id('rm-shop') = (SELECT id FROM modules WHERE slug = 'rm-shop') AS found;
SELECT slug FROM register_module('rm-greenhouse');
SELECT module_id('rm-greenhose');
\echo :LAST_ERROR_SQLSTATE
SELECT module_id('nothing of the kind');
\echo :LAST_ERROR_SQLSTATE
SELECT module_id(NULL);
\echo :LAST_ERROR_SQLSTATE

-- Sites.
SELECT slug, name, platform_version FROM register_site('rm-north');
SELECT slug, name, platform_version, id FROM register_site('rm-south', 'South', '2.1.0', '00000000-0000-4000-8000-00000000a001');
SELECT count(*) FROM register_site('rm-south', platform_version => '2.1.0', id => '00000000-0000-4000-8000-00000000a001');
SELECT register_site('rm-south', 'Southern', '2.2.0', '00000000-0000-4000-8000-00000000a002');
\echo :LAST_ERROR_SQLSTATE
SELECT register_site('rm-east', id => '00000000-0000-4000-8000-00000000a001');
\echo :LAST_ERROR_SQLSTATE
SELECT register_site('rm-east', platform_version => 'two');
\echo :LAST_ERROR_SQLSTATE
SELECT register_site(E'rm-\teast');
\echo :LAST_ERROR_SQLSTATE
SELECT site_id('rm-south');
SELECT slug FROM register_site('rm-lighthouse');
SELECT site_id('RM-Lighthaus');
\echo :LAST_ERROR_SQLSTATE
SELECT site_id(NULL);
\echo :LAST_ERROR_SQLSTATE

-- Tables of the row layout.
CREATE SCHEMA "rm-shop";
CREATE TABLE "rm-shop".orders (id int, site_id uuid);
CREATE TABLE "rm-shop"."we""ird table" (id int, site_id uuid);
CREATE TABLE "rm-shop".countries (code text);
CREATE TABLE "rm-shop".numbered (site_id bigint);
CREATE TABLE "rm-shop".partitioned (id int, tenant text) PARTITION BY RANGE (id);
CREATE TABLE public."rm.outside" (id int, site_id uuid);
CREATE VIEW "rm-shop".seen AS SELECT 1 AS id;
CREATE TEMPORARY TABLE rm_temporary (site_id uuid);
SELECT module_id('rm-shop') AS shop, site_id('rm-north') AS north, site_id('rm-south') AS south \gset
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop".orders');
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop"."we""ird table"', 'site_id');
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop".countries');
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop".partitioned', 'tenant');
SELECT table_name, site_column FROM register_module_table(:'shop', 'public."rm.outside"');
-- Again.
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop".partitioned');
SELECT table_name, site_column FROM register_module_table(:'shop', '"rm-shop".partitioned', 'tenant');
SELECT register_module_table(:'shop', '"rm-shop".countries', 'code');
\echo :LAST_ERROR_SQLSTATE
-- Refused.
SELECT register_module_table(:'shop', '"rm-shop".orders', 'tenant');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(:'shop', '"rm-shop".numbered');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(:'shop', '"rm-shop".seen');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(:'shop', 'pg_catalog.pg_class');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(:'shop', 'module_versioning.modules');
\echo :LAST_ERROR_SQLSTATE
DO $$ BEGIN PERFORM module_versioning.register_module_table(module_versioning.module_id('rm-shop'), 'pg_temp.rm_temporary');
EXCEPTION WHEN invalid_parameter_value THEN RAISE NOTICE 'temporary tables are refused'; END $$;
SELECT register_module_table(:'shop', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(NULL, '"rm-shop".orders');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table('00000000-0000-4000-8000-00000000ffff', '"rm-shop".orders');
\echo :LAST_ERROR_SQLSTATE
SELECT register_module_table(module_id('rm-blog'), 'public."rm.outside"', 'site_id');
\echo :LAST_ERROR_SQLSTATE

-- Rows of one site, of all sites where no column tells them apart, and of a table that has gone.
INSERT INTO "rm-shop".orders SELECT i, CASE WHEN i <= 3 THEN :'north'::uuid ELSE :'south'::uuid END FROM generate_series(1, 5) AS i;
INSERT INTO "rm-shop"."we""ird table" VALUES (1, :'south');
INSERT INTO "rm-shop".countries VALUES ('de'), ('fr');
CREATE TABLE "rm-shop".part PARTITION OF "rm-shop".partitioned DEFAULT;
INSERT INTO "rm-shop".partitioned VALUES (1, :'south'), (2, 'x');
-- A view in place of a table isn't looked into.
DROP TABLE public."rm.outside";
CREATE VIEW public."rm.outside" AS SELECT 1 AS id, 1 / 0 AS site_id;
SELECT * FROM get_module_tables(:'shop');
SELECT * FROM get_module_tables(:'shop', :'north');
SELECT * FROM get_module_tables(:'shop', :'south');
SELECT * FROM get_module_tables(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM get_module_tables(:'shop', '00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE

-- The schema layout: what lies in the site's schema.
CREATE SCHEMA "rm blog north";
CREATE TABLE "rm blog north"."Posts" (id int);
INSERT INTO "rm blog north"."Posts" VALUES (1), (2);
INSERT INTO site_modules (site_id, module_id, schema_name) VALUES (:'north', module_id('rm-blog'), 'rm blog north');
SELECT * FROM get_module_tables(module_id('rm-blog'));
SELECT * FROM get_module_tables(module_id('rm-blog'), :'north');
SELECT * FROM get_module_tables(module_id('rm-blog'), :'south');
SELECT table_name, site_column FROM register_module_table(module_id('rm-blog'), '"rm blog north"."Posts"');

-- Reading works where nothing can be written.
BEGIN READ ONLY;
SELECT module_id('rm-shop') = :'shop' AS found;
SELECT count(*) FROM get_module_tables(:'shop', :'north');
SELECT register_module('rm-new');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

DROP VIEW "rm-shop".seen, public."rm.outside";
DROP TABLE "rm-shop".orders, "rm-shop"."we""ird table", "rm-shop".countries, "rm-shop".numbered, "rm-shop".partitioned, "rm blog north"."Posts";
DROP SCHEMA "rm-shop", "rm blog north";
DELETE FROM site_modules WHERE module_id = module_id('rm-blog');
