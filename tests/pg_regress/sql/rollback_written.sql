-- What people wrote since the upgrade and the down script destroys: it comes back where the older schema has
-- room for it, and is named with its keys where it hasn't. Both layouts.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE rw_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('rws') \gset
SELECT id AS site_b FROM module_versioning.register_site('rwb') \gset

CREATE SCHEMA rw;
-- Registers a module of its own for a case, with versions 1.0.0, 2.0.0 …: an up and a down script each.
CREATE FUNCTION rw.module(slug text, VARIADIC scripts text[]) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (module_versioning.register_module('rw-' || slug, isolation => 'schema', schema_name => 'rw_' || slug, owner_role => 'rw_owner')).id;
    version uuid;
BEGIN
    FOR n IN 1 .. cardinality(scripts) / 2 LOOP
        version := (module_versioning.create_version(module, (n || '.0.0')::module_versioning.semver)).id;
        PERFORM module_versioning.add_migration(module, (n || '.0.0')::module_versioning.semver, scripts[2 * n - 1], scripts[2 * n]);
        PERFORM module_versioning.publish_version(version);
    END LOOP;
    PERFORM module_versioning.install_module(module_versioning.site_id('rws'), module, '1.0.0');
    RETURN module;
END $$;
-- Goes up or down and tells what is worth knowing.
CREATE FUNCTION rw.go(module uuid, version module_versioning.semver, site uuid DEFAULT module_versioning.site_id('rws'))
RETURNS TABLE (status text, message text) LANGUAGE plpgsql AS $$
DECLARE
    done module_versioning.module_change;
BEGIN
    IF version OPERATOR(module_versioning.>) module_versioning.get_installed_version(site, module) THEN
        SELECT * INTO done FROM module_versioning.upgrade_module(site, module, version, force => true);
    ELSE
        SELECT * INTO done FROM module_versioning.rollback_module(site, module, version, force => true);
    END IF;
    RETURN QUERY SELECT done.status, coalesce(done.error_message, '') || coalesce(' ' || done.error_detail, '');
    RETURN QUERY SELECT 'warning'::text, w FROM unnest(done.warnings) w WHERE w NOT LIKE 'forced:%' AND w NOT LIKE 'the down scripts %'
                 AND w NOT LIKE 'what % destroys can''t be told%' AND w NOT LIKE 'what is lost includes %' AND w NOT LIKE 'the snapshot holds the rows of%';
END $$;

\echo == Only the down script touches the table: it deletes rows that people wrote, and a CHECK refuses some of them.
SELECT rw.module('check', 'CREATE TABLE t (id int PRIMARY KEY, kind text, v text)', 'DROP TABLE t',
    'CREATE TABLE other (id int PRIMARY KEY)',
    'DELETE FROM t WHERE kind IN (''new'', ''fine'', ''old''); ALTER TABLE t ADD CHECK (kind <> ''new''); DROP TABLE other') AS m \gset
INSERT INTO rw_check_rws.t VALUES (1, 'old', 'one'), (2, 'fine', 'two'), (3, 'kept', 'three');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_check_rws.t SELECT n, CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'fine' ELSE 'kept' END, 'v' || n FROM generate_series(10, 90) n;
UPDATE rw_check_rws.t SET v = 'mine' WHERE id = 2;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT kind, count(*), min(id) FROM rw_check_rws.t GROUP BY kind ORDER BY kind;
SELECT * FROM rw_check_rws.t WHERE id < 12 ORDER BY id;

\echo == Values that only the down script overwrites: what people wrote, what was there before, what a CHECK refuses.
SELECT rw.module('values', 'CREATE TABLE t (id int PRIMARY KEY, status text, note text)', 'DROP TABLE t', 'SELECT 1',
    'UPDATE t SET status = ''open'' WHERE status IN (''archived'', ''waiting''); ALTER TABLE t ADD CHECK (status <> ''archived'')') AS m \gset
INSERT INTO rw_values_rws.t VALUES (1, 'open', 'n'), (2, 'waiting', 'n'), (3, 'open', 'n');
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_values_rws.t SET status = 'archived' WHERE id = 1;
UPDATE rw_values_rws.t SET note = 'mine' WHERE id = 2;
UPDATE rw_values_rws.t SET status = 'waiting' WHERE id = 3;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_values_rws.t ORDER BY id;

\echo == The down script empties or remakes tables: DELETE, TRUNCATE, DROP and CREATE.
SELECT rw.module('emptied', 'CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id serial PRIMARY KEY, v text); CREATE TABLE c (id serial PRIMARY KEY, v text)', 'DROP TABLE a, b, c',
    'UPDATE a SET v = upper(v); ALTER TABLE b ADD extra text',
    'DELETE FROM a; TRUNCATE b; ALTER TABLE b DROP extra; DROP TABLE c; CREATE TABLE c (id serial PRIMARY KEY, v text)') AS m \gset
INSERT INTO rw_emptied_rws.a VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO rw_emptied_rws.b (v) VALUES ('one'), ('two');
INSERT INTO rw_emptied_rws.c (v) VALUES ('one'), ('two');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_emptied_rws.a VALUES (4, 'four');
UPDATE rw_emptied_rws.a SET v = 'mine' WHERE id = 2;
DELETE FROM rw_emptied_rws.a WHERE id = 3;
INSERT INTO rw_emptied_rws.b (v, extra) VALUES ('three', 'more');
INSERT INTO rw_emptied_rws.c (v) VALUES ('three');
DELETE FROM rw_emptied_rws.c WHERE v = 'one';
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT 'a', * FROM rw_emptied_rws.a UNION ALL SELECT 'b', * FROM rw_emptied_rws.b UNION ALL SELECT 'c', * FROM rw_emptied_rws.c ORDER BY 1, 2;
INSERT INTO rw_emptied_rws.c (v) VALUES ('four') RETURNING id;

\echo == Narrowed by the down script: what does not fit is named, what fits is not.
SELECT rw.module('narrowed', 'CREATE TABLE t (id int PRIMARY KEY, n int, name varchar(3), day date)', 'DROP TABLE t',
    'ALTER TABLE t ALTER n TYPE numeric(8,2), ALTER name TYPE text, ALTER day TYPE timestamp',
    'ALTER TABLE t ALTER n TYPE int, ALTER name TYPE varchar(3) USING left(name, 3), ALTER day TYPE date') AS m \gset
INSERT INTO rw_narrowed_rws.t SELECT n, n, 'v' || n, '2026-01-01' FROM generate_series(1, 4) n;
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_narrowed_rws.t SET n = 2.5, name = 'Alexander', day = '2026-02-02 10:00' WHERE id = 2;
UPDATE rw_narrowed_rws.t SET n = 30, name = 'abc', day = '2026-03-03' WHERE id = 3;
INSERT INTO rw_narrowed_rws.t VALUES (5, 5.25, 'Berta', '2026-05-05');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_narrowed_rws.t ORDER BY id;

\echo == The unit that the upgrade had changed is changed back: what the script makes of new values counts.
SELECT rw.module('unit', 'CREATE TABLE t (id int PRIMARY KEY, price numeric(10,2), size text)', 'DROP TABLE t',
    'UPDATE t SET price = price * 100, size = upper(size)', 'UPDATE t SET price = price / 100, size = lower(size)') AS m \gset
INSERT INTO rw_unit_rws.t VALUES (1, 1.50, 'small'), (2, 20, 'large'), (3, 3, 'large');
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_unit_rws.t SET price = 275 WHERE id = 2;
UPDATE rw_unit_rws.t SET size = 'SMALL' WHERE id = 3;
INSERT INTO rw_unit_rws.t VALUES (4, 1999, 'Large');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_unit_rws.t ORDER BY id;

\echo == The down script brings what was written in a column that goes into one that stays.
SELECT rw.module('merged', 'CREATE TABLE t (id int PRIMARY KEY, contact text)', 'DROP TABLE t',
    'ALTER TABLE t ADD mail text', 'UPDATE t SET contact = coalesce(mail, ''none''); ALTER TABLE t DROP mail') AS m \gset
INSERT INTO rw_merged_rws.t VALUES (1, 'phone 1'), (2, 'phone 2');
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_merged_rws.t SET mail = 'b@example' WHERE id = 2;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_merged_rws.t ORDER BY id;

\echo == Old values that do not fit the columns made anew: all others come back.
SELECT rw.module('remade', 'CREATE TABLE t (id int PRIMARY KEY, fax text, code text, n text); CREATE TABLE d (id int PRIMARY KEY, v text)', 'DROP TABLE t, d',
    'ALTER TABLE t DROP fax, DROP code, DROP n; DELETE FROM d',
    'ALTER TABLE t ADD fax varchar(4), ADD code text CHECK (code <> ''c3''), ADD n int; ALTER TABLE d ALTER v TYPE varchar(2)') AS m \gset
INSERT INTO rw_remade_rws.t SELECT n, repeat(n::text, n), 'c' || n, CASE n WHEN 2 THEN 'two' ELSE n::text END FROM generate_series(1, 6) n;
INSERT INTO rw_remade_rws.d VALUES (1, 'ok'), (2, 'long'), (3, NULL);
SELECT * FROM rw.go(:'m', '2.0.0');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_remade_rws.t ORDER BY id;
SELECT * FROM rw_remade_rws.d ORDER BY id;

\echo == The upgrade changes the primary key: matched by the old one while it is there …
SELECT rw.module('key', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)', 'DROP TABLE t',
    'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD uid uuid PRIMARY KEY DEFAULT gen_random_uuid(); UPDATE t SET v = upper(v); DELETE FROM t WHERE id = 3; ALTER TABLE t DROP w',
    'ALTER TABLE t DROP uid; ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE t ADD w text') AS m \gset
INSERT INTO rw_key_rws.t SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 4) n;
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_key_rws.t SET v = 'mine' WHERE id = 2;
INSERT INTO rw_key_rws.t (id, v) VALUES (5, 'five');
SELECT status, left(message, 100) FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_key_rws.t ORDER BY id;
\echo == … by another unique one where there is none other, and not at all where there is none.
SELECT rw.module('rekeyed', 'CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL UNIQUE, v text); CREATE TABLE u (id int PRIMARY KEY, v text)', 'DROP TABLE t, u',
    'ALTER TABLE t DROP id; ALTER TABLE t ADD id uuid PRIMARY KEY DEFAULT gen_random_uuid(); UPDATE t SET v = upper(v);
     ALTER TABLE u DROP id; ALTER TABLE u ADD id uuid PRIMARY KEY DEFAULT gen_random_uuid(); UPDATE u SET v = upper(v); DELETE FROM u WHERE v = ''TWO''',
    'ALTER TABLE t DROP id; ALTER TABLE t ADD id serial PRIMARY KEY; ALTER TABLE u DROP id; ALTER TABLE u ADD id serial PRIMARY KEY') AS m \gset
INSERT INTO rw_rekeyed_rws.t VALUES (7, 'a', 'one'), (8, 'b', 'two');
INSERT INTO rw_rekeyed_rws.u VALUES (7, 'one'), (8, 'two');
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_rekeyed_rws.t SET v = 'mine' WHERE code = 'b';
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT code, v FROM rw_rekeyed_rws.t ORDER BY code;
SELECT v FROM rw_rekeyed_rws.u ORDER BY v;

\echo == An old key that is there but not unique any more: nothing is matched by it.
SELECT rw.module('twice', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t',
    'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD part int NOT NULL DEFAULT 1; ALTER TABLE t ADD PRIMARY KEY (id, part); UPDATE t SET v = upper(v)',
    'DELETE FROM t WHERE part > 1; ALTER TABLE t DROP part; ALTER TABLE t ADD PRIMARY KEY (id)') AS m \gset
INSERT INTO rw_twice_rws.t VALUES (1, 'one'), (2, 'two');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_twice_rws.t VALUES (1, 'more', 2), (3, 'three', 1);
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_twice_rws.t ORDER BY id;

\echo == Columns with a default that go: what nobody wrote is not written. A column that goes and comes again.
SELECT rw.module('defaults', 'CREATE TABLE t (id int PRIMARY KEY, fax text)', 'DROP TABLE t',
    'ALTER TABLE t ADD state text NOT NULL DEFAULT ''new'', ADD n numeric DEFAULT 5, ADD tags text[] DEFAULT ''{a,b}'', ADD at timestamptz DEFAULT ''2026-01-01 00:00+00''',
    'ALTER TABLE t DROP state, DROP n, DROP tags, DROP at, DROP fax; ALTER TABLE t ADD fax text') AS m \gset
INSERT INTO rw_defaults_rws.t SELECT n, 'f' || n FROM generate_series(1, 4) n;
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_defaults_rws.t SET state = 'done' WHERE id = 2;
UPDATE rw_defaults_rws.t SET n = 6, fax = 'mine' WHERE id = 3;
UPDATE rw_defaults_rws.t SET tags = '{c}', at = '2026-01-02' WHERE id = 4;
INSERT INTO rw_defaults_rws.t VALUES (5, 'f5');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_defaults_rws.t ORDER BY id;

\echo == Tables of the newer version go with their rows.
SELECT rw.module('newer', 'CREATE TABLE t (id int PRIMARY KEY)', 'DROP TABLE t',
    'CREATE TABLE "Odd name" (id int PRIMARY KEY, v text); CREATE TABLE empty (id int); INSERT INTO "Odd name" VALUES (1, ''seed'')', 'DROP TABLE "Odd name", empty') AS m \gset
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_newer_rws."Odd name" VALUES (2, 'mine'), (3, 'mine');
SELECT * FROM rw.go(:'m', '1.0.0');

\echo == Rows that the upgrade added and people changed; a table that the down script does not make again.
SELECT rw.module('seeded', 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE gone (id int)', 'DROP TABLE t',
    'INSERT INTO t VALUES (100, ''seed''), (101, ''seed''); DROP TABLE gone', 'DELETE FROM t WHERE id >= 100') AS m \gset
INSERT INTO rw_seeded_rws.t VALUES (1, 'one');
INSERT INTO rw_seeded_rws.gone VALUES (1), (2);
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_seeded_rws.t SET v = 'mine' WHERE id = 101;
INSERT INTO rw_seeded_rws.t VALUES (200, 'mine');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_seeded_rws.t ORDER BY id;

\echo == Two keys, quoted names, rows that refer to each other, a type that goes, no trigger fires.
SELECT rw.module('odd', $$CREATE TABLE "P q" ("K 1" int, "k""2" text, "row" text, PRIMARY KEY ("K 1", "k""2"));
    CREATE TABLE child (id int PRIMARY KEY, a int, b text, up int REFERENCES child, mood text, FOREIGN KEY (a, b) REFERENCES "P q")$$, 'DROP TABLE child, "P q"',
    $$CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE child ALTER mood TYPE mood USING mood::mood$$,
    $$ALTER TABLE child ALTER mood TYPE text; DROP TYPE mood; DELETE FROM child; DELETE FROM "P q";
      CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger fired''; END';
      CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON "P q" FOR EACH ROW EXECUTE FUNCTION shout()$$) AS m \gset
INSERT INTO rw_odd_rws."P q" VALUES (1, 'a', 'one');
INSERT INTO rw_odd_rws.child VALUES (1, 1, 'a', NULL, 'sad');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_odd_rws."P q" VALUES (2, 'b', 'two'), (3, 'c', 'three');
INSERT INTO rw_odd_rws.child VALUES (2, 2, 'b', 1, 'glad'), (3, 3, 'c', 2, 'glad');
UPDATE rw_odd_rws."P q" SET "row" = 'mine' WHERE "K 1" = 1;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_odd_rws."P q" ORDER BY 1;
SELECT * FROM rw_odd_rws.child ORDER BY 1;

\echo == Without a primary key: rows that the down script removes come back by content.
SELECT rw.module('keyless', 'CREATE TABLE t (v text, n int); CREATE TABLE changed (v text)', 'DROP TABLE t, changed',
    'DELETE FROM t WHERE n = 0', 'DELETE FROM t WHERE n > 1; UPDATE changed SET v = upper(v)') AS m \gset
INSERT INTO rw_keyless_rws.t VALUES ('a', 0), ('b', 1), ('c', 2), ('c', 2);
INSERT INTO rw_keyless_rws.changed VALUES ('x');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_keyless_rws.t VALUES ('d', 3), ('d', 3), ('b', 1);
INSERT INTO rw_keyless_rws.changed VALUES ('y');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT v, n, count(*) FROM rw_keyless_rws.t GROUP BY 1, 2 ORDER BY 1, 2;

\echo == Renamed and rebuilt by both: rows that people wrote are followed.
SELECT rw.module('renamed', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t',
    'ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME v TO value; UPDATE u SET value = value || ''!''',
    'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT id, value FROM u WHERE id < 3; DROP TABLE u') AS m \gset
INSERT INTO rw_renamed_rws.t SELECT n, 'v' || n FROM generate_series(1, 4) n;
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_renamed_rws.u SET value = 'mine' WHERE id IN (2, 4);
INSERT INTO rw_renamed_rws.u VALUES (5, 'new');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_renamed_rws.t ORDER BY id;

\echo == One act up over two versions, and a part of the way back.
SELECT rw.module('part', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t',
    'DELETE FROM t WHERE id = 1', 'SELECT 1', 'CREATE TABLE extra (id int)', 'DELETE FROM t WHERE id > 2; DROP TABLE extra') AS m \gset
INSERT INTO rw_part_rws.t SELECT n, 'v' || n FROM generate_series(1, 3) n;
SELECT * FROM rw.go(:'m', '3.0.0');
INSERT INTO rw_part_rws.t VALUES (4, 'mine');
UPDATE rw_part_rws.t SET v = 'mine' WHERE id = 2;
SELECT * FROM rw.go(:'m', '2.0.0');
SELECT * FROM rw_part_rws.t ORDER BY id;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_part_rws.t ORDER BY id;

\echo == No snapshot from before the upgrade: nothing is guessed, everything is said.
SELECT rw.module('unknown', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t', 'SELECT 1', 'DELETE FROM t WHERE id > 1; UPDATE t SET v = ''x''') AS m \gset
SELECT status FROM module_versioning.upgrade_module(:'site', :'m', '2.0.0', create_backup => false);
INSERT INTO rw_unknown_rws.t SELECT n, 'v' || n FROM generate_series(1, 30) n;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_unknown_rws.t ORDER BY id;

\echo == One migration by itself gives back the same.
SELECT rw.module('single', 'CREATE TABLE t (id int PRIMARY KEY, v text, fax text)', 'DROP TABLE t',
    'ALTER TABLE t DROP fax; UPDATE t SET v = upper(v)', 'ALTER TABLE t ADD fax text; DELETE FROM t WHERE id > 2; ALTER TABLE t ADD CHECK (id <> 4)') AS m \gset
INSERT INTO rw_single_rws.t VALUES (1, 'one', 'f1'), (2, 'two', 'f2');
SELECT id AS migration FROM module_versioning.get_pending_migrations(:'site', :'m') \gset
SELECT status FROM module_versioning.apply_module_migration(:'site', :'migration');
INSERT INTO rw_single_rws.t VALUES (3, 'three'), (4, 'four');
UPDATE rw_single_rws.t SET v = 'mine' WHERE id = 2;
SELECT status FROM module_versioning.apply_module_migration(:'site', :'migration', 'down');
SELECT * FROM rw_single_rws.t ORDER BY id;
UPDATE rw_single_rws.t SET fax = 'new' WHERE id = 3;
SELECT status FROM module_versioning.apply_module_migration(:'site', :'migration');
SELECT * FROM rw_single_rws.t ORDER BY id;

\echo == Shared tables: rows of all sites come back, those that a CHECK refuses are named.
CREATE SCHEMA rw_shared AUTHORIZATION rw_owner;
SELECT id AS m FROM module_versioning.register_module('rw-shared', schema_name => 'rw_shared', owner_role => 'rw_owner') \gset
SELECT count(module_versioning.create_version(:'m', v)) FROM unnest('{1.0.0,2.0.0}'::module_versioning.semver[]) v;
SELECT count(module_versioning.add_migration(:'m', '1.0.0', 'CREATE TABLE t (id int PRIMARY KEY, site_id uuid NOT NULL, kind text)', 'DROP TABLE t'));
SELECT count(module_versioning.add_migration(:'m', '2.0.0', 'SELECT 1', 'DELETE FROM t WHERE kind <> ''old''; ALTER TABLE t ADD CHECK (kind <> ''new'')'));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'m');
SELECT status FROM module_versioning.install_module(:'site', :'m', '1.0.0');
SELECT status FROM module_versioning.install_module(:'site_b', :'m', '1.0.0');
INSERT INTO rw_shared.t VALUES (1, :'site', 'old'), (11, :'site_b', 'old'), (12, :'site_b', 'fine');
SELECT * FROM rw.go(:'m', '2.0.0');
SELECT * FROM rw.go(:'m', '2.0.0', :'site_b');
INSERT INTO rw_shared.t VALUES (2, :'site', 'new'), (3, :'site', 'fine'), (13, :'site_b', 'new'), (14, :'site_b', 'fine');
SELECT status FROM rw.go(:'m', '1.0.0', :'site_b') WHERE status <> 'warning';
SELECT id, kind FROM rw_shared.t ORDER BY id;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT id, kind FROM rw_shared.t ORDER BY id;

\echo == A trap of the owner runs as the owner, if at all.
CREATE TABLE rw.trapped (who name);
GRANT INSERT ON rw.trapped TO PUBLIC;
GRANT USAGE ON SCHEMA rw TO PUBLIC;
SELECT rw.module('hostile', $$CREATE FUNCTION trap() RETURNS text LANGUAGE plpgsql VOLATILE AS 'BEGIN INSERT INTO rw.trapped VALUES (current_user); RETURN ''x''; END';
    CREATE FUNCTION trap_check(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO rw.trapped VALUES (current_user); IF $1 = ''bad'' THEN RAISE EXCEPTION ''no''; END IF; RETURN true; END';
    CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT trap())$$, 'DROP TABLE t; DROP FUNCTION trap(), trap_check(text)',
    'SELECT 1', 'DELETE FROM t WHERE id > 1; CREATE DOMAIN d AS text CHECK (trap_check(VALUE)); ALTER TABLE t ALTER v TYPE d;
     ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id <> 1) WITH CHECK (false)') AS m \gset
INSERT INTO rw_hostile_rws.t VALUES (1, 'a');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_hostile_rws.t VALUES (2, 'b'), (3, 'bad');
DELETE FROM rw.trapped;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_hostile_rws.t ORDER BY id;
SELECT DISTINCT who FROM rw.trapped;

\echo == Two upgrades undone in one act.
SELECT rw.module('two', 'CREATE TABLE t (id int PRIMARY KEY, a text, b text)', 'DROP TABLE t',
    'SELECT 1', 'DELETE FROM t WHERE id = 3; UPDATE t SET a = ''x'' WHERE id = 2', 'ALTER TABLE t ADD c text', 'DELETE FROM t WHERE id = 1; ALTER TABLE t DROP c') AS m \gset
INSERT INTO rw_two_rws.t VALUES (1, 'a', 'b');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_two_rws.t VALUES (2, 'a2', 'b');
SELECT * FROM rw.go(:'m', '3.0.0');
INSERT INTO rw_two_rws.t VALUES (3, 'a3', 'b', 'c');
UPDATE rw_two_rws.t SET a = 'mine' WHERE id = 1;
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_two_rws.t ORDER BY id;
\echo == And up again.
SELECT * FROM rw.go(:'m', '3.0.0');
SELECT * FROM rw_two_rws.t ORDER BY id;
\echo == Rows that refer to their own table, values without an order, an identity column, NOT NULL.
SELECT rw.module('self', 'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, up int REFERENCES t, code text UNIQUE, j json, p point, n int)', 'DROP TABLE t',
    'UPDATE t SET n = n + 1', 'UPDATE t SET up = NULL; DELETE FROM t WHERE id > 1; UPDATE t SET n = coalesce(n, 0); ALTER TABLE t ALTER n SET NOT NULL; UPDATE t SET n = n - 1') AS m \gset
INSERT INTO rw_self_rws.t (up, code, j, p, n) VALUES (NULL, 'a', '{"a": 1}', '(1,2)', 1), (1, 'b', '{}', NULL, 2), (2, 'c', NULL, NULL, 3);
SELECT * FROM rw.go(:'m', '2.0.0');
UPDATE rw_self_rws.t SET j = '{"a": 2}', p = '(3,4)' WHERE id = 2;
INSERT INTO rw_self_rws.t (up, code, n) VALUES (3, 'd', 10), (4, 'e', NULL);
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT * FROM rw_self_rws.t ORDER BY id;
INSERT INTO rw_self_rws.t (code, n) VALUES ('z', 1) RETURNING id;
\echo == Shared tables, a migration of the site alone: with and without a key.
CREATE SCHEMA rw_kl AUTHORIZATION rw_owner;
SELECT id AS m FROM module_versioning.register_module('rw-kl', schema_name => 'rw_kl', owner_role => 'rw_owner') \gset
SELECT count(module_versioning.create_version(:'m', v)) FROM unnest('{1.0.0,2.0.0}'::module_versioning.semver[]) v;
SELECT count(module_versioning.add_migration(:'m', '1.0.0', 'CREATE TABLE t (site_id uuid NOT NULL, kind text); CREATE TABLE s (id int PRIMARY KEY, site_id uuid NOT NULL, v text)', 'DROP TABLE t, s'));
SELECT count(module_versioning.add_migration(:'m', '2.0.0', 'UPDATE s SET v = upper(v)', 'DELETE FROM t; DELETE FROM s', scope => 'site'));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'m');
SELECT status FROM module_versioning.install_module(:'site', :'m', '1.0.0');
SELECT status FROM module_versioning.install_module(:'site_b', :'m', '1.0.0');
INSERT INTO rw_kl.t VALUES (:'site', 'a'), (:'site_b', 'b');
INSERT INTO rw_kl.s VALUES (1, :'site', 'a'), (11, :'site_b', 'b');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_kl.t VALUES (:'site', 'c'), (:'site', 'c'), (:'site_b', 'd');
INSERT INTO rw_kl.s VALUES (2, :'site', 'c'), (12, :'site_b', 'd');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT kind, site_id = :'site' FROM rw_kl.t ORDER BY 1;
SELECT id, v, site_id = :'site' FROM rw_kl.s ORDER BY 3, 1;
\echo == Two tables that swap their names.
SELECT rw.module('swap', 'CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)', 'DROP TABLE a, b',
    'ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b', 'DELETE FROM a; ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b') AS m \gset
INSERT INTO rw_swap_rws.a VALUES (1, 'a1'); INSERT INTO rw_swap_rws.b VALUES (1, 'b1');
SELECT * FROM rw.go(:'m', '2.0.0');
INSERT INTO rw_swap_rws.a VALUES (2, 'now a, was b');
SELECT * FROM rw.go(:'m', '1.0.0');
SELECT 'a', * FROM rw_swap_rws.a UNION ALL SELECT 'b', * FROM rw_swap_rws.b ORDER BY 1, 2;
