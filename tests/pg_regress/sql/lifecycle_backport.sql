-- A step brought to an older line of versions runs once, whichever way a site goes, and the one that ran
-- is the one that a rollback undoes.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE backport_owner NOLOGIN;
SET search_path = module_versioning, public;
SELECT id AS module FROM register_module('backport', isolation => 'schema', owner_role => 'backport_owner') \gset
SELECT id AS old FROM register_site('backport-old') \gset
SELECT id AS direct FROM register_site('backport-direct') \gset
SELECT id AS ahead FROM register_site('backport-ahead') \gset
SELECT id AS between FROM register_site('backport-between') \gset
CREATE FUNCTION pg_temp.publish(number semver) RETURNS text LANGUAGE sql AS $$
    SELECT (module_versioning.publish_version(v.id)).status
    FROM module_versioning.get_versions(module_versioning.module_id('backport')) v WHERE v.version OPERATOR(module_versioning.=) $1;
$$;
-- Which of the steps are in force on a site, and by which: S is step 3 to 2.1.0, B is step 4 to 1.4.3.
CREATE FUNCTION pg_temp.in_force(site text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', m.sequence, 'by ' || by.sequence), ', ' ORDER BY m.sequence)
    FROM module_versioning.applied_migrations a
    JOIN module_versioning.sites s ON s.id = a.site_id AND s.slug = site
    JOIN module_versioning.module_migrations m ON m.id = a.migration_id
    LEFT JOIN module_versioning.module_migrations by ON by.id = a.covered_by;
$$;
CREATE FUNCTION pg_temp.steps(migrations jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', m ->> 'action', m ->> 'sequence',
               'with ' || (SELECT o.sequence FROM module_versioning.module_migrations o WHERE o.id = (m ->> 'equivalent')::uuid)), ', ' ORDER BY n)
    FROM jsonb_array_elements(migrations) WITH ORDINALITY AS t (m, n);
$$;
CREATE FUNCTION pg_temp.runs(site text, last integer) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', r.direction, m.sequence), ', ' ORDER BY r.ordinal)
    FROM (SELECT * FROM module_versioning.get_migration_history(module_versioning.site_id(site), module_versioning.module_id('backport')) LIMIT last) r
    JOIN module_versioning.module_migrations m ON m.id = r.migration_id;
$$;

SELECT count(create_version(:'module', number)) FROM unnest('{1.4.2,2.0.0,2.1.0}'::semver[]) number;
SELECT sequence FROM add_migration(:'module', '1.4.2', 'CREATE TABLE account (name text)', 'DROP TABLE account');
SELECT sequence FROM add_migration(:'module', '2.0.0', 'ALTER TABLE account ADD COLUMN age integer', 'ALTER TABLE account DROP COLUMN age');
SELECT id AS s FROM add_migration(:'module', '2.1.0', 'ALTER TABLE account ADD COLUMN mail text', 'ALTER TABLE account DROP COLUMN mail') \gset
SELECT string_agg(pg_temp.publish(number), ', ') FROM unnest('{1.4.2,2.0.0,2.1.0}'::semver[]) number;
SELECT status FROM install_module(:'old', :'module', '1.4.2');
SELECT status FROM install_module(:'direct', :'module', '1.4.2');
SELECT status FROM install_module(:'ahead', :'module', '1.4.2');
SELECT status FROM upgrade_module(:'ahead', :'module', '2.0.0', create_backup => false);
SELECT status FROM upgrade_module(:'ahead', :'module', '2.1.0', create_backup => false);
SELECT status FROM install_module(:'between', :'module', '2.0.0');

\echo The backport: an equivalent, for an older version. What does not fit is refused.
SELECT version FROM create_version(:'module', '1.4.3', allow_backport => true);
SELECT id AS other FROM register_module('backport-other', isolation => 'row', owner_role => 'backport_owner') \gset
SELECT version FROM create_version(:'other', '1.0.0');
SELECT version FROM create_version(:'other', '1.0.1');
SELECT id AS foreign FROM add_migration(:'other', '1.0.0', 'SELECT 1') \gset
SELECT sequence FROM add_migration(:'other', '1.0.1', 'SELECT 1', scope => 'site', equivalent_of => :'foreign');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'other', '1.0.0', 'SELECT 1', equivalent_of => :'foreign');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'module', '1.4.3', 'SELECT 1', equivalent_of => :'foreign');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'module', '1.4.3', 'SELECT 1', equivalent_of => '00000000-0000-0000-0000-000000000003');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS b, sequence, equivalent_of = :'s' AS of_s FROM add_migration(:'module', '1.4.3',
    'ALTER TABLE account ADD COLUMN mail text DEFAULT ''''', 'ALTER TABLE account DROP COLUMN mail', equivalent_of => :'s') \gset
\echo :sequence :of_s
\echo The same again is nothing new; otherwise it is another migration.
SELECT id = :'b' AS same FROM add_migration(:'module', '1.4.3', 'ALTER TABLE account ADD COLUMN mail text DEFAULT ''''', 'ALTER TABLE account DROP COLUMN mail', equivalent_of => :'s', sequence => 4);
SELECT id FROM add_migration(:'module', '1.4.3', 'ALTER TABLE account ADD COLUMN mail text DEFAULT ''''', 'ALTER TABLE account DROP COLUMN mail', sequence => 4, is_reversible => false, requires_maintenance => true);
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.publish('1.4.3');

\echo By way of the older line: B runs, S does not. Back to 1.4.3 B stays, further back it is undone.
SELECT status, to_version FROM upgrade_module(:'old', :'module', '1.4.3', create_backup => false);
SELECT pg_temp.steps(migrations), path, can_upgrade FROM plan_upgrade(:'old', :'module');
SELECT array_agg(sequence) FROM get_pending_migrations(:'old', :'module');
SELECT status, to_version, cardinality(run_ids) AS runs FROM upgrade_module(:'old', :'module', create_backup => false);
SELECT pg_temp.in_force('backport-old'), pg_temp.runs('backport-old', 2);
SELECT passed, detail FROM verify_module(:'old', :'module') WHERE check_name IN ('schema', 'migrations');
SELECT pg_temp.steps(migrations), can_rollback FROM plan_rollback(:'old', :'module', '1.4.3');
SELECT status FROM rollback_module(:'old', :'module', '1.4.3', create_backup => false, force => true);
SELECT pg_temp.in_force('backport-old'), pg_temp.runs('backport-old', 1);
SELECT status FROM rollback_module(:'old', :'module', '1.4.2', create_backup => false, force => true);
SELECT pg_temp.in_force('backport-old'), pg_temp.runs('backport-old', 1);
SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = '"backport_backport-old".account'::regclass AND attnum > 0 AND NOT attisdropped;

\echo Directly: once, and undone once. A single step by hand agrees.
SELECT status, cardinality(run_ids) AS runs FROM upgrade_module(:'direct', :'module', '2.1.0', create_backup => false);
SELECT pg_temp.in_force('backport-direct'), pg_temp.runs('backport-direct', 2);
SELECT status FROM apply_module_migration(:'direct', :'s', 'up', false);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM apply_module_migration(:'direct', :'b', 'down', false);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM rollback_module(:'direct', :'module', '1.4.2', create_backup => false, force => true);
SELECT pg_temp.in_force('backport-direct'), pg_temp.runs('backport-direct', 2);
SELECT status FROM apply_module_migration(:'direct', :'b', 'up', false);
SELECT pg_temp.in_force('backport-direct');
SELECT status FROM apply_module_migration(:'direct', :'b', 'down', false);
SELECT pg_temp.in_force('backport-direct');

\echo A site that ran S already: B asks nothing of it, and back at 2.0.0 it is as it was.
SELECT status FROM upgrade_module(:'ahead', :'module', create_backup => false);
SELECT passed FROM verify_module(:'ahead', :'module') WHERE check_name = 'migrations';
SELECT pg_temp.steps(migrations) FROM plan_rollback(:'ahead', :'module', '2.0.0');
\echo On 1.4.3, where it has never been, the work of B is expected: S stays.
SELECT pg_temp.steps(migrations), warnings FROM plan_rollback(:'ahead', :'module', '1.4.3');
SELECT status FROM rollback_module(:'ahead', :'module', '1.4.3', create_backup => false, force => true);
SELECT pg_temp.in_force('backport-ahead'), pg_temp.runs('backport-ahead', 1);
SELECT status, cardinality(run_ids) AS runs FROM upgrade_module(:'ahead', :'module', '2.1.0', create_backup => false);
SELECT status FROM rollback_module(:'ahead', :'module', '1.4.2', create_backup => false, force => true);
SELECT pg_temp.in_force('backport-ahead'), pg_temp.runs('backport-ahead', 2);

\echo A site between the two: not late, for S will do it.
SELECT version FROM create_version(:'module', '2.0.1', allow_backport => true);
SELECT pg_temp.publish('2.0.1');
SELECT status, warnings FROM upgrade_module(:'between', :'module', '2.0.1', create_backup => false);
SELECT passed FROM verify_module(:'between', :'module') WHERE check_name = 'migrations';
SELECT status, cardinality(run_ids) AS runs FROM upgrade_module(:'between', :'module', '2.1.0', create_backup => false);
SELECT pg_temp.in_force('backport-between');

\echo Without an equivalent a backport is late for those above it, until a later version brings one.
SELECT version FROM create_version(:'module', '1.4.4', allow_backport => true);
SELECT id AS lone FROM add_migration(:'module', '1.4.4', 'CREATE TABLE lone (x int)', 'DROP TABLE lone') \gset
SELECT pg_temp.publish('1.4.4');
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'between', :'module');
SELECT version FROM create_version(:'module', '2.2.0');
SELECT sequence FROM add_migration(:'module', '2.2.0', 'CREATE TABLE lone (x int)', 'DROP TABLE lone', equivalent_of => :'lone');
SELECT pg_temp.publish('2.2.0');
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'between', :'module');
SELECT status FROM upgrade_module(:'between', :'module', create_backup => false);
SELECT pg_temp.in_force('backport-between'), to_regclass('"backport_backport-between".lone') IS NOT NULL AS made;
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'direct', :'module');
SELECT status FROM upgrade_module(:'direct', :'module', create_backup => false);
SELECT pg_temp.in_force('backport-direct');
SELECT passed FROM verify_module(:'direct', :'module') WHERE check_name IN ('schema', 'migrations');
SELECT status FROM uninstall_module(:'direct', :'module', create_backup => false);
SELECT pg_temp.in_force('backport-direct') IS NULL AS nothing_in_force;

\echo Shared tables: one site brings the backport for all; late for the tables is late for everybody.
SELECT id AS row FROM register_module('backport-row', schema_name => 'backport_row', owner_role => 'backport_owner') \gset
CREATE FUNCTION pg_temp.release(number semver, up text, down text, equivalent uuid DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE module uuid := module_versioning.module_id('backport-row'); version uuid; migration uuid;
BEGIN
    SELECT id INTO version FROM module_versioning.create_version(module, number, allow_backport => true);
    SELECT id INTO migration FROM module_versioning.add_migration(module, number, up, down, equivalent_of => equivalent);
    PERFORM module_versioning.publish_version(version);
    RETURN migration;
END $$;
SELECT pg_temp.release('1.0.0', 'CREATE TABLE note (site_id uuid, body text)', 'DROP TABLE note') \g /dev/null
SELECT pg_temp.release('2.0.0', 'ALTER TABLE note ADD COLUMN a int', 'ALTER TABLE note DROP COLUMN a') AS two \gset
SELECT pg_temp.release('2.1.0', 'ALTER TABLE note ADD COLUMN b int', 'ALTER TABLE note DROP COLUMN b') AS step \gset
SELECT status FROM install_module(:'old', :'row', '1.0.0');
SELECT status FROM install_module(:'ahead', :'row', '2.1.0');
SELECT pg_temp.release('1.0.1', 'ALTER TABLE note ADD COLUMN b int', 'ALTER TABLE note DROP COLUMN b', :'step') AS ported \gset
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'old', :'row', '1.0.1');
SELECT status, cardinality(run_ids) AS runs FROM upgrade_module(:'old', :'row', '1.0.1', create_backup => false);
SELECT pg_temp.steps(migrations), warnings FROM plan_rollback(:'ahead', :'row', '2.0.0');
SELECT pg_temp.release('1.0.2', 'CREATE TABLE extra (site_id uuid)', 'DROP TABLE extra') \g /dev/null
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'old', :'row', '1.0.2');
SELECT status FROM upgrade_module(:'old', :'row', '1.0.2', force => true);
\echo :LAST_ERROR_SQLSTATE
SET module_versioning.allow_out_of_order = on;
SELECT status, warnings FROM upgrade_module(:'old', :'row', '1.0.2', create_backup => false);
RESET module_versioning.allow_out_of_order;
SELECT pg_temp.steps(migrations), blockers FROM plan_upgrade(:'ahead', :'row');
