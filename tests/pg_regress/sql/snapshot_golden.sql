-- One table with a value of every built-in type, and the bytes and hashes that a snapshot of it must have on
-- every server, whatever its major version.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_golden_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-golden') \gset
SELECT id AS module FROM module_versioning.register_module('snap-golden', isolation => 'schema', owner_role => 'snap_golden_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset

SET search_path = :"own", public;
SET ROLE snap_golden_owner;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN amount AS numeric(12, 3);
-- xml is left out, for a server may be built without.
CREATE TABLE golden (
    "bool" bool, "bytea" bytea, "char" "char", "name" name, "int8" int8, "int2" int2, "int2vector" int2vector, "int4" int4,
    "regproc" regproc, "text" text, "oid" oid, "tid" tid, "xid" xid, "cid" cid, "oidvector" oidvector, "json" json, "xid8" xid8,
    "point" point, "lseg" lseg, "path" path, "box" box, "polygon" polygon, "line" line, "float4" float4, "float8" float8,
    "circle" circle, "money" money, "macaddr" macaddr, "inet" inet, "cidr" cidr, "macaddr8" macaddr8, "aclitem" aclitem,
    "bpchar" char(5), "varchar" varchar(9), "date" date, "time" time, "timestamp" timestamp, "timestamptz" timestamptz,
    "interval" interval, "timetz" timetz, "bit" bit(3), "varbit" varbit, "numeric" numeric, "refcursor" refcursor,
    "regprocedure" regprocedure, "regoper" regoper, "regoperator" regoperator, "regclass" regclass, "regcollation" regcollation,
    "regtype" regtype, "regrole" regrole, "regnamespace" regnamespace, "uuid" uuid, "pg_lsn" pg_lsn, "tsvector" tsvector,
    "tsquery" tsquery, "regconfig" regconfig, "regdictionary" regdictionary, "jsonb" jsonb, "jsonpath" jsonpath,
    "txid_snapshot" txid_snapshot, "pg_snapshot" pg_snapshot, "int4range" int4range, "numrange" numrange, "tsrange" tsrange,
    "tstzrange" tstzrange, "daterange" daterange, "int8range" int8range, "int4multirange" int4multirange,
    "nummultirange" nummultirange, "tsmultirange" tsmultirange, "tstzmultirange" tstzmultirange,
    "datemultirange" datemultirange, "int8multirange" int8multirange,
    int4s int[], texts text[], numerics numeric[], stamps timestamptz[], one_mood mood, moods mood[], a_pair pair, pairs pair[],
    an_amount amount, sql_names information_schema.sql_identifier[], nothing text);
INSERT INTO golden VALUES (
    true, '\x00ff10', 'x', 'a name', -9223372036854775808, -32768, '1 2 3', 2147483647,
    'pg_catalog.now', E'line\n\t\\ ''"é€😀', 4294967295, '(4294967295,65535)', '7', '8', '9 10', '{"a":1,  "a":2}', '18446744073709551615',
    '(1,-0)', '[(0,0),(1,1)]', '[(0,0),(1,1)]', '(0,0,1,1)', '((0,0),(1,1),(2,0))', '{1,2,3}', '-0', '4.9e-324',
    '<(0,0),1>', '-12.34', '08:00:2b:01:02:03', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03:04:05', 'snap_golden_owner=r/snap_golden_owner',
    'ab', 'abc', 'infinity', '24:00', '-infinity', '2020-02-29 23:59:59.999999+14',
    '1 year -2 mons 3 days -04:05:06', '01:02:03.456+05:30', '101', '1', '-1234567890.00100', 'a cursor',
    'pg_catalog.lower(text)', 'pg_catalog.||/', 'pg_catalog.+(integer,integer)', 'golden', 'pg_catalog."C"',
    'timestamptz', 'snap_golden_owner', 'pg_catalog', '12345678-9abc-def0-1234-56789abcdef0', 'FF/FF', 'a:1A b:2',
    'a & !b', 'pg_catalog.simple', 'pg_catalog.simple', '{"n": 1.00000000000000000000000001, "t": [true, null, "é"]}', '$."a"[*] ? (@ > 1)',
    '10:20:10,14,15', '10:20:10,14,15', '[1,)', '(1.5,2.50]', '[2020-01-01 00:00,infinity)',
    '(,2020-01-01 00:00+00]', '[2020-01-01,2020-02-01)', 'empty', '{[1,2),[5,6)}',
    '{[1,2),(3.5,]}', '{}', '{[2020-01-01 00:00+00,2020-01-02 00:00+00)}',
    '{[2020-01-01,2020-02-01)}', '{(,0)}',
    '[-1:1]={1,NULL,3}', '{"a,b",NULL,"NULL",""}', '{NaN,Infinity,0.0}', '{infinity,2000-01-01 00:00+00}', 'sad', '{glad,NULL}', '(1,"x,y")', '{"(1,a)","(,)"}',
    1.1, '{a,b}', NULL);
CREATE TABLE several AS SELECT g AS id, repeat(md5(g::text), g % 9) AS body, g / 7.0 AS share FROM generate_series(1, 20000) g;
RESET ROLE;

-- Built-in types that no row of the table has: xml, and those that can't be written as a value.
SELECT t.typname FROM pg_type t
WHERE t.oid < 10000 AND t.typtype IN ('b', 'r', 'm') AND NOT (t.typelem <> 0 AND t.typlen = -1 AND t.typsubscript = 'array_subscript_handler'::regproc
      AND EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
  AND t.oid NOT IN (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = 'golden'::regclass)
ORDER BY t.typname COLLATE "C";

SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset

-- The fields of the first row of a file for COPY.
CREATE FUNCTION pg_temp.fields(file bytea) RETURNS TABLE (number int, field bytea) LANGUAGE plpgsql AS $$
DECLARE place int := 19; length bigint;
BEGIN
    FOR number IN 1 .. get_byte(file, place) * 256 + get_byte(file, place + 1) LOOP
        length := ('x' || encode(substr(file, place + 3, 4), 'hex'))::bit(32)::int;
        fields.number := number;
        field := CASE WHEN length >= 0 THEN substr(file, place + 7, length::int) END;
        place := place + 4 + greatest(length, 0)::int;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT c.value ->> 'name' AS name, c.value ->> 'type_name' AS type, c.value ->> 'encoding' AS encoding,
       CASE c.value ->> 'encoding' WHEN 'text' THEN replace(convert_from(f.field, 'UTF8'), :'own', 'own') ELSE encode(f.field, 'hex') END AS bytes
FROM module_versioning_data.snapshots s, json_array_elements(s.manifest::json -> 'tables') t,
     json_array_elements(t -> 'columns') WITH ORDINALITY AS c (value, number),
     (SELECT string_agg(part, '' ORDER BY n) FROM module_versioning.snapshot_chunks(:'backup', 'golden') WITH ORDINALITY AS p (part, n)) AS file (bytes),
     pg_temp.fields(file.bytes) AS f
WHERE s.id = :'backup' AND t ->> 'name' = 'golden' AND f.number = c.number ORDER BY c.number;

SELECT t ->> 'name' AS name, json_array_length(t -> 'chunks') AS chunks, t ->> 'hash' AS hash
FROM module_versioning_data.snapshots s, json_array_elements(s.manifest::json -> 'tables') t WHERE s.id = :'backup';
-- The root hash, of a manifest in which what differs from run to run has been replaced.
SELECT encode(sha256('module_versioning snapshot\000'::bytea || convert_to(s.manifest, 'UTF8')), 'hex') = b.root_hash AS is_so_made,
       encode(sha256('module_versioning snapshot\000'::bytea
           || convert_to(replace(replace(replace(s.manifest, s.manifest::json ->> 'fingerprint', repeat('0', 64)), :'site', '00000000-0000-0000-0000-000000000001'),
                         :'module', '00000000-0000-0000-0000-000000000002'), 'UTF8')), 'hex') AS root_hash
FROM module_versioning_data.snapshots s JOIN module_versioning.module_data_backups b USING (id) WHERE s.id = :'backup';

-- What can't be written as a value can't be restored, so it is no part of a snapshot.
SET ROLE snap_golden_owner;
CREATE TABLE trees AS SELECT 1 AS id, adbin FROM pg_attrdef LIMIT 1;
RESET ROLE;
SELECT module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
SET ROLE snap_golden_owner;
ALTER TABLE trees DROP COLUMN adbin, ADD n gtsvector GENERATED ALWAYS AS (NULL) STORED;
RESET ROLE;
SELECT row_count FROM module_versioning.snapshot_module_data(:'site', :'module');
SET ROLE snap_golden_owner;
CREATE TABLE nested (id int, extra pg_catalog.pg_attrdef[]);
INSERT INTO nested VALUES (1, NULL);
RESET ROLE;
SELECT row_count FROM module_versioning.snapshot_module_data(:'site', :'module');
INSERT INTO nested SELECT 2, array_agg(d) FROM (SELECT d FROM pg_attrdef d LIMIT 2) d;
SELECT module_versioning.snapshot_module_data(:'site', :'module');
DROP TABLE nested;
RESET search_path;
