-- The functions of versions and ranges. Every rule of the reference is tested in crate npm-semver;
-- here is what SQL adds: names, defaults, NULL and errors.
SET search_path = public, module_versioning;
\set VERBOSITY default

\echo Named arguments, as the contract has them.
SELECT semver_satisfies(version => '1.2.3', range => '^1', include_prerelease => false), semver_valid(version => '1.2.3'), semver_range_valid(range => '^1');
SELECT * FROM semver_parse(version => 'v2.0.0-rc.1+build.5');
SELECT * FROM semver_parse('18446744073709551615.0.0');
SELECT * FROM semver_parse('1.2');
SELECT semver_major(v), semver_minor(v), semver_patch(v), semver_prerelease(v), semver_build(v) FROM unnest('{1.2.3,1.2.3-rc.1,1.2.3+b,18446744073709551615.0.1}'::semver[]) v;

\echo Whether a version satisfies a range.
\pset null '(null)'
SELECT version, range, version::semver <@ range::semver_range AS "<@", semver_satisfies(version::semver, range::semver_range) AS satisfies,
       semver_satisfies(version::semver, range::semver_range, true) AS "with prereleases"
FROM (VALUES ('1.2.3', '^1.2.3'), ('2.0.0', '^1.2.3'), ('1.9.0-rc.1', '^1.2.3'), ('2.0.0-rc.1', '^1.2.3'), ('1.2.3-beta', '^1.2.3-alpha'), ('1.2.4-beta', '^1.2.3-alpha'),
    ('1.0.0-rc.1', '1.x'), ('1.0.0', '<1.0.0 || >=1.0.0'), ('3.1.0-beta', '^1.2.3 || ^3.1.0-beta'), ('0.2.9', '~0.2.3'), ('0.0.4', '^0.0.3'), ('2.0.0', '1.0.0 - 2.0.0'),
    ('1.2.3+build', '1.2.3'), ('1.2.3', '*'), ('1.2.3-a', '*'), ('1.2.3', '>*'), ('1.2.3', NULL), (NULL, '^1')) s(version, range);
SELECT semver_satisfies('1.2.3-a', '*', NULL) AS "NULL is the default";
\echo A range that changes from row to row, and back.
SELECT v, r, v <@ r AS contained FROM unnest('{1.2.3,2.3.4}'::semver[]) v, unnest('{^1,^2,^1}'::semver_range[]) r;
DO $$
DECLARE
    ranges text[] := '{^1,^2,^1.5}';
    found text := '';
BEGIN
    FOR i IN 1..3 LOOP
        found := found || i || ':' || ('1.2.3'::module_versioning.semver OPERATOR(module_versioning.<@) ranges[i]::module_versioning.semver_range) || ' ';
    END LOOP;
    RAISE NOTICE '%', found;
END
$$;

\echo The best of an array.
SELECT semver_max_satisfying('{1.2.3,1.9.0,NULL,2.0.0,1.10.0-rc.1}', '^1'), semver_max_satisfying('{1.2.3,1.9.0,1.10.0-rc.1}', '^1', true),
       semver_min_satisfying('{1.2.3,1.9.0,1.2.0-rc.1}', '^1'), semver_min_satisfying('{1.2.3,1.9.0,1.2.0-rc.1}', '^1', include_prerelease => true),
       semver_max_satisfying('{1.0.0+a,1.0.0+b}', '1'), semver_min_satisfying('{1.0.0+a,1.0.0+b}', '1');
SELECT semver_max_satisfying('{}', '*'), semver_max_satisfying('{1.0.0}', '^2'), semver_max_satisfying(NULL, '*'), semver_max_satisfying('{1.0.0}', NULL), semver_max_satisfying('{1.0.0,1.0.1-a}', '*', NULL);
SELECT semver_min_version('>1.2.3'), semver_min_version('1.x'), semver_min_version('1.x', true), semver_min_version('>2 <1');

\echo Steps between versions.
SELECT a, b, semver_diff(a, b), semver_compare(a, b), semver_compare_build(a, b)
FROM (VALUES ('1.2.3'::semver, '2.0.0'::semver), ('1.2.3', '2.0.0-rc.1'), ('1.2.3', '1.3.0'), ('1.2.3', '1.3.0-a'), ('1.2.3', '1.2.4'), ('1.2.3', '1.2.4-a'),
    ('1.2.3-a', '1.2.3-b'), ('1.0.0-a', '1.0.0'), ('1.2.3', '1.2.3+b'), ('1.2.3+b', '1.2.3+a'), ('1.2.3', '1.2.3')) s(a, b);
SELECT release, semver_inc('1.2.3', release) AS "1.2.3", semver_inc('1.2.3-rc.1', release) AS "1.2.3-rc.1", semver_inc('1.2.3', release, 'beta') AS "beta"
FROM unnest('{major,premajor,minor,preminor,patch,prepatch,prerelease}'::text[]) release;
SELECT semver_inc('1.2.3-rc.1', 'release'), semver_inc('1.2.3+build', 'patch'), semver_inc(version => '1.2.3', release => 'patch', identifier => NULL), semver_inc(NULL, 'patch'), semver_inc('1.2.3', NULL);
SELECT semver_inc('1.2.3', 'huge');
\echo :LAST_ERROR_SQLSTATE
SELECT semver_inc('1.2.3', 'prerelease', 'a b');
\echo :LAST_ERROR_SQLSTATE
SELECT semver_inc('1.2.3', 'release');
\echo :LAST_ERROR_SQLSTATE
SELECT semver_inc('18446744073709551615.0.0', 'major');
\echo :LAST_ERROR_SQLSTATE

\echo Reading untidy text.
SELECT text, semver_coerce(text) FROM unnest(ARRAY['v3.4 replaces v3.3.1', '1', '1.2', 'version 42.6.7.9.3-alpha', 'none', '', '10000000000000000.4.7.4', '1.2.3-rc.1']) text;

\echo Ranges with each other.
SELECT a, b, semver_intersects(a, b), semver_subset(a, b) AS "a in b", semver_subset(sub => b, dom => a) AS "b in a"
FROM (VALUES ('^1.2.0'::semver_range, '~1.3'::semver_range), ('^1', '^2'), ('^1', '*'), ('<1 || >3', '2.x'), ('1.2.3', '^1'), ('^2 || ^3', '^1 || ^2 || ^3')) s(a, b);
SELECT semver_intersects('^1', NULL), semver_subset(NULL, '^1');
\echo Two long ranges are refused instead of compared for hours.
SELECT semver_subset(r, r) FROM (SELECT string_agg(i || '.0.0', '||')::semver_range FROM generate_series(1, 20000) i) s(r);
\echo :LAST_ERROR_SQLSTATE
SELECT semver_intersects(r, '^5'), semver_intersects('>30000', r) FROM (SELECT string_agg(i || '.0.0', '||')::semver_range FROM generate_series(1, 20000) i) s(r);

\echo No other path finds another operator.
SET search_path = pg_catalog;
SELECT module_versioning.semver_satisfies('1.2.3', '^1 || ^2'), '1.2.3'::module_versioning.semver OPERATOR(module_versioning.<@) '^1', module_versioning.semver_max_satisfying('{1.2.3,1.3.0}', '^1');
\pset null ''
