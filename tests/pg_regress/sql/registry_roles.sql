-- Who may do what: the owner of a module decides, privileges to call are not enough.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE rr_owner NOLOGIN;
CREATE ROLE rr_author NOLOGIN;
CREATE ROLE rr_stranger NOLOGIN;
GRANT rr_owner TO rr_author;
GRANT USAGE ON SCHEMA module_versioning TO rr_author, rr_stranger;
GRANT EXECUTE ON FUNCTION
    module_versioning.register_module, module_versioning.register_module_table, module_versioning.get_module_tables,
    module_versioning.create_version, module_versioning.publish_version, module_versioning.deprecate_version,
    module_versioning.yank_version, module_versioning.get_versions, module_versioning.get_latest_version,
    module_versioning.get_upgrade_path, module_versioning.get_version, module_versioning.module_id
    TO rr_author, rr_stranger;
CREATE SCHEMA rr_shop AUTHORIZATION rr_owner;
CREATE TABLE public.rr_foreign (id int, site_id uuid);
SELECT id AS north FROM module_versioning.register_site('rr-north') \gset

SET ROLE rr_author;
SELECT slug, owner_role FROM module_versioning.register_module('rr-shop', schema_name => 'rr_shop', owner_role => 'rr_owner');
SELECT slug, owner_role FROM module_versioning.register_module('rr-own');
SELECT module_versioning.register_module('rr-other', owner_role => 'rr_stranger');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.module_id('rr-shop') AS shop \gset
SELECT id AS v100, status FROM module_versioning.create_version(:'shop', '1.0.0') \gset
SELECT version, status FROM module_versioning.publish_version(:'v100');
SELECT version FROM module_versioning.get_latest_version(:'shop');
SELECT version FROM module_versioning.get_upgrade_path(:'shop', '0.0.1', '1.0.0');
-- The tables themselves are closed.
SELECT * FROM module_versioning.registered_versions;
\echo :LAST_ERROR_SQLSTATE
UPDATE module_versioning.modules SET owner_role = 'rr_author';
\echo :LAST_ERROR_SQLSTATE
-- Objects of the caller are not picked up.
CREATE TEMPORARY TABLE modules (id uuid, slug text);
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;
SET search_path = pg_temp, pg_catalog;
SELECT module_versioning.module_id('rr-shop') = :'shop' AS found;
RESET search_path;
DROP TABLE pg_temp.modules;
DROP FUNCTION pg_temp.now();

-- Tables: of the owner's, and counted with the owner's rights.
SET ROLE rr_owner;
CREATE TABLE rr_shop.orders (id int, site_id uuid);
INSERT INTO rr_shop.orders VALUES (1, :'north');
CREATE TABLE rr_shop.guarded (id int, site_id uuid);
INSERT INTO rr_shop.guarded VALUES (1, :'north'), (2, :'north');
ALTER TABLE rr_shop.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing ON rr_shop.guarded USING (false);
SET ROLE rr_author;
SELECT table_name, site_column FROM module_versioning.register_module_table(:'shop', 'rr_shop.orders');
SELECT * FROM module_versioning.get_module_tables(:'shop', :'north');
SELECT module_versioning.register_module_table(:'shop', 'public.rr_foreign');
\echo :LAST_ERROR_SQLSTATE
-- A policy that hides rows from the owner does not make the count smaller.
SELECT table_name, site_column FROM module_versioning.register_module_table(:'shop', 'rr_shop.guarded');
SELECT * FROM module_versioning.get_module_tables(:'shop', :'north');
SELECT current_user, current_setting('row_security') AS row_security;

-- A stranger may look, and change nothing.
SET ROLE rr_stranger;
SELECT version FROM module_versioning.get_versions(:'shop');
SELECT module_versioning.create_version(:'shop', '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.publish_version(:'v100');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.deprecate_version(:'v100', 'mine now');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.yank_version(:'v100', 'mine now');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
CREATE TABLE public.rr_stranger (id int, site_id uuid);
ALTER TABLE public.rr_stranger OWNER TO rr_stranger;
SET ROLE rr_stranger;
SELECT module_versioning.register_module_table(:'shop', 'public.rr_stranger');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- Renaming the role leaves a module nobody decides over, until it is there again.
ALTER ROLE rr_owner RENAME TO rr_renamed;
SELECT module_versioning.yank_version(:'v100', 'the role has gone');
\echo :LAST_ERROR_SQLSTATE
ALTER ROLE rr_renamed RENAME TO rr_owner;

DROP TABLE public.rr_foreign, public.rr_stranger, rr_shop.orders, rr_shop.guarded;
DROP SCHEMA rr_shop;
DROP OWNED BY rr_owner, rr_author, rr_stranger;
DROP ROLE rr_owner, rr_author, rr_stranger;
