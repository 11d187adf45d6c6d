-- Versions: drafts, publishing, the one way of the states, immutability, look-ups.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, module_versioning;

SELECT id AS shop FROM register_module('rv-shop') \gset
SELECT version, version_major, version_minor, version_patch, prerelease, bundle_url, bundle_hash, source_url, changelog,
       release_notes, min_platform_version, breaking_changes, breaking_description, dependencies, status, status_reason,
       download_count, active_installs, published_at, published_by
FROM create_version(:'shop', '1.0.0', 'https://example.org/shop-1.0.0.tgz', repeat('AB', 32), 'First', 'Hello', '2.0.0',
                    false, NULL, NULL, 'https://example.org/shop') \gx
SELECT version, prerelease, status, breaking_changes FROM create_version(:'shop', ' v1.1.0-rc.1+build.7 ');

-- What is refused.
SELECT create_version(:'shop', '1.0.0', NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'shop', '1.1.0-rc.1+build.8');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(module_id('rv-shop'), '1.2');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'shop', '1.2.0', bundle_hash => 'abc');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'shop', '1.2.0', bundle_hash => repeat('g', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'shop', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(NULL, '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version('00000000-0000-4000-8000-00000000ffff', '1.0.0');
\echo :LAST_ERROR_SQLSTATE

-- A draft can be edited and deleted; it is not found.
SELECT id AS v100 FROM get_versions(:'shop') WHERE version = '1.0.0' \gset
SELECT id AS v110rc FROM get_versions(:'shop') WHERE version = '1.1.0-rc.1' \gset
UPDATE registered_versions SET changelog = 'The first' WHERE id = :'v100';
SELECT count(*) FROM get_latest_version(:'shop');
SELECT count(*) FROM find_matching_version(:'shop', '*');
SELECT deprecate_version(:'v100');
\echo :LAST_ERROR_SQLSTATE
SELECT yank_version(:'v100', 'not out yet');
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET status = 'yanked' WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE

-- Publishing.
SELECT version, status, published_at IS NOT NULL AS dated, published_by, changelog
FROM publish_version(:'v100', '00000000-0000-4000-8000-00000000b001');
SELECT publish_version(:'v100');
\echo :LAST_ERROR_SQLSTATE
SELECT publish_version(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT publish_version('00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE
SELECT status, prerelease FROM publish_version(:'v110rc');

-- Published content is immutable, for a superuser too.
UPDATE registered_versions SET bundle_url = 'https://example.org/other' WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET dependencies = '{"a": "*"}', changelog = NULL, breaking_changes = true WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
-- Equal by precedence is not the same.
UPDATE registered_versions SET version = '1.0.0+other' WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET id = gen_random_uuid() WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET status = 'draft' WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM registered_versions WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
SET session_replication_role = replica;
UPDATE registered_versions SET bundle_url = 'https://example.org/other' WHERE id = :'v100';
\echo :LAST_ERROR_SQLSTATE
RESET session_replication_role;
SET client_min_messages = error;
TRUNCATE registered_versions CASCADE;
\echo :LAST_ERROR_SQLSTATE
RESET client_min_messages;
-- These stay editable.
UPDATE registered_versions SET release_notes = 'Hello again', status_reason = 'good' WHERE id = :'v100';
SELECT record_download(:'v100');
SELECT record_download(:'v100');
SELECT record_download('00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE
SELECT record_download(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT release_notes, status_reason, download_count FROM get_version(:'v100');

-- Not above the latest published version, unless it is a backport.
SELECT version, breaking_changes FROM create_version(:'shop', '2.0.0') \gset two_
SELECT id AS v200 FROM get_versions(:'shop') WHERE version = '2.0.0' \gset
SELECT :'two_version' AS version, :'two_breaking_changes' AS breaking_by_number;
SELECT version, status FROM publish_version(:'v200');
SELECT create_version(:'shop', '1.4.3');
\echo :LAST_ERROR_SQLSTATE
SELECT version, breaking_changes FROM create_version(:'shop', '1.4.3', allow_backport => true);
SELECT create_version(:'shop', '1.4.3', allow_backport => true);
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'shop', '2.0.0-rc.1');
\echo :LAST_ERROR_SQLSTATE

-- breaking_changes: said, or demanded by the number whatever is said.
SELECT version, breaking_changes, breaking_description FROM create_version(:'shop', '2.1.0', breaking_changes => true, breaking_description => 'No more carts');
SELECT version, breaking_changes FROM create_version(:'shop', '2.2.0', breaking_changes => false);
SELECT version, breaking_changes FROM create_version(:'shop', '3.0.0-alpha', breaking_changes => false);
SELECT id AS early FROM register_module('rv-early') \gset
SELECT version, breaking_changes FROM create_version(:'early', '0.1.0');
SELECT version, breaking_changes FROM create_version(:'early', '0.2.0');
SELECT status FROM publish_version((SELECT id FROM get_versions(:'early') WHERE version = '0.1.0'));
SELECT version, breaking_changes FROM create_version(:'early', '0.1.1');
SELECT version, breaking_changes FROM create_version(:'early', '0.3.0');
-- Published meanwhile: the number demands it now.
SELECT version, breaking_changes FROM publish_version((SELECT id FROM get_versions(:'early') WHERE version = '0.2.0'));

-- By precedence, not by text.
SELECT status FROM publish_version((SELECT id FROM get_versions(:'shop') WHERE version = '1.4.3'));
SELECT status FROM publish_version((SELECT id FROM get_versions(:'shop') WHERE version = '2.1.0'));
SELECT id AS v2100 FROM create_version(:'shop', '2.10.0') \gset
SELECT id AS v290 FROM create_version(:'shop', '2.9.0') \gset
SELECT status FROM publish_version(:'v2100');
SELECT status FROM publish_version(:'v290');
SELECT id AS v300b FROM create_version(:'shop', '3.0.0-beta.2') \gset
SELECT status FROM publish_version(:'v300b');
SELECT version, status FROM get_versions(:'shop');

-- Look-ups.
SELECT version FROM get_latest_version(:'shop');
SELECT version FROM get_latest_version(:'shop', true);
SELECT version FROM get_latest_version(:'shop', NULL);
SELECT version FROM find_matching_version(:'shop', '^1.0.0');
SELECT version FROM find_matching_version(:'shop', '~2.9');
SELECT version FROM find_matching_version(:'shop', '>=3.0.0-0');
SELECT version FROM find_matching_version(:'shop', '3.x');
SELECT version FROM find_matching_version(:'shop', '3.x', true);
SELECT version FROM find_matching_version(NULL, 'not a range');
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM get_latest_version('00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM get_latest_version(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM get_version('00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM get_version(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM get_versions('00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE

-- Deprecated and yanked versions are no steps and aren't found, but what they broke counts.
SELECT version, status, status_reason, release_notes FROM deprecate_version(:'v2100', 'Loses carts');
SELECT version FROM get_latest_version(:'shop');
SELECT deprecate_version(:'v2100', 'again');
\echo :LAST_ERROR_SQLSTATE
SELECT yank_version(:'v2100', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT version, status, status_reason FROM yank_version(:'v2100', 'Loses orders, too');
SELECT yank_version(:'v2100', 'again');
\echo :LAST_ERROR_SQLSTATE
SELECT deprecate_version(:'v2100');
\echo :LAST_ERROR_SQLSTATE
SELECT publish_version(:'v2100');
\echo :LAST_ERROR_SQLSTATE
SELECT version, status FROM yank_version(:'v200', 'Broken bundle');
SELECT version FROM get_upgrade_path(:'shop', '1.0.0', '2.10.0');
SELECT version FROM get_upgrade_path(:'shop', '1.0.0', '3.0.0-beta.2');
SELECT version FROM get_upgrade_path(:'shop', '1.1.0-alpha', '1.4.3');
SELECT version FROM get_upgrade_path(:'shop', NULL, NULL);
SELECT version FROM get_upgrade_path(:'shop', '2.9.0', '1.0.0');
SELECT version FROM get_upgrade_path(NULL, '1.0.0', '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT has_breaking_changes(:'shop', '1.0.0', '1.4.3') AS within_one,
       has_breaking_changes(:'shop', '1.4.3', '2.9.0') AS over_yanked_two,
       has_breaking_changes(:'shop', '2.1.0', '2.9.0') AS drafts_do_not_count,
       has_breaking_changes(:'shop', '2.0.0', '2.1.0') AS as_said;
SELECT version, changelog, breaking_changes, breaking_description, published_at IS NOT NULL AS dated
FROM get_changelog(:'shop', '1.0.0', '2.9.0');
SELECT version, changelog FROM get_changelog(:'shop', NULL, '1.0.0');

-- active_installs and the installed version follow the installations.
SELECT id AS north FROM register_site('rv-north') \gset
SELECT get_installed_version(:'north', :'shop') IS NULL AS nothing_yet;
INSERT INTO site_modules (site_id, module_id, schema_name) VALUES (:'north', :'shop', 'rv-shop') RETURNING id AS installation \gset
SELECT get_active_module_version(:'installation') IS NULL AS nothing_yet;
INSERT INTO site_module_versions (site_module_id, version_id, status) VALUES (:'installation', :'v100', 'active');
SELECT get_installed_version(:'north', :'shop'), get_active_module_version(:'installation') = :'v100' AS same,
       (SELECT active_installs FROM get_version(:'v100'));
UPDATE site_module_versions SET status = 'rolled_back' WHERE site_module_id = :'installation';
SELECT get_installed_version(:'north', :'shop'), (SELECT active_installs FROM get_version(:'v100'));
SELECT get_installed_version(:'north', '00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE
SELECT get_installed_version(NULL, :'shop');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM site_modules WHERE id = :'installation';

-- Notes can be mended whatever the state; nothing else goes by an update.
SELECT id AS noted FROM module_versioning.create_version((module_versioning.register_module('rv-noted')).id, '1.0.0', release_notes => 'first') \gset
UPDATE module_versioning.registered_versions SET status = 'published' WHERE id = :'noted';
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.publish_version(:'noted');
SELECT status FROM module_versioning.yank_version(:'noted', 'typo');
SELECT release_notes, status_reason FROM module_versioning.annotate_version(:'noted', status_reason => 'loses data');
SELECT release_notes, status_reason FROM module_versioning.annotate_version(:'noted', 'second');
SELECT module_versioning.annotate_version(NULL);
\echo :LAST_ERROR_SQLSTATE
UPDATE module_versioning.modules SET slug = 'rv-renamed' WHERE slug = 'rv-noted';
\echo :LAST_ERROR_SQLSTATE
