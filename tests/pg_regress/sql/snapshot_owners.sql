-- A superuser's table in a tenant's module: the tenant's code in it must never run as that superuser, so
-- nothing reads or writes its rows until the table belongs to the module's owner.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_owners_tenant NOLOGIN;
CREATE ROLE snap_owners_admin NOLOGIN SUPERUSER;
SELECT id AS site FROM module_versioning.register_site('snap-owners') \gset
SELECT id AS module FROM module_versioning.register_module('snap-owners', isolation => 'schema', schema_name => 'snap_owners', owner_role => 'snap_owners_tenant') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS home FROM module_versioning.site_modules WHERE module_id = :'module' \gset
SET search_path = :"home", pg_catalog;

CREATE TABLE public.snap_owners_log (ran_as name);
GRANT INSERT ON public.snap_owners_log TO snap_owners_tenant;
SET ROLE snap_owners_tenant;
CREATE FUNCTION trap(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.snap_owners_log SELECT current_user WHERE current_user <> 'snap_owners_tenant'; RETURN true; END $$;
CREATE DOMAIN dtrap AS int CHECK (trap(VALUE));
RESET ROLE;
CREATE TABLE fixup (id int PRIMARY KEY, d dtrap);
INSERT INTO fixup VALUES (1, 1);
ALTER TABLE fixup OWNER TO snap_owners_tenant;
SELECT id AS backup, row_count FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SELECT :row_count AS row_count;
DELETE FROM fixup;
ALTER TABLE fixup OWNER TO snap_owners_admin;
TRUNCATE public.snap_owners_log;

-- Everything that goes to the rows refuses.
SELECT module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', tables => '{fixup}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.snapshot_rows(:'backup', 'fixup');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.get_module_tables(:'module', :'site');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM public.snap_owners_log;

-- The way out.
ALTER TABLE fixup OWNER TO snap_owners_tenant;
SELECT * FROM module_versioning.restore_module_data(:'backup');
SELECT * FROM public.snap_owners_log;

-- A table of a superuser's elsewhere that is registered with the tenant's module.
SELECT id AS shared FROM module_versioning.register_module('snap-owners-shared', schema_name => 'snap_owners_shared', owner_role => 'snap_owners_tenant') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'shared', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'shared');
CREATE TABLE public.snap_owners_elsewhere (id dtrap PRIMARY KEY, site_id uuid NOT NULL);
INSERT INTO public.snap_owners_elsewhere VALUES (1, :'site');
ALTER TABLE public.snap_owners_elsewhere OWNER TO snap_owners_admin;
SELECT table_name FROM module_versioning.register_module_table(:'shared', 'public.snap_owners_elsewhere');
SELECT module_versioning.snapshot_module_data(:'site', :'shared');
\echo :LAST_ERROR_SQLSTATE

-- A module that a superuser owns goes on as its scripts do.
SELECT id AS admins FROM module_versioning.register_module('snap-owners-admins', schema_name => 'snap_owners_admins', owner_role => 'snap_owners_admin') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'admins', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'admins');
CREATE SCHEMA IF NOT EXISTS snap_owners_admins;
CREATE TABLE snap_owners_admins.note (id int PRIMARY KEY, site_id uuid NOT NULL);
ALTER TABLE snap_owners_admins.note OWNER TO snap_owners_admin;
INSERT INTO snap_owners_admins.note VALUES (1, :'site');
SELECT table_name FROM module_versioning.register_module_table(:'admins', 'snap_owners_admins.note');
SELECT row_count FROM module_versioning.snapshot_module_data(:'site', :'admins');
SET module_versioning.allow_superuser_owner = off;
SELECT module_versioning.snapshot_module_data(:'site', :'admins');
\echo :LAST_ERROR_SQLSTATE
RESET module_versioning.allow_superuser_owner;

RESET search_path;
DROP TABLE public.snap_owners_elsewhere, public.snap_owners_log;
DROP SCHEMA :"home" CASCADE;
DROP SCHEMA snap_owners_admins CASCADE;
