-- What rehearsals say is lost: each situation with what there was before, the script, and sometimes the way
-- back. A line for each loss with its rows and values; nothing where nothing is lost.
\set VERBOSITY default
\pset format unaligned
\pset tuples_only on
SET client_min_messages TO warning;
CREATE ROLE losing_owner NOLOGIN;
CREATE ROLE losing_other_owner NOLOGIN;
GRANT losing_other_owner TO losing_owner;
SELECT format('GRANT CREATE ON DATABASE %I TO losing_owner', current_database()) \gexec
SELECT id AS module FROM module_versioning.register_module('losing', schema_name => 'losing', owner_role => 'losing_owner') \gset

-- Makes the situation, rehearses, and clears it all away.
CREATE FUNCTION pg_temp.losses(title text, before text, up text, down text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    RETURN NEXT '-- ' || title;
    CREATE SCHEMA losing AUTHORIZATION losing_owner;
    PERFORM set_config('role', 'losing_owner', true), set_config('search_path', 'losing', true);
    EXECUTE before;
    PERFORM set_config('role', 'none', true), set_config('search_path', 'pg_catalog', true);
    SELECT * INTO found FROM module_versioning.rehearse_migration(module_versioning.module_id('losing'), up, down);
    IF NOT found.ok THEN
        RETURN NEXT concat_ws(' ', 'failed', found.sqlstate, found.error_message);
    END IF;
    RETURN QUERY SELECT concat_ws(' ', w.way, f->>'kind', f->>'object', 'rows=' || (f->>'rows'), 'values=' || (f->>'values'))
        FROM (VALUES ('up', found.data_loss), ('down', found.down_data_loss)) w (way, findings)
        CROSS JOIN LATERAL jsonb_array_elements(w.findings) WITH ORDINALITY AS e (f, place)
        ORDER BY w.way DESC, e.place;
    RETURN QUERY SELECT 'warning ' || w FROM unnest(found.warnings) w WHERE w LIKE '%can''t be told%';
    DROP SCHEMA losing CASCADE;
    DROP SCHEMA IF EXISTS losing_other CASCADE;
END $$;

SELECT * FROM pg_temp.losses('drop table',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t SELECT g, 'v'||g FROM generate_series(1,5) g$before$,
  $up$DROP TABLE t$up$);
SELECT * FROM pg_temp.losses('drop empty table',
  $before$CREATE TABLE t(id int PRIMARY KEY, a text)$before$,
  $up$DROP TABLE t$up$);
SELECT * FROM pg_temp.losses('rename table, column, move schema',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t SELECT g, 'v'||g FROM generate_series(1,5) g$before$,
  $up$
    ALTER TABLE t RENAME a TO b;
    ALTER TABLE t RENAME TO u;
    CREATE SCHEMA losing_other;
    ALTER TABLE u SET SCHEMA losing_other$up$,
  $down$
    ALTER TABLE losing_other.u SET SCHEMA losing;
    ALTER TABLE u RENAME TO t;
    ALTER TABLE t RENAME b TO a$down$);
SELECT * FROM pg_temp.losses('truncate',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t SELECT g, 'v'||g FROM generate_series(1,5) g$before$,
  $up$TRUNCATE t$up$);
SELECT * FROM pg_temp.losses('drop column default and null',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text DEFAULT 'x', n numeric(10,2) DEFAULT 0);
    INSERT INTO t VALUES (1,'x',0),(2,'y',1),(3,NULL,NULL),(4,'z',0.00)$before$,
  $up$ALTER TABLE t DROP COLUMN a, DROP n$up$);
SELECT * FROM pg_temp.losses('narrow numeric',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, n numeric(10,4));
    INSERT INTO t VALUES (1,1.25),(2,1.2345),(3,NULL)$before$,
  $up$ALTER TABLE t ALTER n TYPE numeric(10,2)$up$,
  $down$ALTER TABLE t ALTER n TYPE numeric(10,4)$down$);
SELECT * FROM pg_temp.losses('int text int',
  $before$CREATE TABLE t(id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (1,1),(2,20)$before$,
  $up$ALTER TABLE t ALTER n TYPE text$up$,
  $down$ALTER TABLE t ALTER n TYPE int USING n::int$down$);
SELECT * FROM pg_temp.losses('key type int to bigint and text',
  $before$CREATE TABLE t(id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (1,1),(2,20)$before$,
  $up$ALTER TABLE t ALTER id TYPE bigint;
    ALTER TABLE t ALTER id TYPE text$up$);
SELECT * FROM pg_temp.losses('enum label renamed',
  $before$
    CREATE TYPE k AS ENUM ('a','b');
    CREATE TABLE t(id int PRIMARY KEY, k k, ks k[]);
    INSERT INTO t VALUES (1,'a','{a,b}'),(2,'b','{a}')$before$,
  $up$ALTER TYPE k RENAME VALUE 'a' TO 'alpha'$up$);
SELECT * FROM pg_temp.losses('enum to text',
  $before$
    CREATE TYPE k AS ENUM ('a','b');
    CREATE TABLE t(id int PRIMARY KEY, k k);
    INSERT INTO t VALUES (1,'a'),(2,'b')$before$,
  $up$ALTER TABLE t ALTER k TYPE text;
    DROP TYPE k$up$);
SELECT * FROM pg_temp.losses('composite attribute added',
  $before$
    CREATE TYPE c AS (x int, y text);
    CREATE TABLE t(id int PRIMARY KEY, c c);
    INSERT INTO t VALUES (1,(1,'a')),(2,(NULL,'b')),(3,NULL)$before$,
  $up$ALTER TYPE c ADD ATTRIBUTE z int CASCADE$up$);
SELECT * FROM pg_temp.losses('composite attribute dropped',
  $before$
    CREATE TYPE c AS (x int, y text);
    CREATE TABLE t(id int PRIMARY KEY, c c);
    INSERT INTO t VALUES (1,(1,'a')),(2,(2,NULL)),(3,NULL)$before$,
  $up$ALTER TYPE c DROP ATTRIBUTE y CASCADE$up$);
SELECT * FROM pg_temp.losses('composite attribute renamed',
  $before$
    CREATE TYPE c AS (x int, y text);
    CREATE TABLE t(id int PRIMARY KEY, c c);
    INSERT INTO t VALUES (1,(1,'a')),(2,(2,NULL)),(3,NULL)$before$,
  $up$ALTER TYPE c RENAME ATTRIBUTE y TO z CASCADE$up$);
SELECT * FROM pg_temp.losses('update some',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(2,'b'),(3,NULL)$before$,
  $up$UPDATE t SET a = upper(a) WHERE id < 3;
    UPDATE t SET a='x' WHERE a IS NULL$up$);
SELECT * FROM pg_temp.losses('swap',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(2,'b'),(3,NULL)$before$,
  $up$UPDATE t SET a = CASE a WHEN 'a' THEN 'b' ELSE 'a' END WHERE id < 3$up$);
SELECT * FROM pg_temp.losses('archive then delete',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text, at timestamptz DEFAULT now());
    INSERT INTO t VALUES (1,'a'),(2,'b'),(3,NULL)$before$,
  $up$CREATE TABLE t_archive AS SELECT * FROM t WHERE id < 3;
    DELETE FROM t WHERE id < 3$up$,
  $down$INSERT INTO t SELECT * FROM t_archive;
    DROP TABLE t_archive$down$);
SELECT * FROM pg_temp.losses('delete by fk cascade',
  $before$
    CREATE TABLE p(id int PRIMARY KEY);
    CREATE TABLE c(id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
    INSERT INTO p VALUES (1),(2);
    INSERT INTO c VALUES (1,1),(2,1),(3,2)$before$,
  $up$DELETE FROM p WHERE id=1$up$);
SELECT * FROM pg_temp.losses('split phone to table, drop; down copies back',
  $before$
    CREATE TABLE c(id serial PRIMARY KEY, name text, phone text);
    INSERT INTO c(name,phone) VALUES ('n1','p1'),('n2',NULL),('n3','p3')$before$,
  $up$
    CREATE TABLE phones(id serial PRIMARY KEY, customer_id int REFERENCES c, number text);
    INSERT INTO phones(customer_id, number) SELECT id, phone FROM c WHERE phone IS NOT NULL;
    ALTER TABLE c DROP phone$up$,
  $down$
    ALTER TABLE c ADD phone text;
    UPDATE c SET phone = number FROM phones p WHERE p.customer_id = c.id;
    DROP TABLE phones$down$);
SELECT * FROM pg_temp.losses('full_name split',
  $before$
    CREATE TABLE c(id serial PRIMARY KEY, full_name text);
    INSERT INTO c(full_name) VALUES ('Ann Lee'),('Bob Ray')$before$,
  $up$
    ALTER TABLE c ADD first text, ADD last text;
    UPDATE c SET first = split_part(full_name,' ',1), last=split_part(full_name,' ',2);
    ALTER TABLE c DROP full_name$up$,
  $down$
    ALTER TABLE c ADD full_name text;
    UPDATE c SET full_name = first||' '||last;
    ALTER TABLE c DROP first, DROP last$down$);
SELECT * FROM pg_temp.losses('lookup normalisation',
  $before$
    CREATE TABLE c(id serial PRIMARY KEY, city text);
    INSERT INTO c(city) VALUES ('rome'),('oslo'),('rome'),(NULL)$before$,
  $up$
    CREATE TABLE cities(id serial PRIMARY KEY, name text UNIQUE);
    INSERT INTO cities(name) SELECT DISTINCT city FROM c WHERE city IS NOT NULL;
    ALTER TABLE c ADD city_id int REFERENCES cities;
    UPDATE c SET city_id = x.id FROM cities x WHERE x.name = c.city;
    ALTER TABLE c DROP city$up$);
SELECT * FROM pg_temp.losses('lookup preexisting',
  $before$
    CREATE TABLE cities(id serial PRIMARY KEY, name text UNIQUE);
    INSERT INTO cities(name) VALUES ('bern'),('rome'),('oslo');
CREATE TABLE c(id serial PRIMARY KEY, city text);
    INSERT INTO c(city) VALUES ('rome'),('oslo'),('rome'),(NULL)$before$,
  $up$
    ALTER TABLE c ADD city_id int REFERENCES cities;
    UPDATE c SET city_id = x.id FROM cities x WHERE x.name = c.city;
    ALTER TABLE c DROP city$up$);
SELECT * FROM pg_temp.losses('sequences',
  $before$
    CREATE SEQUENCE q;
    SELECT nextval('q'), nextval('q');
    CREATE SEQUENCE r;
    SELECT nextval('r');
    CREATE SEQUENCE unused;
    CREATE TABLE t(id serial PRIMARY KEY);
    INSERT INTO t DEFAULT VALUES$before$,
  $up$
    DROP SEQUENCE q;
    DROP SEQUENCE unused;
    ALTER SEQUENCE r RESTART;
    ALTER SEQUENCE t_id_seq RESTART$up$);
SELECT * FROM pg_temp.losses('no key',
  $before$
    CREATE TABLE t(a int, b text);
    INSERT INTO t VALUES (1,'a'),(1,'a'),(2,'b'),(NULL,NULL)$before$,
  $up$DELETE FROM t WHERE ctid = '(0,1)';
    UPDATE t SET b = 'z' WHERE a = 2$up$);
SELECT * FROM pg_temp.losses('generated',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, g int GENERATED ALWAYS AS (id*2) STORED);
    INSERT INTO t VALUES (1),(2);
    CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
    CREATE VIEW v AS SELECT id FROM t$before$,
  $up$DROP MATERIALIZED VIEW m;
    DROP VIEW v;
    ALTER TABLE t DROP g$up$);
SELECT * FROM pg_temp.losses('drop type cascade',
  $before$
    CREATE TYPE k AS ENUM ('a','b');
    CREATE TABLE t(id int PRIMARY KEY, k k);
    INSERT INTO t VALUES (1,'a'),(2,NULL)$before$,
  $up$DROP TYPE k CASCADE$up$);
SELECT * FROM pg_temp.losses('partitions',
  $before$
    CREATE TABLE t(id int, d date, PRIMARY KEY(id,d)) PARTITION BY RANGE(d);
    CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO t VALUES (1,'2026-01-05'),(2,'2026-01-06'),(3,'2026-02-07')$before$,
  $up$DROP TABLE t1$up$);
SELECT * FROM pg_temp.losses('partition detached',
  $before$
    CREATE TABLE t(id int, d date, PRIMARY KEY(id,d)) PARTITION BY RANGE(d);
    CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO t VALUES (1,'2026-01-05'),(2,'2026-01-06'),(3,'2026-02-07')$before$,
  $up$ALTER TABLE t DETACH PARTITION t1$up$,
  $down$ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')$down$);
SELECT * FROM pg_temp.losses('truncate partition',
  $before$
    CREATE TABLE t(id int, d date, PRIMARY KEY(id,d)) PARTITION BY RANGE(d);
    CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO t VALUES (1,'2026-01-05'),(2,'2026-01-06'),(3,'2026-02-07')$before$,
  $up$TRUNCATE t1$up$);
SELECT * FROM pg_temp.losses('convert to partitioned',
  $before$
    CREATE TABLE t(id int, d date, PRIMARY KEY(id,d));
    INSERT INTO t VALUES (1,'2026-01-05'),(2,'2026-01-06'),(3,'2026-02-07')$before$,
  $up$
    ALTER TABLE t RENAME TO t_old;
    CREATE TABLE t(id int, d date, PRIMARY KEY(id,d)) PARTITION BY RANGE(d);
    CREATE TABLE t1 PARTITION OF t DEFAULT;
    INSERT INTO t SELECT * FROM t_old;
    DROP TABLE t_old$up$);
SELECT * FROM pg_temp.losses('inheritance child dropped',
  $before$
    CREATE TABLE p(id int PRIMARY KEY, a text);
    CREATE TABLE ch() INHERITS (p);
    INSERT INTO p VALUES (1,'a');
    INSERT INTO ch VALUES (2,'b'),(3,'c')$before$,
  $up$DROP TABLE ch$up$);
SELECT * FROM pg_temp.losses('up adds table+column, down drops',
  $before$CREATE TABLE t(id int PRIMARY KEY);
    INSERT INTO t VALUES (1)$before$,
  $up$
    CREATE TABLE n(id int);
    ALTER TABLE t ADD note text, ADD g int GENERATED ALWAYS AS (id) STORED;
    CREATE MATERIALIZED VIEW m AS SELECT 1$up$,
  $down$DROP MATERIALIZED VIEW m;
    DROP TABLE n;
    ALTER TABLE t DROP note, DROP g$down$);
SELECT * FROM pg_temp.losses('seed rows down removes',
  $before$CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a')$before$,
  $up$INSERT INTO t VALUES (100,'seed'),(101,'seed')$up$,
  $down$DELETE FROM t WHERE id >= 100$down$);
SELECT * FROM pg_temp.losses('down deletes too much',
  $before$CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(150,'mine')$before$,
  $up$INSERT INTO t VALUES (100,'seed')$up$,
  $down$DELETE FROM t WHERE id >= 100$down$);
SELECT * FROM pg_temp.losses('dropped copy',
  $before$
    CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(2,'b');
    CREATE TABLE t_backup AS TABLE t$before$,
  $up$DROP TABLE t_backup$up$);
SELECT * FROM pg_temp.losses('rebuild table',
  $before$CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(2,'b')$before$,
  $up$
    CREATE TABLE t_new (id bigint PRIMARY KEY, a varchar(10), extra int DEFAULT 0);
    INSERT INTO t_new(id,a) SELECT id,a FROM t;
    DROP TABLE t;
    ALTER TABLE t_new RENAME TO t$up$);
SELECT * FROM pg_temp.losses('drop and recreate empty',
  $before$CREATE TABLE t(id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1,'a'),(2,'b')$before$,
  $up$DROP TABLE t;
    CREATE TABLE t(id int PRIMARY KEY, a text)$up$);
SELECT * FROM pg_temp.losses('profile merged',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, n text);
    CREATE TABLE pr(id serial PRIMARY KEY, user_id int REFERENCES u, bio text);
    INSERT INTO u(n) VALUES ('a'),('b'),('c');
    INSERT INTO pr(user_id,bio) VALUES (2,'bio2'),(3,'bio3')$before$,
  $up$
    ALTER TABLE u ADD bio text;
    UPDATE u SET bio = pr.bio FROM pr WHERE pr.user_id=u.id;
    DROP TABLE pr$up$);
SELECT * FROM pg_temp.losses('to jsonb',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, n text, fax text);
    INSERT INTO u(n,fax) VALUES ('a','f1'),('b',NULL),('c','f3')$before$,
  $up$
    ALTER TABLE u ADD extra jsonb;
    UPDATE u SET extra = jsonb_build_object('fax', fax);
    ALTER TABLE u DROP fax$up$);
SELECT * FROM pg_temp.losses('timestamps',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, a timestamp, b timestamptz, c timestamp);
    INSERT INTO u(a,b,c) VALUES ('2026-01-01 10:00:00.5','2026-01-01 10:00:00.5+02','2026-01-01 10:00'),('2026-01-01 10:00:00','2026-01-01 00:00+00', '2026-01-01 00:00')$before$,
  $up$
    SET timezone='UTC';
    ALTER TABLE u ALTER a TYPE timestamp(0), ALTER b TYPE date, ALTER c TYPE timestamptz$up$);
SELECT * FROM pg_temp.losses('uuid key swap',
  $before$CREATE TABLE u(id serial PRIMARY KEY, n text);
    INSERT INTO u(n) VALUES ('a'),('b')$before$,
  $up$
    ALTER TABLE u ADD uid uuid DEFAULT gen_random_uuid();
    ALTER TABLE u DROP CONSTRAINT u_pkey;
    ALTER TABLE u DROP id;
    ALTER TABLE u ADD PRIMARY KEY (uid)$up$);
SELECT * FROM pg_temp.losses('tenants same rows in other table',
  $before$
    CREATE TABLE a(k text PRIMARY KEY, v text);
    CREATE TABLE b(k text PRIMARY KEY, v text);
    INSERT INTO a VALUES ('x','1');
    INSERT INTO b VALUES ('x','2')$before$,
  $up$DELETE FROM a$up$);
SELECT * FROM pg_temp.losses('to array',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, tag text);
    INSERT INTO u(tag) VALUES ('a b'),(NULL),('c')$before$,
  $up$
    ALTER TABLE u ADD tags text[];
    UPDATE u SET tags = ARRAY[tag] WHERE tag IS NOT NULL;
    ALTER TABLE u DROP tag$up$);
SELECT * FROM pg_temp.losses('json to jsonb',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, j json);
    INSERT INTO u(j) VALUES ('{"b":1,"a":2}'),(NULL),('{"a":1,"a":2}')$before$,
  $up$ALTER TABLE u ALTER j TYPE jsonb$up$);
SELECT * FROM pg_temp.losses('rebuild with type change numeric to text',
  $before$
    CREATE TABLE u(id serial PRIMARY KEY, n numeric(10,2));
    INSERT INTO u(n) VALUES (12.50),(NULL),(3)$before$,
  $up$
    CREATE TABLE u2 AS SELECT id, n::text FROM u;
    DROP TABLE u;
    ALTER TABLE u2 RENAME TO u$up$);
SELECT * FROM pg_temp.losses('merge dogs cats',
  $before$
    CREATE TABLE dogs(id serial PRIMARY KEY, name text);
    CREATE TABLE cats(LIKE dogs INCLUDING ALL);
    INSERT INTO dogs(name) VALUES ('rex'),('fido');
    INSERT INTO cats VALUES (1,'tom'),(2,'kit')$before$,
  $up$
    CREATE TABLE pets(id serial PRIMARY KEY, species text, name text);
    INSERT INTO pets(species,name) SELECT 'dog', name FROM dogs UNION ALL SELECT 'cat', name FROM cats;
    DROP TABLE dogs, cats$up$);
SELECT * FROM pg_temp.losses('quoted names',
  $before$
    CREATE TABLE "We ird""T"("i d" int PRIMARY KEY, "a%s'x" text);
    INSERT INTO "We ird""T" VALUES (1,'a')$before$,
  $up$ALTER TABLE "We ird""T" DROP "a%s'x"$up$);
SELECT * FROM pg_temp.losses('no columns',
  $before$CREATE TABLE e();
    INSERT INTO e DEFAULT VALUES;
    INSERT INTO e DEFAULT VALUES$before$,
  $up$DELETE FROM e$up$);
SELECT * FROM pg_temp.losses('domain default literal casts',
  $before$
    CREATE DOMAIN dm AS text CHECK (value <> 'zz');
    CREATE TYPE st AS ENUM ('new','old');
    CREATE TABLE e(id int PRIMARY KEY, d dm DEFAULT 'q', s st DEFAULT 'new', j jsonb DEFAULT '{}', a int[] DEFAULT '{}', ts timestamptz DEFAULT now(), b bool DEFAULT false);
    INSERT INTO e(id) VALUES (1),(2);
    INSERT INTO e VALUES (3,'w','old','{"a":1}','{1}',now(),true)$before$,
  $up$ALTER TABLE e DROP d, DROP s, DROP j, DROP a, DROP ts, DROP b$up$);
SELECT * FROM pg_temp.losses('lookup preexisting with down',
  $before$
    CREATE TABLE st(id int PRIMARY KEY, code text);
    INSERT INTO st VALUES (1,'new'),(2,'done');
    CREATE TABLE o(id serial PRIMARY KEY, status text);
    INSERT INTO o(status) VALUES ('new'),('done'),('odd')$before$,
  $up$
    ALTER TABLE o ADD st_id int REFERENCES st;
    UPDATE o SET st_id = st.id FROM st WHERE code = status;
    ALTER TABLE o DROP status$up$,
  $down$
    ALTER TABLE o ADD status text;
    UPDATE o SET status = code FROM st WHERE st.id = st_id;
    ALTER TABLE o DROP st_id$down$);
SELECT * FROM pg_temp.losses('rows deleted by dynamic SQL',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 5) n$before$,
  $up$DO $do$ BEGIN EXECUTE 'DEL' || 'ETE FROM t WHERE id > 3'; END $do$$up$);
SELECT * FROM pg_temp.losses('rows deleted by a function, and a column overwritten by its trigger',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 5) n;
    CREATE TABLE log (id int PRIMARY KEY, seen int);
    INSERT INTO log VALUES (1, 7);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE losing.log SET seen = 8;
    RETURN OLD;
    END';
    CREATE TRIGGER note AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note();
    CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'DELETE FROM losing.t WHERE id = 1'$before$,
  $up$SELECT tidy()$up$);
SELECT * FROM pg_temp.losses('an upsert overwrites, and inserts',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'mine'), (2, 'same')$before$,
  $up$
    INSERT INTO t VALUES (1, 'seed'), (2, 'same'), (3, 'seed') ON CONFLICT (id) DO UPDATE SET a = excluded.a$up$);
SELECT * FROM pg_temp.losses('a merge deletes',
  $before$CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'a'), (2, 'b')$before$,
  $up$
    MERGE INTO t USING (VALUES (2), (3)) v (id) ON t.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'new')$up$);
SELECT * FROM pg_temp.losses('an update that changes nothing',
  $before$CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'a'), (2, 'b')$before$,
  $up$
    UPDATE t SET a = a;
    UPDATE t SET a = 'x';
    UPDATE t SET a = CASE id WHEN 1 THEN 'a' ELSE 'b' END$up$);
SELECT * FROM pg_temp.losses('a backfill',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text, b text DEFAULT '');
    INSERT INTO t VALUES (1, NULL, ''), (2, NULL, '')$before$,
  $up$UPDATE t SET a = 'new ' || id, b = 'b' || id$up$);
SELECT * FROM pg_temp.losses('keys renumbered',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'a'), (2, 'b');
    CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t ON UPDATE CASCADE);
    INSERT INTO c VALUES (1, 1), (2, 2)$before$,
  $up$UPDATE t SET id = id + 1000$up$);
SELECT * FROM pg_temp.losses('truncate cascade',
  $before$
    CREATE TABLE t (id int PRIMARY KEY);
    CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t);
    INSERT INTO t VALUES (1), (2);
    INSERT INTO c VALUES (1, 1), (2, 2), (3, 2)$before$,
  $up$TRUNCATE t CASCADE$up$);
SELECT * FROM pg_temp.losses('emptied and filled again with the same',
  $before$CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'a'), (2, 'b')$before$,
  $up$CREATE TABLE h AS TABLE t;
    TRUNCATE t;
    INSERT INTO t TABLE h;
    DROP TABLE h$up$);
SELECT * FROM pg_temp.losses('a schema goes with all its tables',
  $before$
    CREATE SCHEMA losing_other;
    CREATE TABLE losing_other.t (id int PRIMARY KEY);
    INSERT INTO losing_other.t VALUES (1), (2)$before$,
  $up$DROP SCHEMA losing_other CASCADE$up$);
SELECT * FROM pg_temp.losses('a text cut to length',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(10));
    INSERT INTO t VALUES (1, 'short', 'short'), (2, 'too long for it', 'x')$before$,
  $up$ALTER TABLE t ALTER a TYPE varchar(5) USING left(a, 5), ALTER b TYPE char(10)$up$);
SELECT * FROM pg_temp.losses('numbers to real and back',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a int, b bigint, c double precision);
    INSERT INTO t VALUES (1, 16777216, 9007199254740992, 0.1), (2, 16777217, 9007199254740993, 0.123456789012)$before$,
  $up$ALTER TABLE t ALTER a TYPE real, ALTER b TYPE double precision, ALTER c TYPE real$up$);
SELECT * FROM pg_temp.losses('text to boolean',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text, b int);
    INSERT INTO t VALUES (1, 'true', 1), (2, 'false', 0), (3, 'maybe', 5)$before$,
  $up$ALTER TABLE t ALTER a TYPE boolean USING a = 'true', ALTER b TYPE boolean USING b <> 0$up$);
SELECT * FROM pg_temp.losses('a column of a domain becomes its plain type',
  $before$
    CREATE DOMAIN code AS text;
    CREATE TABLE t (id int PRIMARY KEY, a code);
    INSERT INTO t VALUES (1, 'x')$before$,
  $up$ALTER TABLE t ALTER a TYPE text;
    DROP DOMAIN code$up$);
SELECT * FROM pg_temp.losses('a domain goes with its columns',
  $before$
    CREATE DOMAIN code AS text;
    CREATE TABLE t (id int PRIMARY KEY, a code);
    INSERT INTO t VALUES (1, 'x'), (2, NULL)$before$,
  $up$DROP DOMAIN code CASCADE$up$);
SELECT * FROM pg_temp.losses('two columns merged into one',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, phone text, mobile text);
    INSERT INTO t VALUES (1, 'p1', NULL), (2, NULL, 'm2'), (3, 'p3', 'm3'), (4, 'p4', 'm4')$before$,
  $up$
    ALTER TABLE t ADD contact text;
    UPDATE t SET contact = coalesce(phone, mobile);
    ALTER TABLE t DROP phone, DROP mobile$up$);
SELECT * FROM pg_temp.losses('a column moved to the end',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text, b text);
    INSERT INTO t VALUES (1, 'x', 'y'), (2, 'z', NULL)$before$,
  $up$
    ALTER TABLE t ADD c text;
    UPDATE t SET c = a;
    ALTER TABLE t DROP a;
    ALTER TABLE t RENAME c TO a$up$,
  $down$
    ALTER TABLE t ADD c text;
    UPDATE t SET c = a;
    ALTER TABLE t DROP a;
    ALTER TABLE t RENAME c TO a$down$);
SELECT * FROM pg_temp.losses('equal by chance',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, amount int, active boolean DEFAULT false);
    INSERT INTO t VALUES (1, 1, true), (2, 2, true)$before$,
  $up$ALTER TABLE t ADD visible boolean DEFAULT true;
    ALTER TABLE t DROP amount, DROP active$up$);
SELECT * FROM pg_temp.losses('a default that a function computes, of a hostile owner',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text); CREATE FUNCTION whoami() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO losing.t VALUES (-1, current_user); RETURN current_user; END $f$; ALTER TABLE t ALTER a SET DEFAULT whoami(); INSERT INTO t VALUES (1, 'x')$before$,
  $up$ALTER TABLE t DROP a$up$);
SELECT * FROM pg_temp.losses('the down brings the column back empty',
  $before$CREATE TABLE t (id int PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'x'), (2, NULL)$before$,
  $up$ALTER TABLE t DROP a$up$,
  $down$ALTER TABLE t ADD a text$down$);
SELECT * FROM pg_temp.losses('the down moves only a part home',
  $before$
    CREATE TABLE t (id int PRIMARY KEY, a text, done boolean);
    INSERT INTO t VALUES (1, 'x', true), (2, 'y', false)$before$,
  $up$CREATE TABLE t_done AS SELECT * FROM t WHERE done;
    DELETE FROM t WHERE done$up$,
  $down$DROP TABLE t_done$down$);
SELECT * FROM pg_temp.losses('the sequence of a serial column starts again',
  $before$
    CREATE TABLE t (id serial PRIMARY KEY);
    INSERT INTO t DEFAULT VALUES;
    INSERT INTO t DEFAULT VALUES;
    CREATE SEQUENCE down INCREMENT -1;
    SELECT nextval('down'), nextval('down')$before$,
  $up$
    SELECT setval('t_id_seq', 1);
    ALTER SEQUENCE down RESTART WITH -1;
    SELECT nextval('down')$up$);
SELECT * FROM pg_temp.losses('sequences that come and go',
  $before$CREATE TABLE t (id int)$before$,
  $up$CREATE SEQUENCE ticket;
    SELECT nextval('ticket')$up$,
  $down$DROP SEQUENCE ticket$down$);
SELECT * FROM pg_temp.losses('large objects',
  $before$SELECT lo_create(0), lo_create(0)$before$,
  $up$SELECT lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata m$up$);
SELECT * FROM pg_temp.losses('an owner who may not read its own table, and one who may not use the schema',
  $before$CREATE TABLE t (id int PRIMARY KEY);
    INSERT INTO t VALUES (1), (2);
    REVOKE ALL ON t FROM losing_owner;
    CREATE TABLE u (id int PRIMARY KEY);
    INSERT INTO u VALUES (1);
    GRANT CREATE ON SCHEMA losing TO losing_other_owner;
    ALTER TABLE u OWNER TO losing_other_owner;
    REVOKE ALL ON SCHEMA losing FROM losing_other_owner$before$,
  $up$DROP TABLE t, u$up$);
SELECT * FROM pg_temp.losses('a policy that hides rows from the owner too',
  $before$CREATE TABLE t (id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (1, 1), (2, 2);
    ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    ALTER TABLE t FORCE ROW LEVEL SECURITY;
    CREATE POLICY one ON t USING (n = 1)$before$,
  $up$DROP TABLE t$up$);
DROP FUNCTION pg_temp.losses;
SELECT format('REVOKE CREATE ON DATABASE %I FROM losing_owner', current_database()) \gexec
