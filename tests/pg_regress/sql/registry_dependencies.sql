-- Dependencies: declared, validated, satisfiable when published.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, module_versioning;

SELECT id AS shop FROM register_module('rd-shop') \gset
SELECT id AS mail FROM register_module('rd "mail"') \gset
SELECT id AS blog FROM register_module('rd-blog') \gset
SELECT status FROM publish_version((SELECT id FROM create_version(:'shop', '1.0.0')));
SELECT status FROM publish_version((SELECT id FROM create_version(:'shop', '1.2.0')));
SELECT status FROM publish_version((SELECT id FROM create_version(:'shop', '2.0.0-rc.1')));

-- Declarations that are refused.
SELECT create_version(:'blog', '1.0.0', dependencies => '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => 'null');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rd-shop": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rd-shop": 1e999}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rd-shop": ">=1.2.x.4"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rd-no-such-module": "^1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"00000000-0000-4000-8000-00000000ffff": "^1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rd-blog": "^1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => jsonb_build_object(:'blog', '*'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => jsonb_build_object(:'shop', '*', 'rd-shop', '^1'));
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', dependencies => (SELECT (repeat('[', 1000) || repeat(']', 1000))::jsonb));
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM get_versions(:'blog');

-- A declaration is stored as it was given.
SELECT version, dependencies FROM create_version(:'blog', '1.0.0', dependencies => '{"rd-shop": " ^1.1 ", "rd \"mail\"": ">= 2"}');

-- Looking at each entry, whatever is wrong with it.
SELECT module_id IS NOT NULL AS known, slug, version_range, matched_version, satisfied, reason
FROM validate_dependencies('{"rd-shop": "^1.1", "rd \"mail\"": "*", "rd-none": "1.x", "rd-blog": "no range"}');
SELECT slug, version_range, matched_version, satisfied, reason FROM validate_dependencies('{"rd-shop": "^2"}');
SELECT slug, version_range, matched_version, satisfied, reason FROM validate_dependencies('{"rd-shop": "^2.0.0-0"}');
SELECT slug, version_range, matched_version, satisfied, reason FROM validate_dependencies('{"rd-shop": null}');
SELECT slug, satisfied, reason FROM validate_dependencies(jsonb_build_object(:'shop', '*', 'rd-shop', '^1')) ORDER BY satisfied;
SELECT count(*) FROM validate_dependencies('{}');
SELECT * FROM validate_dependencies('"rd-shop"');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM validate_dependencies(NULL);
\echo :LAST_ERROR_SQLSTATE

-- Publishing waits for what is needed.
SELECT id AS v100 FROM get_versions(:'blog') \gset
SELECT publish_version(:'v100');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM publish_version((SELECT id FROM create_version(:'mail', '2.5.0')));
SELECT version, status, dependencies FROM publish_version(:'v100');

-- Drafts, deprecated and yanked versions satisfy nobody.
SELECT version FROM create_version(:'shop', '3.0.0');
SELECT id AS v110 FROM create_version(:'blog', '1.1.0', dependencies => jsonb_build_object(:'shop', '^3', 'rd "mail"', '2.x')) \gset
SELECT status FROM deprecate_version((SELECT id FROM get_versions(:'mail')));
SELECT publish_version(:'v110');
\echo :LAST_ERROR_SQLSTATE
-- Cycles between modules are allowed, as in npm.
SELECT version, status FROM publish_version((SELECT id FROM create_version(:'mail', '3.0.0', dependencies => '{"rd-blog": "^1"}')));
