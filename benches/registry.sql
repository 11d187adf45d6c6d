-- Run by registry.sh in an empty database.
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION module_versioning;
SET search_path = public, module_versioning;
SET jit = off;
SET work_mem = '256MB';

-- 5,000 modules in blocks. In a block of n, the module at place p needs those at 2p+1 and 2p+2 and a random few
-- that come later: so the first one needs all n, each through several others.
CREATE TABLE module AS
SELECT row_number() OVER (ORDER BY block, place)::int - 1 AS number, block, place, size,
       format('m%s-%s', block, place) AS slug
FROM (VALUES (1, 10), (2, 100), (3, 1000), (4, 1000), (5, 1000), (6, 1000), (7, 890)) b (block, size),
     LATERAL generate_series(0, size - 1) place;
-- Few modules have many versions: the most popular one 1,705, most of them 20. Popular modules are spread over the
-- blocks. Major versions have up to 50 versions, one in ten is a prerelease.
ALTER TABLE module ADD versions int, ADD majors int;
UPDATE module SET versions = greatest(20, 29000 / ((number::bigint * 1999 % 5000)::int + 17));
UPDATE module SET majors = (versions - 1) / 50 + 1;
CREATE UNIQUE INDEX ON module (block, place);

INSERT INTO modules (slug, name, isolation, schema_name, owner_role)
SELECT slug, slug, 'schema', replace(slug, '-', '_'), current_user FROM module;
INSERT INTO sites (slug, name, platform_version) VALUES ('empty', 'Empty', '4.0.0'), ('full', 'Full', '4.0.0');

CREATE TABLE needed AS
SELECT m.number, n.slug, n.majors, n.place
FROM module m
CROSS JOIN LATERAL (
    SELECT 2 * m.place + 1 AS place UNION SELECT 2 * m.place + 2
    UNION SELECT m.place + 1 + (hashint8(m.number * 20 + k)::bigint & 2147483647)::int % (m.size - m.place - 1)
    FROM generate_series(1, m.number % 19) k WHERE m.place < m.size - 1) d
JOIN module n ON n.block = m.block AND n.place = d.place;
CREATE INDEX ON needed (number);

-- The k-th version needs, of each, the major version of its own time. The newest version of one module in twenty
-- needs a platform that no site has.
CREATE TEMP TABLE draft AS
SELECT m.number, m.slug, k,
       format('%s.%s.%s%s', k / 50 + 1, k / 5 % 10, k % 5, CASE WHEN k % 10 = 9 THEN '-rc.1' END) AS version,
       CASE WHEN k = m.versions - 1 AND m.number % 20 = 7 AND m.place > 0 THEN '5.0.0' END AS platform,
       (k / 50 + 1)::float8 / m.majors AS age
FROM module m CROSS JOIN LATERAL generate_series(0, m.versions - 1) k;
INSERT INTO registered_versions (module_id, version, dependencies, min_platform_version, status, published_at)
SELECT i.id, d.version::semver,
       coalesce((SELECT jsonb_object_agg(n.slug, '^' || ceil(d.age * n.majors)) FROM needed n WHERE n.number = d.number), '{}'),
       d.platform::semver, 'published', now()
FROM draft d JOIN modules i ON i.slug = d.slug;
VACUUM ANALYZE;

-- A site that runs all of a block.
CREATE TABLE solution AS SELECT * FROM resolve_dependencies(site_id('full'), module_id('m3-0'));
INSERT INTO site_modules (site_id, module_id, schema_name)
SELECT site_id('full'), required_module_id, slug FROM solution;
INSERT INTO site_module_versions (site_module_id, version_id, status, activated_at)
SELECT i.id, v.id, 'active', now()
FROM solution s
JOIN site_modules i ON i.module_id = s.required_module_id
JOIN registered_versions v ON v.module_id = s.required_module_id AND v.version = s.version;
VACUUM ANALYZE;

\echo 'The registry'
SELECT (SELECT count(*) FROM modules) AS modules, count(*) AS versions, max(versions) AS "most of one module",
       (SELECT max(c) FROM (SELECT count(*) c FROM needed GROUP BY number) s) AS "most dependencies",
       (SELECT round(avg(c), 1) FROM (SELECT count(*) c FROM needed GROUP BY number) s) AS "dependencies on average"
FROM registered_versions, LATERAL (SELECT max(versions) AS versions FROM module) m;

CREATE TABLE result (position serial, measure text, milliseconds float8, found bigint);
-- Runs the query `calls` times in each of `rounds` rounds; one milliseconds per call is kept of each round. $1 is
-- the number of the call.
CREATE PROCEDURE measure(measure text, query text, calls int DEFAULT 1, rounds int DEFAULT 7) LANGUAGE plpgsql AS $$
DECLARE started timestamptz; found bigint; total bigint;
BEGIN
    FOR round IN 0..rounds LOOP
        total := 0;
        started := clock_timestamp();
        FOR turn IN 1..calls LOOP
            EXECUTE query INTO found USING turn;
            total := total + found;
        END LOOP;
        -- The first round warms up.
        CONTINUE WHEN round = 0;
        INSERT INTO result (measure, milliseconds, found)
        VALUES (measure, 1000 * extract(epoch FROM clock_timestamp() - started) / calls, total);
    END LOOP;
END $$;

-- The popular module has 35 major versions; ranges that match nothing, or the first of many, are the worst.
SELECT i.id AS popular, m.majors FROM module m JOIN modules i USING (slug) ORDER BY versions DESC LIMIT 1 \gset
CREATE TABLE probe AS SELECT row_number() OVER (ORDER BY hashtext(slug))::int AS call, id FROM modules;
CREATE UNIQUE INDEX ON probe (call) INCLUDE (id);
CALL measure('look up a module, for comparison', 'SELECT count(*) FROM probe p JOIN modules m ON m.id = p.id WHERE p.call = $1', 1000);
CALL measure('get_latest_version', 'SELECT count(v.id) FROM probe p, get_latest_version(p.id) v WHERE p.call = $1', 1000);
CALL measure('get_latest_version, with prereleases', 'SELECT count(v.id) FROM probe p, get_latest_version(p.id, true) v WHERE p.call = $1', 1000);
CALL measure('find_matching_version ^1', $$SELECT count(v.id) FROM probe p, find_matching_version(p.id, '^1') v WHERE p.call = $1$$, 1000);
CALL measure('  of 1,705 versions, the oldest', format($$SELECT count(v.id) FROM find_matching_version(%L, '1.0.0') v WHERE $1 > 0$$, :'popular'), 100);
CALL measure('  of 1,705 versions, ^1', format($$SELECT count(v.id) FROM find_matching_version(%L, '^1') v WHERE $1 > 0$$, :'popular'), 100);
CALL measure('  of 1,705 versions, ^1 || ^7 || ^13', format($$SELECT count(v.id) FROM find_matching_version(%L, '^1 || ^7 || ^13') v WHERE $1 > 0$$, :'popular'), 100);
CALL measure('  of 1,705 versions, none', format($$SELECT count(v.id) FROM find_matching_version(%L, '1.5.7 || >90') v WHERE $1 > 0$$, :'popular'), 100);
CALL measure('resolve_dependencies, 10 modules', $$SELECT count(*) FROM resolve_dependencies(site_id('empty'), module_id('m1-0')) WHERE $1 > 0$$);
CALL measure('resolve_dependencies, 100 modules', $$SELECT count(*) FROM resolve_dependencies(site_id('empty'), module_id('m2-0')) WHERE $1 > 0$$);
CALL measure('resolve_dependencies, 1,000 modules', $$SELECT count(*) FROM resolve_dependencies(site_id('empty'), module_id('m3-0')) WHERE $1 > 0$$);
CALL measure('  on a site that runs all 1,000', $$SELECT count(*) FROM resolve_dependencies(site_id('full'), module_id('m3-0')) WHERE $1 > 0$$);
CALL measure('  10 modules on a site that runs 1,000', $$SELECT count(*) FROM resolve_dependencies(site_id('full'), module_id('m1-0')) WHERE $1 > 0$$);

\echo 'Milliseconds per call, medians of seven rounds.'
SELECT measure, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds))::numeric, 3) AS milliseconds, max(found) AS "rows found"
FROM result GROUP BY measure ORDER BY min(position);
