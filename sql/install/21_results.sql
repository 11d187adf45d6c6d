-- What the functions that plan and change return.

CREATE TYPE module_versioning.module_change AS (
    status text,
    direction text,
    site_id uuid,
    module_id uuid,
    from_version module_versioning.semver,
    to_version module_versioning.semver,
    backup_id uuid,
    run_ids uuid[],
    sqlstate text,
    error_message text,
    error_detail text,
    error_hint text,
    failed_migration_id uuid,
    statement_number integer,
    duration_ms bigint,
    verified boolean,
    warnings text[]
);
COMMENT ON TYPE module_versioning.module_change IS
'What a change to an installation did.
status: success, failed (everything undone, the attempt recorded) or noop. backup_id: the snapshot taken first, NULL when there is none. run_ids: the rows of module_migration_runs, in run order.';

CREATE TYPE module_versioning.upgrade_plan AS (
    current_version module_versioning.semver,
    target_version module_versioning.semver,
    path module_versioning.semver[],
    migrations jsonb,
    has_breaking_changes boolean,
    breaking_changes jsonb,
    estimated_duration_seconds integer,
    requires_maintenance boolean,
    can_upgrade boolean,
    blockers text[],
    warnings text[]
);
COMMENT ON TYPE module_versioning.upgrade_plan IS
'What an upgrade would do.
path: the versions it goes through; migrations: what would run, in order; can_upgrade: whether it goes without force.';

CREATE TYPE module_versioning.rollback_plan AS (
    current_version module_versioning.semver,
    target_version module_versioning.semver,
    migrations jsonb,
    estimated_duration_seconds integer,
    requires_maintenance boolean,
    can_rollback boolean,
    blockers text[],
    warnings text[],
    data_loss jsonb,
    backup_id uuid
);
COMMENT ON TYPE module_versioning.rollback_plan IS
'What a rollback would do and destroy.
migrations: newest first, each with its action (run, keep, skip); data_loss: table, column, kind, rows and values, counted on the live rows; backup_id: the snapshot taken when the target version was left.';

CREATE TYPE module_versioning.rehearsal AS (
    ok boolean,
    sqlstate text,
    error_message text,
    statement_number integer,
    duration_ms bigint,
    statements jsonb,
    locks jsonb,
    rewrites jsonb,
    schema_changes jsonb,
    breaking_changes jsonb,
    data_loss jsonb,
    down_data_loss jsonb,
    schema_restored boolean,
    reversibility text,
    suggested_bump text,
    warnings text[]
);
COMMENT ON TYPE module_versioning.rehearsal IS
'What scripts did when they were run, watched and undone.
ok: whether they ran to their end; NULL when they were not run for the size of the tables. sqlstate, error_message, statement_number: of the statement that failed. statements: each with text, ms, rows, wal_bytes, locks. The other lists hold findings: objects with kind, object, statement_number, detail and more. locks: what others wait for meanwhile; data_loss: what the scripts destroy; down_data_loss: what the way back destroys, also of what is written in between; schema_restored: whether the way back leads to the old schema. reversibility: reversible, lossy (the schema comes back, data that was there does not), irreversible or unknown.';
