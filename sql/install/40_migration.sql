-- The migration room: running statements, the guard of what has run, the history.

CREATE FUNCTION module_versioning._run_statements(
    statements text[],
    token bigint,
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
    touched pg_catalog.int8;
    done pg_catalog.bool;
BEGIN
    -- No SET clause here: a statement has to see, and may change, the settings of its script. So every
    -- name and operator below is qualified.
    FOREACH statement IN ARRAY statements LOOP
        -- The script was split with this on, so each statement is read with it on.
        PERFORM pg_catalog.set_config('standard_conforming_strings', 'on', true);
        done := module_versioning._statement_starts(token);
        EXECUTE statement;
        GET DIAGNOSTICS touched = ROW_COUNT;
        done := module_versioning._statement_ends(token, touched);
    END LOOP;
-- One block for all statements: a subtransaction for each would overflow what PostgreSQL keeps of them
-- in memory after 64, which slows every other session down.
-- OTHERS takes neither a failed ASSERT, which is an ordinary way for a script to fail, nor 57014, which
-- may come from the script's own time limit or RAISE. A request to stop goes on upwards.
EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
    IF module_versioning._statement_fails(token, SQLSTATE) THEN
        RAISE;
    END IF;
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
COMMENT ON FUNCTION module_versioning._run_statements(text[], bigint) IS
'Runs the statements of a migration one after another with the rights and settings of its caller, and returns an error as data.
In: statements, and the number that the extension gave for this run. Out: when one failed, everything PostgreSQL said about it: the work of all of them is then undone.
Errors: 42501 when the number is not that of the running migration. A query cancel is raised, not returned. Takes the locks of the statements.';

COMMENT ON FUNCTION module_versioning._statement_starts(bigint) IS
'Called by _run_statements before each statement: its time limit begins.
In: the number of the run. Out: true. Errors: 42501 when the number is not that of the running migration.';

COMMENT ON FUNCTION module_versioning._statement_ends(bigint, bigint) IS
'Called by _run_statements after each statement: notes time, rows and messages.
In: the number of the run, the rows touched. Out: true. Errors: 42501 when the number is not that of the running migration; 57014 when the statement took too long and hid it; 55000 when it left another role behind.';

COMMENT ON FUNCTION module_versioning._statement_fails(bigint, text) IS
'Called by _run_statements when a statement has failed: ends its time limit.
In: the number of the run, the SQLSTATE. Out: whether the error is a request to stop, which must go on upwards. Errors: 42501 when the number is not that of the running migration.';

CREATE FUNCTION module_versioning._guard_migration() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    editable CONSTANT text[] := ARRAY['description', 'estimated_duration_seconds', 'reversibility',
                                      'reversibility_detail', 'suggested_bump', 'findings'];
BEGIN
    -- What publishing finds out is written while the version is a draft, and kept by another trigger.
    IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE'
       AND (pg_catalog.to_jsonb(NEW) OPERATOR(pg_catalog.-) editable)
           OPERATOR(pg_catalog.=) (pg_catalog.to_jsonb(OLD) OPERATOR(pg_catalog.-) editable)
    THEN
        RETURN NEW;
    END IF;
    -- A run that failed or was undone left nothing behind: its migration may still be mended.
    IF EXISTS (SELECT FROM module_versioning.module_migration_runs r
               WHERE r.migration_id OPERATOR(pg_catalog.=) OLD.id
                 AND r.status OPERATOR(pg_catalog.<>) 'failed'
                 AND r.status OPERATOR(pg_catalog.<>) 'rolled_back')
       -- An adopted one is in force without having run here.
       OR EXISTS (SELECT FROM module_versioning.applied_migrations a
                  WHERE a.migration_id OPERATOR(pg_catalog.=) OLD.id)
    THEN
        RAISE EXCEPTION 'migration % to version % has run and can''t be changed', OLD.sequence, OLD.to_version
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Sites have it in their history.',
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
Trigger of module_migrations. Raises 55000 for every role when anything but description, estimated_duration_seconds and what publishing finds out of a migration with a run that did its work changes, or when it is deleted.';
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
    WHERE r.site_id OPERATOR(pg_catalog.=) module_versioning._existing_site($1)
      AND r.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module($2)
    ORDER BY r.ordinal DESC
$$;
COMMENT ON FUNCTION module_versioning.get_migration_history(uuid, uuid) IS
'Every attempt to run a migration of a module on a site, newest first.
In: ids of site and module. Out: rows of module_migration_runs, the failed and undone attempts too; none when nothing ran. Takes no locks beyond reading.
Errors: 22023 an argument is null, 42704 no such site or module.';

COMMENT ON FUNCTION module_versioning.add_migration(uuid, module_versioning.semver, text, text, module_versioning.semver, text, boolean, boolean, integer, integer, text, uuid, interval, interval) IS
'Registers a migration: the script that takes a module to a version, and the one that takes it back.
In: the module, the version it leads to (registered before), both scripts; the rest is optional. is_reversible: by default whether there is a down_sql. sequence: by default the next one. scope: shared or site; by default what the module''s layout suggests. equivalent_of: the migration that does the same work for another version; only one of them runs. lock_timeout, statement_timeout: how long each of its statements may wait for a lock, and run, in place of the settings of those names; zero = for ever.
Out: the row of module_migrations. With a sequence whose migration is the same but for description and estimated duration, that row and nothing else happens.
Both scripts are parsed by the server; an error names script, statement and line: 42601 for a syntax error or a psql command, 2D000 for transaction control, 25001 for a statement that can''t run in a transaction block, 0A000 for COPY with the client, SELECT INTO and what changes the session (PREPARE, LISTEN, DISCARD, LOAD, cursors WITH HOLD), 42501 for another role and for changes of this extension, 55P04 for a new enum value that the same script uses.
Further errors: 22023 for an argument that doesn''t fit, an order by sequence that contradicts the order by version (a backport may come after released versions above it), or an equivalent of another module or scope, or for the same version; 42704 for an unknown module, version or equivalent; 42501 when the caller can''t act as the module''s owner_role; 23505 for a sequence that another migration has; 55000 when the version has been published, or inside a migration; 55P03 when module or version are locked too long.
Locks the rows of the module and the version until the end of the transaction.';

COMMENT ON FUNCTION module_versioning.current_site_id() IS
'The site for which the running migration runs.
Out: its id; NULL outside a migration. Not a setting: a script can''t change it.';

COMMENT ON FUNCTION module_versioning.current_module_id() IS
'The module whose migration is running.
Out: its id; NULL outside a migration. Not a setting: a script can''t change it.';

COMMENT ON FUNCTION module_versioning.lint_migration(text, text) IS
'What the scripts of a migration would do that hurts, told from their parse trees without running anything.
In: both scripts. Out: a row for each finding, those of the up script first: rule (the kinds that plans and rehearsals use), severity (error: clients of the old version fail, rows are lost, or add_migration refuses it; warning: it locks, rewrites or reads a table for long, or clients see another behaviour; info: worth knowing), statement and line in the script (NULL when it is about the whole script), the object as the script names it, a message with the names that other linters use, the way out, and script: up or down.
What a script makes itself is its own to change. A script that doesn''t parse is a finding: rule syntax or psql_meta. What can''t be told from the text is said so (dynamic_sql): rehearse_migration runs it.
Errors: 22023 when up_sql is null. Reads nothing of the database, takes no locks.';
