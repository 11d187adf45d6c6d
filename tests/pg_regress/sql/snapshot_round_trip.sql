-- What goes into a snapshot comes out the same: every type, constraints of every kind, shapes of every size.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_trip_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-trip') \gset
SELECT id AS module FROM module_versioning.register_module('snap-trip', isolation => 'schema', owner_role => 'snap_trip_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset
SET search_path = :"own", public;

-- Every type of the server that can be a column, each with its array and its domain.
CREATE TABLE public.snap_trip_samples (kind text PRIMARY KEY, sample text);
INSERT INTO public.snap_trip_samples VALUES
    ('bool', 't'), ('bytea', '\x00ff5c'), ('"char"', 'x'), ('name', 'a name'), ('int8', '-9223372036854775808'), ('int2', '-32768'),
    ('int2vector', '1 2 3'), ('int4', '2147483647'), ('regproc', 'now'), ('text', E'\u00e4"\\{},'), ('oid', '4294967295'), ('tid', '(4294967295,65535)'),
    ('xid', '4294967295'), ('cid', '7'), ('oidvector', '1 4294967295'), ('json', '{"a": 1,  "a":2}'), ('xml', '<a b="c">d</a>'), ('point', '(1,-0)'),
    ('lseg', '[(0,0),(1e300,-1)]'), ('path', '[(0,0),(1,1)]'), ('box', '(1,1),(0,0)'), ('polygon', '((0,0),(1,1),(2,0))'), ('line', '{1,2,3}'),
    ('float4', '1e-45'), ('float8', '-0'), ('circle', '<(0,0),1>'), ('money', '-12.34'), ('macaddr', '08:00:2b:01:02:03'), ('inet', '::1/64'),
    ('cidr', '10.0.0.0/8'), ('macaddr8', '08:00:2b:01:02:03:04:05'), ('aclitem', 'snap_trip_owner=r/snap_trip_owner'), ('bpchar', 'ab  '),
    ('varchar', 'ab  '), ('date', '-infinity'), ('time', '24:00:00'), ('timestamp', 'infinity'), ('timestamptz', '2020-02-29 23:59:59.999999+14'),
    ('interval', '1 year -2 mons 3 days -04:05:06.000001'), ('timetz', '01:02:03.456+05:30'), ('bit', '1'), ('varbit', '10110'), ('numeric', '-1.500'),
    ('refcursor', 'cursor'), ('regprocedure', 'abs(numeric)'), ('regoper', '||/'), ('regoperator', '+(integer,integer)'), ('regclass', 'pg_class'),
    ('regcollation', '"C"'), ('regtype', 'integer'), ('regrole', 'snap_trip_owner'), ('regnamespace', 'pg_catalog'),
    ('uuid', '12345678-9abc-def0-1234-56789abcdef0'), ('pg_lsn', 'FF/FF'), ('tsvector', '''a'':1A ''b c'':2'), ('tsquery', '''a'':B & !''b'''),
    ('regconfig', 'simple'), ('regdictionary', 'simple'), ('jsonb', '{"n": 1.00000000000000000000000001}'), ('jsonpath', '$."a"[*]'),
    ('txid_snapshot', '10:20:10,14'), ('pg_snapshot', '10:20:10,14'), ('xid8', '18446744073709551615'),
    ('int4range', '[1,)'), ('numrange', '(1.50,2]'), ('tsrange', 'empty'), ('tstzrange', '(,)'), ('daterange', '[2020-01-01,infinity)'), ('int8range', '(,5)'),
    ('int4multirange', '{[1,2),[4,)}'), ('nummultirange', '{}'), ('tsmultirange', '{(,)}'), ('tstzmultirange', '{}'), ('datemultirange', '{[2020-01-01,2020-01-05)}'),
    ('int8multirange', '{[1,2)}');
-- Those that nobody can write by hand are stored as NULL; on a server with more types they would show here.
SELECT string_agg(typname, ' ' ORDER BY typname) AS unwritable FROM pg_type t
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'
  AND NOT EXISTS (SELECT FROM public.snap_trip_samples s WHERE s.kind::regtype = t.oid);
GRANT CREATE ON SCHEMA public TO snap_trip_owner;
GRANT SELECT ON public.snap_trip_samples TO snap_trip_owner;
SET ROLE snap_trip_owner;
DO $$
DECLARE kind record; columns text[] := '{}'; domains text[] := '{}'; names text[] := '{}'; vals text[] := '{}'; number int := 0;
BEGIN
    FOR kind IN SELECT format('pg_catalog.%I', t.typname) AS name, t.oid, s.sample, t.typarray <> 0 AS has_array
                FROM pg_type t LEFT JOIN public.snap_trip_samples s ON s.kind::regtype = t.oid
                WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A' ORDER BY t.typname LOOP
        number := number + 1;
        columns := columns || format('c%s %s', number, kind.name);
        IF kind.sample IS NULL THEN CONTINUE; END IF;
        names := names || format('c%s', number); vals := vals || format('%L', kind.sample);
        IF kind.has_array THEN
            EXECUTE format('CREATE DOMAIN d%s AS %s', number, kind.name);
            columns := columns || format('d%s d%s', number, number) || format('a%s %s[]', number, kind.name) || format('e%s d%s[]', number, number);
            names := names || format('d%s', number) || format('a%s', number) || format('e%s', number);
            vals := vals || format('%L', kind.sample)
                 || format('%L', format('[2:3][-1:0]=%s', ARRAY[[kind.sample, NULL], [NULL, kind.sample]]::text)) || format('%L', ARRAY[kind.sample]::text);
        END IF;
    END LOOP;
    -- box arrays have another separator.
    SELECT array_agg(CASE WHEN n ~ '^[ae]' AND substr(n, 2) = substr((SELECT split_part(c, ' ', 1) FROM unnest(columns) c WHERE c ~ '^c\d+ pg_catalog.box$'), 2)
                          THEN CASE WHEN n ~ '^a' THEN '''{(1,1),(0,0);(2,2),(0,0)}''' ELSE '''{(1,1),(0,0)}''' END ELSE v END)
    INTO vals FROM unnest(names, vals) AS u (n, v);
    EXECUTE format('CREATE TABLE kinds (id int PRIMARY KEY, %s)', array_to_string(columns, ', '));
    EXECUTE format('INSERT INTO kinds (id, %s) VALUES (1, %s)', array_to_string(names, ', '), array_to_string(vals, ', '));
    INSERT INTO kinds (id) VALUES (2);
END $$;
SELECT count(*) > 250 AS many_columns FROM pg_attribute WHERE attrelid = 'kinds'::regclass AND attnum > 0;

-- Types of the database's own, and shapes.
CREATE TYPE mood AS ENUM ('glad', 'it''s "so"');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE pairs AS (one pair, more pair[], m mood);
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE own (id int PRIMARY KEY, m mood, ma mood[], p pair, ps pairs, e even, ea even[], s span, sv module_versioning.semver, sr module_versioning.semver_range,
                  c5 char(5), b5 bit(5), n2 numeric(12, 3), v5 varchar(5), iv interval day to second(2), ts timestamp(0));
INSERT INTO own VALUES (1, 'it''s "so"', '{glad,NULL}', '(1,"x,y")', ROW(ROW(NULL, NULL)::pair, ARRAY[ROW(2, '"z"')::pair], 'glad')::pairs, 4, '{2,NULL}', '[-Infinity,1)', '1.0.0-rc.1+b', '^1.2',
                        'ab', '10101', '-0.5', 'abc', '3 days 01:02:03.45', '2020-01-01 01:02:03');
-- Types of extensions, where the server has them; elsewhere text stands for them.
RESET ROLE;
\set ECHO none
SELECT CASE WHEN EXISTS (SELECT FROM pg_available_extensions WHERE name = e) THEN format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA public', e)
            ELSE format('CREATE DOMAIN public.%I AS text', e) END
FROM unnest(ARRAY['hstore', 'citext', 'ltree', 'cube', 'seg']) e \gexec
\set ECHO all
SET ROLE snap_trip_owner;
CREATE TABLE extensions (id int PRIMARY KEY, h hstore, ha hstore[], c citext, ca citext[], l ltree, la ltree[], cu cube, s seg);
INSERT INTO extensions VALUES (1, 'a=>1, "b c"=>NULL, ""=>"q\"q", "=>"=>"é"', '[0:1]={"a=>1",NULL}', 'MiXed', '{A,b,NULL}', 'top.Mid.low', '{a.b,c}', '(1,2),(3,4.5)', '1 .. 2.50'),
    (2, '', '{}', '', '{}', '', '{}', '(1)', '<3'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE by_citext (c citext PRIMARY KEY, n int);
INSERT INTO by_citext SELECT 'Key' || g, g FROM generate_series(1, 300) g;
CREATE TABLE shrunk (a int, b text, c int, d text DEFAULT 'd', id int PRIMARY KEY);
INSERT INTO shrunk VALUES (1, 'b', 2, 'd', 1), (3, NULL, 4, NULL, 2);
ALTER TABLE shrunk DROP COLUMN a, DROP COLUMN c, ADD COLUMN late text DEFAULT 'late';
INSERT INTO shrunk (b, id) VALUES ('new', 3);
CREATE TABLE computed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, other int GENERATED BY DEFAULT AS IDENTITY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO computed (a) SELECT g FROM generate_series(1, 50) g;
CREATE TABLE "a name of sixty-three bytes: ünïcödé and ""quotes"" up to the end" ("select" int PRIMARY KEY, "a column of sixty-three bytes, with 'quotes' and a ünïcödé end" text);
INSERT INTO "a name of sixty-three bytes: ünïcödé and ""quotes"" up to the end" VALUES (1, 'x');
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE wide (' || string_agg('c' || g || ' bool', ', ') || ')' FROM generate_series(1, 1600) g); END $$;
INSERT INTO wide (c1, c800, c1600) VALUES (true, false, true), (NULL, NULL, NULL);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE no_rows (a int);
CREATE TABLE twins (a int, b json);
INSERT INTO twins SELECT g % 3, '{"a":  1}' FROM generate_series(1, 3000) g;

-- Constraints: to itself, in circles, deferrable or not, exclusion, over partitions; enough rows to come by COPY.
CREATE TABLE node (id int PRIMARY KEY, parent int REFERENCES node, later int REFERENCES node DEFERRABLE INITIALLY DEFERRED);
INSERT INTO node SELECT g, NULLIF(g / 2, 0), CASE WHEN g < 2000 THEN g + 1 END FROM generate_series(1, 2000) g;
CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES hen);
INSERT INTO hen SELECT g, g FROM generate_series(1, 1500) g;
INSERT INTO egg SELECT g, 1501 - g FROM generate_series(1, 1500) g;
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg;
-- Sorts before what it refers to, and refers to one of a circle.
CREATE TABLE a_child (id int PRIMARY KEY, node int REFERENCES node ON DELETE CASCADE, hen int REFERENCES hen, part int, region text);
CREATE TABLE part (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_n PARTITION OF part FOR VALUES IN ('n') PARTITION BY RANGE (id);
CREATE TABLE part_n_low PARTITION OF part_n FOR VALUES FROM (0) TO (500);
CREATE TABLE part_n_high PARTITION OF part_n FOR VALUES FROM (500) TO (100000);
CREATE TABLE part_s PARTITION OF part FOR VALUES IN ('s');
INSERT INTO part SELECT g, CASE WHEN g % 2 = 0 THEN 'n' ELSE 's' END FROM generate_series(1, 1000) g;
ALTER TABLE a_child ADD FOREIGN KEY (part, region) REFERENCES part;
INSERT INTO a_child SELECT g, g, g, g, CASE WHEN g % 2 = 0 THEN 'n' ELSE 's' END FROM generate_series(1, 1000) g;
CREATE TABLE booking (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED, code text UNIQUE, during int4range, EXCLUDE USING gist (during WITH &&) DEFERRABLE);
INSERT INTO booking SELECT g, g, 'c' || g, int4range(g, g + 1) FROM generate_series(1, 1000) g;
CREATE INDEX ON booking (lower(code)) WHERE place > 10;

-- Triggers of every kind, none of which fires; row security that hides everything, forced.
CREATE TABLE fired (what text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES (TG_NAME); IF TG_WHEN = 'BEFORE' AND TG_LEVEL = 'ROW' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TABLE guarded (id int PRIMARY KEY, body text);
INSERT INTO guarded SELECT g, md5(g::text) FROM generate_series(1, 1500) g;
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER after_row AFTER INSERT OR UPDATE OR DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE OR DELETE ON guarded FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE TRIGGER after_table AFTER INSERT ON guarded REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR DELETE ON guarded DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER always AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON guarded FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE TRIGGER replica AFTER INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE guarded ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON guarded USING (false);
-- Defaults, checks, generated columns and domains are the owner's code: it never runs as anybody else.
CREATE FUNCTION trap(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'snap_trip_owner' THEN RAISE EXCEPTION 'the trap ran as %', current_user; END IF;
    RETURN $1;
END $$;
CREATE DOMAIN trapped AS int CHECK (trap(VALUE) IS NOT NULL) CHECK (VALUE IS NOT NULL);
CREATE TABLE traps (id int PRIMARY KEY, a trapped, b int CHECK (trap(b) = b), c int GENERATED ALWAYS AS (trap(b)) STORED);
CREATE INDEX ON traps (trap(b)) WHERE trap(b) > 0;
INSERT INTO traps SELECT g, g, g FROM generate_series(1, 1200) g;
CREATE TABLE large (id int PRIMARY KEY, body text, raw bytea);
INSERT INTO large VALUES (1, repeat('0123456789', 10000000), NULL), (2, 'small', '\x00'), (3, NULL, (SELECT string_agg(sha512(g::text::bytea), '') FROM generate_series(1, 80000) g));
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM snap_trip_owner;

SELECT id AS backup, root_hash FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
CREATE TABLE public.snap_trip_before (t text PRIMARY KEY, h text);
-- COPY BINARY where the types have it, their text where not.
CREATE FUNCTION public.snap_trip_hash(t regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE file CONSTANT text := regexp_replace(current_setting('data_directory'), '[^/]*$', '') || 'snap_trip_copy'; columns text; answer text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = y.typelem
    WHERE attrelid = t AND attnum > 0 AND NOT attisdropped AND y.typsend <> 0 AND coalesce(e.typsend, 1) <> 0;
    IF columns IS NULL THEN EXECUTE format('SELECT count(*)::text FROM %s', t) INTO answer; RETURN answer; END IF;
    EXECUTE format('COPY (SELECT %s FROM %s x ORDER BY %s) TO %L (FORMAT binary)', columns, t, CASE WHEN columns ~ '^\mid\M|, id\M' THEN 'id' ELSE 'x::text' END, file);
    answer := encode(sha256(pg_read_binary_file(file)), 'hex');
    IF t::text LIKE '%large' THEN RETURN answer; END IF;
    EXECUTE format('SELECT $1 || md5(string_agg(md5(x::text), '''' ORDER BY md5(x::text))) FROM %s x', t) USING answer INTO answer;
    RETURN answer;
END $$;
SET row_security = off;
INSERT INTO public.snap_trip_before SELECT oid::regclass::text, public.snap_trip_hash(oid) FROM pg_class
WHERE relnamespace = :'own'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition;
SELECT count(*) AS tables FROM public.snap_trip_before;

-- All rows go, then come back by COPY where the foreign keys let it.
SELECT 'TRUNCATE ' || string_agg(t, ', ' ORDER BY t COLLATE "C") FROM public.snap_trip_before \gexec
DELETE FROM fired;
SELECT count(*) AS tables, sum(rows_restored) AS restored, sum(rows_deleted) AS deleted, sum(rows_kept) AS kept
FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT t AS different FROM public.snap_trip_before WHERE h IS DISTINCT FROM public.snap_trip_hash(t::regclass);
SELECT * FROM fired;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'guarded'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT nextval(pg_get_serial_sequence('computed', 'id')), nextval(pg_get_serial_sequence('computed', 'other'));
-- Taken again, the same data has the same hash.
SELECT module_versioning.restore_module_data(:'backup', ARRAY['computed'], false);
SELECT root_hash = :'root_hash' AS same, stored_bytes FROM module_versioning.snapshot_module_data(:'site', :'module');

-- A tenth of the rows go, others change, others come; swapped values of unique columns among them.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SET LOCAL session_replication_role = replica;
DELETE FROM node WHERE id % 10 = 3; DELETE FROM hen WHERE id % 10 = 4; DELETE FROM egg WHERE id % 10 = 5; DELETE FROM part WHERE id % 10 = 6;
DELETE FROM a_child WHERE id % 10 = 7; DELETE FROM booking WHERE id % 10 = 8; DELETE FROM guarded WHERE id % 10 = 9;
UPDATE node SET later = NULL WHERE id % 7 = 1; UPDATE egg SET hen = 1 WHERE id % 7 = 2; UPDATE booking SET code = 'd' || id, during = NULL WHERE id % 7 = 3;
UPDATE guarded SET body = NULL WHERE id % 7 = 4;
UPDATE booking SET place = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2);
INSERT INTO guarded SELECT g, 'more' FROM generate_series(2001, 2100) g;
INSERT INTO part SELECT g, 'n' FROM generate_series(2000, 2050, 2) g;
DELETE FROM twins WHERE ctid IN (SELECT ctid FROM twins LIMIT 100);
DELETE FROM by_citext WHERE n % 10 = 1; UPDATE by_citext SET n = CASE WHEN n % 2 = 0 THEN n ELSE 0 END WHERE n % 3 = 1; UPDATE extensions SET h = NULL, c = upper(c::text), ca = NULL WHERE id = 1; DELETE FROM extensions WHERE id = 2;
COMMIT;
SET ROLE snap_trip_owner;
DELETE FROM traps WHERE id % 10 = 0;
UPDATE traps SET b = b + 1, a = 0 WHERE id % 7 = 5;
RESET ROLE;
DELETE FROM fired;
SELECT * FROM module_versioning.diff_snapshot(:'backup') WHERE inserted + updated + deleted > 0;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false) WHERE rows_restored + rows_deleted > 0;
SELECT t AS different FROM public.snap_trip_before WHERE h IS DISTINCT FROM public.snap_trip_hash(t::regclass);
SELECT * FROM fired;
-- The foreign keys hold: the server checks them all again.
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', conrelid::regclass, conname, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = :'own'::regnamespace ORDER BY conname \gexec

DROP FUNCTION public.snap_trip_hash;
DROP TABLE public.snap_trip_samples, public.snap_trip_before;
