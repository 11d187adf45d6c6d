-- Rollouts: the procedure that commits site by site, the readers, and what all of them are for.

CREATE FUNCTION module_versioning.get_rollout(
    rollout_id uuid,
    OUT id uuid,
    OUT module_id uuid,
    OUT target_version module_versioning.semver,
    OUT status text,
    OUT halted_reason text,
    OUT waves text[],
    OUT max_failures integer,
    OUT current_wave integer,
    OUT sites integer,
    OUT pending integer,
    OUT success integer,
    OUT noop integer,
    OUT ahead integer,
    OUT failed integer,
    OUT locked integer,
    OUT gone integer,
    OUT halted integer,
    OUT skipped integer,
    OUT added integer,
    OUT wave_counts jsonb,
    OUT failures jsonb,
    OUT created_at timestamptz,
    OUT started_at timestamptz,
    OUT completed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH site AS (
        SELECT s.* FROM module_versioning.rollout_sites s WHERE s.rollout_id = $1
    ), counts AS (
        SELECT s.wave, s.status, pg_catalog.count(*) AS number FROM site s GROUP BY s.wave, s.status
    )
    SELECT r.id, r.module_id, r.target_version, r.status, r.halted_reason, r.waves, r.max_failures,
           t.current_wave, t.sites, t.pending, t.success, t.noop, t.ahead, t.failed, t.locked, t.gone,
           t.halted, t.skipped, t.added,
           (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                       'wave', w.wave, 'sites', w.sites, 'counts', w.counts) ORDER BY w.wave), '[]')
            FROM (SELECT c.wave, pg_catalog.sum(c.number)::integer AS sites,
                         pg_catalog.jsonb_object_agg(c.status, c.number ORDER BY c.status) AS counts
                  FROM counts c GROUP BY c.wave) w),
           (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                       'site_id', s.site_id, 'site', s.site_slug, 'wave', s.wave, 'status', s.status,
                       'sqlstate', s.sqlstate, 'error_message', s.error_message, 'attempts', s.attempts)
                       ORDER BY s.wave, s.site_id), '[]')
            FROM site s WHERE s.status IN ('failed', 'locked')),
           r.created_at, r.started_at, r.completed_at
    FROM module_versioning.rollouts r
    CROSS JOIN (
        SELECT pg_catalog.min(s.wave) FILTER (WHERE s.status IN ('pending', 'halted')) AS current_wave,
               pg_catalog.count(*)::integer AS sites,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'pending'))::integer AS pending,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'success'))::integer AS success,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'noop'))::integer AS noop,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'ahead'))::integer AS ahead,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'failed'))::integer AS failed,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'locked'))::integer AS locked,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'gone'))::integer AS gone,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'halted'))::integer AS halted,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'skipped'))::integer AS skipped,
               (pg_catalog.count(*) FILTER (WHERE s.status = 'added'))::integer AS added
        FROM site s) t
    WHERE r.id = module_versioning._existing_rollout($1)
$$;
COMMENT ON FUNCTION module_versioning.get_rollout(uuid) IS
'Where a rollout stands: one row.
current_wave: the lowest wave with a site whose turn has not come; NULL when there is none. pending, success, noop, ahead, failed, locked, gone, halted, skipped, added: how many sites have that status. wave_counts: the same for each wave. failures: the sites that failed or were locked, each with SQLSTATE and message. Reads only.
Errors: 22023 a NULL id; 42704 unknown rollout.';

CREATE FUNCTION module_versioning.get_rollout_sites(rollout_id uuid)
RETURNS SETOF module_versioning.rollout_sites
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.* FROM module_versioning.rollout_sites s
    WHERE s.rollout_id = module_versioning._existing_rollout($1)
    ORDER BY s.wave, s.site_id
$$;
COMMENT ON FUNCTION module_versioning.get_rollout_sites(uuid) IS
'What became of each site of a rollout, in the order in which they are upgraded.
Out: rows of rollout_sites. Reads only.
Errors: 22023 a NULL id; 42704 unknown rollout.';

CREATE FUNCTION module_versioning.list_rollouts(module_id uuid DEFAULT NULL)
RETURNS SETOF module_versioning.rollouts
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM module_versioning.rollouts r
    WHERE list_rollouts.module_id IS NULL OR r.module_id = list_rollouts.module_id
    ORDER BY r.ordinal DESC
$$;
COMMENT ON FUNCTION module_versioning.list_rollouts(uuid) IS
'The rollouts of a module, or all of them, newest first.
Out: rows of rollouts. Reads only.';

-- A procedure with a SET clause or SECURITY DEFINER can't commit, so every name below is qualified, and what
-- it calls has its own.
CREATE PROCEDURE module_versioning.run_rollout(rollout_id uuid, max_sites integer DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
    tried pg_catalog.int4 := 0;
    tried_site pg_catalog.uuid;
    outcome pg_catalog.text;
    locked_sites pg_catalog.uuid[] := ARRAY[]::pg_catalog.uuid[];
    locked_twice pg_catalog.uuid[] := ARRAY[]::pg_catalog.uuid[];
    goes_on pg_catalog.bool;
BEGIN
    PERFORM module_versioning._require_own_transactions();
    IF max_sites OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'max_sites must be at least 1'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = pg_catalog.format('It is %s.', max_sites),
                  HINT = 'Leave it out to go on until the rollout ends.';
    END IF;
    LOOP
        EXIT WHEN tried OPERATOR(pg_catalog.>=) max_sites;
        tried_site := NULL;
        SELECT a.site_id, a.status INTO tried_site, outcome
        FROM module_versioning.advance_rollout(run_rollout.rollout_id, 1, true) a;
        COMMIT;
        IF tried_site IS NULL THEN
            -- Nothing left to claim: the rollout is over, or other runners hold what the wave still needs.
            SELECT r.status OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'running']::pg_catalog.text[])
                   AND r.pending OPERATOR(pg_catalog.>) 0
            INTO goes_on
            FROM module_versioning.get_rollout(run_rollout.rollout_id) r;
            EXIT WHEN NOT goes_on;
            CONTINUE;
        END IF;
        tried := tried OPERATOR(pg_catalog.+) 1;
        IF outcome OPERATOR(pg_catalog.=) 'locked' THEN
            -- The longest untried comes first, so one that comes a third time means that all had a second.
            EXIT WHEN tried_site OPERATOR(pg_catalog.=) ANY (locked_twice);
            IF tried_site OPERATOR(pg_catalog.=) ANY (locked_sites) THEN
                locked_twice := pg_catalog.array_append(locked_twice, tried_site);
            END IF;
            locked_sites := pg_catalog.array_append(locked_sites, tried_site);
        END IF;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE module_versioning.run_rollout(uuid, integer) IS
'Runs a rollout to its end, one transaction for each site.
max_sites: stop after so many; NULL goes on until every site has an outcome or the rollout halts. Several sessions may call it at once and share the work. A session that dies leaves no trace but the sites it had finished; call it again to go on. A site that another session is changing is tried again at the end; one that stays locked leaves the rollout running.
Errors: 25001 inside a transaction block or function (use advance_rollout there); 22023 a NULL id or max_sites below 1; 42704 unknown rollout; what stops every site alike, such as 53200.
Needs EXECUTE on advance_rollout and get_rollout too. Locks: the row of the site in the rollout, then as upgrade_module, until the site''s COMMIT.';

COMMENT ON FUNCTION module_versioning._require_own_transactions() IS
'Raises 25001 where a procedure could not commit.
For run_rollout: everybody may call it, it changes nothing.';

COMMENT ON FUNCTION module_versioning._existing_rollout(uuid) IS
'The id of a rollout that exists.
Raises 22023 for NULL and 42704 for an unknown one.';

COMMENT ON FUNCTION module_versioning.create_rollout(uuid, module_versioning.semver, text[], integer, uuid[], boolean, boolean, uuid) IS
'Plans the upgrade of many sites to a version, wave by wave. Nothing is upgraded yet.
waves: how far each wave reaches, counted from the first site: a number of sites (5) or a share of all (10%). Each includes those before it; the last must reach all. max_failures: with one failure more the rollout halts. site_ids: these sites, the first ones in the first wave; NULL = every site that has the module now, those below the target first. create_backup, force, executed_by: as in upgrade_module, for each site.
Within a wave sites are upgraded in order of their ids.
Out: the row of rollouts. Errors: 22023 a NULL or bad argument; 42704 unknown module, version or site; 55000 a draft or yanked version, or a named site without the module.';

COMMENT ON FUNCTION module_versioning.advance_rollout(uuid, integer, boolean) IS
'Upgrades the next sites of a rollout in this transaction, each in a subtransaction of its own.
max_sites: how many at most; 10 by default, which stays below the 64 subtransactions that PostgreSQL keeps in memory per session. wait: where other runners hold all that is left of a wave, wait for one of them (no longer than module_versioning.lock_timeout).
Out: one row for each site that was tried, with its status and the error''s SQLSTATE and message. No row: nothing is left, the rollout is halted, or other runners are at the rest of the wave. A site''s failure is recorded and doesn''t stop the others; a query cancel stops all.
Errors: 22023 a NULL id or max_sites below 1; 42704 unknown rollout; 53400 so many sites don''t fit into the server''s lock table in one transaction; 40001 under REPEATABLE READ and SERIALIZABLE.
Locks: the rows of the sites in the rollout (those that others hold are passed by), then as upgrade_module, until the transaction ends.';

COMMENT ON FUNCTION module_versioning.halt_rollout(uuid, text) IS
'Stops a rollout: no further site is begun.
reason: kept in halted_reason. A site that a runner is at is finished. Out: the row of rollouts; that of a rollout halted before is returned as it is.
Errors: 22023 a NULL id; 42704 unknown rollout; 55000 it is completed; 55P03 a runner has just begun it. Locks the row of the rollout.';

COMMENT ON FUNCTION module_versioning.resume_rollout(uuid, boolean) IS
'Lets a rollout go on where it stopped: what is done stays done.
Sites that failed are tried again; retry_failed => false marks them as skipped instead, and they count no longer. Sites that got the module since are taken into the last wave, when the rollout is for all sites. It upgrades nothing itself: call run_rollout or advance_rollout then.
Out: the row of rollouts. Errors: 22023 a NULL id; 42704 unknown rollout; 55P03 another session is changing it. Locks the row of the rollout.';
