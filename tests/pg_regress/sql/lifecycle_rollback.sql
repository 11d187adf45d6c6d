-- Rolling back: what it would destroy, what it gives back, what it keeps for others.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE rollback_owner NOLOGIN;

SELECT id AS module FROM module_versioning.register_module('rollback', owner_role => 'rollback_owner') \gset
SELECT id AS north FROM module_versioning.register_site('rollback-north') \gset
SELECT id AS south FROM module_versioning.register_site('rollback-south') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS v2 FROM module_versioning.create_version(:'module', '2.0.0') \gset
SELECT id AS v3 FROM module_versioning.create_version(:'module', '3.0.0') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE people (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        site_id uuid NOT NULL,
        full_name text NOT NULL,
        note text,
        shout text GENERATED ALWAYS AS (upper(full_name)) STORED
    );
    CREATE TABLE tags (site_id uuid NOT NULL, person bigint NOT NULL REFERENCES people, tag text NOT NULL, PRIMARY KEY (person, tag));
$$, 'DROP TABLE tags, people') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'module', '2.0.0', $$
    ALTER TABLE people ADD COLUMN first_name text, ADD COLUMN last_name text;
    UPDATE people SET first_name = split_part(full_name, ' ', 1), last_name = split_part(full_name, ' ', 2);
    ALTER TABLE people DROP COLUMN shout, DROP COLUMN full_name, DROP COLUMN note;
    DROP TABLE tags;
    CREATE TABLE labels (site_id uuid NOT NULL, label text PRIMARY KEY);
$$, $$
    -- DROP TABLE people; is only a comment, and 'DROP COLUMN id' only a string
    DROP TABLE labels;
    CREATE TABLE tags (site_id uuid NOT NULL, person bigint NOT NULL REFERENCES people, tag text NOT NULL, PRIMARY KEY (person, tag));
    ALTER TABLE people ADD COLUMN full_name text, ADD COLUMN note text;
    UPDATE people SET full_name = trim(concat_ws(' ', first_name, last_name));
    ALTER TABLE people ALTER COLUMN full_name SET NOT NULL, ADD COLUMN shout text GENERATED ALWAYS AS (upper(full_name)) STORED;
    ALTER TABLE people DROP COLUMN first_name, DROP COLUMN last_name;
$$) \gset
SELECT id AS m3 FROM module_versioning.add_migration(:'module', '3.0.0', 'ALTER TABLE people ADD COLUMN age integer', NULL) \gset
SELECT count(*) FROM (SELECT module_versioning.publish_version(v) FROM unnest(ARRAY[:'v1', :'v2', :'v3']::uuid[]) v) published;
SELECT status FROM module_versioning.install_module(:'north', :'module', '1.0.0');

INSERT INTO rollback.people (site_id, full_name, note) VALUES
    (:'north', 'Anna Meyer', 'likes tea'), (:'north', 'Bo', NULL), (:'north', 'Mary Ann Smith', 'vip'), (:'north', 'Leaves Soon', 'gone');
INSERT INTO rollback.tags VALUES (:'north', 1, 'a'), (:'north', 1, 'b'), (:'north', 3, 'c');

\echo Nothing to go back to yet.
SELECT version, has_backup, can_rollback FROM module_versioning.get_rollback_points(:'north', :'module');
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '1.0.0');
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.rollback_module(:'north', :'module', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.rollback_module(:'south', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', 'undo');
\echo :LAST_ERROR_SQLSTATE

SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '2.0.0');
\echo People go on working.
UPDATE rollback.people SET last_name = 'Meyer-Berg' WHERE first_name = 'Anna';
DELETE FROM rollback.people WHERE first_name = 'Leaves';
INSERT INTO rollback.people (site_id, first_name, last_name) VALUES (:'north', 'New', 'Comer');
INSERT INTO rollback.labels VALUES (:'north', 'x');

\echo What would be lost, from the parse tree and the live rows.
SELECT current_version, target_version, can_rollback, blockers, warnings, backup_id IS NOT NULL AS snapshot FROM module_versioning.plan_rollback(:'north', :'module', '1.0.0');
SELECT l->>'kind' AS kind, l->>'table' AS "table", l->>'column' AS "column", l->>'rows' AS rows, l->>'values' AS "values", l->>'certain' AS certain
FROM module_versioning.plan_rollback(:'north', :'module', '1.0.0') p, jsonb_array_elements(p.data_loss) l;
SELECT s->>'sequence' AS sequence, s->>'action' AS action FROM module_versioning.plan_rollback(:'north', :'module', '1.0.0') p, jsonb_array_elements(p.migrations) s;
SELECT version, has_backup, can_rollback, blockers FROM module_versioning.get_rollback_points(:'north', :'module');

\echo Without a snapshot the loss is a matter of judgement.
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', create_backup => false);
\echo :LAST_ERROR_SQLSTATE

\echo down: only the scripts.
BEGIN;
SELECT status, direction, from_version, to_version, verified, backup_id IS NOT NULL AS snapshot FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', 'down');
SELECT id, full_name, note, shout FROM rollback.people ORDER BY id;
SELECT person, tag FROM rollback.tags ORDER BY 1, 2;
ROLLBACK;

\echo preserve: what the upgrade had destroyed comes back, what people wrote since stays.
BEGIN;
SELECT status, warnings FROM module_versioning.rollback_module(:'north', :'module', '1.0.0');
SELECT id, full_name, note, shout FROM rollback.people ORDER BY id;
SELECT person, tag FROM rollback.tags ORDER BY 1, 2;
ROLLBACK;

\echo restore: the data exactly as it was.
SELECT status, warnings FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', 'restore');
SELECT id, full_name, note, shout FROM rollback.people ORDER BY id;
SELECT person, tag FROM rollback.tags ORDER BY 1, 2;
SELECT module_versioning.get_installed_version(:'north', :'module');
SELECT v.version, s.status FROM module_versioning.site_module_versions s
JOIN module_versioning.site_modules i ON i.id = s.site_module_id JOIN module_versioning.module_versions v ON v.id = s.version_id
WHERE i.site_id = :'north' ORDER BY s.ordinal;
SELECT version FROM module_versioning.get_rollback_points(:'north', :'module');
SELECT status, from_version FROM module_versioning.rollback_module(:'north', :'module', '1.0.0');
SELECT check_name, passed FROM module_versioning.verify_module(:'north', :'module');
INSERT INTO rollback.people (site_id, full_name) VALUES (:'north', 'Next') RETURNING id > 4 AS identity_goes_on;

\echo And up again.
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '2.0.0');
SELECT direction, status FROM module_versioning.get_migration_history(:'north', :'module');

\echo A migration without a down script: force skips it and says so.
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '3.0.0');
SELECT can_rollback, blockers FROM module_versioning.plan_rollback(:'north', :'module', '2.0.0');
SELECT status FROM module_versioning.rollback_module(:'north', :'module', '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status, to_version, warnings FROM module_versioning.rollback_module(:'north', :'module', '2.0.0', force => true);
SELECT count(*) AS still_there FROM pg_attribute WHERE attrelid = 'rollback.people'::regclass AND attname = 'age';
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.upgrade_module(:'north', :'module', '3.0.0');

\echo A shared migration that another site needs stays.
SELECT status FROM module_versioning.install_module(:'south', :'module', '2.0.0');
SELECT can_rollback, warnings FROM module_versioning.plan_rollback(:'north', :'module', '1.0.0');
SELECT status, warnings FROM module_versioning.rollback_module(:'north', :'module', '1.0.0', force => true);
SELECT to_regclass('rollback.labels') IS NOT NULL AS labels_still_there;

\echo A down script that fails leaves everything as it was.
SELECT id AS v4 FROM module_versioning.create_version(:'module', '4.0.0') \gset
SELECT id AS m4 FROM module_versioning.add_migration(:'module', '4.0.0', 'CREATE TABLE extra (x int)', 'DROP TABLE extra; SELECT 1/0') \gset
SELECT FROM module_versioning.publish_version(:'v4') \g /dev/null
SELECT status FROM module_versioning.upgrade_module(:'south', :'module', '4.0.0');
SELECT status, direction, statement_number, sqlstate, error_message, backup_id, verified FROM module_versioning.rollback_module(:'south', :'module', '2.0.0', force => true);
SELECT module_versioning.get_installed_version(:'south', :'module') AS installed, to_regclass('rollback.extra') IS NOT NULL AS extra;
SELECT direction, status, sqlstate FROM module_versioning.get_migration_history(:'south', :'module') LIMIT 1;

\echo What a DO block does is not known before it runs: the plan says so.
SELECT id AS v5 FROM module_versioning.create_version(:'module', '5.0.0') \gset
SELECT id AS m5 FROM module_versioning.add_migration(:'module', '5.0.0', 'SELECT 1', 'DO $do$ BEGIN EXECUTE ''DROP '' || ''TABLE extra''; END $do$') \gset
SELECT FROM module_versioning.publish_version(:'v5') \g /dev/null
SELECT status FROM module_versioning.upgrade_module(:'south', :'module', '5.0.0');
SELECT data_loss, warnings FROM module_versioning.plan_rollback(:'south', :'module', '4.0.0');
