-- Registering migrations: defaults, order, repetition, who may, and what is refused.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = module_versioning, pg_catalog;
SET client_min_messages = warning;

CREATE ROLE migration_owner NOLOGIN;
CREATE ROLE migration_member NOLOGIN IN ROLE migration_owner;
CREATE ROLE migration_stranger NOLOGIN;
SELECT slug, owner_role FROM register_module('migration-register', owner_role => 'migration_owner');
SELECT slug FROM register_module('migration-schema', isolation => 'schema');
SELECT count(create_version(module_id(slug), version, 'https://example.org/' || version, repeat('a', 64)))
  FROM unnest(ARRAY['migration-register', 'migration-schema']) slug,
       unnest(ARRAY['1.0.0', '1.1.0', '2.0.0']::semver[]) version;
SELECT module_id('migration-register') AS module, module_id('migration-schema') AS schema_module \gset

-- Defaults.
SELECT sequence, from_version, to_version, scope, is_reversible, requires_maintenance, description,
       estimated_duration_seconds, length(checksum) AS checksum, created_by
  FROM add_migration(:'module', '1.0.0', 'CREATE TABLE t (a int)');
SELECT sequence, from_version, to_version, scope, is_reversible, requires_maintenance, description, estimated_duration_seconds
  FROM add_migration(:'module', '1.1.0', 'ALTER TABLE t ADD b int', 'ALTER TABLE t DROP b', '1.0.0', 'a column', NULL, true, 5, NULL, 'site');
SELECT sequence, is_reversible FROM add_migration(:'module', '1.1.0', 'SELECT 1', 'SELECT 2', is_reversible => false);
SELECT sequence, scope, requires_maintenance FROM add_migration(:'schema_module', '1.0.0', 'SELECT 1', requires_maintenance => NULL);

-- CRLF and a byte order mark are how a script travelled, not what it says.
SELECT sequence, to_version FROM add_migration(:'module', '2.0.0', E'SELECT 1;\nSELECT 2;\n', E'SELECT 3;\n', sequence => 20);
SELECT sequence, to_version FROM add_migration(:'module', '2.0.0', E'\uFEFFSELECT 1;\r\nSELECT 2;\r\n', E'SELECT 3;\r\n', sequence => 20);
SELECT count(*) FROM module_migrations WHERE module_id = :'module' AND sequence = 20;
-- Anything else under a sequence that is taken is another migration.
SELECT sequence FROM add_migration(:'module', '2.0.0', E'SELECT 1; SELECT 2', E'SELECT 3;\n', sequence => 20);
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'module', '2.0.0', E'SELECT 1;\nSELECT 2;\n', E'SELECT 3;\n', sequence => 20, scope => 'site');
\echo :LAST_ERROR_SQLSTATE

-- The order of sequences is that of versions.
SELECT sequence FROM add_migration(:'module', '1.1.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'module', '1.1.0', 'SELECT 1', sequence => 10);
SELECT sequence FROM add_migration(:'module', '2.0.0', 'SELECT 1', sequence => 5);
\echo :LAST_ERROR_SQLSTATE

-- Arguments that don't fit.
SELECT add_migration(NULL, '1.0.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', NULL, 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '2.0.0', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration('00000000-0000-0000-0000-000000000000', '1.0.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '9.9.9', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '2.0.0', 'SELECT 1', from_version => '2.0.0+build');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '2.0.0', 'SELECT 1', is_reversible => true);
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '2.0.0', 'SELECT 1', estimated_duration_seconds => -1);
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'module', '2.0.0', 'SELECT 1', scope => 'global');
\echo :LAST_ERROR_SQLSTATE
SELECT add_migration(:'schema_module', '2.0.0', 'SELECT 1', scope => 'shared');
\echo :LAST_ERROR_SQLSTATE

-- Only who could run it as the module's owner may register it.
GRANT EXECUTE ON FUNCTION add_migration, module_id TO migration_member, migration_stranger;
SET ROLE migration_stranger;
SELECT sequence FROM add_migration(:'module', '2.0.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SET ROLE migration_member;
SELECT sequence, created_by FROM add_migration(:'module', '2.0.0', 'SELECT 1');
RESET ROLE;

-- Sites may have installed what is published: they would miss the migration.
SELECT status FROM publish_version((SELECT id FROM get_versions(:'module') WHERE version = '2.0.0'));
SELECT slug FROM register_site('migration-site');
SELECT sequence FROM add_migration(:'module', '2.0.0', 'SELECT 5');
\echo :LAST_ERROR_SQLSTATE
-- What is there already stays an answer.
SELECT sequence FROM add_migration(:'module', '2.0.0', E'SELECT 1;\nSELECT 2;\n', E'SELECT 3;\n', sequence => 20);

-- A migration that did its work stays as it was; one that failed may be mended.
INSERT INTO module_migration_runs (site_id, module_id, migration_id, direction, status)
SELECT site_id('migration-site'), module_id, id, 'up', CASE sequence WHEN 1 THEN 'success' ELSE 'failed' END
  FROM module_migrations WHERE module_id = :'module' AND sequence IN (1, 2);
UPDATE module_migrations SET description = 'said later', estimated_duration_seconds = 9 WHERE module_id = :'module' AND sequence = 1;
UPDATE module_migrations SET up_sql = 'SELECT 1' WHERE module_id = :'module' AND sequence = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE module_migrations SET is_reversible = true WHERE module_id = :'module' AND sequence = 1;
\echo :LAST_ERROR_SQLSTATE
SET session_replication_role = replica;
DELETE FROM module_migrations WHERE module_id = :'module' AND sequence = 1;
\echo :LAST_ERROR_SQLSTATE
RESET session_replication_role;
UPDATE module_migrations SET up_sql = 'ALTER TABLE t ADD b bigint' WHERE module_id = :'module' AND sequence = 2;
DELETE FROM module_migrations WHERE module_id = :'module' AND sequence = 3;
SELECT sequence, description, up_sql FROM module_migrations WHERE module_id = :'module' AND sequence <= 3 ORDER BY 1;

-- The history, newest first.
SELECT m.sequence, h.direction, h.status
  FROM get_migration_history(site_id('migration-site'), :'module') h JOIN module_migrations m ON m.id = h.migration_id;
SELECT count(*) FROM get_migration_history(NULL, :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM get_migration_history(site_id('migration-site'), '00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE

-- Outside a migration there is no current site.
SELECT current_site_id() IS NULL AS site, current_module_id() IS NULL AS module;
