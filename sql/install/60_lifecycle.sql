-- The functions of lifecycle: the one that is a query, and what all of them are for.

CREATE FUNCTION module_versioning.get_pending_migrations(
    site_id uuid, module_id uuid, to_version module_versioning.semver DEFAULT NULL
) RETURNS SETOF module_versioning.module_migrations
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT m.*
    FROM ROWS FROM (module_versioning._pending_migrations(
             get_pending_migrations.site_id, get_pending_migrations.module_id, get_pending_migrations.to_version))
         WITH ORDINALITY AS step (id, place)
    JOIN module_versioning.module_migrations m ON m.id OPERATOR(pg_catalog.=) step.id
    ORDER BY step.place
$$;
COMMENT ON FUNCTION module_versioning.get_pending_migrations(uuid, uuid, module_versioning.semver) IS
'The migrations that an upgrade of the site would run, in run order.
to_version: where to; the newest published version when NULL. What an equivalent migration has done or will do is not listed, and neither are drafts, but for to_version itself. Reads only.
Errors: 22023 a NULL id; 42704 unknown module or site.';

COMMENT ON FUNCTION module_versioning._pending_migrations(uuid, uuid, module_versioning.semver) IS
'The ids of the migrations that get_pending_migrations returns, in its order.
Errors: as get_pending_migrations.';

COMMENT ON FUNCTION module_versioning.publish_version(uuid, uuid) IS
'Publishes a draft: from now on it is found, can be installed, and doesn''t change.
published_by: who did it, for the record. breaking_changes is set when the versions published meanwhile demand it.
Its migrations are run in an empty copy of the module''s schema, up, down and up again, and undone; reversibility, suggested_bump and findings are recorded with them. What they demand of the version''s number is compared with the release before, as module_versioning.version_policy says: a warning, or a refusal. Where they can''t be run, reversibility is unknown, and it is published with a warning.
Returns the row of module_versions.
From then on its content doesn''t change, nor do its migrations: release_notes and status_reason stay editable.
Errors: 55000 no draft, or a dependency that no published version satisfies (each is in DETAIL, with what there is instead), or too small a step where the policy is enforce (DETAIL: the changes, HINT: the lowest version); 22023 version_id is null, 42704 no such version, 42501 the caller can''t act as the module''s owner, 55P03 locked too long.
Locks: the row, FOR NO KEY UPDATE; lower drafts of the module FOR SHARE; while the migrations are tried, what they take outside of the module''s schema.';

COMMENT ON FUNCTION module_versioning.install_module(uuid, uuid, module_versioning.semver, uuid, boolean) IS
'Installs a module on a site: its schema, its migrations, its version, all or nothing.
version: the newest published one that is no prerelease when NULL. installed_by: recorded as given. with_dependencies: install and upgrade what it needs too, as resolve_dependencies finds it, all of them in one act; run_ids then holds the runs of all in order, and warnings names the other modules. Returns status success, failed (a script failed, everything was undone, the attempt is recorded) or noop (that version runs already).
Errors: 42704 unknown module, site or version; 55000 another version is installed, or a blocker (all in DETAIL): an unmet dependency or platform version, a yanked or unpublished version; 55P03 another session is at it; with_dependencies: 22023 nothing fits together (DETAIL says why), 40001 what has to change changed while a lock was waited for.
Locks: the rows of the modules, then of the installations, both by the modules'' ids: of what changes, and of what that needs on the site (which is only kept as it is); the versions FOR SHARE; then what the scripts take (tables that a migration writes anew or drops are tried to be locked when it starts), and at the end the site''s row (alone when a version has dependencies or conflicts, else shared).';

COMMENT ON FUNCTION module_versioning.adopt_module(uuid, uuid, module_versioning.semver, boolean) IS
'Takes an existing schema under management at a version, without running anything in it.
The version''s migrations are run in an empty schema, which is undone, and the existing one is compared with what they made; where other sites run them on the same shared tables, with what is recorded for those. accept_drift: adopt it although it differs, or although the migrations can''t be run in another schema; warnings list each difference, objects that are more stay the tenant''s, and verify_module goes on telling what is missing or different.
Then the migrations up to the version count as in force and the version as active. Returns status success, or noop when that version runs already. warnings name migrations that would have changed rows, for they were not run.
Errors: 22023 no version; 42704 unknown module, site or version; 55000 another version is installed, the schema does not exist or differs (each difference in DETAIL), or a blocker as in install_module; 42501 the schema of a site, or a shared table, belongs to a role that the module''s owner_role can''t act as; 55P03 another session is at it.
Locks: the module''s row, the installation''s row; the rehearsal takes what the scripts take.';

COMMENT ON FUNCTION module_versioning.confirm_post_step(uuid, uuid) IS
'Notes that a post-step was run, after asking the catalog.
site_id: for that site only; wherever it is due when NULL. An index must be there, valid and on its table, or gone if it was to be dropped; a partition detached. What leaves no trace to be trusted (VACUUM, REINDEX) is taken on the caller''s word, and detail says so.
Out: a row for each place: for_site_id (NULL where the migration is shared), status done, detail. What the statement made is the module''s from then on. Again for one that is done changes nothing.
Errors: 42704 unknown post-step; 55000 not due, or not done (why in DETAIL): all or nothing; 55P03 another session is at it.
Locks: the module''s row where the migration is shared, the installation''s row otherwise.';

COMMENT ON FUNCTION module_versioning.plan_upgrade(uuid, uuid, module_versioning.semver) IS
'What upgrade_module would do, without doing it.
target_version: the newest published version that is no prerelease when NULL. can_upgrade: whether it goes without force. migrations: each with its action: run, or equivalent where the migration named by equivalent does its work. path: the published versions on the way.
A migration whose version the site, or the shared tables, are past and which never ran is a blocker, unless module_versioning.allow_out_of_order is set: a warning then.
breaking_changes: what the versions on the way say, and what the scripts'' parse trees tell (as lint_migration does); warnings: also what rewrites, reads, indexes or writes a table of more than 100,000 rows, as the planner believes.
Errors: 42704 unknown module, site or version; 22023 a target below the version that runs. Reads only, takes no locks.';

COMMENT ON FUNCTION module_versioning.upgrade_module(uuid, uuid, module_versioning.semver, boolean, boolean, uuid, boolean) IS
'Upgrades a module on a site: snapshot, migrations, verification, activation, all or nothing.
create_backup: whether to take a snapshot of the site''s rows first. force: go on against blockers of judgement (another site on the same shared tables runs a version that the change breaks), never against those of correctness; and although a script drops objects that are not the module''s. executed_by: recorded as given.
with_dependencies: install and upgrade what it needs, and upgrade the installed modules that need it, as resolve_dependencies finds it: all of them in one act, each with its snapshot. backup_id, from_version and to_version are those of the module asked for, run_ids holds the runs of all in order, and warnings names the other modules.
Returns status success, failed (a script failed: everything was undone, the attempt is in get_migration_history) or noop.
Errors: 42704 unknown module, site or version; 22023 a target below the version that runs; 55000 not installed, or blocked (all blockers in DETAIL); 55P03 another session is at it; 40001 it changed meanwhile, under REPEATABLE READ or SERIALIZABLE.
A migration that a rollback had undone runs again: what that had destroyed is given back from its snapshot, for rows still there.
With with_dependencies also 22023 nothing fits together (DETAIL says why), 40001 what has to change changed while a lock was waited for.
Locks: the rows of the modules, then of the installations, both by the modules'' ids: of what changes, and of what that needs on the site (which is only kept as it is); the versions FOR SHARE; then what the scripts take (tables that a migration writes anew or drops are tried to be locked when it starts), and at the end the site''s row (alone when a version has dependencies or conflicts, else shared); each wait bounded by module_versioning.lock_timeout.';

COMMENT ON FUNCTION module_versioning.apply_module_migration(uuid, uuid, text, boolean, uuid) IS
'Runs one migration by itself, up or down, if it is the next one in order.
The version that runs stays what it is; upgrade_module then activates the new one without running the migration again. Returns the run, with status success or failed.
Gives back what the migration had destroyed when it last ran the other way, and on the way down what people wrote since, as rollback_module does with strategy preserve; what can''t be given back is raised as WARNING.
Errors: 42704 unknown site or migration; 22023 another direction than up or down; 55000 not installed, not the next one, of a draft, or out of order; 55P03 another session is at it.
Locks: as upgrade_module.';

COMMENT ON FUNCTION module_versioning.verify_module(uuid, uuid) IS
'Whether an installation is what its version''s migrations made: one row for each check.
Checks: installed, schema (live objects against those recorded after the last run; names each that is missing, different or extra), extra (what others keep in the schema, as far as a change has told of it: no fault), tables, migrations, post_steps (those that are due), dependencies, snapshots (every byte hashed again), bundle. Reads only; time grows with the snapshots.
Errors: 42704 unknown module or site.';

COMMENT ON FUNCTION module_versioning.plan_rollback(uuid, uuid, module_versioning.semver) IS
'What rollback_module would do and destroy, without doing it.
migrations: each with its action: run, skip (it can''t be undone), keep (another site or an equivalent of the target needs it), equivalent (another one did its work, so no script runs).
data_loss: what the down scripts destroy, with what CASCADE and foreign keys take along: for each table or column its kind, rows and values (not NULL and not the default), counted live, for all sites on a shared table (site_rows, site_values: those of this site), and the migration and statement that do it; certain is false where only running a statement tells how much, and the numbers are then upper bounds. Conditions and expressions of the scripts are evaluated only when they do nothing but read and compute. What a DO block, a function or a trigger hides is named in warnings, and a script that fails as things stand too.
Errors: 42704 unknown module, site or version; 22023 a target above the version that runs; 55000 not installed; Reads only.';

COMMENT ON FUNCTION module_versioning.rollback_module(uuid, uuid, module_versioning.semver, text, boolean, boolean, uuid) IS
'Takes a module on a site back to an older version, all or nothing.
strategy: down = only the down scripts; preserve = the scripts, then rows, columns, tables and values that the upgrade had destroyed are given back where nobody has written something else since, and rows and values that people wrote since and the scripts destroyed come back where the older schema has room for them, matched by a key that lasts; in columns whose values the upgrade had changed, what the scripts make of values counts. What can''t be given back is in warnings, with the first keys and a count; restore = the scripts, then the site''s rows exactly as in the snapshot. create_backup: whether to take a snapshot of the present rows first. force: go on against blockers of judgement: a migration that is irreversible or has no down script (its step is skipped and said so in warnings), data lost that no snapshot covers.
A shared migration that another site''s version needs stays in force; warnings say so.
Returns status success, failed (everything was undone, the attempt is recorded) or noop.
Errors: 42704 unknown module, site or version; 22023 a bad strategy or a target above the version that runs; 55000 not installed, or blocked (all blockers in DETAIL); 55P03 another session is at it; XX001 the snapshot is damaged.
Locks: as upgrade_module; tables that get something back SHARE ROW EXCLUSIVE.';

COMMENT ON FUNCTION module_versioning.get_rollback_points(uuid, uuid) IS
'The versions that a site can go back to, newest first.
backup_id: the snapshot taken when the version was left. can_rollback: whether it goes without force. Reads only.
Errors: 42704 unknown module or site; 55000 not installed.';

COMMENT ON FUNCTION module_versioning.uninstall_module(uuid, uuid, boolean, boolean) IS
'Takes a module off a site, all or nothing; its history stays.
schema layout: the site''s schema is dropped. row layout: the site''s rows are deleted, the shared tables stay. create_backup: whether to take a snapshot first. force: drop the schema although foreign keys or views elsewhere need it.
Errors: 42704 unknown module or site; 2BP01 another module of the site depends on it (each in DETAIL); 55000 not installed, or blocked; 55P03 another session is at it.
Locks: the installation''s row, the site''s row FOR SHARE, then the tables.';

COMMENT ON FUNCTION module_versioning.rehearse_migration(uuid, text, text, uuid) IS
'Runs a script that is not registered, watches what it does, and undoes all of it.
up_sql: the script; down_sql: the one that leads back; site_id: for which site, in whose schema it runs (row layout: in the module''s schema; without a site one that runs the module stands for all). It runs as the module''s owner_role, statement by statement as an upgrade would, then down_sql, then up_sql again.
Returns a rehearsal: locks, rewrites, rows, changes of all schemas, what is lost on the way there and back, whether it can be undone. A script that fails is a result: ok is false. Nothing is left but values that sequences gave, which warnings mention; statements whose work can''t be undone (COPY TO a file, replication slots) are left out, and warnings say so.
Errors: 22023 a NULL argument; 42704 unknown module or site; 42501 the caller can''t act as the module''s owner_role; 55000 inside a migration; 55P03 another session is changing the module.
Locks: the module''s row, and what the scripts take, each wait bounded by module_versioning.rehearsal_lock_timeout; all of them end with the call. It is real work: tables larger than module_versioning.rehearsal_size_limit are left alone.';

COMMENT ON FUNCTION module_versioning.rehearse_upgrade(uuid, uuid, module_versioning.semver) IS
'Runs what upgrade_module or install_module would run, watches what it does, and undoes all of it.
target_version: the newest published one when NULL. The scripts run in order, then their down scripts backwards, then the scripts again. What blocks the upgrade itself is in warnings.
Returns a rehearsal, as rehearse_migration; objects say in migration_sequence which migration they are about.
Errors: 42704 unknown module, site or version; 22023 a target below the version that runs; 42501 the caller can''t act as the module''s owner_role; 55000 inside a migration; 55P03 another session is at it.
Locks: the module''s and the installation''s row, and what the scripts take; all of them end with the call.';

COMMENT ON FUNCTION module_versioning.rehearse_rollback(uuid, uuid, module_versioning.semver) IS
'Runs what rollback_module would run with strategy down, watches what it does, and undoes all of it.
The down scripts run newest first, then the up scripts, then the down scripts again. data_loss is what the rollback destroys of the live rows, by dynamic SQL as well; schema_restored: whether going up and down again leads to the same schema. What blocks the rollback itself is in warnings.
Returns a rehearsal, as rehearse_upgrade.
Errors: 22023 a NULL target or one above the version that runs; 42704 unknown module, site or version; 42501 the caller can''t act as the module''s owner_role; 55000 not installed, or inside a migration; 55P03 another session is at it.
Locks: as rehearse_upgrade.';
