-- The tables of rollouts. No row of them says that a site is being worked on: a runner's claim is the lock
-- of the site's row, and goes with its transaction.

CREATE TABLE module_versioning.rollouts (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    module_id uuid NOT NULL REFERENCES module_versioning.modules (id),
    target_version module_versioning.semver NOT NULL,
    waves text[] NOT NULL,
    max_failures integer NOT NULL CHECK (max_failures >= 0),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'halted', 'completed')),
    halted_reason text,
    all_sites boolean NOT NULL,
    create_backup boolean NOT NULL,
    force boolean NOT NULL,
    executed_by uuid,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    created_by name NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    ordinal bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX rollouts_module_id ON module_versioning.rollouts (module_id, ordinal);
COMMENT ON TABLE module_versioning.rollouts IS
'Upgrades of many sites to one version, wave by wave.
waves: how far each wave reaches, as a number of sites or a share of all; each includes those before it. max_failures: with one failure more it halts. all_sites: whether it was created for every site with the module, not for named ones.';

CREATE TABLE module_versioning.rollout_sites (
    rollout_id uuid NOT NULL REFERENCES module_versioning.rollouts (id) ON DELETE CASCADE,
    -- No foreign key: what happened to a site is still to be read when the site has gone.
    site_id uuid NOT NULL,
    site_slug text NOT NULL,
    wave integer NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN (
        'pending', 'success', 'noop', 'ahead', 'failed', 'locked', 'gone', 'halted', 'skipped', 'added')),
    sqlstate text,
    error_message text,
    error_detail text,
    error_hint text,
    failed_migration_id uuid,
    statement_number integer,
    attempts integer NOT NULL DEFAULT 0,
    started_at timestamptz,
    completed_at timestamptz,
    from_version module_versioning.semver,
    backup_id uuid,
    run_ids uuid[],
    PRIMARY KEY (rollout_id, site_id)
);
CREATE INDEX rollout_sites_pending
    ON module_versioning.rollout_sites (rollout_id, wave, site_id) WHERE status = 'pending';
CREATE INDEX rollout_sites_troubled
    ON module_versioning.rollout_sites (rollout_id, status, completed_at) WHERE status IN ('failed', 'locked');
COMMENT ON TABLE module_versioning.rollout_sites IS
'What became of each site of a rollout.
status: pending (its turn has not come), success, noop (ran the target already), ahead (runs a higher version), failed, locked (another session was at it; it is tried again and counts as no failure), gone (the site has the module no longer), halted (the rollout stopped before its turn), skipped (failed, and not to be tried again), added (got the module after the rollout was created; resume_rollout takes it in).
sqlstate and the columns after it tell of the last attempt.';

COMMENT ON SEQUENCE module_versioning.rollouts_ordinal_seq IS 'Order of rollouts.';

SELECT pg_catalog.pg_extension_config_dump('module_versioning.rollouts', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.rollout_sites', '');
SELECT pg_catalog.pg_extension_config_dump('module_versioning.rollouts_ordinal_seq', '');
