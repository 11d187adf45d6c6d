-- Rollouts: one version to many sites, wave by wave, each site with its own outcome.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE rollout_owner NOLOGIN;
CREATE FUNCTION pg_temp.site(n int) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
-- A fleet of its own for each part: module, versions 1.0.0 to 1.2.0, sites slug-1 to slug-n from first on.
CREATE FUNCTION pg_temp.fleet(slug text, first int, sites int, isolation text DEFAULT 'schema') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (module_versioning.register_module(slug, isolation => isolation, owner_role => 'rollout_owner')).id;
    version text;
BEGIN
    FOREACH version IN ARRAY ARRAY['1.0.0', '1.1.0', '1.2.0'] LOOP
        PERFORM module_versioning.create_version(module, version::module_versioning.semver);
    END LOOP;
    PERFORM module_versioning.add_migration(module, '1.0.0', 'CREATE TABLE item (id int PRIMARY KEY, site_id uuid, body text)');
    PERFORM module_versioning.add_migration(module, '1.1.0', 'ALTER TABLE item ADD COLUMN extra int; ALTER TABLE item ALTER body SET NOT NULL');
    PERFORM module_versioning.add_migration(module, '1.2.0', 'ALTER TABLE item ADD COLUMN more int');
    PERFORM module_versioning.publish_version(v.id) FROM module_versioning.get_versions(module) v WHERE v.version::text < '1.2.0';
    FOR n IN 1..sites LOOP
        PERFORM module_versioning.register_site(slug || '-' || n, id => pg_temp.site(first + n));
        PERFORM module_versioning.install_module(pg_temp.site(first + n), module, '1.0.0');
    END LOOP;
    RETURN module;
END $$;
CREATE FUNCTION pg_temp.sites(rollout uuid) RETURNS TABLE (site text, wave int, status text, sqlstate text, error_message text, attempts int)
LANGUAGE sql AS $$ SELECT site_slug, wave, status, sqlstate, error_message, attempts FROM module_versioning.get_rollout_sites(rollout) $$;

\echo What cannot be rolled out is refused.
SELECT pg_temp.fleet('ro-bad', 100, 3) AS module \gset
SELECT status FROM module_versioning.create_rollout(NULL, '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(pg_temp.site(0), '1.1.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '9.9.9');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.2.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', '{1,many}');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', '{50%,10%,100%}');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', '{1,50%}');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', ARRAY['1', NULL]);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', max_failures => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', site_ids => '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', site_ids => ARRAY[pg_temp.site(0)]);
\echo :LAST_ERROR_SQLSTATE
SELECT id AS lonely FROM module_versioning.register_site('ro-lonely') \gset
SELECT status FROM module_versioning.create_rollout(:'module', '1.1.0', site_ids => ARRAY[:'lonely']::uuid[]);
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.get_rollout(pg_temp.site(0));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.advance_rollout(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM module_versioning.list_rollouts(:'module');

\echo NULL means the default. Nothing runs before it is asked for.
SELECT id AS rollout, status, waves, max_failures, started_at IS NULL AS unstarted FROM module_versioning.create_rollout(:'module', '1.1.0', NULL, NULL, NULL) \gset
\echo :status :waves :max_failures :unstarted
SELECT * FROM module_versioning.advance_rollout(:'rollout', 0);
\echo :LAST_ERROR_SQLSTATE
CALL module_versioning.run_rollout(:'rollout', 0);
\echo :LAST_ERROR_SQLSTATE
CALL module_versioning.run_rollout(NULL);
\echo :LAST_ERROR_SQLSTATE

\echo run_rollout commits, so it refuses where it cannot.
BEGIN;
CALL module_versioning.run_rollout(:'rollout');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
CREATE FUNCTION pg_temp.call_it() RETURNS void LANGUAGE plpgsql AS $$
DECLARE id uuid := (SELECT r.id FROM module_versioning.rollouts r ORDER BY r.ordinal DESC LIMIT 1);
BEGIN CALL module_versioning.run_rollout(id); END $$;
SELECT pg_temp.call_it();
\echo :LAST_ERROR_SQLSTATE
SELECT status, pending FROM module_versioning.get_rollout(:'rollout');

\echo In a transaction advance_rollout does it, and a ROLLBACK takes it back.
BEGIN;
SELECT count(*) FROM module_versioning.advance_rollout(:'rollout');
SELECT status, success FROM module_versioning.get_rollout(:'rollout');
ROLLBACK;
SELECT status, success FROM module_versioning.get_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, failed FROM module_versioning.get_rollout(:'rollout');

\echo Waves: a canary, a tenth, all; within a wave by id.
SELECT pg_temp.fleet('ro-wave', 200, 12) AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', create_backup => false) \gset
SELECT wave, count(*), min(site) FROM pg_temp.sites(:'rollout') GROUP BY 1 ORDER BY 1;
SELECT status FROM module_versioning.advance_rollout(:'rollout', 1);
SELECT status, current_wave, sites, pending, success, wave_counts FROM module_versioning.get_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout', 3);
SELECT status, current_wave, pending, success FROM module_versioning.get_rollout(:'rollout');
SELECT count(*) FROM module_versioning.advance_rollout(:'rollout');
SELECT status, current_wave, pending, success, completed_at > started_at AS took_time FROM module_versioning.get_rollout(:'rollout');
\echo It is over.
SELECT * FROM module_versioning.advance_rollout(:'rollout');
SELECT status FROM module_versioning.halt_rollout(:'rollout');
\echo :LAST_ERROR_SQLSTATE
SELECT DISTINCT module_versioning.get_installed_version(s.site_id, :'module') FROM module_versioning.get_rollout_sites(:'rollout') s;
SELECT count(*) AS snapshots FROM module_versioning.list_snapshots(module_id => :'module');

\echo Named sites: the first named are the canaries.
SELECT pg_temp.fleet('ro-named', 300, 4) AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', '{1,100%}', site_ids => ARRAY[pg_temp.site(303), pg_temp.site(304), pg_temp.site(301), pg_temp.site(303)]) \gset
SELECT site, wave FROM pg_temp.sites(:'rollout');

\echo Site 5 of 10 fails: with no failure allowed the rest is halted, and the resumed rollout does only what is left.
SELECT pg_temp.fleet('ro-five', 400, 10) AS module \gset
INSERT INTO "ro-five_ro-five-5".item VALUES (1, NULL, NULL);
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0') \gset
CALL module_versioning.run_rollout(:'rollout');
SELECT status, halted_reason, success, failed, halted, pending FROM module_versioning.get_rollout(:'rollout');
SELECT * FROM pg_temp.sites(:'rollout');
SELECT f ->> 'site' AS site, f ->> 'sqlstate' AS sqlstate FROM module_versioning.get_rollout(:'rollout'), jsonb_array_elements(failures) f;
SELECT * FROM module_versioning.advance_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success FROM module_versioning.get_rollout(:'rollout');
\echo The cause is still there: it halts again at the same site.
SELECT status, halted_reason FROM module_versioning.resume_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, failed, halted FROM module_versioning.get_rollout(:'rollout');
UPDATE "ro-five_ro-five-5".item SET body = 'there';
SELECT status FROM module_versioning.resume_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, failed, halted FROM module_versioning.get_rollout(:'rollout');
SELECT site, attempts FROM pg_temp.sites(:'rollout') WHERE attempts <> 1;

\echo With failures allowed the others go on, and only the one is done again.
SELECT pg_temp.fleet('ro-allow', 500, 5) AS module \gset
INSERT INTO "ro-allow_ro-allow-2".item VALUES (1, NULL, NULL);
INSERT INTO "ro-allow_ro-allow-4".item VALUES (1, NULL, 'fine');
CREATE VIEW "ro-allow_ro-allow-4".v AS SELECT 1 AS extra;
ALTER TABLE "ro-allow_ro-allow-4".item ADD COLUMN extra int;
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', max_failures => 2) \gset
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, failed FROM module_versioning.get_rollout(:'rollout');
SELECT * FROM pg_temp.sites(:'rollout');
UPDATE "ro-allow_ro-allow-2".item SET body = 'there';
SELECT status FROM module_versioning.resume_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT site, status, attempts FROM pg_temp.sites(:'rollout');
\echo What fails for good can be left out.
SELECT status FROM module_versioning.resume_rollout(:'rollout', retry_failed => false);
SELECT site, status, sqlstate FROM pg_temp.sites(:'rollout') WHERE status <> 'success';

\echo Sites gone, ahead, there already, and added meanwhile.
SELECT pg_temp.fleet('ro-mean', 600, 5) AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', '{100%}') \gset
SELECT status FROM module_versioning.uninstall_module(pg_temp.site(602), :'module');
SELECT status FROM module_versioning.upgrade_module(pg_temp.site(603), :'module', '1.1.0');
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'module') WHERE version::text = '1.2.0';
SELECT status FROM module_versioning.upgrade_module(pg_temp.site(604), :'module', '1.2.0');
SELECT count(module_versioning.install_module((module_versioning.register_site('ro-mean-late', id => pg_temp.site(609))).id, :'module', '1.0.0'));
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, noop, ahead, gone, added FROM module_versioning.get_rollout(:'rollout');
SELECT * FROM pg_temp.sites(:'rollout');
SELECT status FROM module_versioning.resume_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success, added FROM module_versioning.get_rollout(:'rollout');

\echo Halted by hand.
SELECT pg_temp.fleet('ro-hand', 700, 3) AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0') \gset
CALL module_versioning.run_rollout(:'rollout', 1);
SELECT status, halted_reason FROM module_versioning.halt_rollout(:'rollout', 'support is busy');
SELECT status, halted_reason FROM module_versioning.halt_rollout(:'rollout', 'again');
SELECT * FROM module_versioning.advance_rollout(:'rollout');
SELECT success, halted FROM module_versioning.get_rollout(:'rollout');
SELECT status, halted_reason FROM module_versioning.resume_rollout(:'rollout');
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success FROM module_versioning.get_rollout(:'rollout');

\echo Row layout: the first site runs the shared migration, the others follow.
SELECT pg_temp.fleet('ro-row', 800, 3, 'row') AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', '{1,100%}', force => true) \gset
CALL module_versioning.run_rollout(:'rollout');
SELECT * FROM pg_temp.sites(:'rollout');
SELECT site_slug, cardinality(run_ids) AS runs FROM module_versioning.get_rollout_sites(:'rollout');

\echo So many sites as do not fit into the lock table are refused before anything stays.
SELECT pg_temp.fleet('ro-many', 10000, 40) AS module \gset
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', '{100%}', create_backup => false) \gset
-- Locks that are held already leave room for some ten sites more; the numbers in DETAIL differ from server to server.
\set VERBOSITY terse
BEGIN;
SELECT count(pg_advisory_xact_lock(42, n)) > 1000 AS many FROM generate_series(1,
    current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) - 100) n;
SELECT count(*) FROM module_versioning.advance_rollout(:'rollout', 40);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
\set VERBOSITY default
SELECT status, success FROM module_versioning.get_rollout(:'rollout');
SELECT count(*) FROM module_versioning.advance_rollout(:'rollout', 40);
SELECT status, success FROM module_versioning.get_rollout(:'rollout');

\echo Nobody without the right may steer, and an operator needs no right on any table.
CREATE ROLE rollout_operator NOLOGIN;
SET ROLE rollout_operator;
SELECT count(*) FROM module_versioning.advance_rollout(:'rollout');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM module_versioning.progress;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT pg_temp.fleet('ro-oper', 900, 2) AS module \gset
GRANT EXECUTE ON FUNCTION module_versioning.create_rollout, module_versioning.advance_rollout, module_versioning.get_rollout TO rollout_operator;
GRANT EXECUTE ON PROCEDURE module_versioning.run_rollout TO rollout_operator;
SET ROLE rollout_operator;
SELECT id AS rollout, created_by FROM module_versioning.create_rollout(:'module', '1.1.0') \gset
\echo :created_by
-- A search_path of the caller's own changes nothing.
CREATE FUNCTION pg_temp.cardinality(anyarray) RETURNS int LANGUAGE sql AS 'SELECT 7';
SET search_path TO pg_temp;
CALL module_versioning.run_rollout(:'rollout');
SELECT status, success FROM module_versioning.get_rollout(:'rollout');
RESET search_path;
RESET ROLE;

\echo Inside a migration rollouts are out of reach.
SELECT pg_temp.fleet('ro-inside', 950, 1) AS module \gset
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'module') WHERE version::text = '1.2.0';
SELECT count(module_versioning.create_version(:'module', '1.3.0')), count(module_versioning.add_migration(:'module', '1.3.0', 'SELECT 1; SELECT module_versioning.halt_rollout(gen_random_uuid())'));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'module') WHERE version::text = '1.3.0';
GRANT EXECUTE ON FUNCTION module_versioning.halt_rollout TO rollout_owner;
SELECT status, sqlstate, error_message, statement_number FROM module_versioning.upgrade_module(pg_temp.site(951), :'module', '1.3.0');

\echo Each step is told when asked for.
SELECT pg_temp.fleet('ro-told', 970, 1) AS module \gset
SET client_min_messages TO notice;
SET module_versioning.progress_notices TO on;
SELECT status FROM module_versioning.upgrade_module(pg_temp.site(971), :'module', '1.1.0');
RESET module_versioning.progress_notices;
SELECT status FROM module_versioning.rollback_module(pg_temp.site(971), :'module', '1.0.0', force => true);
\echo Nothing is left of a report.
SELECT count(*) FROM module_versioning.progress;
SELECT count(*) FROM pg_locks WHERE locktype = 'userlock';
