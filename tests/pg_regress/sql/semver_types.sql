-- The types semver and semver_range: input, output, order, keys, aggregates.
SET search_path = public, module_versioning;

\echo What is read and what is printed.
SELECT text, text::semver FROM unnest(ARRAY['1.2.3', ' v1.2.3 ', '0.0.0', '1.2.3-rc.1', '1.2.3+build.5', '1.2.3-0a.-.b+001',
    '18446744073709551615.0.18446744073709551615', '1.0.0-123456789012345678901234567890']) text;
SELECT text, text::semver_range FROM unnest(ARRAY['^1.2.3', '~1.2', '1.x', '*', '', '1.0.0 - 2.0.0', '>=1 <2 || 3', '>=1.2.3-rc.1', '<0.0.0-0', '>*']) text;
SELECT to_json('1.2.3-rc.1'::semver), to_jsonb('^1'::semver_range);

\echo Errors say where it goes wrong.
\set VERBOSITY default
SELECT '1.2'::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT '1.2.03'::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT '1.2.3-rc..1'::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT '1.2.3 4'::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT '18446744073709551616.0.0'::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT ''::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT '^1.2.3 && 2'::semver_range;
\echo :LAST_ERROR_SQLSTATE
SELECT '1.x.5'::semver_range;
\echo :LAST_ERROR_SQLSTATE
SELECT '>=1.2.3 - 2.0.0'::semver_range;
\echo :LAST_ERROR_SQLSTATE

\echo Long junk is refused at once, and named by its beginning.
SET statement_timeout = '2s';
SELECT repeat('1', 1000000)::semver;
\echo :LAST_ERROR_SQLSTATE
SELECT ('1.2.3-' || repeat('a.', 500000))::semver;
SELECT repeat('1.x || ', 200000)::semver_range;
SELECT repeat(' ', 1000000)::semver_range = '*' AS blanks_are_any;
SELECT (repeat('>', 1000000))::semver_range;
SELECT (repeat('1||', 300000) || '1')::semver_range;
SELECT semver_valid(repeat('1.', 500000)), semver_range_valid(repeat('0', 1000000)), semver_range_valid(repeat(' ', 2000000));
RESET statement_timeout;

\echo Errors are soft where PostgreSQL knows that.
CREATE FUNCTION semver_soft() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('server_version_num')::integer < 160000 THEN RETURN true; END IF;
    RETURN (SELECT (message, detail, sql_error_code) = ('invalid semantic version: "1.2"', 'Expected a dot at position 3.', '22P02') FROM pg_input_error_info('1.2', 'semver'))
       AND (SELECT sql_error_code = '22P02' FROM pg_input_error_info('1.x.5', 'semver_range')) AND pg_input_is_valid('1.2.3', 'semver') AND pg_input_is_valid('^1', 'semver_range');
END
$$;
SELECT semver_soft() AS "as they should be";
DROP FUNCTION semver_soft;

\echo Casts go through text and are never silent, except into a text column.
SELECT '1.2.3'::text::semver, '1.2.3'::semver::text || '!', '^1'::varchar::semver_range::text;
CREATE TABLE semver_text (t text);
INSERT INTO semver_text VALUES ('1.2.3'::semver) RETURNING t;
SELECT '1.2.3'::semver < '1.2.4'::text;
DROP TABLE semver_text;

\echo Order is precedence: SemVer 2.0.0, section 11, and what goes wrong elsewhere.
SELECT v, semver_compare(v, lead(v) OVER (ORDER BY v)) AS "to the next"
FROM unnest('{1.0.0,1.0.0-rc.1,1.0.0-beta.11,1.0.0-beta.2,1.0.0-beta,1.0.0-alpha.beta,1.0.0-alpha.1,1.0.0-alpha,1.0.0-1a,1.0.0-1b,1.0.0-4294967296,1.0.0-1,
    1.0.0-9007199254740993,1.0.0-9007199254740992,1.0.0--,0.0.0-0,0.0.0,2.0.0,10.0.0,9.0.0,1.247.0,1.248.0,1.65536.0,1.255.0,1.256.0,18446744073709551615.18446744073709551615.18446744073709551615}'::semver[]) v
ORDER BY v;
SELECT a, b, a < b AS "<", a <= b AS "<=", a = b AS "=", a <> b AS "<>", a >= b AS ">=", a > b AS ">"
FROM (VALUES ('1.0.0'::semver, '1.0.0+535'::semver), ('1.0.0-1a', '1.0.0-1b'), ('2.0.0', '2.0.0-rc.1')) s(a, b);
SELECT '1.0.0'::semver < NULL AS "NULL in, NULL out", semver_compare(NULL, '1.0.0');

\echo A key: build metadata makes no difference.
CREATE TABLE semver_key (v semver PRIMARY KEY, note text);
INSERT INTO semver_key VALUES ('1.0.0', 'a'), ('1.0.0-rc.1', 'b'), ('1.10.0', 'c'), ('1.9.0', 'd');
INSERT INTO semver_key VALUES ('1.0.0+linux', 'e');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO semver_key VALUES ('1.0.0+linux', 'e') ON CONFLICT (v) DO UPDATE SET v = excluded.v RETURNING v;
SELECT string_agg(v::text, ' ' ORDER BY v DESC) FROM semver_key;

\echo Hash partitioning, with the seeded hash.
CREATE TABLE semver_part (v semver PRIMARY KEY) PARTITION BY HASH (v);
CREATE TABLE semver_part_0 PARTITION OF semver_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE semver_part_1 PARTITION OF semver_part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO semver_part SELECT format('%s.%s.0', i / 10, i % 10)::semver FROM generate_series(0, 99) i;
SELECT count(*), count(*) FILTER (WHERE tableoid = 'semver_part_0'::regclass) BETWEEN 20 AND 80 AS spread FROM semver_part;
SELECT count(*) FROM semver_part WHERE v = '4.2.0+x';
INSERT INTO semver_part VALUES ('4.2.0+y');
\echo :LAST_ERROR_SQLSTATE
\echo Range partitioning prunes.
CREATE TABLE semver_by_major (v semver) PARTITION BY RANGE (v);
CREATE TABLE semver_by_major_1 PARTITION OF semver_by_major FOR VALUES FROM ('1.0.0-0') TO ('2.0.0-0');
CREATE TABLE semver_by_major_2 PARTITION OF semver_by_major FOR VALUES FROM ('2.0.0-0') TO ('3.0.0-0');
EXPLAIN (COSTS OFF) SELECT * FROM semver_by_major WHERE v >= '2.1.0';

\echo Joins of every kind, DISTINCT, and equal results.
CREATE TABLE semver_a AS SELECT format('%s.%s.%s%s', i % 5, i % 7, i % 11, CASE WHEN i % 3 = 0 THEN '-rc.' || i % 4 END)::semver AS v FROM generate_series(1, 2000) i;
CREATE TABLE semver_b AS SELECT format('%s.%s.%s%s', i % 6, i % 5, i % 13, CASE WHEN i % 3 = 0 THEN '-rc.' || i % 4 END || '+' || i)::semver AS v FROM generate_series(1, 2000) i;
ANALYZE semver_a, semver_b;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM semver_a a JOIN semver_b b USING (v);
SELECT count(*) FROM semver_a a JOIN semver_b b USING (v);
RESET enable_mergejoin; SET enable_hashjoin = off; SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM semver_a a JOIN semver_b b USING (v);
SELECT count(*) FROM semver_a a JOIN semver_b b USING (v);
RESET enable_hashjoin; RESET enable_nestloop;
SET enable_sort = off;
SELECT count(*) FROM (SELECT DISTINCT v FROM semver_a) s;
RESET enable_sort; SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT v FROM semver_a) s;
RESET enable_hashagg;
SELECT r, count(*) FROM unnest('{^1.0.0,">=1.0.0 <2.0.0-0",1.x,*}'::semver_range[]) r GROUP BY r ORDER BY r::text;

\echo min and max, also in parallel.
SELECT min(v), max(v) FROM semver_a;
SELECT min(v), max(v) FROM semver_a WHERE false;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT min(v), max(v) FROM semver_a WHERE v <> '1.1.1';
SELECT min(v), max(v) FROM semver_a WHERE v <> '1.1.1';
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
CREATE INDEX ON semver_a (v);
EXPLAIN (COSTS OFF) SELECT v FROM semver_a ORDER BY v DESC LIMIT 1;
SELECT max(v) FROM semver_a;

\echo COPY BINARY keeps all there is, also bounds that no text tells apart.
CREATE TABLE semver_copy (v semver, r semver_range);
INSERT INTO semver_copy VALUES ('1.2.3-rc.1+build.5', '^1.2.3'), (NULL, '1.x || ~3'), ('18446744073709551615.0.0', NULL), ('0.0.0', '*');
SELECT encode(semver_send, 'escape') FROM (SELECT _semver_send(v) AS semver_send FROM semver_copy WHERE v IS NOT NULL) s;
SELECT encode(range_send, 'escape') FROM (SELECT _semver_range_send(r) AS range_send FROM semver_copy WHERE r IS NOT NULL) s;
CREATE TABLE semver_copied (LIKE semver_copy);
COPY semver_copy TO PROGRAM 'cat >semver_types.copy' WITH (FORMAT binary);
COPY semver_copied FROM PROGRAM 'cat semver_types.copy; rm semver_types.copy' WITH (FORMAT binary);
SELECT v, r, semver_satisfies('1.0.0-0', r, true) FROM semver_copied;
SELECT count(*) FROM semver_copy a JOIN semver_copied b ON a.r = b.r AND a.v::text IS NOT DISTINCT FROM b.v::text;

\echo What is stored is small, and survives being compressed and stored elsewhere.
SELECT v, pg_column_size(v) FROM (SELECT v FROM semver_copied WHERE v IS NOT NULL) s;
CREATE TABLE semver_wide (v semver, r semver_range) WITH (toast_tuple_target = 128);
ALTER TABLE semver_wide ALTER v SET STORAGE external, ALTER r SET STORAGE extended;
INSERT INTO semver_wide SELECT ('1.2.3-' || repeat('a', 200) || '.' || i)::semver, string_agg(format('^%s.0.0 || 1.2.3-a', j), ' || ')::semver_range
FROM generate_series(1, 3) i, generate_series(1, 2000) j GROUP BY i;
SELECT pg_relation_size(reltoastrelid) > 0 AS elsewhere FROM pg_class WHERE oid = 'semver_wide'::regclass;
SELECT pg_column_size(r) < length(r::text) AS compressed, length(v::text), v <@ r AS contained, semver_satisfies(v, r, true) FROM semver_wide ORDER BY v DESC;
SELECT right(min(v)::text, 1), right(max(v)::text, 1), count(DISTINCT v), count(DISTINCT r::text) FROM semver_wide;
SELECT count(*) FROM semver_wide a JOIN semver_wide b ON a.v = b.v AND a.r = b.r;

DROP TABLE semver_key, semver_part, semver_by_major, semver_a, semver_b, semver_copy, semver_copied, semver_wide;
