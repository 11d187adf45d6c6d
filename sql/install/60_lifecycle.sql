-- The functions of lifecycle: the one that is a query, and what all of them are for.

CREATE FUNCTION module_versioning.get_pending_migrations(
    site_id uuid, module_id uuid, to_version module_versioning.semver DEFAULT NULL
) RETURNS SETOF module_versioning.module_migrations
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT m.*
    FROM module_versioning.module_migrations m
    CROSS JOIN LATERAL (SELECT module_versioning._existing_site(get_pending_migrations.site_id) AS id) s
    WHERE m.module_id = module_versioning._existing_module(get_pending_migrations.module_id)
      AND m.to_version OPERATOR(module_versioning.<=) coalesce(
              get_pending_migrations.to_version,
              (SELECT v.version FROM module_versioning.get_latest_version(get_pending_migrations.module_id) v),
              (SELECT v.version FROM module_versioning.get_latest_version(get_pending_migrations.module_id, true) v))
      AND NOT EXISTS (
          SELECT FROM module_versioning.applied_migrations a
          WHERE a.migration_id = m.id
            AND (a.site_id IS NULL OR a.site_id = s.id))
    ORDER BY m.to_version, m.sequence
$$;
COMMENT ON FUNCTION module_versioning.get_pending_migrations(uuid, uuid, module_versioning.semver) IS
'The migrations that an upgrade of the site would run, in run order.
to_version: where to; the newest published version when NULL. Reads only.
Errors: 22023 a NULL id; 42704 unknown module or site.';

COMMENT ON FUNCTION module_versioning.install_module(uuid, uuid, module_versioning.semver, uuid) IS
'Installs a module on a site: its schema, its migrations, its version, all or nothing.
version: the newest published one that is no prerelease when NULL. installed_by: recorded as given. Returns status success, failed (a script failed, everything was undone, the attempt is recorded) or noop (that version runs already).
Errors: 42704 unknown module, site or version; 55000 another version is installed, or a blocker (all in DETAIL): an unmet dependency or platform version, a yanked or unpublished version; 55P03 another session is at it.
Locks: the module''s row when shared migrations run, the installation''s row, then what the scripts take.';

COMMENT ON FUNCTION module_versioning.plan_upgrade(uuid, uuid, module_versioning.semver) IS
'What upgrade_module would do, without doing it.
target_version: the newest published version that is no prerelease when NULL. can_upgrade: whether it goes without force.
Errors: 42704 unknown module, site or version; 22023 a target below the version that runs. Reads only, takes no locks.';

COMMENT ON FUNCTION module_versioning.upgrade_module(uuid, uuid, module_versioning.semver, boolean, boolean, uuid) IS
'Upgrades a module on a site: snapshot, migrations, verification, activation, all or nothing.
create_backup: whether to take a snapshot of the site''s rows first. force: go on against blockers of judgement (another site on the same shared tables runs a version that the change breaks), never against those of correctness. executed_by: recorded as given.
Returns status success, failed (a script failed: everything was undone, the attempt is in get_migration_history) or noop.
Errors: 42704 unknown module, site or version; 22023 a target below the version that runs; 55000 not installed, or blocked (all blockers in DETAIL); 55P03 another session is at it; 40001 it changed meanwhile, under REPEATABLE READ or SERIALIZABLE.
Locks: the module''s row when shared migrations run, the installation''s row, then what the scripts take; each wait bounded by module_versioning.lock_timeout.';

COMMENT ON FUNCTION module_versioning.apply_module_migration(uuid, uuid, text, boolean, uuid) IS
'Runs one migration by itself, up or down, if it is the next one in order.
The version that runs stays what it is; upgrade_module then activates the new one without running the migration again. Returns the run, with status success or failed.
Errors: 42704 unknown site or migration; 22023 another direction than up or down; 55000 not installed, or not the next one; 55P03 another session is at it.
Locks: as upgrade_module.';

COMMENT ON FUNCTION module_versioning.verify_module(uuid, uuid) IS
'Whether an installation is what its version''s migrations made: one row for each check.
Checks: installed, schema (live objects against those recorded after the last run), tables, migrations, dependencies, snapshots (every byte hashed again), bundle. Reads only; time grows with the snapshots.
Errors: 42704 unknown module or site.';

COMMENT ON FUNCTION module_versioning.plan_rollback(uuid, uuid, module_versioning.semver) IS
'What rollback_module would do and destroy, without doing it.
data_loss: for each table or column that the down scripts destroy its kind, rows and non-NULL values, counted live, for all sites on a shared table (site_rows: those of this site); certain is false where only running a statement tells how much. What a DO block or function hides is named in warnings.
Errors: 42704 unknown module, site or version; 22023 a target above the version that runs; 55000 not installed; Reads only.';

COMMENT ON FUNCTION module_versioning.rollback_module(uuid, uuid, module_versioning.semver, text, boolean, boolean, uuid) IS
'Takes a module on a site back to an older version, all or nothing.
strategy: down = only the down scripts; preserve = the scripts, then columns and tables that the upgrade had destroyed are refilled from the snapshot where the scripts left nothing, and what people wrote since stays; restore = the scripts, then the site''s rows exactly as in the snapshot. create_backup: whether to take a snapshot of the present rows first. force: go on against blockers of judgement: a migration that is irreversible or has no down script (its step is skipped and said so in warnings), data lost that no snapshot covers.
A shared migration that another site''s version needs stays in force; warnings say so.
Returns status success, failed (everything was undone, the attempt is recorded) or noop.
Errors: 42704 unknown module, site or version; 22023 a bad strategy or a target above the version that runs; 55000 not installed, or blocked (all blockers in DETAIL); 55P03 another session is at it; XX001 the snapshot is damaged.
Locks: as upgrade_module.';

COMMENT ON FUNCTION module_versioning.get_rollback_points(uuid, uuid) IS
'The versions that a site can go back to, newest first.
backup_id: the snapshot taken when the version was left. can_rollback: whether it goes without force. Reads only.
Errors: 42704 unknown module or site; 55000 not installed.';

COMMENT ON FUNCTION module_versioning.uninstall_module(uuid, uuid, boolean, boolean) IS
'Takes a module off a site, all or nothing; its history stays.
schema layout: the site''s schema is dropped. row layout: the site''s rows are deleted, the shared tables stay. create_backup: whether to take a snapshot first. force: drop the schema although foreign keys or views elsewhere need it.
Errors: 42704 unknown module or site; 2BP01 another module of the site depends on it (each in DETAIL); 55000 not installed, or blocked; 55P03 another session is at it.
Locks: the installation''s row, then the tables.';
