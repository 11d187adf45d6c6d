-- Every kind of object is part of a schema's fingerprint, with its comment and its grants: two schemas made in
-- different orders have one, and a single thing more or other makes another.
\set VERBOSITY default
SET client_min_messages = warning;
CREATE ROLE kinds_reader;
CREATE ROLE kinds_owner;

-- The same objects in any order that what they need allows.
CREATE TABLE pg_temp.parts (number integer GENERATED ALWAYS AS IDENTITY, needs integer DEFAULT 0, statement text);
INSERT INTO pg_temp.parts (needs, statement) VALUES
    (0, 'CREATE TYPE mood AS ENUM (''low'', ''high'')'),
    (0, 'CREATE DOMAIN code AS text CHECK (VALUE <> '''')'),
    (0, 'CREATE TYPE pair AS (a integer, b text)'),
    (0, 'CREATE TYPE span AS RANGE (subtype = integer)'),
    (0, 'CREATE SEQUENCE ticket'),
    (0, 'CREATE TABLE item (id integer PRIMARY KEY, name text, qty integer CONSTRAINT enough CHECK (qty > 0), parent integer, at date)'),
    (0, 'CREATE TABLE plain (a integer, b integer)'),
    (0, 'CREATE TABLE line (id integer, at date) PARTITION BY RANGE (at)'),
    (0, 'CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS ''SELECT 1'''),
    (0, 'CREATE FUNCTION g(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT true'''),
    (0, 'CREATE PROCEDURE p() LANGUAGE sql AS ''SELECT 1'''),
    (0, 'CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer)'),
    (0, 'CREATE COLLATION plainly FROM "C"'),
    (0, 'CREATE OPERATOR FAMILY ways USING btree'),
    (0, 'CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple)'),
    (0, 'CREATE CONVERSION latin FOR ''LATIN1'' TO ''UTF8'' FROM iso8859_1_to_utf8'),
    (1, 'CREATE TABLE line_2024 PARTITION OF line FOR VALUES FROM (''2024-01-01'') TO (''2025-01-01'')'),
    (1, 'ALTER TABLE item ADD CONSTRAINT parent FOREIGN KEY (parent) REFERENCES item'),
    (1, 'CREATE INDEX item_name ON item (name)'),
    (1, 'CREATE INDEX item_words ON item (lower(name)) WHERE qty > 5'),
    (1, 'CREATE VIEW short AS SELECT id, name FROM item'),
    (1, 'CREATE MATERIALIZED VIEW kept AS SELECT id FROM item'),
    (1, 'CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END'''),
    (2, 'CREATE TRIGGER watch BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION t()'),
    (1, 'CREATE RULE keep AS ON DELETE TO plain DO INSTEAD NOTHING'),
    (1, 'CREATE POLICY own ON item USING (id > 0)'),
    (1, 'CREATE STATISTICS together ON a, b FROM plain'),
    (1, 'CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = g)'),
    (2, 'CREATE OPERATOR CLASS way FOR TYPE integer USING btree FAMILY ways AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer)'),
    (1, 'CREATE TEXT SEARCH CONFIGURATION speech (COPY = simple)'),
    (2, 'CREATE FUNCTION to_pair(integer) RETURNS pair LANGUAGE sql IMMUTABLE AS ''SELECT 1, NULL::text'''),
    (3, 'CREATE CAST (integer AS pair) WITH FUNCTION to_pair(integer)');

-- What may be commented on and granted, with the number of a comment.
INSERT INTO pg_temp.parts (needs, statement)
SELECT 4, format('COMMENT ON %s IS ''About it.''', what)
FROM unnest(ARRAY['TYPE mood', 'DOMAIN code', 'TYPE pair', 'TYPE span', 'SEQUENCE ticket', 'TABLE item', 'COLUMN item.name', 'COLUMN pair.a', 'CONSTRAINT enough ON item',
    'CONSTRAINT code_check ON DOMAIN code', 'CONSTRAINT item_pkey ON item', 'INDEX item_pkey', 'INDEX item_name', 'VIEW short', 'COLUMN short.id', 'MATERIALIZED VIEW kept', 'FUNCTION f(integer)',
    'PROCEDURE p()', 'AGGREGATE total(integer)', 'COLLATION plainly', 'OPERATOR === (integer, integer)', 'OPERATOR CLASS way USING btree', 'OPERATOR FAMILY ways USING btree',
    'TEXT SEARCH DICTIONARY words', 'TEXT SEARCH CONFIGURATION speech', 'CONVERSION latin', 'TRIGGER watch ON item', 'RULE keep ON plain', 'POLICY own ON item', 'STATISTICS together']) what;
INSERT INTO pg_temp.parts (needs, statement)
SELECT 4, format('GRANT %s TO kinds_reader', what)
FROM unnest(ARRAY['USAGE ON TYPE mood', 'USAGE ON DOMAIN code', 'USAGE ON TYPE pair', 'SELECT ON SEQUENCE ticket', 'SELECT ON item', 'UPDATE (name) ON item', 'SELECT ON short', 'SELECT (id) ON short',
    'SELECT ON kept', 'EXECUTE ON FUNCTION f(integer)', 'EXECUTE ON PROCEDURE p()', 'EXECUTE ON FUNCTION total(integer)']) what;
INSERT INTO pg_temp.parts (needs, statement)
SELECT 4, format('ALTER DEFAULT PRIVILEGES IN SCHEMA %%I GRANT %s TO kinds_reader', what)
FROM unnest(ARRAY['SELECT ON TABLES', 'USAGE ON SEQUENCES', 'EXECUTE ON FUNCTIONS', 'USAGE ON TYPES']) what;

CREATE FUNCTION pg_temp.build(schema_name text, backwards boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text;
BEGIN
    EXECUTE format('CREATE SCHEMA %I', schema_name);
    PERFORM set_config('search_path', format('%I', schema_name), true);
    FOR part IN SELECT replace(p.statement, '%I', quote_ident(schema_name)) FROM pg_temp.parts p ORDER BY p.needs, CASE WHEN backwards THEN -p.number ELSE p.number END LOOP
        -- A cast belongs to the database: there can be only one.
        CONTINUE WHEN part LIKE 'CREATE CAST%' AND backwards;
        EXECUTE part;
    END LOOP;
END
$$;
DO $$ BEGIN PERFORM pg_temp.build('kinds_one', false); END $$;
DO $$ BEGIN PERFORM pg_temp.build('Kinds "two"', true); END $$;
RESET search_path;
SELECT change, object_type, object_name, detail -> 'before' AS before, detail -> 'after' AS after
FROM module_versioning.schema_diff(module_versioning.capture_schema('kinds_one'), module_versioning.capture_schema('Kinds "two"'));

-- Each of these is another schema.
CREATE FUNCTION pg_temp.differs(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := module_versioning.schema_fingerprint('kinds_one');
    result text;
BEGIN
    BEGIN
        SET LOCAL search_path = kinds_one;
        EXECUTE statement;
        RESET search_path;
        result := CASE WHEN module_versioning.schema_fingerprint('kinds_one') <> before THEN 'differs' ELSE 'the same' END;
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN result;
    END;
END
$$;
CREATE TABLE pg_temp.single (number integer GENERATED ALWAYS AS IDENTITY, statement text);
-- Without any of the comments, grants and objects that nothing needs.
INSERT INTO pg_temp.single (statement)
SELECT CASE WHEN statement LIKE 'COMMENT%' THEN replace(statement, '''About it.''', 'NULL')
            WHEN statement LIKE 'GRANT%' THEN regexp_replace(regexp_replace(statement, '^GRANT', 'REVOKE'), ' TO kinds_reader$', ' FROM kinds_reader')
            ELSE regexp_replace(regexp_replace(replace(statement, '%I', 'kinds_one'), ' GRANT ', ' REVOKE '), ' TO kinds_reader$', ' FROM kinds_reader') END
FROM pg_temp.parts WHERE needs = 4 ORDER BY number;
INSERT INTO pg_temp.single (statement) VALUES
    ('ALTER OPERATOR FAMILY ways USING btree ADD OPERATOR 1 < (integer, bigint)'),
    ('DROP OPERATOR CLASS way USING btree'),
    ('ALTER OPERATOR CLASS way USING btree RENAME TO road'),
    ('ALTER OPERATOR FAMILY ways USING btree OWNER TO kinds_owner'),
    ('ALTER TEXT SEARCH CONFIGURATION speech ALTER MAPPING FOR word WITH words, simple'),
    ('ALTER TEXT SEARCH CONFIGURATION speech DROP MAPPING FOR email'),
    ('ALTER TEXT SEARCH DICTIONARY words (Accept = false)'),
    ('ALTER STATISTICS together SET STATISTICS 500'),
    ('ALTER TABLE item ALTER name SET STATISTICS 500'),
    ('ALTER INDEX item_words ALTER COLUMN 1 SET STATISTICS 500'),
    ('ALTER TABLE item ALTER name SET (n_distinct = 5)'),
    ('ALTER TABLE item SET (toast.autovacuum_enabled = false)'),
    ('ALTER TABLE item SET (autovacuum_enabled = false)'),
    ('ALTER INDEX item_name SET (fillfactor = 50)'),
    ('ALTER INDEX item_pkey SET (fillfactor = 50)'),
    ('ALTER TABLE item CLUSTER ON item_pkey'),
    ('ALTER TABLE item CLUSTER ON item_name'),
    ('ALTER TABLE item REPLICA IDENTITY USING INDEX item_pkey'),
    ('ALTER FUNCTION f(integer) SUPPORT array_unnest_support'),
    ('ALTER FUNCTION f(integer) COST 5'),
    ('ALTER FUNCTION f(integer) PARALLEL SAFE'),
    ('ALTER FUNCTION f(integer) SET work_mem = ''64kB'''),
    ('CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, PARALLEL = SAFE)'),
    ('CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer)'),
    ('DROP CAST (integer AS pair)'),
    ('CREATE CAST (text AS mood) WITH INOUT AS ASSIGNMENT'),
    ('DROP CONVERSION latin'),
    ('ALTER TABLE item ALTER name SET STORAGE external'),
    ('ALTER TABLE item ALTER name SET COMPRESSION pglz'),
    ('ALTER TABLE item ENABLE ROW LEVEL SECURITY'),
    ('ALTER TABLE item FORCE ROW LEVEL SECURITY'),
    ('ALTER TABLE item ENABLE ALWAYS TRIGGER watch'),
    ('ALTER TABLE plain ENABLE REPLICA RULE keep'),
    ('ALTER TABLE item SET UNLOGGED'),
    ('ALTER TABLE item ALTER CONSTRAINT parent DEFERRABLE'),
    ('ALTER TABLE item ALTER id ADD GENERATED ALWAYS AS IDENTITY'),
    ('ALTER VIEW short SET (security_barrier)'),
    ('ALTER VIEW short ALTER name SET DEFAULT ''x'''),
    ('ALTER TYPE mood RENAME VALUE ''low'' TO ''lower'''),
    ('ALTER DOMAIN code ADD CHECK (VALUE <> ''x'') NOT VALID'),
    ('ALTER DOMAIN code SET DEFAULT ''x'''),
    ('ALTER TYPE span RENAME TO reach'),
    ('ALTER SEQUENCE ticket CYCLE'),
    ('ALTER SEQUENCE ticket OWNED BY item.id'),
    ('ALTER MATERIALIZED VIEW kept OWNER TO kinds_owner'),
    ('GRANT SELECT ON item TO kinds_reader WITH GRANT OPTION'),
    ('GRANT UPDATE (qty) ON item TO kinds_reader'),
    ('GRANT USAGE ON SCHEMA kinds_one TO kinds_reader'),
    ('ALTER SCHEMA kinds_one OWNER TO kinds_owner'),
    ('COMMENT ON SCHEMA kinds_one IS ''x''');
SELECT count(*) AS statements, count(*) FILTER (WHERE pg_temp.differs(statement) = 'differs') AS differ FROM pg_temp.single;
SELECT statement FROM pg_temp.single WHERE pg_temp.differs(statement) <> 'differs' ORDER BY number;

-- What is no part of a schema.
SELECT statement, pg_temp.differs(statement)
FROM unnest(ARRAY['INSERT INTO item (id) VALUES (1)', 'SELECT nextval(''ticket'')', 'ANALYZE item', 'CREATE TEMPORARY TABLE x (a integer)',
    'CREATE STATISTICS public.kinds_elsewhere ON a, b FROM plain', 'ALTER ROLE kinds_reader SET work_mem = ''1MB''']) statement;

-- What is put together is what the server prints.
CREATE SCHEMA kinds_keys;
SET search_path = kinds_keys;
CREATE TABLE "order" (id integer PRIMARY KEY, "user" text COLLATE "C", "Odd ""name" varchar(10), c char(3), arr integer[], st timestamptz(3),
    UNIQUE ("user", "Odd ""name"), UNIQUE (id, "user") INCLUDE (c), UNIQUE NULLS NOT DISTINCT (c), UNIQUE (c, id) DEFERRABLE, UNIQUE ("user") WITH (fillfactor = 50));
CREATE TABLE child (id bigint PRIMARY KEY, a integer REFERENCES "order", b integer REFERENCES "order" (id) ON UPDATE CASCADE ON DELETE SET NULL, c integer REFERENCES "order" ON DELETE SET DEFAULT ON UPDATE RESTRICT DEFERRABLE,
    u text, o varchar, FOREIGN KEY (u, o) REFERENCES "order" ("user", "Odd ""name") MATCH FULL, d integer, e text, FOREIGN KEY (d, e) REFERENCES "order" (id, "user") ON DELETE SET NULL (e), CHECK (a > 0) NO INHERIT);
CREATE TABLE pg_odd (id integer PRIMARY KEY, other integer REFERENCES pg_odd);
CREATE INDEX ON "order" ("user"); CREATE INDEX ON "order" ("user" COLLATE "C"); CREATE INDEX ON "order" ("user" COLLATE "POSIX"); CREATE INDEX ON "order" ("Odd ""name"); CREATE INDEX ON "order" ("Odd ""name" varchar_pattern_ops);
CREATE INDEX ON "order" (c); CREATE INDEX ON "order" (arr); CREATE INDEX ON "order" USING gin (arr); CREATE INDEX ON "order" (id DESC); CREATE INDEX ON "order" (id NULLS FIRST); CREATE INDEX ON "order" (id) INCLUDE (c);
CREATE INDEX ON "order" (id) WHERE id > 5; CREATE INDEX ON "order" (lower("user")); CREATE UNIQUE INDEX ON "order" (id, c) WITH (fillfactor = 50); CREATE INDEX ON "order" USING hash (id); CREATE INDEX ON "order" USING brin (st);
CREATE UNIQUE INDEX ON "order" (id) NULLS NOT DISTINCT; CREATE INDEX ON "order" (id, "user", st);
CREATE FUNCTION pg_temp.misprinted(captured jsonb) RETURNS TABLE (total bigint, other bigint) LANGUAGE sql AS $$
    WITH part AS (
        SELECT p.value ->> 'definition' AS definition, regexp_replace(pg_get_constraintdef(k.oid, true), ' NOT VALID$', '') AS printed
        FROM jsonb_each(captured -> 'relations') r, jsonb_each(r.value -> 'constraints') p
        JOIN pg_constraint k ON k.conname = p.key AND k.connamespace = 'kinds_keys'::regnamespace
        WHERE k.conrelid = format('kinds_keys.%I', r.key)::regclass
        UNION ALL
        SELECT p.value ->> 'definition', regexp_replace(pg_get_indexdef(i.oid, 0, true), '^.*? USING ', 'USING ')
        FROM jsonb_each(captured -> 'relations') r, jsonb_each(r.value -> 'indexes') p
        JOIN pg_class i ON i.relname = p.key AND i.relnamespace = 'kinds_keys'::regnamespace)
    SELECT count(*), count(*) FILTER (WHERE definition IS DISTINCT FROM printed) FROM part
$$;
SET search_path = pg_catalog, kinds_keys;
SELECT * FROM pg_temp.misprinted(module_versioning.capture_schema('kinds_keys'));
SET search_path = pg_catalog;
SELECT * FROM pg_temp.misprinted(module_versioning._capture_schemas() -> 'kinds_keys');
RESET search_path;

DROP SCHEMA kinds_one, "Kinds ""two""", kinds_keys CASCADE;
DROP ROLE kinds_reader, kinds_owner;
