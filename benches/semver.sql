-- Run by semver.sh in an empty database. `m` is this extension's type, `c` the C extension's, `t` text.
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION module_versioning;
CREATE SCHEMA peer;
CREATE EXTENSION semver SCHEMA peer;
SET search_path = public;
SET jit = off;
SET work_mem = '512MB';
SET maintenance_work_mem = '512MB';

-- 1,000,000 different versions in no order, one in ten a prerelease.
CREATE TABLE source AS
SELECT n, format('%s.%s.%s%s', k / 10000, k / 100 % 100, k % 100, CASE WHEN n % 10 = 0 THEN format('-rc.%s', n % 7) END) AS version
FROM (SELECT n, n::bigint * 999331 % 1000000 AS k FROM generate_series(0, 999999) n) s
ORDER BY n;
CREATE TABLE m AS SELECT version::module_versioning.semver AS v FROM source ORDER BY n;
CREATE TABLE c AS SELECT version::peer.semver AS v FROM source ORDER BY n;
CREATE TABLE t AS SELECT version COLLATE "C" AS v FROM source ORDER BY n;
CREATE TABLE m_probe AS SELECT v FROM m LIMIT 100000;
CREATE TABLE c_probe AS SELECT v FROM c LIMIT 100000;
CREATE TABLE t_probe AS SELECT v FROM t LIMIT 100000;
CREATE TABLE m_few AS SELECT format('%s.%s.0', k / 150, k % 150)::module_versioning.semver AS v FROM generate_series(0, 22499) k;
CREATE TABLE c_few AS SELECT format('%s.%s.0', k / 150, k % 150)::peer.semver AS v FROM generate_series(0, 22499) k;
CREATE TABLE t_few AS SELECT format('%s.%s.0', k / 150, k % 150) COLLATE "C" AS v FROM generate_series(0, 22499) k;
CREATE TABLE m_many AS SELECT v FROM m_few, generate_series(1, 44);
CREATE TABLE t_many AS SELECT v FROM t_few, generate_series(1, 44);
VACUUM ANALYZE;

CREATE TABLE result (position serial, measure text, subject text, milliseconds numeric);

-- Runs each statement five times, in turns so that a busy moment of the machine hits all alike.
CREATE PROCEDURE measure(measure text, m text, c text, t text, settings text DEFAULT '', cleanup text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    setting text;
    subject record;
    statements CONSTANT jsonb := jsonb_build_object('m', m, 'c', c, 't', t);
BEGIN
    FOREACH setting IN ARRAY string_to_array(settings, ' ') LOOP
        PERFORM set_config(split_part(setting, '=', 1), split_part(setting, '=', 2), false);
    END LOOP;
    FOR round IN 1..5 LOOP
        FOR subject IN SELECT key, value FROM jsonb_each_text(statements) WHERE value IS NOT NULL LOOP
            started := clock_timestamp();
            EXECUTE subject.value;
            INSERT INTO result (measure, subject, milliseconds)
            VALUES (measure, subject.key, 1000 * extract(epoch FROM clock_timestamp() - started));
            IF cleanup IS NOT NULL THEN EXECUTE cleanup; END IF;
        END LOOP;
    END LOOP;
    FOREACH setting IN ARRAY string_to_array(settings, ' ') LOOP
        EXECUTE format('RESET %I', split_part(setting, '=', 1));
    END LOOP;
END
$$;

\set alone 'max_parallel_workers_per_gather=0'
\set hash 'max_parallel_workers_per_gather=0 enable_sort=off'
\set lookup 'max_parallel_workers_per_gather=0 enable_hashjoin=off enable_mergejoin=off enable_seqscan=on enable_material=off'

CALL measure('scan and count only',
    'SELECT count(v) FROM m',
    'SELECT count(v) FROM c',
    'SELECT count(v) FROM t', :'alone');

CALL measure('sort 1,000,000',
    'SELECT count(*) FROM (SELECT v FROM m ORDER BY v OFFSET 0) s',
    'SELECT count(*) FROM (SELECT v FROM c ORDER BY v OFFSET 0) s',
    'SELECT count(*) FROM (SELECT v FROM t ORDER BY v OFFSET 0) s', :'alone');

CALL measure('min and max',
    'SELECT module_versioning.min(v), module_versioning.max(v) FROM m',
    'SELECT peer.min(v), peer.max(v) FROM c',
    'SELECT min(v), max(v) FROM t', :'alone');

CALL measure('hash aggregate, 22,500 rows',
    'SELECT v, count(*) FROM m_few GROUP BY v',
    'SELECT v, count(*) FROM c_few GROUP BY v',
    'SELECT v, count(*) FROM t_few GROUP BY v', :'hash');
CALL measure('hash aggregate, 990,000 rows',
    'SELECT v, count(*) FROM m_many GROUP BY v',
    NULL,
    'SELECT v, count(*) FROM t_many GROUP BY v', :'hash');

CALL measure('filter by <, one process',
    $$SELECT count(*) FROM m WHERE v OPERATOR(module_versioning.<) '50.0.0'$$,
    $$SELECT count(*) FROM c WHERE v OPERATOR(peer.<) '50.0.0'$$,
    $$SELECT count(*) FROM t WHERE v < '50.0.0'$$, :'alone');
-- A range is a question that the others don't have: they answer < instead.
CALL measure('filter by range, one process',
    $$SELECT count(*) FROM m WHERE module_versioning.semver_satisfies(v, '^49.2.1')$$,
    $$SELECT count(*) FROM c WHERE v OPERATOR(peer.<) '50.0.0'$$,
    $$SELECT count(*) FROM t WHERE v < '50.0.0'$$, :'alone');
CALL measure('filter by three ranges, one process',
    $$SELECT count(*) FROM m WHERE module_versioning.semver_satisfies(v, '^49.2.1 || ~12.3 || >=60.0.0-rc.1 <61')$$,
    NULL,
    NULL, :'alone');
CALL measure('filter by range, as configured',
    $$SELECT count(*) FROM m WHERE v OPERATOR(module_versioning.<@) '^49.2.1'$$,
    $$SELECT count(*) FROM c WHERE v OPERATOR(peer.<) '50.0.0'$$,
    $$SELECT count(*) FROM t WHERE v < '50.0.0'$$);
CALL measure('selective range, no index',
    $$SELECT count(*) FROM m WHERE v OPERATOR(module_versioning.<@) '~42.17.3'$$,
    $$SELECT count(*) FROM c WHERE v OPERATOR(peer.>=) '42.17.3' AND v OPERATOR(peer.<) '42.18.0'$$,
    $$SELECT count(*) FROM t WHERE v >= '42.17.3' AND v < '42.18.0'$$);

CALL measure('build an index',
    'CREATE INDEX i ON m (v)',
    'CREATE INDEX i ON c (v)',
    'CREATE INDEX i ON t (v)', '', 'DROP INDEX i');
CREATE INDEX m_v ON m (v);
CREATE INDEX c_v ON c (v);
CREATE INDEX t_v ON t (v);
VACUUM ANALYZE;

CALL measure('100,000 point look-ups',
    'SELECT count(*) FROM m_probe p JOIN m x ON x.v OPERATOR(module_versioning.=) p.v',
    'SELECT count(*) FROM c_probe p JOIN c x ON x.v OPERATOR(peer.=) p.v',
    'SELECT count(*) FROM t_probe p JOIN t x ON x.v = p.v', :'lookup');
CALL measure('selective range, index',
    $$SELECT count(*) FROM m WHERE v OPERATOR(module_versioning.<@) '~42.17.3'$$,
    $$SELECT count(*) FROM c WHERE v OPERATOR(peer.>=) '42.17.3' AND v OPERATOR(peer.<) '42.18.0'$$,
    $$SELECT count(*) FROM t WHERE v >= '42.17.3' AND v < '42.18.0'$$);

\echo
\echo 'Milliseconds, medians of five; smaller ratios are better for this extension.'
SELECT measure, round(m::numeric, 2) AS module_versioning, round(c::numeric, 2) AS "C extension", round(t::numeric, 2) AS text,
       round((m / c)::numeric, 3) AS "ratio to C", round((m / t)::numeric, 3) AS "ratio to text"
FROM (SELECT min(position) AS position, measure,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds::float8) FILTER (WHERE subject = 'm') AS m,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds::float8) FILTER (WHERE subject = 'c') AS c,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds::float8) FILTER (WHERE subject = 't') AS t
      FROM result GROUP BY measure) s
ORDER BY position;
\echo 'Sizes.'
SELECT measure, m AS module_versioning, c AS "C extension", t AS text, round(m / c, 3) AS "ratio to C", round(m / t, 3) AS "ratio to text"
FROM (SELECT 'bytes of 1,000,000 versions' AS measure, (SELECT sum(pg_column_size(v)) FROM m)::numeric AS m, (SELECT sum(pg_column_size(v)) FROM c)::numeric AS c, (SELECT sum(pg_column_size(v)) FROM t)::numeric AS t
      UNION ALL SELECT 'table', pg_table_size('m'), pg_table_size('c'), pg_table_size('t')
      UNION ALL SELECT 'index', pg_relation_size('m_v'), pg_relation_size('c_v'), pg_relation_size('t_v')) s;
\echo 'A selective range without an index took this many times as long as with one:'
SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds::float8) FILTER (WHERE measure ~ 'no index')
            / percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds::float8) FILTER (WHERE measure ~ ', index'))::numeric, 1) AS factor
FROM result WHERE subject = 'm';
