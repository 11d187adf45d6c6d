-- A module with everything it needs, in one act: all of it or nothing.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, module_versioning;
SET client_min_messages = warning;

CREATE ROLE lwd_owner NOLOGIN;
CREATE FUNCTION lwd_publish(slug text, version semver, up_sql text DEFAULT NULL, dependencies jsonb DEFAULT '{}', conflicts jsonb DEFAULT '{}', down_sql text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE draft uuid;
BEGIN
    PERFORM register_module(slug, isolation => 'schema', owner_role => 'lwd_owner');
    draft := (create_version(module_id(slug), version, dependencies => dependencies, conflicts => conflicts)).id;
    IF up_sql IS NOT NULL THEN
        PERFORM add_migration(module_id(slug), version, up_sql, down_sql);
    END IF;
    PERFORM publish_version(draft);
END $$;
CREATE FUNCTION lwd_state(site text) RETURNS TABLE (slug text, version semver) LANGUAGE sql AS $$
    SELECT m.slug, get_installed_version(site_id(site), m.id)
    FROM modules m JOIN site_modules i ON i.module_id = m.id AND i.site_id = site_id(site) ORDER BY m.slug COLLATE "C"
$$;
CREATE FUNCTION lwd_runs(ids uuid[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s %s', m.slug, g.to_version, r.status), ', ' ORDER BY u.place)
    FROM unnest(ids) WITH ORDINALITY u (id, place)
    JOIN module_migration_runs r ON r.id = u.id
    JOIN modules m ON m.id = r.module_id
    JOIN module_migrations g ON g.id = r.migration_id
$$;
SELECT count(register_site(s)) FROM unnest('{lwd-one,lwd-two}'::text[]) s;

SELECT lwd_publish('lwd-base', '1.0.0', 'CREATE TABLE base (id int PRIMARY KEY)', down_sql => 'DROP TABLE base');
SELECT lwd_publish('lwd-mid', '1.0.0', 'CREATE TABLE mid (id int PRIMARY KEY)', '{"lwd-base": "^1"}');
SELECT lwd_publish('lwd-top', '1.0.0', 'CREATE TABLE top (id int PRIMARY KEY)', '{"lwd-mid": "^1", "lwd-base": "*"}');

-- Without it, what is missing blocks.
SELECT install_module(site_id('lwd-one'), module_id('lwd-top'));
\echo :LAST_ERROR_SQLSTATE
-- With it, all three come, in order.
SELECT status, direction, from_version, to_version, lwd_runs(run_ids), backup_id, verified, warnings
FROM install_module(site_id('lwd-one'), module_id('lwd-top'), with_dependencies => true);
SELECT * FROM lwd_state('lwd-one');
SELECT bool_and(passed) FROM verify_module(site_id('lwd-one'), module_id('lwd-mid'));
-- Once more, there is nothing to do.
SELECT status, to_version, run_ids FROM install_module(site_id('lwd-one'), module_id('lwd-top'), with_dependencies => true);
SELECT status, to_version, run_ids FROM upgrade_module(site_id('lwd-one'), module_id('lwd-top'), with_dependencies => true);

-- An upgrade takes along what it needs and what needs that; each gets its snapshot.
SELECT lwd_publish('lwd-base', '2.0.0', 'ALTER TABLE base ADD x int', down_sql => 'ALTER TABLE base DROP x');
SELECT lwd_publish('lwd-mid', '1.1.0', 'ALTER TABLE mid ADD x int', '{"lwd-base": "^1 || ^2"}');
SELECT lwd_publish('lwd-mid', '2.0.0', 'ALTER TABLE mid ADD y int', '{"lwd-base": "^2"}');
SELECT lwd_publish('lwd-top', '1.1.0', 'ALTER TABLE top ADD x int', '{"lwd-mid": "^1", "lwd-base": "^2"}');
SELECT lwd_publish('lwd-top', '2.0.0', 'ALTER TABLE top ADD y int', '{"lwd-mid": "^2"}');
SELECT upgrade_module(site_id('lwd-one'), module_id('lwd-base'), '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT slug, installed_version, version, action FROM resolve_dependencies(site_id('lwd-one'), module_id('lwd-base'), '2.0.0');
SELECT status, from_version, to_version, lwd_runs(run_ids), backup_id IS NOT NULL AS has_backup, warnings
FROM upgrade_module(site_id('lwd-one'), module_id('lwd-top'), '1.1.0', with_dependencies => true);
SELECT * FROM lwd_state('lwd-one');
SELECT m.slug, b.version, b.type FROM list_snapshots(site_id('lwd-one')) b JOIN modules m ON m.id = b.module_id ORDER BY 1;
-- Nothing is rolled back from under the others.
SELECT rollback_module(site_id('lwd-one'), module_id('lwd-base'), '1.0.0');
\echo :LAST_ERROR_SQLSTATE

-- Everything is undone when the last script fails; every attempt is on record.
SELECT lwd_publish('lwd-bad', '1.0.0', 'CREATE TABLE bad (id int); SELECT 1/0', '{"lwd-top": "^1"}');
SELECT status, to_version, lwd_runs(run_ids), sqlstate, error_message, statement_number, verified, warnings
FROM install_module(site_id('lwd-two'), module_id('lwd-bad'), with_dependencies => true);
SELECT * FROM lwd_state('lwd-two');
SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lwd%two' ORDER BY 1;
SELECT m.slug, r.status, r.sqlstate FROM module_migration_runs r JOIN modules m ON m.id = r.module_id
WHERE r.site_id = site_id('lwd-two') ORDER BY r.ordinal;
-- So it is when one in the middle fails: those after it never ran.
SELECT lwd_publish('lwd-last', '1.0.0', 'CREATE TABLE last (id int)', '{"lwd-bad": "*"}');
SELECT status, lwd_runs(run_ids), m.slug AS failed, warnings
FROM install_module(site_id('lwd-two'), module_id('lwd-last'), with_dependencies => true) c
JOIN module_migrations g ON g.id = c.failed_migration_id JOIN modules m ON m.id = g.module_id;
SELECT count(*) FROM lwd_state('lwd-two');

-- A cycle is installed at once; neither could be first.
SELECT lwd_publish('lwd-yin', '0.1.0');
SELECT lwd_publish('lwd-yang', '1.0.0', 'CREATE TABLE yang (id int)', '{"lwd-yin": "*"}');
SELECT lwd_publish('lwd-yin', '1.0.0', 'CREATE TABLE yin (id int)', '{"lwd-yang": "^1"}');
SELECT install_module(site_id('lwd-two'), module_id('lwd-yin'));
\echo :LAST_ERROR_SQLSTATE
SELECT status, lwd_runs(run_ids), warnings FROM install_module(site_id('lwd-two'), module_id('lwd-yin'), with_dependencies => true);
SELECT bool_and(passed) FROM verify_module(site_id('lwd-two'), module_id('lwd-yang'));

-- What can't be reached is refused for itself.
SELECT v.id AS yanked FROM get_versions(module_id('lwd-top')) v WHERE v.version = '2.0.0' \gset
SELECT status FROM yank_version(:'yanked', 'broken');
SELECT upgrade_module(site_id('lwd-one'), module_id('lwd-top'), '2.0.0', with_dependencies => true);
\echo :LAST_ERROR_SQLSTATE
SELECT upgrade_module(site_id('lwd-one'), module_id('lwd-top'), '1.0.0', with_dependencies => true);
\echo :LAST_ERROR_SQLSTATE
-- What nothing fits with is refused with the reason.
SELECT lwd_publish('lwd-picky', '1.0.0', NULL, '{"lwd-mid": ">=1.1"}', '{"lwd-base": ">=2"}');
SELECT install_module(site_id('lwd-one'), module_id('lwd-picky'), with_dependencies => true);
\echo :LAST_ERROR_SQLSTATE
SELECT status, warnings FROM install_module(site_id('lwd-two'), module_id('lwd-picky'), with_dependencies => true);
SELECT * FROM lwd_state('lwd-two');
-- Another version is installed already.
SELECT install_module(site_id('lwd-one'), module_id('lwd-top'), '1.0.0', with_dependencies => true);
\echo :LAST_ERROR_SQLSTATE
-- NULL is the default.
SELECT install_module(site_id('lwd-two'), module_id('lwd-top'), with_dependencies => NULL);
\echo :LAST_ERROR_SQLSTATE

-- Without snapshots.
SELECT lwd_publish('lwd-mid', '2.1.0', NULL, '{"lwd-base": "^2"}');
SELECT lwd_publish('lwd-top', '2.1.0', NULL, '{"lwd-mid": "^2"}');
SELECT status, backup_id, warnings FROM upgrade_module(site_id('lwd-one'), module_id('lwd-mid'), create_backup => false, with_dependencies => true);
SELECT * FROM lwd_state('lwd-one');

SELECT count(uninstall_module(site_id(s), module_id(m), create_backup => false))
FROM (VALUES (1, 'lwd-one', 'lwd-top'), (2, 'lwd-one', 'lwd-mid'), (3, 'lwd-one', 'lwd-base'),
             (4, 'lwd-two', 'lwd-picky'), (5, 'lwd-two', 'lwd-mid'), (6, 'lwd-two', 'lwd-base')) v (place, s, m);
DROP SCHEMA "lwd-yang_lwd-two", "lwd-yin_lwd-two" CASCADE;
DROP FUNCTION lwd_publish, lwd_state, lwd_runs;
