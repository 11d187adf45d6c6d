-- Rehearsals of registered migrations: what an upgrade and a rollback would do, measured, and undone.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
SET client_min_messages TO warning;
CREATE ROLE trials_owner NOLOGIN;
SELECT id AS module FROM module_versioning.register_module('trials', isolation => 'schema', owner_role => 'trials_owner') \gset
SELECT id AS site FROM module_versioning.register_site('trials-site') \gset
SELECT id AS other FROM module_versioning.register_site('trials-other') \gset
SELECT count(module_versioning.create_version(:'module', v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0', '2.0.0', '3.0.0']) v;
SELECT count(*) FROM module_versioning.add_migration(:'module', '1.0.0', 'CREATE TABLE person (id int PRIMARY KEY, name text, fax text)', 'DROP TABLE person');
SELECT count(*) FROM module_versioning.add_migration(:'module', '1.1.0', 'ALTER TABLE person ADD COLUMN email text', 'ALTER TABLE person DROP COLUMN email');
SELECT count(*) FROM module_versioning.add_migration(:'module', '2.0.0', 'CREATE INDEX ON person (name); ALTER TABLE person DROP COLUMN fax', 'ALTER TABLE person ADD COLUMN fax text; DROP INDEX person_name_idx');
SELECT count(*) FROM module_versioning.add_migration(:'module', '3.0.0', 'DO $$ BEGIN EXECUTE ''DELETE FROM '' || ''person WHERE id > 2''; END $$');
SELECT count(module_versioning.publish_version(v.id)) FROM module_versioning.get_versions(:'module') v;

CREATE FUNCTION pg_temp.shown(r module_versioning.rehearsal) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', CASE WHEN r.ok THEN 'ok' ELSE 'failed' END, r.statement_number, r.sqlstate, r.error_message, r.reversibility,
                     'restored=' || r.schema_restored, r.suggested_bump)
    UNION ALL SELECT concat_ws(' ', 'ran', s->>'migration_sequence', s->>'statement_number', s->>'command', s->>'rows') FROM jsonb_array_elements(r.statements) s
    UNION ALL SELECT concat_ws(' ', kind, f->>'kind', f->>'object', 'rows=' || (f->>'rows'), 'values=' || (f->>'values'), 'by', f->>'migration_sequence', f->>'statement_number')
      FROM (VALUES ('lock', r.locks), ('rewrite', r.rewrites), ('breaks', r.breaking_changes), ('loss', r.data_loss), ('down loss', r.down_data_loss)) l (kind, list),
           jsonb_array_elements(list) f
    UNION ALL SELECT 'warning ' || w FROM unnest(r.warnings) w
$$;

\echo -- an installation
SELECT pg_temp.shown(module_versioning.rehearse_upgrade(:'site', :'module', '1.1.0'));
SELECT status FROM module_versioning.install_module(:'site', :'module', '1.0.0');
INSERT INTO "trials_trials-site".person VALUES (1, 'Anna', '1'), (2, 'Bilal', '2'), (3, 'Chiara', NULL), (4, 'David', NULL);

\echo -- upgrades over several versions
SELECT pg_temp.shown(module_versioning.rehearse_upgrade(:'site', :'module', '2.0.0'));
SELECT pg_temp.shown(module_versioning.rehearse_upgrade(:'site', :'module'));
SELECT module_versioning.get_installed_version(:'site', :'module'), count(*) FROM "trials_trials-site".person;
SELECT passed FROM module_versioning.verify_module(:'site', :'module') WHERE check_name = 'schema';
SELECT pg_temp.shown(module_versioning.rehearse_upgrade(:'site', :'module', '1.0.0'));

\echo -- a rollback destroys what was written since
SELECT status FROM module_versioning.upgrade_module(:'site', :'module', '2.0.0');
UPDATE "trials_trials-site".person SET email = name || '@example.org' WHERE id < 4;
SELECT pg_temp.shown(module_versioning.rehearse_rollback(:'site', :'module', '1.0.0'));
SELECT loss->>'column' AS "column", loss->>'rows' AS rows, loss->>'values' AS "values" FROM module_versioning.plan_rollback(:'site', :'module', '1.0.0'), jsonb_array_elements(data_loss) loss;
SELECT count(email) FROM "trials_trials-site".person;

\echo -- nothing was recorded
SELECT status, direction, count(*) FROM module_versioning.get_migration_history(:'site', :'module') GROUP BY 1, 2 ORDER BY 1, 2;

\echo -- a version without a way back, and a rollback over it
SELECT status FROM module_versioning.upgrade_module(:'site', :'module', '3.0.0');
SELECT pg_temp.shown(module_versioning.rehearse_rollback(:'site', :'module', '2.0.0'));

\echo -- what is wrong to ask
SELECT module_versioning.rehearse_upgrade(:'site', :'module', '9.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.rehearse_upgrade(:'site', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.rehearse_rollback(:'site', :'module', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.rehearse_rollback(:'other', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.rehearse_upgrade(NULL, :'module');
\echo :LAST_ERROR_SQLSTATE
DROP SCHEMA "trials_trials-site" CASCADE;
