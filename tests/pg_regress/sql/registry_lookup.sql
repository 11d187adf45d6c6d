-- Look-ups in a large registry: an index gives the answer, and nothing is walked over to find it.
-- Everything happens in one transaction that is undone: published versions can't be deleted.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET search_path = public, module_versioning;
SET client_min_messages = warning;

BEGIN;
INSERT INTO modules (slug, name, schema_name, owner_role)
SELECT 'rl-' || m, 'm', 'rl', current_user FROM generate_series(1, 250) m;
INSERT INTO registered_versions (module_id, version, status)
SELECT m.id, (v / 10 || '.' || v % 10 || '.0')::semver, 'published'
FROM modules m, generate_series(1, 40) v WHERE m.slug LIKE 'rl-%';

-- One with 11,000 versions: few of 1.x, very many of 2.x, then yanked ones, and thousands of prereleases on top.
\set big 00000000-0000-4000-8000-0000000b1600
INSERT INTO modules (id, slug, name, schema_name, owner_role) VALUES (:'big', 'rl-big', 'big', 'rl', current_user);
INSERT INTO registered_versions (module_id, version, status)
SELECT :'big'::uuid, ('1.' || v || '.0')::semver, 'published' FROM generate_series(0, 9) v UNION ALL
SELECT :'big', ('2.' || v || '.0')::semver, 'published' FROM generate_series(0, 6000) v UNION ALL
SELECT :'big', ('3.' || v || '.0')::semver, 'yanked' FROM generate_series(0, 999) v UNION ALL
SELECT :'big', ('4.0.0-rc.' || v)::semver, 'published' FROM generate_series(0, 3999) v;
SAVEPOINT filled;
ANALYZE registered_versions;
ANALYZE modules;

-- What a statement reads of the table: how many rows, and whether by index only.
CREATE FUNCTION pg_temp.reads(statement text, OUT result text, OUT scans text, OUT rows bigint) LANGUAGE plpgsql AS $$
DECLARE
    before pg_stat_xact_all_tables;
    after pg_stat_xact_all_tables;
BEGIN
    SELECT * INTO before FROM pg_stat_xact_all_tables WHERE relid = 'module_versioning.registered_versions'::regclass;
    EXECUTE statement INTO result;
    SELECT * INTO after FROM pg_stat_xact_all_tables WHERE relid = 'module_versioning.registered_versions'::regclass;
    scans := CASE WHEN after.seq_scan = before.seq_scan THEN 'index' ELSE 'sequential' END;
    rows := after.idx_tup_fetch - before.idx_tup_fetch + after.seq_tup_read - before.seq_tup_read;
END
$$;
-- At most: one row for the look-up, one to return it, and one more for each gap in the range.
CREATE FUNCTION pg_temp.find(range text, include boolean DEFAULT false, slug text DEFAULT 'rl-big',
                             OUT "range" text, OUT found text, OUT scans text, OUT "rows" bigint) LANGUAGE sql AS $$
    SELECT range || CASE WHEN include THEN ' (+ prereleases)' ELSE '' END, r.result, r.scans, r.rows
    FROM pg_temp.reads(format('SELECT version FROM module_versioning.find_matching_version(module_versioning.module_id(%L), %L, %L)', slug, range, include)) r
$$;

SELECT * FROM pg_temp.reads('SELECT version FROM get_latest_version(module_id(''rl-big''))');
SELECT * FROM pg_temp.reads('SELECT version FROM get_latest_version(module_id(''rl-big''), true)');
SELECT * FROM pg_temp.reads('SELECT version FROM get_latest_version(module_id(''rl-77''))');
SELECT f.* FROM unnest(ARRAY['*', '^1', '^2', '2.5.x', '=2.77.0', '<1.5.0', '>=3', '^3', '^4', '~0.1', '^4.0.0-rc.5', '>=4.0.0-rc.5 <4.0.0-rc.7',
    '1.x || 3.x', '0.x || 1.2.x || 3.x || 5.x', '1.3.0 || 2.5999.0 || 3.7.0 || 4.1', '>2.6000.0 <4', '^1 || 4.0.0-rc.3']) r, pg_temp.find(r) f;
SELECT f.* FROM unnest(ARRAY['*', '^1', '3.x', '^4', '4.x', '<4.0.0-rc.5', '1.x || 3.x']) r, pg_temp.find(r, true) f;
SELECT f.* FROM unnest(ARRAY['*', '^1', '2.5.x', '~0.1', '>=9']) r, pg_temp.find(r, slug => 'rl-150') f;
-- A range of thousands of branches, of which nothing is there.
SELECT left(f.range, 20) AS range, f.found, f.scans, f.rows
FROM (SELECT string_agg('5.' || n || '.x', ' || ') || ' || 1.0.0' AS r FROM generate_series(1, 2000) n) s, pg_temp.find(s.r) f;
SELECT * FROM pg_temp.reads('SELECT string_agg(matched_version::text, '','') FROM validate_dependencies(''{"rl-big": "^1", "rl-1": "2.x", "rl-2": "*"}'')');

-- The same without statistics: nothing depends on them.
ROLLBACK TO filled;
SET LOCAL search_path = module_versioning;
EXPLAIN (COSTS OFF) SELECT v.id FROM registered_versions v
WHERE v.module_id = :'big' AND v.status = 'published' AND v.prerelease IS NULL ORDER BY v.version DESC LIMIT 1;
ANALYZE registered_versions;
EXPLAIN (COSTS OFF) SELECT v.id FROM registered_versions v
WHERE v.module_id = :'big' AND v.status = 'published' AND v.prerelease IS NULL AND v.version < '2.0.0' ORDER BY v.version DESC LIMIT 1;
EXPLAIN (COSTS OFF) SELECT v.id FROM registered_versions v
WHERE v.module_id = :'big' AND v.status = 'published' AND v.version <= '4.0.0-rc.7' ORDER BY v.version DESC LIMIT 1;
-- The body of the function as it is stored, with its arguments in place.
DO $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || (
        SELECT replace(replace(p.prosrc, 'get_latest_version.module_id', '''00000000-0000-4000-8000-0000000b1600'''),
                       'get_latest_version.include_prerelease', 'length(current_user) > 0')
        FROM pg_proc p WHERE p.oid = 'module_versioning.get_latest_version'::regproc)
    LOOP
        IF line ~ 'registered_versions|module_id =|Filter' THEN RAISE WARNING '%', line; END IF;
    END LOOP;
END
$$;
ROLLBACK;
