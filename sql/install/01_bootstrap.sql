-- Loaded first: what has to be true before anything is created, and the shells of the base types.
-- No @...@ substitution, no OR REPLACE, no IF NOT EXISTS anywhere in these files: each of them has let
-- somebody else's object into an extension before (CVE-2022-2625, CVE-2023-39417, CVE-2024-7348).

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'module_versioning needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = pg_catalog.format('This database is encoded in %s.', pg_catalog.getdatabaseencoding()),
                  HINT = 'Create a database with ENCODING ''UTF8'' and install the extension there.';
    END IF;
    -- A schema that somebody else made beforehand would let its owner replace what is created in it.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_namespace n
        WHERE n.nspname OPERATOR(pg_catalog.=) 'module_versioning'
          AND (n.nspowner OPERATOR(pg_catalog.<>) (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user)
               OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid)
               OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid)
               OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid))
    ) THEN
        RAISE EXCEPTION 'schema "module_versioning" belongs to somebody else or is not empty'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'The extension installs only into a schema that its owner has made and that holds nothing.',
                  HINT = 'Drop or rename the schema, then run CREATE EXTENSION again; it creates the schema itself.';
    END IF;
END
$$;

COMMENT ON SCHEMA module_versioning IS
'Version control over the modules that the sites of this platform run.
Semantic versions, a registry with dependencies, migrations that are all or nothing, rollbacks, snapshots.';

REVOKE ALL ON SCHEMA module_versioning FROM PUBLIC;
GRANT USAGE ON SCHEMA module_versioning TO PUBLIC;

CREATE TYPE module_versioning.semver;
CREATE TYPE module_versioning.semver_range;
