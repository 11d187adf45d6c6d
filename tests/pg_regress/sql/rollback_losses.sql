-- What plan_rollback says that is lost, beside what is gone when the rollback has run with strategy down
-- (in a transaction that is undone).
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE losses_owner NOLOGIN;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO losses_owner', current_database()); END $$;

-- Every row of a schema: table, key, and the values that are its own (no generated ones).
CREATE FUNCTION pg_temp.image(schema text) RETURNS TABLE (tab text, key text, val jsonb) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    FOR r IN
        SELECT c.oid, c.relname,
               (SELECT string_agg(quote_ident(a.attname) || '::text', ',' ORDER BY a.attnum)
                FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
               (SELECT coalesce(array_agg(a.attname::text), '{}') FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attgenerated <> '') AS derived
        FROM pg_class c WHERE c.relnamespace = schema::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, coalesce(concat_ws(''/'', %s), row_number() OVER (ORDER BY t::text)::text), to_jsonb(t) - %L::text[] FROM %s t',
            r.relname, coalesce(r.key, 'NULL'), r.derived, r.oid::regclass);
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.defaults(schema text) RETURNS TABLE (tab text, col text, val jsonb) LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    FOR r IN SELECT c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) AS expression
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated = ''
             JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
             WHERE c.relnamespace = schema::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        IF r.expression !~ 'nextval|random|fail' THEN
            RETURN QUERY EXECUTE format('SELECT %L::text, %L::text, to_jsonb(%s)', r.relname, r.attname, r.expression);
        END IF;
    END LOOP;
END $$;

-- What is lost when it runs: rows of tables, values of columns.
CREATE FUNCTION pg_temp.truth(site uuid, module uuid, target module_versioning.semver, schema text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE before jsonb; after jsonb; defaults jsonb; change record; found text;
BEGIN
    SELECT coalesce(jsonb_agg(i), '[]') INTO before FROM pg_temp.image(schema) i;
    SELECT coalesce(jsonb_agg(d), '[]') INTO defaults FROM pg_temp.defaults(schema) d;
    BEGIN
        SELECT * INTO change FROM module_versioning.rollback_module(site, module, target, 'down', force => true);
        SELECT coalesce(jsonb_agg(i), '[]') INTO after FROM pg_temp.image(schema) i;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'MV000';
    EXCEPTION WHEN SQLSTATE 'MV000' THEN NULL;
    END;
    IF change.status <> 'success' THEN
        RETURN change.status || ' ' || change.sqlstate;
    END IF;
    WITH b AS (SELECT * FROM jsonb_to_recordset(before) AS x (tab text, key text, val jsonb)),
         a AS (SELECT * FROM jsonb_to_recordset(after) AS x (tab text, key text, val jsonb)),
         d AS (SELECT * FROM jsonb_to_recordset(defaults) AS x (tab text, col text, val jsonb)),
         lost AS (
             SELECT b.tab AS what FROM b WHERE NOT EXISTS (SELECT FROM a WHERE (a.tab, a.key) = (b.tab, b.key))
             UNION ALL
             SELECT b.tab || '.' || v.key
             FROM b JOIN a USING (tab, key) CROSS JOIN jsonb_each(b.val) v
             WHERE v.value <> 'null' AND v.value IS DISTINCT FROM a.val -> v.key
               AND NOT EXISTS (SELECT FROM d WHERE d.tab = b.tab AND d.col = v.key AND d.val = v.value))
    SELECT string_agg(format('%s=%s', what, n), ' ' ORDER BY what) INTO found
    FROM (SELECT what, count(*) AS n FROM lost GROUP BY what) counted;
    RETURN coalesce(found, 'nothing');
END $$;
-- What the plan says, in the same words; what isn't certain has a tilde.
CREATE FUNCTION pg_temp.planned(site uuid, module uuid, target module_versioning.semver) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(format('%s%s%s', w.what, CASE WHEN w.certain THEN '=' ELSE '~' END, w.n), ' ' ORDER BY w.what), 'nothing')
    FROM (SELECT (l ->> 'table') || coalesce('.' || (l ->> 'column'), '') AS what, (l ->> 'certain')::boolean AS certain,
                 sum(coalesce((l ->> 'values')::int, (l ->> 'rows')::int)) AS n
          FROM module_versioning.plan_rollback(site, module, target) p, jsonb_array_elements(p.data_loss) l
          GROUP BY 1, 2) w
$$;

\echo The shop, from 2.0.0 to 1.1.0: ten states of its rows
SELECT id AS shop FROM module_versioning.register_module('losses-shop', schema_name => 'losses_shop', owner_role => 'losses_owner') \gset
SELECT id AS north FROM module_versioning.register_site('losses-north') \gset
SELECT id AS south FROM module_versioning.register_site('losses-south') \gset
SELECT count(module_versioning.create_version(:'shop', v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0', '2.0.0']) v;
SELECT sequence FROM module_versioning.add_migration(:'shop', '1.0.0', $up$
    CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site_id uuid NOT NULL, full_name text NOT NULL, email text NOT NULL,
        preferences jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site_id uuid NOT NULL, customer_id bigint NOT NULL REFERENCES customers,
        status text NOT NULL DEFAULT 'open', updated_at timestamptz NOT NULL DEFAULT now());
    CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
    CREATE TRIGGER orders_updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
    ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
    CREATE POLICY customers_of_site ON customers USING (site_id::text = current_setting('app.site_id', true));
$up$, 'DROP TABLE orders, customers; DROP FUNCTION touch_updated_at()');
SELECT sequence FROM module_versioning.add_migration(:'shop', '1.1.0', $up$
    CREATE TABLE coupons (site_id uuid NOT NULL, code text NOT NULL, percent integer NOT NULL, PRIMARY KEY (site_id, code));
    ALTER TABLE customers ADD COLUMN loyalty_points integer NOT NULL DEFAULT 0;
$up$, 'ALTER TABLE customers DROP COLUMN loyalty_points; DROP TABLE coupons');
SELECT sequence FROM module_versioning.add_migration(:'shop', '1.1.0', $up$
    INSERT INTO coupons (site_id, code, percent) VALUES (module_versioning.current_site_id(), 'WELCOME', 10);
$up$, $down$ DELETE FROM coupons WHERE site_id = module_versioning.current_site_id() AND code = 'WELCOME' $down$, scope => 'site');
SELECT sequence FROM module_versioning.add_migration(:'shop', '2.0.0', $up$
    ALTER TABLE customers ADD COLUMN first_name text, ADD COLUMN last_name text;
    UPDATE customers SET first_name = split_part(full_name, ' ', 1),
                         last_name = substr(full_name, length(split_part(full_name, ' ', 1)) + 2);
    ALTER TABLE customers DROP COLUMN full_name;
$up$, $down$
    ALTER TABLE customers ADD COLUMN full_name text;
    UPDATE customers SET full_name = trim(concat_ws(' ', first_name, last_name));
    ALTER TABLE customers ALTER COLUMN full_name SET NOT NULL;
    ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;
$down$);
SELECT count(module_versioning.publish_version(v.id)) FROM (SELECT * FROM module_versioning.module_versions WHERE module_id = :'shop' ORDER BY version) v;
SELECT status FROM module_versioning.install_module(:'north', :'shop', '1.1.0');
INSERT INTO losses_shop.customers (site_id, full_name, email)
SELECT :'north', 'Person ' || CASE WHEN n % 3 = 0 THEN '' ELSE 'van Number' || n END, 'p' || n || '@example.org' FROM generate_series(1, 20) n;
INSERT INTO losses_shop.customers (site_id, full_name, email) SELECT :'south', 'Southerner', 's@example.org';
INSERT INTO losses_shop.orders (site_id, customer_id) SELECT site_id, id FROM losses_shop.customers WHERE id < 10;
INSERT INTO losses_shop.coupons SELECT :'north', 'C' || n, n FROM generate_series(1, 3) n;
SELECT status FROM module_versioning.upgrade_module(:'north', :'shop', '2.0.0');

CREATE FUNCTION pg_temp.variant(name text, data text, site uuid, module uuid, target module_versioning.semver, schema text, OUT what text, OUT plan text, OUT truth text, OUT exact boolean) LANGUAGE plpgsql AS $$
BEGIN
    what := name;
    BEGIN
        EXECUTE replace(data, 'losses_shop.', schema || '.');
        plan := pg_temp.planned(site, module, target);
        truth := pg_temp.truth(site, module, target, schema);
        exact := plan = truth;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'MV000';
    EXCEPTION WHEN SQLSTATE 'MV000' THEN NULL;
    END;
END $$;
CREATE TEMP TABLE state (n int, name text, data text);
INSERT INTO state VALUES
    (1, 'as the upgrade left it', 'SELECT 1'),
    (2, 'new people', 'INSERT INTO losses_shop.customers (site_id, first_name, last_name, email) SELECT site_id, first_name, NULL, email FROM losses_shop.customers LIMIT 7'),
    (3, 'names cleared', 'UPDATE losses_shop.customers SET first_name = NULL WHERE id % 2 = 0; UPDATE losses_shop.customers SET last_name = NULL WHERE id % 5 = 0'),
    (4, 'no names at all', 'UPDATE losses_shop.customers SET first_name = NULL, last_name = NULL'),
    (5, 'nobody left', 'DELETE FROM losses_shop.orders; DELETE FROM losses_shop.customers'),
    (6, 'names that are blank', 'UPDATE losses_shop.customers SET first_name = '' '', last_name = '''''),
    (7, 'points collected, which stay', 'UPDATE losses_shop.customers SET loyalty_points = id'),
    (8, 'a column of the tenant', 'ALTER TABLE losses_shop.customers ADD COLUMN nick text; UPDATE losses_shop.customers SET nick = first_name'),
    (9, 'another default for the names', 'ALTER TABLE losses_shop.customers ALTER last_name SET DEFAULT ''n/a''; UPDATE losses_shop.customers SET last_name = DEFAULT WHERE id < 4'),
    (10, 'only one person, with quotes', 'DELETE FROM losses_shop.orders; DELETE FROM losses_shop.customers WHERE id > 1; UPDATE losses_shop.customers SET last_name = $q$O'' "Neill" ; DROP$q$');
SELECT v.* FROM state, pg_temp.variant(name, data, :'north', :'shop', '1.1.0', 'losses_shop') v ORDER BY n;
\echo Further back, over three migrations
SELECT v.* FROM (VALUES
    (1, 'as the upgrade left it', 'SELECT 1'),
    (2, 'points for some', 'UPDATE losses_shop.customers SET loyalty_points = 5 WHERE id <= 4'),
    (3, 'no coupons', 'DELETE FROM losses_shop.coupons')
) state (n, name, data), LATERAL pg_temp.variant(name, data, :'north', :'shop', '1.0.0', 'losses_shop') v ORDER BY n;
\echo The other site runs it too: nothing is undone
SELECT status FROM module_versioning.install_module(:'south', :'shop', '2.0.0');
SELECT * FROM pg_temp.variant('both sites', 'SELECT 1', :'north', :'shop', '1.1.0', 'losses_shop');
\echo The same ten in a schema of its own
SELECT id AS own FROM module_versioning.register_module('losses-own', isolation => 'schema', owner_role => 'losses_owner') \gset
SELECT count(module_versioning.create_version(:'own', v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0', '2.0.0']) v;
SELECT count(module_versioning.add_migration(:'own', m.to_version, m.up_sql, m.down_sql))
FROM (SELECT * FROM module_versioning.module_migrations WHERE module_id = :'shop' ORDER BY sequence) m;
SELECT count(module_versioning.publish_version(v.id)) FROM (SELECT * FROM module_versioning.module_versions WHERE module_id = :'own' ORDER BY version) v;
SELECT status FROM module_versioning.install_module(:'north', :'own', '1.1.0');
SELECT quote_ident(i.schema_name) AS home FROM module_versioning.site_modules i WHERE i.module_id = :'own' \gset
INSERT INTO :home.customers (site_id, full_name, email)
SELECT :'north', 'Person ' || CASE WHEN n % 3 = 0 THEN '' ELSE 'van Number' || n END, 'p' || n || '@example.org' FROM generate_series(1, 20) n;
INSERT INTO :home.customers (site_id, full_name, email) SELECT :'south', 'Southerner', 's@example.org';
INSERT INTO :home.orders (site_id, customer_id) SELECT site_id, id FROM :home.customers WHERE id < 10;
SELECT status FROM module_versioning.upgrade_module(:'north', :'own', '2.0.0');
SELECT v.* FROM state, pg_temp.variant(name, data, :'north', :'own', '1.1.0', :'home') v ORDER BY n;

\echo One by one
CREATE FUNCTION pg_temp.case(name text, base text, up text, down text, data text, OUT what text, OUT plan text, OUT truth text, OUT exact boolean, OUT warnings text) LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (module_versioning.register_module('losses-case', isolation => 'schema', owner_role => 'losses_owner')).id;
    site uuid := module_versioning.site_id('losses-north');
    home text;
BEGIN
    what := name;
    BEGIN
        PERFORM module_versioning.create_version(module, '1.0.0');
        PERFORM module_versioning.create_version(module, '2.0.0');
        PERFORM module_versioning.add_migration(module, '1.0.0', base, 'SELECT 1');
        PERFORM module_versioning.add_migration(module, '2.0.0', up, down);
        PERFORM module_versioning.publish_version(v.id) FROM (SELECT * FROM module_versioning.module_versions v WHERE v.module_id = module ORDER BY version) v;
        PERFORM module_versioning.install_module(site, module, '2.0.0');
        home := (SELECT schema_name FROM module_versioning.site_modules s WHERE s.module_id = module);
        EXECUTE format('SET LOCAL search_path TO %I', home);
        EXECUTE data;
        SET LOCAL search_path TO DEFAULT;
        plan := pg_temp.planned(site, module, '1.0.0');
        SELECT array_to_string(p.warnings, '; ') INTO warnings FROM module_versioning.plan_rollback(site, module, '1.0.0') p;
        truth := pg_temp.truth(site, module, '1.0.0', home);
        exact := plan = truth;
        RAISE EXCEPTION 'undo' USING ERRCODE = 'MV000';
    EXCEPTION WHEN SQLSTATE 'MV000' THEN NULL;
    END;
END $$;
\set notes 'CREATE TABLE notes (id int PRIMARY KEY, body text, n bigint DEFAULT 0, price numeric(10,2), at timestamptz); INSERT INTO notes SELECT i, repeat(chr(64 + i), i), i, i + 0.25, ''2026-01-01 00:00:00.5+00'' FROM generate_series(1, 6) i'
SELECT c.* FROM (VALUES
    (1, 'DELETE all', 'SELECT 1', 'DELETE FROM notes', 'SELECT 1'),
    (2, 'DELETE some', 'SELECT 1', 'DELETE FROM notes WHERE id > 4 OR body = ''A''', 'SELECT 1'),
    (3, 'DELETE with USING', 'CREATE TABLE doomed (id int PRIMARY KEY); INSERT INTO doomed VALUES (2), (3)', 'DELETE FROM notes AS n USING doomed d WHERE d.id = n.id; DROP TABLE doomed', 'SELECT 1'),
    (4, 'DELETE with WITH', 'SELECT 1', 'WITH big AS (SELECT id FROM notes WHERE n > 3) DELETE FROM notes WHERE id IN (SELECT id FROM big)', 'SELECT 1'),
    (5, 'DELETE by a function of the module', 'CREATE FUNCTION is_old(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS ''SELECT $1 < 3''', 'DELETE FROM notes WHERE is_old(id); DROP FUNCTION is_old(int)', 'SELECT 1'),
    (6, 'DELETE with children that go too', 'CREATE TABLE tags (note int REFERENCES notes ON DELETE CASCADE, tag text, PRIMARY KEY (note, tag)); INSERT INTO tags SELECT i % 3 + 1, i::text FROM generate_series(1, 9) i', 'DELETE FROM notes WHERE id = 1', 'SELECT 1'),
    (7, 'DELETE with references set to NULL', 'CREATE TABLE links (id int PRIMARY KEY, note int REFERENCES notes ON DELETE SET NULL); INSERT INTO links SELECT i, i % 3 + 1 FROM generate_series(1, 9) i', 'DELETE FROM notes WHERE id <= 2', 'SELECT 1'),
    (8, 'TRUNCATE', 'SELECT 1', 'TRUNCATE notes', 'SELECT 1'),
    (9, 'TRUNCATE CASCADE', 'CREATE TABLE tags (id int PRIMARY KEY, note int REFERENCES notes); INSERT INTO tags VALUES (1, 1), (2, 1)', 'TRUNCATE notes CASCADE', 'SELECT 1'),
    (10, 'UPDATE all', 'SELECT 1', 'UPDATE notes SET body = ''x''', 'UPDATE notes SET body = ''x'' WHERE id = 1'),
    (11, 'UPDATE some', 'SELECT 1', 'UPDATE notes SET body = upper(body), n = DEFAULT WHERE id > 3', 'UPDATE notes SET body = lower(body) WHERE id = 5'),
    (12, 'UPDATE of what is NULL', 'SELECT 1', 'UPDATE notes SET body = ''x''', 'UPDATE notes SET body = NULL'),
    (13, 'DROP COLUMN', 'ALTER TABLE notes ADD extra text DEFAULT ''std''', 'ALTER TABLE notes DROP COLUMN extra', 'UPDATE notes SET extra = ''mine'' WHERE id < 3; UPDATE notes SET extra = NULL WHERE id = 6'),
    (14, 'DROP of a generated column', 'ALTER TABLE notes ADD twice bigint GENERATED ALWAYS AS (n * 2) STORED', 'ALTER TABLE notes DROP COLUMN twice', 'SELECT 1'),
    (15, 'DROP of an empty table', 'CREATE TABLE drafts (id int PRIMARY KEY)', 'DROP TABLE drafts', 'SELECT 1'),
    (16, 'DROP of a table with rows', 'CREATE TABLE drafts (id int PRIMARY KEY)', 'DROP TABLE drafts', 'INSERT INTO drafts SELECT generate_series(1, 4)'),
    (17, 'DROP of a partitioned table', 'CREATE TABLE events (id int, y int, PRIMARY KEY (id, y)) PARTITION BY LIST (y); CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1); CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2)', 'DROP TABLE events', 'INSERT INTO events SELECT i, i % 2 + 1 FROM generate_series(1, 5) i'),
    (18, 'DROP TYPE CASCADE', 'CREATE TYPE mood AS ENUM (''sad'', ''ok''); ALTER TABLE notes ADD feeling mood, ADD feelings mood[]', 'DROP TYPE mood CASCADE', 'UPDATE notes SET feeling = ''ok'' WHERE id < 3; UPDATE notes SET feelings = ''{sad}'' WHERE id < 5'),
    (19, 'DROP DOMAIN CASCADE', 'CREATE DOMAIN mail AS text CHECK (VALUE LIKE ''%@%''); ALTER TABLE notes ADD sender mail', 'DROP DOMAIN mail CASCADE', 'UPDATE notes SET sender = ''a@b'' WHERE id = 1'),
    (20, 'numeric scale cut', 'ALTER TABLE notes ALTER price TYPE numeric(12,4)', 'ALTER TABLE notes ALTER price TYPE numeric(10,2)', 'UPDATE notes SET price = 1.2345 WHERE id < 3'),
    (21, 'timestamp digits cut', 'SELECT 1', 'ALTER TABLE notes ALTER at TYPE timestamptz(0)', 'UPDATE notes SET at = ''2026-01-01 00:00+00'' WHERE id = 1'),
    (22, 'timestamp to date', 'SELECT 1', 'ALTER TABLE notes ALTER at TYPE date USING at::date', 'SELECT 1'),
    (23, 'bigint to int that fits', 'SELECT 1', 'ALTER TABLE notes ALTER n TYPE int', 'SELECT 1'),
    (24, 'bigint to int that does not fit', 'SELECT 1', 'ALTER TABLE notes ALTER n TYPE int', 'UPDATE notes SET n = 3000000000 WHERE id = 1'),
    (25, 'varchar too short', 'SELECT 1', 'ALTER TABLE notes ALTER body TYPE varchar(3)', 'SELECT 1'),
    (26, 'varchar cut by a cast', 'SELECT 1', 'ALTER TABLE notes ALTER body TYPE varchar(3) USING body::varchar(3)', 'SELECT 1'),
    (27, 'a wider type', 'SELECT 1', 'ALTER TABLE notes ALTER n TYPE numeric', 'SELECT 1'),
    (28, 'NOT NULL where there is NULL', 'ALTER TABLE notes ADD extra text', 'ALTER TABLE notes ALTER extra SET NOT NULL', 'UPDATE notes SET extra = ''x'' WHERE id > 2'),
    (29, 'renamed, then dropped', 'ALTER TABLE notes ADD extra text', 'ALTER TABLE notes RENAME TO papers; ALTER TABLE papers RENAME extra TO more; ALTER TABLE papers DROP more; ALTER TABLE papers RENAME TO notes', 'UPDATE notes SET extra = ''x'' WHERE id > 2'),
    (30, 'dropped and deleted before', 'CREATE TABLE drafts (id int PRIMARY KEY)', 'DELETE FROM drafts WHERE id < 3; DROP TABLE drafts', 'INSERT INTO drafts SELECT generate_series(1, 4)'),
    (31, 'what the script made itself', 'SELECT 1', 'CREATE TEMP TABLE scratch AS SELECT * FROM notes; DELETE FROM scratch; DROP TABLE scratch', 'SELECT 1'),
    (32, 'hidden in DO', 'CREATE TABLE drafts (id int PRIMARY KEY)', 'DO $d$ BEGIN EXECUTE ''DROP '' || ''TABLE drafts''; END $d$', 'INSERT INTO drafts VALUES (1)'),
    (33, 'words only', 'SELECT 1', '/* DROP TABLE notes; */ SELECT ''TRUNCATE notes'', "DELETE FROM notes" FROM (SELECT 1 AS "DELETE FROM notes") t', 'SELECT 1'),
    (34, 'a trigger', 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN OLD; END''; CREATE TRIGGER keep BEFORE DELETE ON notes FOR EACH ROW EXECUTE FUNCTION f()', 'DELETE FROM notes WHERE id = 1', 'SELECT 1'),
    (35, 'upsert', 'SELECT 1', 'INSERT INTO notes (id, body) VALUES (1, ''x'') ON CONFLICT (id) DO UPDATE SET body = excluded.body', 'SELECT 1'),
    (37, 'a default of the module, which is not called', 'CREATE FUNCTION fail() RETURNS text LANGUAGE plpgsql STABLE AS ''BEGIN RAISE EXCEPTION $q$called$q$; END''; ALTER TABLE notes ADD extra text; ALTER TABLE notes ALTER extra SET DEFAULT fail()', 'ALTER TABLE notes DROP extra; DROP FUNCTION fail()', 'UPDATE notes SET extra = ''x'' WHERE id > 4'),
    (38, 'an operator of the module, which is not called', 'CREATE FUNCTION fail(int, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS ''BEGIN RAISE EXCEPTION $q$called$q$; END''; CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = fail)', 'DELETE FROM notes WHERE id > 4 OR false AND id === ''x''; DROP OPERATOR === (int, text); DROP FUNCTION fail(int, text)', 'SELECT 1'),
    (39, 'a condition on a view', 'CREATE VIEW long_notes AS SELECT id FROM notes WHERE n > 4', 'DELETE FROM notes WHERE id IN (SELECT id FROM long_notes); DROP VIEW long_notes', 'SELECT 1'),
    (40, 'a domain with a check of the module', 'CREATE FUNCTION fail(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS ''BEGIN RAISE EXCEPTION $q$called$q$; END''; CREATE DOMAIN odd AS text CHECK (fail(VALUE))', 'DELETE FROM notes WHERE id = 1 OR id = 2 AND body::odd IS NULL; DROP DOMAIN odd; DROP FUNCTION fail(text)', 'SELECT 1'),
    (41, 'random rows', 'SELECT 1', 'DELETE FROM notes WHERE random() > 2', 'SELECT 1'),
    (42, 'values by another table', 'CREATE TABLE titles (id int PRIMARY KEY, title text); INSERT INTO titles VALUES (1, ''x''), (2, ''BB'')', 'UPDATE notes n SET body = t.title FROM titles t WHERE t.id = n.id; DROP TABLE titles', 'SELECT 1'),
    (43, 'two deletions', 'SELECT 1', 'DELETE FROM notes WHERE id = 1; DELETE FROM notes WHERE id < 3', 'SELECT 1'),
    (44, 'enum made anew', 'CREATE TYPE mood AS ENUM (''sad'', ''ok'', ''great''); ALTER TABLE notes ADD feeling mood', 'ALTER TABLE notes ALTER feeling TYPE text USING CASE feeling WHEN ''great'' THEN ''ok'' ELSE feeling::text END', 'UPDATE notes SET feeling = ''great'' WHERE id < 3; UPDATE notes SET feeling = ''ok'' WHERE id = 3'),
    (45, 'a column set to NULL', 'SELECT 1', 'UPDATE notes SET body = NULL WHERE price > 3', 'SELECT 1'),
    (46, 'through a view', 'CREATE VIEW all_notes AS SELECT * FROM notes', 'DELETE FROM all_notes WHERE id = 1; DROP VIEW all_notes', 'SELECT 1'),
    (47, 'a type renamed and dropped', 'CREATE TYPE mood AS ENUM (''sad'', ''ok''); ALTER TABLE notes ADD feeling mood', 'ALTER TYPE mood RENAME TO old_mood; DROP TYPE old_mood CASCADE', 'UPDATE notes SET feeling = ''ok'' WHERE id < 3'),
    (48, 'a type made anew under its name', 'CREATE TYPE mood AS ENUM (''sad'', ''ok'', ''great''); ALTER TABLE notes ADD feeling mood', 'ALTER TYPE mood RENAME TO old_mood; CREATE TYPE mood AS ENUM (''sad'', ''ok''); ALTER TABLE notes ALTER feeling TYPE mood USING CASE feeling::text WHEN ''great'' THEN ''ok'' ELSE feeling::text END::mood; DROP TYPE old_mood', 'UPDATE notes SET feeling = ''great'' WHERE id < 3'),
    (36, 'MERGE', 'SELECT 1', 'MERGE INTO notes USING (VALUES (1)) v (i) ON id = i WHEN MATCHED THEN DELETE', 'SELECT 1')
) state (n, name, up, down, data), LATERAL pg_temp.case(name, :'notes', up, down, data) c ORDER BY n;

\echo A schema with all that is in it
SELECT * FROM pg_temp.case('DROP SCHEMA', 'CREATE SCHEMA losses_extra; CREATE TABLE losses_extra.a (id int); CREATE TABLE losses_extra.b (id int); CREATE TYPE losses_extra.t AS ENUM (''x''); CREATE TABLE notes (id int PRIMARY KEY, kind losses_extra.t)', 'SELECT 1', 'DROP SCHEMA losses_extra CASCADE', 'INSERT INTO losses_extra.a VALUES (1), (2); INSERT INTO notes VALUES (1, ''x''), (2, NULL)');

\echo Nothing is written while it is planned
BEGIN READ ONLY;
SELECT jsonb_array_length(p.data_loss) AS losses, p.warnings FROM module_versioning.plan_rollback(:'north', :'shop', '1.0.0') p;
COMMIT;

DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM losses_owner', current_database()); END $$;
\echo Sequences of their own, of which the comparison of rows knows nothing
SELECT * FROM pg_temp.case('dropped', 'CREATE SEQUENCE numbers', 'SELECT 1', 'DROP SEQUENCE numbers', 'SELECT nextval(''numbers'')');
SELECT * FROM pg_temp.case('never used', 'CREATE SEQUENCE numbers', 'SELECT 1', 'DROP SEQUENCE numbers', 'SELECT 1');
SELECT * FROM pg_temp.case('set back', 'CREATE SEQUENCE numbers', 'SELECT 1', 'ALTER SEQUENCE numbers RESTART', 'SELECT nextval(''numbers'')');
SELECT * FROM pg_temp.case('of a column', 'SELECT 1', 'CREATE TABLE s (id serial PRIMARY KEY)', 'DROP TABLE s', 'SELECT nextval(''s_id_seq'')');
