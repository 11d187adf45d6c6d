-- A range as index conditions: plans, and the same answers with and without the index.
SET search_path = public, module_versioning;
CREATE TABLE semver_index (id integer, v semver);
INSERT INTO semver_index SELECT i, format('%s.%s.%s%s%s', i / 2000, i / 40 % 50, i % 40 / 2, CASE WHEN i % 2 = 1 THEN '-rc.' || i % 3 END, CASE WHEN i % 5 = 0 THEN '+b' || i END)::semver
FROM generate_series(0, 19999) i;
INSERT INTO semver_index VALUES (-1, NULL), (-2, '0.0.0-0'), (-3, '18446744073709551615.18446744073709551615.18446744073709551615'), (-4, '1.0.0-rc.1');
CREATE INDEX semver_index_v ON semver_index (v);
ANALYZE semver_index;

\echo One interval is one scan; the exact question is the filter.
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '~1.2.3';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE semver_satisfies(v, '~1.2.3');
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE semver_satisfies(v, '~1.2', true);
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE semver_satisfies(v, '~1.2', include_prerelease => NULL);
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '1.2.3';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '>9.49.0';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '>2 <1';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '~1.2 || ~1.3 || 1.2.5';
EXPLAIN (COSTS OFF) SELECT id FROM semver_index WHERE v <@ '~1.2.3' ORDER BY v DESC LIMIT 1;

\echo Several intervals are one scan each.
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '~1.2.3 || ~5.1 || 9.0.0';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE semver_satisfies(v, '~5.1 || ~1.2.3', true) AND id > 0;
\echo Without an index, or with everything in the range, there is nothing to gain.
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ '*';
EXPLAIN (COSTS OFF) SELECT * FROM semver_index WHERE v <@ NULL;
EXPLAIN (COSTS OFF) SELECT '1.2.3'::semver <@ '^1 || ^2';

\echo A prepared statement: its parameter is a constant, or known when the scan starts.
PREPARE semver_index_in(semver_range) AS SELECT count(*) FROM semver_index WHERE v <@ $1;
EXPLAIN (COSTS OFF) EXECUTE semver_index_in('~1.2.3 || ~3.1');
EXECUTE semver_index_in('~1.2.3 || ~3.1');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE semver_index_in('~1.2.3 || ~3.1');
EXECUTE semver_index_in('~1.2.3 || ~3.1');
EXECUTE semver_index_in('~2.2.3');
EXECUTE semver_index_in('*');
EXECUTE semver_index_in('>2 <1');
EXECUTE semver_index_in(NULL);
RESET plan_cache_mode;

\echo A join: the range of each row starts a scan of its own.
CREATE TABLE semver_wanted (r semver_range);
INSERT INTO semver_wanted VALUES ('~1.2'), ('~3.4.5 || ~3.8'), ('9.9.9'), (NULL);
ANALYZE semver_wanted;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT r, count(*) FROM semver_wanted JOIN semver_index ON v <@ r GROUP BY r;
SELECT r, count(*) FROM semver_wanted JOIN semver_index ON v <@ r GROUP BY r ORDER BY r::text;
RESET enable_memoize;

\echo Estimates follow the statistics: within a factor of three, or of a step of the histogram.
CREATE FUNCTION semver_estimate(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric;
END
$$;
SELECT range, estimate BETWEEN actual / 3 - 200 AND actual * 3 + 200 AS fits
FROM unnest('{^1,~1.2,<5,"^1 || ^3 || ^5","*",9.9.9,>100}'::text[]) range,
     LATERAL (SELECT semver_estimate(format('SELECT FROM semver_index WHERE v <@ %L', range)) AS estimate) e,
     LATERAL (SELECT count(*) AS actual FROM semver_index WHERE semver_satisfies(v, range::semver_range, true)) a;
SELECT semver_estimate($$SELECT FROM semver_index WHERE v <@ '~1.2.3'$$) BETWEEN 10 AND 300 AS "one step apart isn't nothing";
SELECT semver_estimate($$SELECT FROM semver_index WHERE v <@ NULL$$) <= 1 AS nothing;

\echo Index and sequential scan agree on every range, in both modes.
CREATE TABLE semver_ranges AS
SELECT row_number() OVER () AS id, range FROM (
    SELECT unnest(ARRAY['*', '', '>*', '<0.0.0-0', '>=0.0.0-0', '<=18446744073709551615.0.0', '>18446744073709551615.0.0', '>2 <1', '1.0.0-rc.1', '<1.0.0-rc.1', '>=1.0.0-rc.0 <1.0.0', '1.x', '1.0.0 - 2.3', '<=1.2.3', '^0.0.0', 'x || 3.0.0-rc.1']) AS range
    UNION ALL
    SELECT format(template, i % 10, i * 7 % 50, i % 20, i * 3 % 10, i * 11 % 50) FROM generate_series(1, 6) i,
        unnest(ARRAY['^%s.%s.%s', '~%s.%s', '>=%s.%s.%s-rc.1 <%4$s.%5$s.0-rc.1', '%s.%s.%s || ~%4$s.%5$s', '<%s.%s || >=%4$s.%5$s', '>%s.%s.%s <=%4$s.%5$s || 9.9.9-rc.0', '^%s.%s.%s-rc.0 || ^%4$s', '%s.%s - %4$s.%5$s']) template
) s;
CREATE FUNCTION semver_count(range text, include boolean, setting text, OUT count bigint, OUT sum bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('enable_seqscan', (setting = 'seq')::text, true), set_config('enable_indexscan', (setting <> 'seq')::text, true),
            set_config('enable_bitmapscan', (setting <> 'seq')::text, true), set_config('enable_indexonlyscan', (setting <> 'seq')::text, true);
    EXECUTE format('SELECT count(*), sum(id) FROM semver_index WHERE semver_satisfies(v, %L, %L)', range, include) INTO count, sum;
END
$$;
SELECT count(*) AS compared, sum(seq.count) > 100000 AS "something was found", count(*) FILTER (WHERE seq IS DISTINCT FROM ind) AS different
FROM semver_ranges, unnest('{f,t}'::boolean[]) include, LATERAL semver_count(range, include, 'seq') seq, LATERAL semver_count(range, include, 'index') ind;

\echo A partial index, an index on more columns, a descending one, an expression.
CREATE INDEX semver_index_partial ON semver_index (id) WHERE v <@ '^1 || ^3';
EXPLAIN (COSTS OFF) SELECT id FROM semver_index WHERE v <@ '^1 || ^3' AND id = 5000;
CREATE INDEX semver_index_boolean ON semver_index ((v <@ '^1 || ^3'), id);
DROP INDEX semver_index_partial, semver_index_v;
EXPLAIN (COSTS OFF) SELECT id FROM semver_index WHERE (v <@ '^1 || ^3') IS TRUE AND id BETWEEN 5000 AND 5002;
DROP INDEX semver_index_boolean;
CREATE UNIQUE INDEX semver_index_arbiter ON semver_index (id) WHERE v <@ '^1 || ^3';
INSERT INTO semver_index VALUES (2000, '3.0.0') ON CONFLICT (id) WHERE v <@ '^1 || ^3' DO NOTHING;
ALTER TABLE semver_index ADD CHECK (v <@ '<100 || >=100' OR v IS NULL OR semver_prerelease(v) IS NOT NULL);
INSERT INTO semver_index VALUES (20000, '100.0.0');
DELETE FROM semver_index WHERE id = 20000;
DROP INDEX semver_index_arbiter;
CREATE INDEX semver_index_two ON semver_index (id, v DESC);
EXPLAIN (COSTS OFF) SELECT id FROM semver_index WHERE v <@ '~2.25' AND id = 5000;
SELECT id FROM semver_index WHERE v <@ '~2.25' AND id = 5000;
DROP INDEX semver_index_two;
CREATE TABLE semver_text (t text);
INSERT INTO semver_text SELECT v::text FROM semver_index WHERE v IS NOT NULL;
CREATE INDEX ON semver_text ((t::semver));
EXPLAIN (COSTS OFF) SELECT * FROM semver_text WHERE t::semver <@ '~1.2.3';
\echo What stands in an outer join stays one.
SELECT count(*), count(i.v) FROM semver_wanted w LEFT JOIN semver_index i ON i.v <@ '1.2.3 || 1.2.4' AND w.r IS NOT NULL;
SELECT count(*) FILTER (WHERE contained IS NULL) AS unknown, count(*) FILTER (WHERE contained) AS yes FROM (SELECT v <@ '~1.2 || ~3.2' AS contained FROM semver_index) s;

DROP TABLE semver_index, semver_wanted, semver_ranges, semver_text;
DROP FUNCTION semver_estimate, semver_count;
