-- The bytes of a snapshot are those that COPY writes, value by value, and depend on no setting.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_formats_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-formats') \gset
SELECT id AS module FROM module_versioning.register_module('snap-formats', isolation => 'schema', owner_role => 'snap_formats_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset
SET search_path = :"own", public;
SET ROLE snap_formats_owner;

-- Random values of every type that is written without its send function, long and short, compressed and not,
-- stored in the row and outside, and domains over them.
SELECT setseed(0.5) \gset
CREATE DOMAIN amount AS numeric(30, 10) CHECK (VALUE < 1e18);
CREATE DOMAIN label AS varchar(3000);
CREATE FUNCTION some_text(n int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN n % 11 = 0 THEN '' WHEN n % 97 = 0 THEN repeat(md5(random()::text), 200) WHEN n % 89 = 0 THEN repeat('x', 100000)
                WHEN n % 83 = 0 THEN (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 150) g)
                ELSE substr(E'\u00e4\u20ac\U0001F600 "\\/' || E'\b\f\n\r\t\x01\x1f\x7f' || md5(random()::text), 1 + n % 20) END
$$;
CREATE FUNCTION some_number(n int) RETURNS numeric LANGUAGE sql VOLATILE AS $$
    SELECT CASE n % 17 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' WHEN 3 THEN 0 WHEN 4 THEN 0.0000
        ELSE round(((random() - 0.5) * 10 ^ (n % 40 - 20))::numeric, n % 30)
             * CASE n % 5 WHEN 0 THEN 1 WHEN 1 THEN 10000 ^ (n % 60)::numeric WHEN 2 THEN 0.0001 ^ (n % 40)::numeric ELSE 1.000 END END
$$;
CREATE FUNCTION some_json(n int, depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN CASE WHEN n % 13 = 0 THEN 'null' WHEN n % 13 = 1 THEN 'true' WHEN n % 13 = 2 THEN 'false'
        WHEN n % 13 = 3 THEN to_jsonb(some_text(n)) WHEN n % 13 = 4 THEN to_jsonb((random() * 1e6)::int)
        WHEN n % 13 = 5 AND some_number(n) NOT IN ('NaN', 'Infinity', '-Infinity') THEN to_jsonb(some_number(n + 3))
        WHEN n % 13 = 6 THEN '[]' WHEN n % 13 = 7 THEN '{}'
        WHEN depth = 0 THEN to_jsonb(n)
        WHEN n % 13 < 11 THEN (SELECT jsonb_agg(some_json(n + g * 7, depth - 1)) FROM generate_series(1, n % 12) g)
        ELSE (SELECT jsonb_object_agg(some_text(g * 3 + 1) || g, some_json(n + g * 5, depth - 1)) FROM generate_series(1, n % 10) g) END;
END $$;
CREATE TABLE vary (
    id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, t text, v varchar, c char(40), by bytea, u uuid,
    d date, ti time, ts timestamp, tz timestamptz, n numeric, a amount, l label, j json, jb jsonb, o oid);
INSERT INTO vary SELECT g, CASE WHEN g % 7 > 0 THEN random() < 0.5 END, (random() * 65535 - 32768)::int2, (random() * 4294967295 - 2147483648)::int4,
    (random() * 1.8e19 - 9.2e18)::int8, (random() - 0.5) * 10.0 ^ (g % 60 - 30), (random() - 0.5) * 10.0 ^ (g % 600 - 300),
    some_text(g), some_text(g + 1), substr(some_text(g + 2), 1, 30), convert_to(some_text(g + 3), 'UTF8') || '\x00ff', gen_random_uuid(),
    date '2000-01-01' + (random() * 1e6 - 5e5)::int, time '00:00' + random() * interval '1 day', timestamp '2000-01-01' + random() * interval '1000 years',
    timestamptz '2000-01-01' - random() * interval '1000 years', some_number(g), round((random() * 1e6)::numeric, g % 10), some_text(g * 89 + 1)::varchar(3000),
    json_build_object('a', some_text(g)), NULLIF(some_json(g, g % 4), 'null'), (random() * 4294967295)::int8::oid
FROM generate_series(1, 800) g;
INSERT INTO vary (id, f4, f8, n, d, ts, tz, jb, i2, i4, i8) VALUES
    (-1, '-0', '-0', 'NaN', 'infinity', 'infinity', '-infinity', '"x"', -32768, -2147483648, -9223372036854775808),
    (-2, 'NaN', 'NaN', '-1e-16383', '-infinity', '-infinity', 'infinity', '1e-300', 32767, 2147483647, 9223372036854775807),
    (-3, '1e-45', '4.9e-324', '1e131071', '4713-01-01 BC', '4713-01-01 BC', '294276-12-31 23:59:59.999999+00', '{"a": [[[{}]]], "": -0.10}', 0, 0, 0),
    (-4, 'Infinity', '-Infinity', '-99999999.99999999', '5874897-12-31', '294276-12-31', '4714-11-24 00:00+00 BC', '[1, "\u0001\"\\", null]', 1, 1, 1),
    (-5, NULL, NULL, '0.00000001', NULL, NULL, NULL, (repeat('[', 200) || repeat(']', 200))::jsonb, NULL, NULL, NULL),
    (-6, NULL, NULL, '100000000', NULL, NULL, NULL, (SELECT jsonb_agg(g) FROM generate_series(1, 5000) g), NULL, NULL, NULL);
-- Numbers of one digit after another, with every scale and weight around those.
CREATE TABLE numbers (n numeric, j jsonb);
INSERT INTO numbers SELECT x, to_jsonb(x) FROM (SELECT trim_scale(s * 10 ^ p::numeric)::numeric AS x FROM unnest(ARRAY[1, -1, 9999, 10000, 10001, 12345678, 100000001]::numeric[]) s, generate_series(-30, 30) p) q;
INSERT INTO numbers SELECT round(n, s), to_jsonb(round(n, s)) FROM numbers, generate_series(0, 12, 3) s;
RESET ROLE;

SELECT id AS backup, root_hash FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '') || 'snap_formats_' || md5(random()::text) AS file \gset
\set ECHO none
SELECT format('COPY %I TO %L (FORMAT binary)', t, :'file' || t) FROM unnest(ARRAY['vary', 'numbers']) t \gexec
\set ECHO all
SELECT t, string_agg(part, '' ORDER BY n) = pg_read_binary_file(:'file' || t) AS same, sum(length(part)) > 40000 AS much
FROM unnest(ARRAY['vary', 'numbers']) t, module_versioning.snapshot_chunks(:'backup', t) WITH ORDINALITY AS c (part, n) GROUP BY t ORDER BY t;

-- The hash is the same under any setting.
CREATE FUNCTION public.snap_formats_hash(site uuid, module uuid, VARIADIC settings text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
    FOR i IN 1 .. cardinality(settings) BY 2 LOOP PERFORM set_config(settings[i], settings[i + 1], true); END LOOP;
    SELECT root_hash INTO answer FROM module_versioning.snapshot_module_data(site, module);
    RETURN answer;
END $$;
SELECT setting, module_hash = :'root_hash' AS same FROM (VALUES
    ('TimeZone', 'Asia/Tokyo'), ('DateStyle', 'German, DMY'), ('IntervalStyle', 'iso_8601'), ('bytea_output', 'escape'),
    ('extra_float_digits', '-15'), ('lc_monetary', 'C.UTF-8'), ('lc_numeric', 'C.UTF-8'), ('client_encoding', 'LATIN1'), ('xmloption', 'document'),
    ('search_path', ''), ('work_mem', '64kB'), ('synchronize_seqscans', 'on'), ('jit', 'off'), ('enable_seqscan', 'off'),
    ('max_parallel_workers_per_gather', '8'), ('quote_all_identifiers', 'on'), ('array_nulls', 'off'), ('session_replication_role', 'replica'),
    ('transform_null_equals', 'on'), ('standard_conforming_strings', 'off'), ('row_security', 'off')) s (setting, value),
    LATERAL public.snap_formats_hash(:'site', :'module', setting, value) AS module_hash;

-- A chunk damaged since is put right by a snapshot that has its bytes.
SELECT c.hash AS chunk FROM module_versioning_data.chunks c JOIN module_versioning_data.snapshot_chunks r ON r.chunk_hash = c.hash
WHERE r.snapshot_id = :'backup' ORDER BY c.raw_size DESC LIMIT 1 \gset
UPDATE module_versioning_data.chunks SET content = set_bit(content, 777, 1 - get_bit(content, 777)) WHERE hash = :'chunk';
SELECT bool_and(ok) FROM module_versioning.verify_snapshot(:'backup');
SELECT count(*) FROM module_versioning.snapshot_module_data(:'site', :'module');
SELECT bool_and(ok) FROM module_versioning.verify_snapshot(:'backup');

-- Large objects.
SET ROLE snap_formats_owner;
CREATE TABLE files (id int PRIMARY KEY, content oid);
INSERT INTO files VALUES (1, 5);
RESET ROLE;
SELECT row_count > 0 AS taken FROM module_versioning.snapshot_module_data(:'site', :'module');
SELECT lo_from_bytea(0, 'x') AS object \gset
UPDATE files SET content = :object;
SELECT row_count FROM module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT lo_unlink(:object);
CREATE DOMAIN lo AS oid;
ALTER TABLE files ADD other lo;
SELECT row_count FROM module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
DROP DOMAIN lo CASCADE;
DROP FUNCTION public.snap_formats_hash;
