-- A schema as a document: every kind of object is in it, equal schemas give equal documents, anything
-- more makes another fingerprint.
\set VERBOSITY default
SET client_min_messages = warning;
CREATE ROLE schema_reader;

-- One of everything, in an order of its own.
CREATE SCHEMA schema_one;
SET search_path = schema_one;
CREATE TYPE state AS ENUM ('new', 'paid', 'o''k');
CREATE DOMAIN amount AS numeric(12,2) NOT NULL DEFAULT 0 CHECK (VALUE >= 0);
CREATE TYPE address AS (street text COLLATE "C", zip varchar(10));
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE SEQUENCE numbers START 5 INCREMENT 2 MAXVALUE 1001 CACHE 10 CYCLE;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    "Odd ""name" text COLLATE "C" DEFAULT 'x',
    home address,
    shout text GENERATED ALWAYS AS (email || '!') STORED,
    tags text[] DEFAULT '{}',
    number serial
);
ALTER TABLE customers ALTER email SET STORAGE external, ALTER email SET STATISTICS 200, ALTER email SET (n_distinct = -1);
CREATE TABLE orders (
    id bigint,
    customer integer REFERENCES customers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    st state DEFAULT 'new',
    total amount,
    placed date,
    CHECK (total < 1000000),
    PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX orders_total ON orders (total) WHERE total > 10;
CREATE TABLE base (a integer);
CREATE TABLE derived (b integer) INHERITS (base) WITH (fillfactor = 70);
CREATE UNLOGGED TABLE scratch (id integer, EXCLUDE USING gist (int4range(id, id + 1) WITH &&));
CREATE UNIQUE INDEX scratch_twice ON scratch ((id * 2));
CREATE TABLE homes OF address;
CREATE VIEW late WITH (security_barrier) AS SELECT id, email, upper(email) AS loud FROM customers WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE VIEW paid AS SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer = c.id WHERE o.st = 'paid';
CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(total) AS total FROM orders GROUP BY 1 WITH NO DATA;
CREATE FUNCTION total(of_customer integer, OUT amount numeric) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = schema_one, pg_temp AS 'SELECT sum(total) FROM orders WHERE customer = of_customer';
CREATE FUNCTION atomic(i integer DEFAULT 3, VARIADIC j integer[] DEFAULT '{1}') RETURNS SETOF customers
    LANGUAGE sql BEGIN ATOMIC SELECT * FROM customers WHERE id = i; END;
CREATE PROCEDURE halve(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := a / 2; END';
CREATE AGGREGATE all_of(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE FUNCTION same(address, address) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT true';
CREATE OPERATOR === (LEFTARG = address, RIGHTARG = address, FUNCTION = same, COMMUTATOR = ===);
CREATE TRIGGER stamp BEFORE UPDATE OF email ON customers FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION stamp();
CREATE CONSTRAINT TRIGGER "late one" AFTER INSERT ON customers DEFERRABLE FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE customers DISABLE TRIGGER stamp;
CREATE RULE no_delete AS ON DELETE TO customers DO INSTEAD NOTHING;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customers FOR SELECT USING (email = current_user);
CREATE POLICY strict ON customers AS RESTRICTIVE TO schema_reader USING (id > 0) WITH CHECK (id < 100);
ALTER TABLE base REPLICA IDENTITY FULL;
CREATE STATISTICS customer_stats (dependencies) ON email, id FROM customers;
GRANT SELECT ON customers TO schema_reader;
GRANT UPDATE (email) ON customers TO schema_reader WITH GRANT OPTION;
GRANT USAGE ON SCHEMA schema_one TO schema_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA schema_one GRANT SELECT ON TABLES TO schema_reader;
COMMENT ON SCHEMA schema_one IS 'A shop.';
COMMENT ON TABLE customers IS 'People.';
COMMENT ON COLUMN customers.email IS 'Mail.';
COMMENT ON CONSTRAINT orders_total_check ON orders IS 'Not too much.';
COMMENT ON POLICY own ON customers IS 'Their own.';
RESET search_path;

-- Columns, constraints and all else of a table.
SELECT jsonb_pretty(module_versioning.capture_schema('schema_one') -> 'relations' -> 'customers') AS customers;
SELECT jsonb_pretty(module_versioning.capture_schema('schema_one') -> 'relations' -> 'orders') AS orders;
-- What the other relations have that these don't.
SELECT r.key AS relation, r.value - 'columns' - 'owner' AS described
FROM jsonb_each(module_versioning.capture_schema('schema_one') -> 'relations') r
WHERE r.key NOT IN ('customers', 'orders')
ORDER BY r.key COLLATE "C";
SELECT r.key AS function, r.value - 'owner' AS described
FROM jsonb_each(module_versioning.capture_schema('schema_one') -> 'functions') r
ORDER BY r.key COLLATE "C";
SELECT r.key AS kind, o.key AS object, o.value - 'owner' AS described
FROM jsonb_each(module_versioning.capture_schema('schema_one') - '{relations,functions}'::text[]) r,
     jsonb_each(CASE jsonb_typeof(r.value) WHEN 'object' THEN r.value END) o
ORDER BY r.key COLLATE "C", o.key COLLATE "C";
SELECT r.key AS property, r.value
FROM jsonb_each(module_versioning.capture_schema('schema_one')) r
WHERE jsonb_typeof(r.value) <> 'object' AND r.key <> 'owner'
ORDER BY r.key COLLATE "C";

-- The same in another schema and in another order: other OIDs, other numbers, another order of columns.
CREATE SCHEMA "Schema two";
SET search_path = "Schema two";
CREATE TABLE scratch (trash integer, id integer);
ALTER TABLE scratch DROP trash;
ALTER TABLE scratch SET UNLOGGED;
CREATE UNIQUE INDEX scratch_twice ON scratch ((id * 2));
ALTER TABLE scratch ADD EXCLUDE USING gist (int4range(id, id + 1) WITH &&);
CREATE TYPE address AS (street text COLLATE "C", zip varchar(10));
CREATE FUNCTION same(address, address) RETURNS boolean PARALLEL SAFE IMMUTABLE STRICT LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR === (LEFTARG = address, RIGHTARG = address, FUNCTION = same, COMMUTATOR = ===);
CREATE TABLE homes OF address;
CREATE TYPE state AS ENUM ('new', 'o''k');
ALTER TYPE state ADD VALUE 'paid' AFTER 'new';
CREATE DOMAIN amount AS numeric(12,2) CHECK (VALUE >= 0);
ALTER DOMAIN amount SET DEFAULT 0;
ALTER DOMAIN amount SET NOT NULL;
CREATE TABLE customers (
    tags text[] DEFAULT '{}',
    email varchar,
    home address,
    "Odd ""name" text COLLATE "C" DEFAULT 'x',
    number serial,
    id integer PRIMARY KEY
);
ALTER TABLE customers ALTER id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE customers ALTER email TYPE text, ALTER email SET NOT NULL, ADD UNIQUE (email),
    ADD shout text GENERATED ALWAYS AS (email || '!') STORED;
ALTER TABLE customers ALTER email SET STORAGE external, ALTER email SET STATISTICS 200, ALTER email SET (n_distinct = -1);
CREATE POLICY strict ON customers AS RESTRICTIVE TO schema_reader USING (id > 0) WITH CHECK (id < 100);
CREATE POLICY own ON customers FOR SELECT USING (email = current_user);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE TABLE base (a integer);
CREATE TABLE derived (a integer, b integer) WITH (fillfactor = 70);
ALTER TABLE derived INHERIT base;
ALTER TABLE base REPLICA IDENTITY FULL;
CREATE TABLE orders (
    placed date, total amount, st state DEFAULT 'new', customer integer, id bigint,
    PRIMARY KEY (id, placed), CHECK (total < 1000000)
) PARTITION BY RANGE (placed);
CREATE TABLE orders_2024 (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX orders_total ON orders (total) WHERE total > 10;
CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(total) AS total FROM orders GROUP BY 1 WITH NO DATA;
CREATE VIEW paid AS SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer = c.id WHERE o.st = 'paid';
CREATE VIEW late AS SELECT id, email, upper(email) AS loud FROM customers WHERE id > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW late SET (security_barrier);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE CONSTRAINT TRIGGER "late one" AFTER INSERT ON customers DEFERRABLE FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER stamp BEFORE UPDATE OF email ON customers FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION stamp();
ALTER TABLE customers DISABLE TRIGGER stamp;
CREATE RULE no_delete AS ON DELETE TO customers DO INSTEAD NOTHING;
CREATE STATISTICS customer_stats (dependencies) ON id, email FROM customers;
CREATE SEQUENCE numbers CACHE 10 MAXVALUE 1001 INCREMENT 2 START 5 CYCLE;
CREATE TYPE span AS RANGE (subtype_diff = float8mi, subtype = float8);
CREATE PROCEDURE halve(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := a / 2; END';
CREATE AGGREGATE all_of(integer) (INITCOND = '0', STYPE = integer, SFUNC = int4pl);
CREATE FUNCTION total(of_customer integer, OUT amount numeric) LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = "Schema two", pg_temp AS 'SELECT sum(total) FROM orders WHERE customer = of_customer';
GRANT USAGE ON SCHEMA "Schema two" TO schema_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Schema two" GRANT SELECT ON TABLES TO schema_reader;
GRANT UPDATE (email) ON customers TO schema_reader WITH GRANT OPTION;
GRANT SELECT ON customers TO schema_reader;
-- The default privileges came first there and last here.
COMMENT ON COLUMN customers.email IS 'Mail.';
COMMENT ON TABLE customers IS 'People.';
COMMENT ON SCHEMA "Schema two" IS 'A shop.';
COMMENT ON POLICY own ON customers IS 'Their own.';
COMMENT ON CONSTRAINT orders_total_check ON orders IS 'Not too much.';
RESET search_path;
-- Made of all columns in their order, it can't be the same there.
DROP FUNCTION schema_one.atomic(integer, integer[]);
SELECT change, object_type, object_name, detail -> 'before' AS before, detail -> 'after' AS after
FROM module_versioning.schema_diff(module_versioning.capture_schema('schema_one'), module_versioning.capture_schema('Schema two'));
SELECT module_versioning.schema_fingerprint('schema_one') = module_versioning.schema_fingerprint('Schema two') AS equal,
       module_versioning.schema_fingerprint('schema_one') ~ '^[0-9a-f]{64}$' AS is_sha_256;

-- Whatever the session has set, and whoever asks.
SELECT module_versioning.schema_fingerprint('schema_one') AS fingerprint \gset
SET search_path = schema_one, pg_catalog;
SET quote_all_identifiers = on;
SET DateStyle = 'German';
SELECT module_versioning.schema_fingerprint('schema_one') = :'fingerprint' AS equal;
RESET search_path;
RESET quote_all_identifiers;
RESET DateStyle;

-- Read-only: in a transaction that may not write.
BEGIN READ ONLY;
SELECT module_versioning.schema_fingerprint('schema_one') = :'fingerprint' AS equal;
COMMIT;

-- A single thing more or other, and it is another schema.
CREATE FUNCTION pg_temp.differs(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before text := module_versioning.schema_fingerprint('schema_one');
    result boolean;
BEGIN
    BEGIN
        EXECUTE statement;
        result := module_versioning.schema_fingerprint('schema_one') <> before;
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN result;
    END;
END
$$;
SET search_path = schema_one, pg_temp, public;
SELECT statement, pg_temp.differs(statement)
FROM unnest(ARRAY[
    'GRANT INSERT ON customers TO schema_reader',
    'GRANT UPDATE (id) ON customers TO schema_reader',
    'GRANT EXECUTE ON FUNCTION stamp() TO schema_reader',
    'REVOKE EXECUTE ON FUNCTION stamp() FROM PUBLIC',
    'GRANT USAGE ON SEQUENCE numbers TO schema_reader',
    'GRANT CREATE ON SCHEMA schema_one TO schema_reader',
    'REVOKE USAGE ON TYPE state FROM PUBLIC',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA schema_one GRANT USAGE ON SEQUENCES TO schema_reader',
    'COMMENT ON COLUMN customers.id IS ''The number.''',
    'COMMENT ON INDEX orders_total IS ''By total.''',
    'COMMENT ON FUNCTION stamp() IS ''Does nothing.''',
    'COMMENT ON TYPE state IS ''How far it is.''',
    'COMMENT ON TRIGGER stamp ON customers IS ''Off.''',
    'CREATE POLICY more ON customers USING (true)',
    'ALTER POLICY own ON customers USING (true)',
    'ALTER TABLE customers FORCE ROW LEVEL SECURITY',
    'ALTER TABLE orders ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE customers ENABLE TRIGGER stamp',
    'ALTER TABLE customers ENABLE ALWAYS TRIGGER stamp',
    'ALTER TABLE customers OWNER TO schema_reader',
    'ALTER TABLE customers ALTER email SET STORAGE main',
    'ALTER TABLE customers ALTER email SET STATISTICS 10',
    'ALTER TABLE customers ALTER id SET GENERATED BY DEFAULT',
    'ALTER TABLE customers ALTER tags DROP DEFAULT',
    'ALTER TABLE customers ALTER tags SET NOT NULL',
    'ALTER TABLE customers SET (fillfactor = 50)',
    'ALTER TABLE scratch SET LOGGED',
    'ALTER TABLE base REPLICA IDENTITY DEFAULT',
    'ALTER TABLE derived NO INHERIT base',
    'ALTER TABLE orders DETACH PARTITION orders_2024',
    'CREATE INDEX ON customers (number)',
    'ALTER INDEX orders_total RENAME TO other',
    'ALTER TABLE customers RENAME CONSTRAINT customers_pkey TO other',
    'ALTER VIEW late RESET (security_barrier)',
    'REFRESH MATERIALIZED VIEW sums',
    'ALTER TYPE state ADD VALUE ''lost''',
    'ALTER TYPE state RENAME VALUE ''paid'' TO ''settled''',
    'ALTER DOMAIN amount DROP NOT NULL',
    'ALTER TYPE address ADD ATTRIBUTE city text CASCADE',
    'ALTER SEQUENCE numbers INCREMENT 3',
    'ALTER FUNCTION stamp() SECURITY DEFINER',
    'ALTER FUNCTION stamp() STABLE',
    'ALTER FUNCTION stamp() SET work_mem = ''1MB''',
    'ALTER FUNCTION same(address, address) PARALLEL UNSAFE',
    'CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN OLD; END''',
    'ALTER STATISTICS customer_stats RENAME TO other',
    'DROP RULE no_delete ON customers']) statement
WHERE pg_temp.differs(statement) IS DISTINCT FROM true;
-- And what is no part of a schema makes no difference.
SELECT statement, pg_temp.differs(statement)
FROM unnest(ARRAY[
    'INSERT INTO base VALUES (1)',
    'SELECT nextval(''numbers'')',
    'ANALYZE base',
    'CREATE TEMPORARY TABLE passing (a integer)',
    'CREATE TABLE public.schema_elsewhere (a integer)',
    'CLUSTER base USING base_a',
    'ALTER TABLE base ADD b integer; ALTER TABLE base DROP b']) statement
WHERE statement !~ 'CLUSTER' AND pg_temp.differs(statement) IS DISTINCT FROM false;
RESET search_path;

-- Names that look like the model's own words, and what a name may hold.
CREATE SCHEMA "schema ""three""";
CREATE TABLE "schema ""three"""."columns" ("identity" integer, "position" text, "a.b" integer, "Ä 'ö'" text DEFAULT E'\\ ''');
SELECT jsonb_pretty(module_versioning.capture_schema('schema "three"') -> 'relations' -> 'columns' -> 'columns');

-- What belongs to an extension is left out, the extension is named.
SELECT jsonb_object_keys(module_versioning.capture_schema('module_versioning') -> 'others') ~ '^extension module_versioning$' AS named,
       module_versioning.capture_schema('module_versioning') ? 'relations' AS has_relations;

-- Refusals.
SELECT module_versioning.capture_schema(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.schema_fingerprint(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.capture_schema('no_such_schema');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.schema_fingerprint('Schema_One');
\echo :LAST_ERROR_SQLSTATE

DROP SCHEMA schema_one, "Schema two", "schema ""three""" CASCADE;
DROP ROLE schema_reader;
