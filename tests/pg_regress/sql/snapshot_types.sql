-- Types, names and shapes of tables; a schema of the site's own; who runs what.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_types_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-types') \gset
SELECT id AS module FROM module_versioning.register_module('snap-types', isolation => 'schema', owner_role => 'snap_types_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset

SET search_path = :"own", public;
SET ROLE snap_types_owner;
CREATE TYPE mood AS ENUM ('glad', 'it''s "so"');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE moody AS (m mood, n int);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
CREATE TABLE seen (who text);
-- Runs whenever a value is checked; it may not say who ran it into a table that only others may write.
CREATE FUNCTION trap(anyelement) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'snap_types_owner' THEN RAISE EXCEPTION 'the trap ran as %', current_user; END IF;
    RETURN true;
END $$;
CREATE DOMAIN checked AS int CHECK (trap(VALUE));
CREATE DOMAIN listed AS text[] CHECK (cardinality(VALUE) < 9);
CREATE TABLE everything (
    id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, n2 numeric(12, 3), m money,
    t text, v varchar(9), c char(5), c1 "char", nm name, by bytea, u uuid, d date, tm time, tz timetz, ts timestamp,
    tst timestamptz, iv interval, j json, jb jsonb, x bit(3), vx varbit, ip inet, ci cidr, mac macaddr, pt point, bx box,
    pth path, pg polygon, ln line, cr circle, ls lseg, tv tsvector, tq tsquery, r int4range, mr nummultirange,
    ia int[], ta text[], da date[], e mood, ea mood[], p pair, pa pair[], md moody, sp span, rc regclass, rt regtype[], ch checked CHECK (trap(ch)),
    li listed, o oid, l pg_lsn, xi xid8, jp jsonpath, acl aclitem, acls aclitem[], gone int, w text DEFAULT who()
);
ALTER TABLE everything DROP COLUMN gone;
INSERT INTO everything VALUES (
    1, true, -32768, 2147483647, -9223372036854775808, '-0', '4.9e-324', 'NaN', 1.100, '-12.34',
    E'line\n\t\\ ''"é€😀', 'abc', 'ab', 'x', 'a name', '\x00ff10', '12345678-9abc-def0-1234-56789abcdef0', 'infinity', '24:00', '01:02:03.456+05:30', '-infinity',
    '2020-02-29 23:59:59.999999+14', '1 year -2 mons 3 days -04:05:06', '{"a":1,  "a":2}', '{"n": 1.00000000000000000000000001}', '101', '1', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '(1,-0)', '(0,0,1,1)',
    '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '{1,2,3}', '<(0,0),1>', '[(0,0),(1,1)]', 'a:1A b:2', 'a & !b', '[1,)', '{[1,2),(3.5,]}',
    '[-1:1]={1,NULL,3}', '{"a,b",NULL,"NULL",""}', '{infinity}', 'it''s "so"', '{glad,NULL}', '(1,"x,y")', '{"(1,a)","(,)"}', '(glad,1)', '[1,Infinity)', 'everything', '{int,text}', 5,
    '{a,b}', 4294967295, 'FF/FF', '18446744073709551615', '$."a"[*]', 'snap_types_owner=r/snap_types_owner', '{snap_types_owner=w/snap_types_owner}', NULL);
INSERT INTO everything (id, w) VALUES (2, 'w');
CREATE TABLE "Odd ""name"".with
line" ("a""b" int, "select" text, "ünï 你好" text, id serial PRIMARY KEY);
INSERT INTO "Odd ""name"".with
line" VALUES (1, 'x', 'y'), (2, NULL, NULL);
CREATE TABLE none ();
INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES;
CREATE TABLE nothing (a int);
CREATE TABLE twice (a int, b json);
INSERT INTO twice VALUES (1, '{}'), (1, '{}'), (1, '{}'), (NULL, NULL), (NULL, NULL);
CREATE TABLE parted (id int, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a');
CREATE TABLE parted_b (k text NOT NULL, gone int, id int NOT NULL);
ALTER TABLE parted_b DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_b DEFAULT;
INSERT INTO parted SELECT g, chr(97 + g % 3) FROM generate_series(1, 9) g;
CREATE TABLE ancestor (a int);
CREATE TABLE descendant (b int) INHERITS (ancestor);
INSERT INTO ancestor VALUES (1); INSERT INTO descendant VALUES (2, 3);
CREATE TABLE wide (id int PRIMARY KEY);
DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE wide ' || string_agg('ADD c' || g || ' bool', ',') FROM generate_series(1, 1500) g); END $$;
INSERT INTO wide (id, c7, c1500) VALUES (1, true, false);
CREATE TABLE large (id int PRIMARY KEY, body text);
INSERT INTO large VALUES (1, repeat('0123456789', 900000)), (2, 'small');
CREATE TABLE early (id int PRIMARY KEY, late int);
CREATE TABLE late (id int PRIMARY KEY, early int REFERENCES early DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE early ADD FOREIGN KEY (late) REFERENCES late DEFERRABLE INITIALLY DEFERRED;
BEGIN; INSERT INTO early VALUES (1, 1); INSERT INTO late VALUES (1, 1); COMMIT;
CREATE TABLE places (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED, during int4range, EXCLUDE USING gist (during WITH &&));
INSERT INTO places VALUES (1, 1, '[1,2)'), (2, 2, '[2,3)'), (3, 3, '[3,4)');
RESET ROLE;

SELECT id AS backup, row_count FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
\echo :row_count
SELECT * FROM module_versioning.verify_snapshot(:'backup');
SELECT t ->> 'name' AS tab, c ->> 'name' AS col, c ->> 'type_name' AS type
FROM module_versioning_data.snapshots s, json_array_elements(s.manifest::json -> 'tables') t, json_array_elements(t -> 'columns') c
WHERE s.id = :'backup' AND c ->> 'encoding' = 'text';

-- Everything goes, and comes back the same to the byte.
CREATE TEMP TABLE hashes AS SELECT 'e' AS t, md5(string_agg(md5(e::text), '' ORDER BY id)) AS h FROM everything e
UNION ALL SELECT 'l', md5(string_agg(md5(e::text), '' ORDER BY id)) FROM large e
UNION ALL SELECT 'w', md5(string_agg(md5(e::text), '' ORDER BY id)) FROM wide e
UNION ALL SELECT 'p', md5(string_agg(tableoid::regclass::text || e::text, '' ORDER BY id)) FROM parted e;
SET ROLE snap_types_owner;
TRUNCATE everything, "Odd ""name"".with
line", none, twice, parted, descendant, wide, large, early, late, places;
SELECT setval(pg_get_serial_sequence(format('%I.%I', :'own', E'Odd "name".with\nline'), 'id'), 77) \gset
INSERT INTO nothing VALUES (1);
INSERT INTO ancestor VALUES (5);
DROP TYPE moody CASCADE; DROP TYPE mood CASCADE;
RESET ROLE;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SET ROLE snap_types_owner;
-- Types made again have other OIDs.
CREATE TYPE mood AS ENUM ('it''s "so"', 'glad');
CREATE TYPE moody AS (m mood, n int);
ALTER TABLE everything ADD e mood, ADD ea mood[], ADD md moody;
RESET ROLE;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT * FROM module_versioning.diff_snapshot(:'backup') WHERE inserted + updated + deleted > 0;
SELECT t, h = CASE t WHEN 'l' THEN (SELECT md5(string_agg(md5(e::text), '' ORDER BY id)) FROM large e)
                     WHEN 'w' THEN (SELECT md5(string_agg(md5(e::text), '' ORDER BY id)) FROM wide e)
                     WHEN 'p' THEN (SELECT md5(string_agg(tableoid::regclass::text || e::text, '' ORDER BY id)) FROM parted e) END AS same
FROM hashes WHERE t <> 'e';
\x on
SELECT * FROM everything ORDER BY id;
\x off
-- The sequence is back where it was, also after a restore that was undone.
SELECT last_value, is_called FROM "Odd ""name"".with
line_id_seq";
BEGIN;
SELECT setval('"Odd ""name"".with
line_id_seq"', 90) \gset
SELECT count(*) FROM module_versioning.restore_module_data(:'backup', create_backup => false);
ROLLBACK;
SELECT last_value, is_called FROM "Odd ""name"".with
line_id_seq";

-- Rows swap what unique and exclusion constraints look at.
SET ROLE snap_types_owner;
BEGIN;
UPDATE places SET during = NULL; UPDATE places SET place = 4 - place, during = int4range(4 - id, 5 - id);
COMMIT;
RESET ROLE;
SELECT * FROM module_versioning.diff_snapshot(:'backup') WHERE table_name = 'places';
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['places'], false);
SELECT * FROM places ORDER BY id;

-- Readers work in a read-only transaction.
BEGIN READ ONLY;
SELECT bool_and(ok) FROM module_versioning.verify_snapshot(:'backup');
SELECT sum(unchanged) FROM module_versioning.diff_snapshot(:'backup');
SELECT r FROM module_versioning.snapshot_rows(:'backup', 'parted') r ORDER BY r LIMIT 2;
SELECT count(*) FROM module_versioning.list_snapshots(:'site');
ROLLBACK;
-- Nothing leaks out.
SELECT current_user, current_setting('search_path') = format('%I, public', :'own') AS path, current_setting('row_security') AS row_security;

-- The transaction that is rolled back leaves no snapshot.
BEGIN;
SELECT count(*) FROM module_versioning.snapshot_module_data(:'site', :'module');
ROLLBACK;
SELECT count(*) FROM module_versioning.list_snapshots(:'site');
RESET search_path;
