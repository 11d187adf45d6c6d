-- Loaded last: nobody but the owner may do anything, except what is granted here one by one.
-- Versions and ranges are values and belong to everybody; the rest is granted by the platform's
-- administrator, function by function (docs/permissions.md).

REVOKE ALL ON ALL TABLES IN SCHEMA module_versioning FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA module_versioning FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA module_versioning FROM PUBLIC;

DO $$
DECLARE
    routine pg_catalog.regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid
        FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'module_versioning'::pg_catalog.regnamespace
          AND (p.proname OPERATOR(pg_catalog.~) '^_?semver_' OR p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[
                  'min', 'max',
                  -- What a script may ask, and what runs its statements: no more than EXECUTE would do.
                  'current_site_id', 'current_module_id', '_run_statements',
                  '_statement_starts', '_statement_ends', '_statement_fails', '_require_own_transactions']::pg_catalog.name[]))
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', routine);
    END LOOP;
END
$$;
