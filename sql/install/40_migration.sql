-- The migration room: running statements, the guard of what has run, the history.

CREATE FUNCTION module_versioning._run_statements(
    statements text[],
    OUT row_counts bigint[],
    OUT durations double precision[],
    OUT error_code text,
    OUT error_message text,
    OUT error_detail text,
    OUT error_hint text,
    OUT error_context text,
    OUT error_schema text,
    OUT error_table text,
    OUT error_column text,
    OUT error_constraint text
)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    statement pg_catalog.text;
    started pg_catalog.timestamptz;
    touched pg_catalog.int8;
BEGIN
    -- No SET clause here: a statement has to see, and may change, the settings of its script. So every
    -- name and operator below is qualified.
    row_counts := ARRAY[]::pg_catalog.int8[];
    durations := ARRAY[]::pg_catalog.float8[];
    FOREACH statement IN ARRAY statements LOOP
        started := pg_catalog.clock_timestamp();
        -- The script was split with this on, so each statement is read with it on.
        PERFORM pg_catalog.set_config('standard_conforming_strings', 'on', true);
        EXECUTE statement;
        GET DIAGNOSTICS touched = ROW_COUNT;
        row_counts := pg_catalog.array_append(row_counts, touched);
        durations := pg_catalog.array_append(durations,
            pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) started)
                OPERATOR(pg_catalog.*) 1000::pg_catalog.float8);
    END LOOP;
-- One block for all statements: a subtransaction for each would overflow what PostgreSQL keeps of them
-- in memory after 64, which slows every other session down.
-- OTHERS takes neither a query cancel, which must stop everything, nor a failed ASSERT, which is an
-- ordinary way for a script to fail.
EXCEPTION WHEN OTHERS OR assert_failure THEN
    GET STACKED DIAGNOSTICS
        error_code = RETURNED_SQLSTATE,
        error_message = MESSAGE_TEXT,
        error_detail = PG_EXCEPTION_DETAIL,
        error_hint = PG_EXCEPTION_HINT,
        error_context = PG_EXCEPTION_CONTEXT,
        error_schema = SCHEMA_NAME,
        error_table = TABLE_NAME,
        error_column = COLUMN_NAME,
        error_constraint = CONSTRAINT_NAME;
END
$$;
COMMENT ON FUNCTION module_versioning._run_statements(text[]) IS
'Runs statements one after another with the rights and settings of its caller, and returns an error as data.
In: statements. Out: for each that ran how many rows it touched and how many milliseconds it took; and when one failed, everything PostgreSQL said about it: the work of all of them is then undone.
It can do no more than EXECUTE in a DO block can, so everybody may call it. A query cancel is raised, not returned. Takes the locks of the statements.';

CREATE FUNCTION module_versioning._guard_migration() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE'
       AND (pg_catalog.to_jsonb(NEW) OPERATOR(pg_catalog.-) 'description'::text
            OPERATOR(pg_catalog.-) 'estimated_duration_seconds'::text)
           OPERATOR(pg_catalog.=)
           (pg_catalog.to_jsonb(OLD) OPERATOR(pg_catalog.-) 'description'::text
            OPERATOR(pg_catalog.-) 'estimated_duration_seconds'::text)
    THEN
        RETURN NEW;
    END IF;
    -- A run that failed or was undone left nothing behind: its migration may still be mended.
    IF EXISTS (SELECT FROM module_versioning.module_migration_runs r
               WHERE r.migration_id OPERATOR(pg_catalog.=) OLD.id
                 AND r.status OPERATOR(pg_catalog.<>) 'failed'
                 AND r.status OPERATOR(pg_catalog.<>) 'rolled_back')
    THEN
        RAISE EXCEPTION 'migration % to version % has run and can''t be changed', OLD.sequence, OLD.to_version
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Sites have it in their history; only its description and estimated duration may still change.',
                  HINT = 'Register a new migration for a new version.';
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION module_versioning._guard_migration() IS
'Keeps a migration that has run as it was.
Trigger of module_migrations. Raises 55000 for every role when anything but description or estimated_duration_seconds of a migration with a run that did its work changes, or when it is deleted.';
CREATE TRIGGER guard_migration BEFORE UPDATE OR DELETE ON module_versioning.module_migrations
    FOR EACH ROW EXECUTE FUNCTION module_versioning._guard_migration();
ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER guard_migration;
COMMENT ON TRIGGER guard_migration ON module_versioning.module_migrations IS
'A migration that has run is immutable.';

CREATE FUNCTION module_versioning.get_migration_history(site_id uuid, module_id uuid)
RETURNS SETOF module_versioning.module_migration_runs
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.*
    FROM module_versioning.module_migration_runs r
    WHERE r.site_id OPERATOR(pg_catalog.=) $1 AND r.module_id OPERATOR(pg_catalog.=) $2
    ORDER BY r.ordinal DESC
$$;
COMMENT ON FUNCTION module_versioning.get_migration_history(uuid, uuid) IS
'Every attempt to run a migration of a module on a site, newest first.
In: ids of site and module. Out: rows of module_migration_runs, the failed and undone attempts too; none when nothing ran. Takes no locks beyond reading.';

COMMENT ON FUNCTION module_versioning.add_migration(uuid, module_versioning.semver, text, text, module_versioning.semver, text, boolean, boolean, integer, integer, text) IS
'Registers a migration: the script that takes a module to a version, and the one that takes it back.
In: the module, the version it leads to (registered before), both scripts; the rest is optional. is_reversible: by default whether there is a down_sql. sequence: by default the next one. scope: shared or site; by default what the module''s layout suggests.
Out: the row of module_migrations. With a sequence whose migration has the same scripts, versions and scope, that row and nothing else happens.
Both scripts are parsed by the server; an error names script, statement and line: 42601 for a syntax error or a psql command, 2D000 for transaction control, 25001 for a statement that can''t run in a transaction block, 0A000 for COPY with the client and SELECT INTO.
Further errors: 22023 for an argument that doesn''t fit, or an order by sequence that contradicts the order by version; 42704 for an unknown module or version; 42501 when the caller can''t act as the module''s owner_role; 23505 for a sequence that another migration has; 55000 when a site has had the version already, or inside a migration.
Locks the module''s row until the end of the transaction.';

COMMENT ON FUNCTION module_versioning.current_site_id() IS
'The site for which the running migration runs.
Out: its id; NULL outside a migration. Not a setting: a script can''t change it.';

COMMENT ON FUNCTION module_versioning.current_module_id() IS
'The module whose migration is running.
Out: its id; NULL outside a migration. Not a setting: a script can''t change it.';
