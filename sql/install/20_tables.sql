-- The tables: the platform's names and columns, plus what is needed beside them. Objects are referred
-- to by name, never by OID, so that a dump can be restored anywhere. Columns are only ever added.

CREATE TABLE module_versioning.modules (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    isolation text NOT NULL DEFAULT 'row' CHECK (isolation IN ('row', 'schema')),
    schema_name text NOT NULL,
    site_column text NOT NULL DEFAULT 'site_id',
    owner_role name NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE module_versioning.modules IS
'The modules that sites can run.
isolation: row = shared tables with a site column, schema = one schema per site.
changed_at moves with each shared migration, so that a concurrent one under REPEATABLE READ fails instead of running twice.';

CREATE TABLE module_versioning.sites (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    platform_version module_versioning.semver,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE module_versioning.sites IS 'The sites (tenants) of the platform.';

CREATE TABLE module_versioning.site_modules (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    site_id uuid NOT NULL REFERENCES module_versioning.sites (id),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    schema_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    UNIQUE (site_id, module_id)
);
CREATE INDEX site_modules_module_id ON module_versioning.site_modules (module_id);
COMMENT ON TABLE module_versioning.site_modules IS
'Which site runs which module, and in which schema. Its row is the lock of every change to that installation.
changed_at moves with each change, so that a concurrent one under REPEATABLE READ fails instead of running twice.';

CREATE TABLE module_versioning.module_tables (
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id) ON DELETE CASCADE,
    table_name text NOT NULL,
    site_column text,
    PRIMARY KEY (module_id, table_name)
);
COMMENT ON TABLE module_versioning.module_tables IS
'The tables that hold a module''s data, named as a migration would name them: without schema in the module''s (or site''s) own schema, qualified elsewhere.
site_column: which column carries the site in the row layout; NULL = the table has none and belongs to all sites alike.';

CREATE TABLE module_versioning.registered_versions (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    version module_versioning.semver NOT NULL,
    version_major numeric NOT NULL GENERATED ALWAYS AS (module_versioning.semver_major(version)) STORED,
    version_minor numeric NOT NULL GENERATED ALWAYS AS (module_versioning.semver_minor(version)) STORED,
    version_patch numeric NOT NULL GENERATED ALWAYS AS (module_versioning.semver_patch(version)) STORED,
    prerelease text GENERATED ALWAYS AS (module_versioning.semver_prerelease(version)) STORED,
    bundle_url text,
    bundle_hash text,
    source_url text,
    changelog text,
    release_notes text,
    min_platform_version module_versioning.semver,
    breaking_changes boolean NOT NULL DEFAULT false,
    breaking_description text,
    dependencies jsonb NOT NULL DEFAULT '{}',
    conflicts jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published', 'deprecated', 'yanked')),
    status_reason text,
    published_at timestamptz,
    published_by uuid,
    migrations_hash text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    UNIQUE (module_id, version)
);
-- Look-ups go from the top of these downwards and stop at the first version: what can't be found isn't there.
CREATE INDEX registered_versions_published
    ON module_versioning.registered_versions (module_id, version) WHERE status = 'published';
CREATE INDEX registered_versions_released
    ON module_versioning.registered_versions (module_id, version) WHERE status = 'published' AND prerelease IS NULL;
COMMENT ON TABLE module_versioning.registered_versions IS
'What was registered of each version. Read it through the view module_versions, which adds active_installs and download_count.
dependencies: slug or id and the range that is needed; conflicts: slug or id and the range that must not be on the same site.
migrations_hash: SHA-256 over the migrations to this version, set when it is published; NULL = there are none. So a dump brings back what was published and nothing else.';

CREATE TABLE module_versioning.version_downloads (
    version_id uuid NOT NULL REFERENCES module_versioning.registered_versions (id) ON DELETE CASCADE,
    slot smallint NOT NULL,
    download_count bigint NOT NULL CHECK (download_count >= 0),
    PRIMARY KEY (version_id, slot)
);
COMMENT ON TABLE module_versioning.version_downloads IS
'How often each version was downloaded, in several slots that are summed when read.
A session counts in the slot of its process, so that sessions seldom wait for each other, and none waits for a change of the version.';

CREATE TABLE module_versioning.module_migrations (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    from_version module_versioning.semver,
    to_version module_versioning.semver NOT NULL,
    up_sql text NOT NULL,
    down_sql text,
    description text,
    is_reversible boolean NOT NULL,
    requires_maintenance boolean NOT NULL DEFAULT false,
    estimated_duration_seconds integer CHECK (estimated_duration_seconds >= 0),
    sequence integer NOT NULL,
    scope text NOT NULL CHECK (scope IN ('shared', 'site')),
    equivalent_of uuid,
    checksum text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    statements jsonb,
    lock_timeout interval CHECK (lock_timeout >= interval '0'),
    statement_timeout interval CHECK (statement_timeout >= interval '0'),
    reversibility text CHECK (reversibility IN ('reversible', 'lossy', 'irreversible', 'unknown')),
    reversibility_detail text,
    suggested_bump text CHECK (suggested_bump IN ('major', 'minor', 'patch')),
    findings jsonb,
    UNIQUE (module_id, sequence)
);
CREATE INDEX module_migrations_to_version ON module_versioning.module_migrations (module_id, to_version);
CREATE INDEX module_migrations_equivalent_of
    ON module_versioning.module_migrations (equivalent_of) WHERE equivalent_of IS NOT NULL;
COMMENT ON TABLE module_versioning.module_migrations IS
'The scripts that take a module from one version to the next and back.
equivalent_of: a migration that does the same work for another version; of those that are equivalent, through any number of steps, only one runs. (No foreign key, for pg_dump warns of tables that refer to themselves.)
checksum: SHA-256 over up and down script with line endings and byte order mark normalised.
statements: what the parser found in both scripts, in order: script, statement_number, line, command, class.
lock_timeout, statement_timeout: for each statement, in place of the settings; NULL = the settings, zero = for ever.
reversibility, reversibility_detail, suggested_bump: what going up, down and up again in an empty schema has shown when the version was published: whether there is a way back, why it is no full one or can''t be told, and the step of the version number that the script demands. NULL before.
findings: what was found out then: breaking_changes, data_loss, down_data_loss, warnings; with "measured": false it could not be run, and this is what its text tells, as is suggested_bump then. NULL before.';

CREATE TABLE module_versioning.site_module_versions (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    site_module_id uuid NOT NULL REFERENCES module_versioning.site_modules (id) ON DELETE CASCADE,
    version_id uuid NOT NULL REFERENCES module_versioning.registered_versions (id),
    status text NOT NULL CHECK (status IN ('installing', 'active', 'superseded', 'pending_rollback', 'rolled_back', 'failed')),
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    activated_at timestamptz,
    deactivated_at timestamptz,
    installed_by uuid,
    backup_id uuid,
    ordinal bigint GENERATED ALWAYS AS IDENTITY
);
CREATE UNIQUE INDEX site_module_versions_one_active
    ON module_versioning.site_module_versions (site_module_id) WHERE status = 'active';
CREATE INDEX site_module_versions_version_id
    ON module_versioning.site_module_versions (version_id) WHERE status = 'active';
CREATE INDEX site_module_versions_site_module_id
    ON module_versioning.site_module_versions (site_module_id, ordinal);
COMMENT ON TABLE module_versioning.site_module_versions IS
'Which version each site has run, and runs: exactly one row per installation is active.
superseded = left by an upgrade, and so a rollback point; rolled_back = left by a rollback or removal.
backup_id = the snapshot taken when this version was left.';

CREATE TABLE module_versioning.module_data_backups (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    site_id uuid NOT NULL REFERENCES module_versioning.sites (id),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    version module_versioning.semver,
    type text NOT NULL CHECK (type IN ('auto', 'manual', 'pre_upgrade', 'pre_rollback')),
    backup_url text,
    size_bytes bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    row_count bigint NOT NULL,
    table_counts jsonb NOT NULL,
    root_hash text NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    created_by uuid,
    ordinal bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX module_data_backups_site_module
    ON module_versioning.module_data_backups (site_id, module_id, ordinal);
-- An export is imported once.
CREATE UNIQUE INDEX module_data_backups_imported
    ON module_versioning.module_data_backups (site_id, module_id, root_hash) WHERE backup_url IS NOT NULL;
COMMENT ON TABLE module_versioning.module_data_backups IS
'The snapshots of a site''s module data. Manifest and chunks lie in schema module_versioning_data, which DROP EXTENSION leaves alone.
size_bytes: of the rows, uncompressed; stored_bytes: what this snapshot added to the store; backup_url: where it was imported from, NULL for one that was taken here.';

CREATE TABLE module_versioning.data_changes (
    backup_id uuid PRIMARY KEY REFERENCES module_versioning.module_data_backups (id) ON DELETE CASCADE,
    before_image uuid,
    after_image uuid,
    tables jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE module_versioning.data_changes IS
'What the scripts of a change did to the rows of the snapshot that was taken before them: by this, undoing the change tells what the scripts had destroyed from what people wrote since.
tables: what became of each table and its columns, and whether its rows were touched. after_image: those that were, as the change left them; before_image: rows of all sites before it, where shared scripts may have changed those too. Both lie in module_versioning_data.snapshots and go with the snapshot.';

CREATE TABLE module_versioning.module_migration_runs (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    site_id uuid NOT NULL REFERENCES module_versioning.sites (id),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    migration_id uuid NOT NULL REFERENCES module_versioning.module_migrations (id),
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    status text NOT NULL CHECK (status IN ('running', 'success', 'failed', 'rolled_back')),
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    completed_at timestamptz,
    error_message text,
    sqlstate text,
    statement_number integer,
    error_detail text,
    error_hint text,
    error_context text,
    duration_ms bigint,
    rows_affected bigint,
    backup_id uuid,
    executed_by uuid,
    run_as name,
    statements jsonb,
    ordinal bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX module_migration_runs_site_module
    ON module_versioning.module_migration_runs (site_id, module_id, ordinal);
CREATE INDEX module_migration_runs_migration
    ON module_versioning.module_migration_runs (migration_id);
CREATE INDEX module_migration_runs_backup
    ON module_versioning.module_migration_runs (backup_id) WHERE backup_id IS NOT NULL;
COMMENT ON TABLE module_versioning.module_migration_runs IS
'Every attempt to run a migration, the failed ones too. ordinal gives the order, whatever the clock did.
rolled_back = it had succeeded, and was undone because a later one of the same call failed.';

CREATE TABLE module_versioning.applied_migrations (
    migration_id uuid NOT NULL REFERENCES module_versioning.module_migrations (id),
    site_id uuid REFERENCES module_versioning.sites (id),
    run_id uuid REFERENCES module_versioning.module_migration_runs (id),
    covered_by uuid REFERENCES module_versioning.module_migrations (id),
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (migration_id, site_id)
);
CREATE INDEX applied_migrations_site_id ON module_versioning.applied_migrations (site_id);
COMMENT ON TABLE module_versioning.applied_migrations IS
'Which migrations are in force now, by site; site_id is NULL for a shared one.
covered_by: the equivalent migration whose script did the work of one that never ran itself.
Its key is the second line of defence against running a migration twice.';

CREATE TABLE module_versioning.schema_states (
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    site_id uuid REFERENCES module_versioning.sites (id),
    fingerprint text NOT NULL,
    objects jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    tenant_objects text[] NOT NULL DEFAULT '{}',
    outside_objects text[] NOT NULL DEFAULT '{}',
    left_objects text[] NOT NULL DEFAULT '{}',
    UNIQUE NULLS NOT DISTINCT (module_id, site_id)
);
COMMENT ON TABLE module_versioning.schema_states IS
'The schema that the last migrations left, object by object: verify_module compares the live one with it.
site_id is NULL for the shared schema of a row layout. tenant_objects: what else was there then, which the migrations neither made nor took.
outside_objects: what the migrations made in other schemas that needs this one.
left_objects: what down scripts have left behind that the version they led back to hadn''t: no other''s, so that scripts may take it away.';

CREATE TABLE module_versioning.schema_versions (
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    site_id uuid REFERENCES module_versioning.sites (id),
    version_id uuid NOT NULL REFERENCES module_versioning.registered_versions (id),
    fingerprint text NOT NULL,
    objects jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (module_id, site_id, version_id)
);
COMMENT ON TABLE module_versioning.schema_versions IS
'The module''s objects as they were when a version was left last: what a rollback to it should bring back.
site_id is NULL for the shared schema of a row layout.';

CREATE TABLE module_versioning.post_steps (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    migration_id uuid NOT NULL REFERENCES module_versioning.module_migrations (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    statement text NOT NULL,
    command text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    UNIQUE (migration_id, position)
);
COMMENT ON TABLE module_versioning.post_steps IS
'Statements that belong to a migration but can''t run in a transaction, such as CREATE INDEX CONCURRENTLY: they are run by hand after the upgrade has committed.
position: their order within the migration. command: what the statement is called.';

CREATE TABLE module_versioning.post_step_dues (
    post_step_id uuid NOT NULL REFERENCES module_versioning.post_steps (id) ON DELETE CASCADE,
    site_id uuid REFERENCES module_versioning.sites (id),
    status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'done')),
    due_since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    confirmed_at timestamptz,
    confirmed_by name,
    detail text,
    UNIQUE NULLS NOT DISTINCT (post_step_id, site_id)
);
CREATE INDEX post_step_dues_site_id ON module_versioning.post_step_dues (site_id);
COMMENT ON TABLE module_versioning.post_step_dues IS
'Where a post-step is due or done: for each site that ran its migration; site_id is NULL where the migration is shared.
detail: what the confirmation rests on. A row goes when its migration is undone.';

CREATE VIEW module_versioning.module_versions AS
SELECT v.id, v.module_id, v.version, v.version_major, v.version_minor, v.version_patch, v.prerelease,
       v.bundle_url, v.bundle_hash, v.source_url, v.changelog, v.release_notes, v.min_platform_version,
       v.breaking_changes, v.breaking_description, v.dependencies, v.status, v.status_reason,
       (SELECT COALESCE(pg_catalog.sum(d.download_count), 0)::bigint FROM module_versioning.version_downloads d
        WHERE d.version_id OPERATOR(pg_catalog.=) v.id) AS download_count,
       (SELECT pg_catalog.count(*) FROM module_versioning.site_module_versions s
        WHERE s.version_id OPERATOR(pg_catalog.=) v.id AND s.status OPERATOR(pg_catalog.=) 'active') AS active_installs,
       v.published_at, v.published_by, v.created_at, v.conflicts, v.migrations_hash
FROM module_versioning.registered_versions v;
COMMENT ON VIEW module_versioning.module_versions IS
'The versions of every module, with how many sites run each and how often each was downloaded.
active_installs is counted when read: it is true at any moment, and two sites that upgrade to one version don''t wait for each other.';

COMMENT ON SEQUENCE module_versioning.site_module_versions_ordinal_seq IS 'Order of site_module_versions.';
COMMENT ON SEQUENCE module_versioning.module_data_backups_ordinal_seq IS 'Order of module_data_backups.';
COMMENT ON SEQUENCE module_versioning.module_migration_runs_ordinal_seq IS 'Order of module_migration_runs.';

-- pg_dump carries the rows of these along (and the positions of the sequences).
SELECT pg_catalog.pg_extension_config_dump('module_versioning.modules', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.sites', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.site_modules', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_tables', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.registered_versions', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.version_downloads', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_migrations', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.site_module_versions', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_data_backups', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.data_changes', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_migration_runs', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.applied_migrations', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.schema_states', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.schema_versions', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.post_steps', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.post_step_dues', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.site_module_versions_ordinal_seq', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_data_backups_ordinal_seq', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.module_migration_runs_ordinal_seq', '');
