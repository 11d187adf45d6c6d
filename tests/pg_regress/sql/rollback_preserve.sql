-- What strategy preserve gives back, case by case: what the upgrade had destroyed comes back, what people
-- wrote since stays, and what can't be represented is named.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE rp_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('rps') \gset

-- Registers a module of its own for a case, with versions 1.0.0, 2.0.0 …: an up and a down script each.
CREATE SCHEMA rp;
CREATE FUNCTION rp.module(slug text, VARIADIC scripts text[]) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (module_versioning.register_module('rp-' || slug, isolation => 'schema', schema_name => 'rp_' || slug, owner_role => 'rp_owner')).id;
    version uuid;
BEGIN
    FOR n IN 1 .. cardinality(scripts) / 2 LOOP
        version := (module_versioning.create_version(module, (n || '.0.0')::module_versioning.semver)).id;
        PERFORM module_versioning.add_migration(module, (n || '.0.0')::module_versioning.semver, scripts[2 * n - 1], scripts[2 * n]);
        PERFORM module_versioning.publish_version(version);
    END LOOP;
    PERFORM module_versioning.install_module(module_versioning.site_id('rps'), module, '1.0.0');
    RETURN module;
END $$;
-- Goes up or down and tells what is worth knowing; ids of snapshots are not.
CREATE FUNCTION rp.go(module uuid, version module_versioning.semver) RETURNS TABLE (status text, message text) LANGUAGE plpgsql AS $$
DECLARE
    site uuid := module_versioning.site_id('rps');
    done module_versioning.module_change;
BEGIN
    IF version OPERATOR(module_versioning.>) module_versioning.get_installed_version(site, module) THEN
        SELECT * INTO done FROM module_versioning.upgrade_module(site, module, version);
    ELSE
        SELECT * INTO done FROM module_versioning.rollback_module(site, module, version, force => true);
    END IF;
    RETURN QUERY SELECT done.status, done.error_message;
    RETURN QUERY SELECT 'warning'::text, w FROM unnest(done.warnings) w WHERE w NOT LIKE 'forced:%' AND w NOT LIKE 'the down scripts %'
                 AND w NOT LIKE 'what % destroys can''t be told%';
END $$;

\echo == Rows that the upgrade deletes come back; rows that people deleted since do not.
SELECT rp.module('deleted', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)', 'DROP TABLE t',
    'DELETE FROM t WHERE id <= 2', 'SELECT 1') AS m \gset
INSERT INTO rp_deleted_rps.t SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 6) n;
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_deleted_rps.t WHERE id = 3;
UPDATE rp_deleted_rps.t SET v = 'changed' WHERE id = 4;
INSERT INTO rp_deleted_rps.t VALUES (7, 'new', 'new');
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_deleted_rps.t ORDER BY id;

\echo == Truncated: the same.
SELECT rp.module('truncated', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t', 'TRUNCATE t', 'SELECT 1') AS m \gset
INSERT INTO rp_truncated_rps.t VALUES (1, 'one'), (2, 'two');
SELECT * FROM rp.go(:'m', '2.0.0');
INSERT INTO rp_truncated_rps.t VALUES (3, 'three'), (2, 'another two');
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_truncated_rps.t ORDER BY id;

\echo == Values that the upgrade overwrites get their old value back, unless people changed them since: column by column.
SELECT rp.module('overwritten', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)', 'DROP TABLE t',
    'UPDATE t SET v = upper(v)', 'SELECT 1') AS m \gset
INSERT INTO rp_overwritten_rps.t SELECT n, 'value ' || n, 'w' FROM generate_series(1, 4) n;
SELECT * FROM rp.go(:'m', '2.0.0');
UPDATE rp_overwritten_rps.t SET v = 'Mine' WHERE id = 2;
UPDATE rp_overwritten_rps.t SET w = 'mine' WHERE id = 3;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_overwritten_rps.t ORDER BY id;

\echo == Narrowed and widened again: the old digits, only where the value is the one the upgrade made.
SELECT rp.module('narrowed', 'CREATE TABLE t (id int PRIMARY KEY, price numeric(10,4), name varchar(20))', 'DROP TABLE t',
    'ALTER TABLE t ALTER price TYPE numeric(10,2); ALTER TABLE t ALTER name TYPE varchar(3) USING left(name, 3)',
    'ALTER TABLE t ALTER price TYPE numeric(10,4); ALTER TABLE t ALTER name TYPE varchar(20)') AS m \gset
INSERT INTO rp_narrowed_rps.t VALUES (1, 1.2345, 'Alexander'), (2, 2.3456, 'Beatrice'), (3, 3, 'Cy');
SELECT * FROM rp.go(:'m', '2.0.0');
UPDATE rp_narrowed_rps.t SET price = 9.99 WHERE id = 2;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_narrowed_rps.t ORDER BY id;

\echo == A dropped table comes back with its rows, identity and generated columns included; triggers do not fire.
SELECT rp.module('dropped', $$
    CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p int REFERENCES p, v text, up text GENERATED ALWAYS AS (upper(v)) STORED)$$, 'DROP TABLE t, p',
    'DROP TABLE t', $$
    CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p int REFERENCES p, v text, up text GENERATED ALWAYS AS (upper(v)) STORED);
    CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a trigger fired''; END';
    CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION shout()$$) AS m \gset
INSERT INTO rp_dropped_rps.p VALUES (1), (2);
INSERT INTO rp_dropped_rps.t (p, v) VALUES (1, 'a'), (2, 'b'), (NULL, 'c');
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_dropped_rps.p WHERE id = 2;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_dropped_rps.t ORDER BY id;
DROP FUNCTION rp_dropped_rps.shout CASCADE;
INSERT INTO rp_dropped_rps.t (v) VALUES ('d') RETURNING id;

\echo == Dropped and made again under the same name.
SELECT rp.module('again', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t',
    'DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, amount int)', 'DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text)') AS m \gset
INSERT INTO rp_again_rps.t VALUES (1, 'one'), (2, 'two');
SELECT * FROM rp.go(:'m', '2.0.0');
INSERT INTO rp_again_rps.t VALUES (2, 222), (3, 333);
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_again_rps.t ORDER BY id;

\echo == Rebuilt through a copy: people deleted a row and changed one meanwhile.
SELECT rp.module('rebuilt', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)', 'DROP TABLE t',
    'CREATE TABLE n (id int PRIMARY KEY, v text); INSERT INTO n SELECT id, v FROM t WHERE id < 4; DROP TABLE t; ALTER TABLE n RENAME TO t',
    'CREATE TABLE n (id int PRIMARY KEY, v text, w text); INSERT INTO n SELECT id, v FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t') AS m \gset
INSERT INTO rp_rebuilt_rps.t SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 4) n;
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_rebuilt_rps.t WHERE id = 1;
UPDATE rp_rebuilt_rps.t SET v = 'mine' WHERE id = 2;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_rebuilt_rps.t ORDER BY id;

\echo == Renamed, table and column, with rows overwritten.
SELECT rp.module('renamed', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text)', 'DROP TABLE t',
    'ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME v TO value; UPDATE u SET value = value || ''!''; ALTER TABLE u DROP w',
    'ALTER TABLE u RENAME value TO v; ALTER TABLE u ADD w text; ALTER TABLE u RENAME TO t') AS m \gset
INSERT INTO rp_renamed_rps.t SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 4) n;
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_renamed_rps.u WHERE id = 1;
UPDATE rp_renamed_rps.u SET value = 'mine' WHERE id = 2;
INSERT INTO rp_renamed_rps.u VALUES (5, 'new');
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_renamed_rps.t ORDER BY id;

\echo == Three versions: down in two steps, and down in one act.
SELECT rp.module('steps', 'CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text)', 'DROP TABLE t',
    'ALTER TABLE t DROP a; UPDATE t SET c = c || ''2''', 'ALTER TABLE t ADD a text',
    'ALTER TABLE t DROP b; UPDATE t SET c = c || ''3''; DELETE FROM t WHERE id = 4', 'ALTER TABLE t ADD b text') AS m \gset
INSERT INTO rp_steps_rps.t SELECT n, 'a' || n, 'b' || n, 'c' || n || '-' FROM generate_series(1, 5) n;
SELECT * FROM rp.go(:'m', '2.0.0');
UPDATE rp_steps_rps.t SET c = 'two' WHERE id = 2;
UPDATE rp_steps_rps.t SET b = 'mine' WHERE id = 1;
SELECT * FROM rp.go(:'m', '3.0.0');
UPDATE rp_steps_rps.t SET c = 'three' WHERE id = 3;
DELETE FROM rp_steps_rps.t WHERE id = 5;
BEGIN;
SELECT * FROM rp.go(:'m', '2.0.0');
SELECT id, b, c FROM rp_steps_rps.t ORDER BY id;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT id, a, b, c FROM rp_steps_rps.t ORDER BY id;
ROLLBACK;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT id, a, b, c FROM rp_steps_rps.t ORDER BY id;

\echo == One act up over two versions, two steps down.
SELECT * FROM rp.go(:'m', '3.0.0');
UPDATE rp_steps_rps.t SET c = 'again' WHERE id = 1;
SELECT * FROM rp.go(:'m', '2.0.0');
SELECT id, b, c FROM rp_steps_rps.t ORDER BY id;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT id, a, b, c FROM rp_steps_rps.t ORDER BY id;

\echo == A version in between was left without a snapshot.
SELECT rp.module('gap', 'CREATE TABLE t (id int PRIMARY KEY, a text, b text)', 'DROP TABLE t',
    'ALTER TABLE t DROP a', 'ALTER TABLE t ADD a text', 'ALTER TABLE t DROP b', 'ALTER TABLE t ADD b text') AS m \gset
INSERT INTO rp_gap_rps.t VALUES (1, 'a', 'b');
SELECT * FROM rp.go(:'m', '2.0.0');
SELECT status FROM module_versioning.upgrade_module(:'site', :'m', '3.0.0', create_backup => false);
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT id, a, b FROM rp_gap_rps.t ORDER BY id;

\echo == And up again: what was written in the new column before the rollback comes back, for rows still there.
SELECT rp.module('up', 'CREATE TABLE t (id int PRIMARY KEY, name text)', 'DROP TABLE t',
    'ALTER TABLE t ADD mail text; UPDATE t SET mail = name || ''@old''; CREATE TABLE note (id int PRIMARY KEY, t int REFERENCES t, body text)',
    'DROP TABLE note; ALTER TABLE t DROP mail') AS m \gset
INSERT INTO rp_up_rps.t SELECT n, 'n' || n FROM generate_series(1, 4) n;
SELECT * FROM rp.go(:'m', '2.0.0');
UPDATE rp_up_rps.t SET mail = 'mine@' || id WHERE id <= 3;
INSERT INTO rp_up_rps.note VALUES (1, 1, 'first'), (2, 2, 'second');
SELECT * FROM rp.go(:'m', '1.0.0');
DELETE FROM rp_up_rps.t WHERE id = 2;
UPDATE rp_up_rps.t SET name = 'changed' WHERE id = 3;
INSERT INTO rp_up_rps.t VALUES (5, 'n5');
SELECT * FROM rp.go(:'m', '2.0.0');
SELECT * FROM rp_up_rps.t ORDER BY id;
SELECT * FROM rp_up_rps.note ORDER BY id;

\echo == A row whose parent is gone, one whose unique value is taken, and one whose key is.
SELECT rp.module('taken', $$CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE t (id int PRIMARY KEY, p int REFERENCES p, code text UNIQUE, n int CHECK (n > 0))$$, 'DROP TABLE t, p',
    'DELETE FROM t WHERE id < 9; UPDATE t SET code = ''x'' || code', 'SELECT 1') AS m \gset
INSERT INTO rp_taken_rps.p VALUES (1), (2);
INSERT INTO rp_taken_rps.t SELECT n, 1 + n % 2, 'c' || n, 1 FROM generate_series(1, 11) n;
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_taken_rps.t WHERE p = 2;
DELETE FROM rp_taken_rps.p WHERE id = 2;
INSERT INTO rp_taken_rps.t VALUES (2, 1, 'other', 1), (20, 1, 'c4', 1), (21, 1, 'c10', 1);
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_taken_rps.t ORDER BY id;

\echo == Tables without a primary key: rows that went come back by content, copies counted.
SELECT rp.module('keyless', 'CREATE TABLE t (v text, n int); CREATE TABLE gone (v text); CREATE TABLE changed (v text)', 'DROP TABLE t, gone, changed',
    'DELETE FROM t WHERE n = 1; DROP TABLE gone; UPDATE changed SET v = upper(v)',
    'CREATE TABLE gone (v text)') AS m \gset
INSERT INTO rp_keyless_rps.t VALUES ('a', 1), ('a', 1), ('b', 1), ('c', 2), ('c', 2), ('d', 2);
INSERT INTO rp_keyless_rps.gone VALUES ('x'), ('x'), (NULL);
INSERT INTO rp_keyless_rps.changed VALUES ('x'), ('y');
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp_keyless_rps.t WHERE ctid = (SELECT min(ctid) FROM rp_keyless_rps.t WHERE v = 'c');
INSERT INTO rp_keyless_rps.t VALUES ('b', 1);
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT v, n, count(*) FROM rp_keyless_rps.t GROUP BY 1, 2 ORDER BY 1, 2;
SELECT v, count(*) FROM rp_keyless_rps.gone GROUP BY 1 ORDER BY 1;
SELECT * FROM rp_keyless_rps.changed ORDER BY v;

\echo == Shared tables: a site that has left goes back last, and the rows of both come back.
SELECT id AS site_b FROM module_versioning.register_site('rpb') \gset
CREATE SCHEMA rp_shared AUTHORIZATION rp_owner;
SELECT id AS m FROM module_versioning.register_module('rp-shared', schema_name => 'rp_shared', owner_role => 'rp_owner') \gset
SELECT count(module_versioning.create_version(:'m', v)) FROM unnest('{1.0.0,2.0.0}'::module_versioning.semver[]) v;
SELECT count(module_versioning.add_migration(:'m', '1.0.0', $$CREATE TABLE t (id int PRIMARY KEY, site_id uuid NOT NULL, name text, fax text);
    CREATE TABLE kind (id int PRIMARY KEY, label text)$$, 'DROP TABLE t, kind'));
SELECT count(module_versioning.add_migration(:'m', '2.0.0', 'ALTER TABLE t DROP fax; DELETE FROM t WHERE id % 10 = 3; UPDATE t SET name = upper(name); DELETE FROM kind',
    'ALTER TABLE t ADD fax text'));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'m');
SELECT status FROM module_versioning.install_module(:'site', :'m', '1.0.0');
SELECT status FROM module_versioning.install_module(:'site_b', :'m', '1.0.0');
INSERT INTO rp_shared.t SELECT n, :'site', 'a' || n, 'fax ' || n FROM generate_series(1, 4) n;
INSERT INTO rp_shared.t SELECT n, :'site_b', 'b' || n, 'fax ' || n FROM generate_series(11, 14) n;
INSERT INTO rp_shared.kind VALUES (1, 'one');
SELECT status FROM module_versioning.upgrade_module(:'site', :'m', '2.0.0', force => true);
UPDATE rp_shared.t SET name = 'mine' WHERE id IN (2, 12);
SELECT status FROM module_versioning.upgrade_module(:'site_b', :'m', '2.0.0');
DELETE FROM rp_shared.t WHERE id IN (4, 14);
SELECT status FROM module_versioning.rollback_module(:'site', :'m', '1.0.0', force => true);
SELECT id, name FROM rp_shared.t ORDER BY id;
SELECT status FROM module_versioning.rollback_module(:'site_b', :'m', '1.0.0', force => true);
SELECT id, name, fax FROM rp_shared.t ORDER BY id;
TABLE rp_shared.kind;
\echo == And up again, both.
SELECT status FROM module_versioning.upgrade_module(:'site_b', :'m', '2.0.0', force => true);
SELECT id, name FROM rp_shared.t ORDER BY id;
SELECT status FROM module_versioning.rollback_module(:'site_b', :'m', '1.0.0', force => true);
SELECT id, name, fax FROM rp_shared.t ORDER BY id;

\echo == Row-level security forced, and traps of the owner: they run as the owner, if at all.
CREATE TABLE rp.trapped (who name);
GRANT INSERT ON rp.trapped TO PUBLIC;
GRANT USAGE ON SCHEMA rp TO PUBLIC;
SELECT rp.module('hostile', $$CREATE FUNCTION trap() RETURNS text LANGUAGE plpgsql VOLATILE AS 'BEGIN INSERT INTO rp.trapped VALUES (current_user); RETURN ''x''; END';
    CREATE FUNCTION trap_check(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO rp.trapped VALUES (current_user); RETURN true; END';
    CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT trap() CHECK (trap_check(v)), w text)$$, 'DROP TABLE t; DROP FUNCTION trap(), trap_check(text)',
    'DELETE FROM t WHERE id = 1; UPDATE t SET w = NULL',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id <> 1) WITH CHECK (false)') AS m \gset
INSERT INTO rp_hostile_rps.t VALUES (1, 'a', 'b'), (2, 'a', 'b');
SELECT * FROM rp.go(:'m', '2.0.0');
DELETE FROM rp.trapped;
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_hostile_rps.t ORDER BY id;
SELECT DISTINCT who FROM rp.trapped;

\echo == Odd names, a key of two columns, partitions, rows that refer to each other, own types,
\echo == a constraint that is deferred, a column of the same name as the internal one.
SELECT rp.module('odd', $$CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE "A b" ("Key 1" int, "k""2" text, "row" mood[], parent int, parent_k text, PRIMARY KEY ("Key 1", "k""2"),
        FOREIGN KEY (parent, parent_k) REFERENCES "A b" DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE part (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE part_north PARTITION OF part FOR VALUES IN ('north');
    CREATE TABLE part_rest PARTITION OF part DEFAULT$$, 'DROP TABLE "A b", part; DROP TYPE mood',
    $$UPDATE "A b" SET "row" = '{sad}'; DELETE FROM "A b" WHERE "Key 1" > 1; UPDATE part SET v = 'x'; DELETE FROM part WHERE id = 2$$, 'SELECT 1') AS m \gset
BEGIN;
INSERT INTO rp_odd_rps."A b" VALUES (1, 'a', '{glad,NULL}', 3, 'c'), (2, 'b', NULL, 1, 'a'), (3, 'c', '{}', 2, 'b');
INSERT INTO rp_odd_rps.part VALUES (1, 'north', 'one'), (2, 'north', 'two'), (1, 'south', 'three'), (2, 'south', 'four');
COMMIT;
UPDATE rp_odd_rps."A b" SET parent = NULL, parent_k = NULL WHERE "Key 1" = 1;
SELECT * FROM rp.go(:'m', '2.0.0');
UPDATE rp_odd_rps.part SET v = 'mine' WHERE region = 'south';
SELECT * FROM rp.go(:'m', '1.0.0');
SELECT * FROM rp_odd_rps."A b" ORDER BY 1;
SELECT tableoid::regclass, * FROM rp_odd_rps.part ORDER BY 2, 3;

\echo == An image that is damaged: refused, and nothing is changed.
SELECT rp.module('damaged', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'DROP TABLE t', 'UPDATE t SET v = upper(v)', 'SELECT 1') AS m \gset
INSERT INTO rp_damaged_rps.t VALUES (1, 'one');
SELECT * FROM rp.go(:'m', '2.0.0');
INSERT INTO rp_damaged_rps.t VALUES (2, 'two');
BEGIN;
UPDATE module_versioning_data.chunks SET content = '' WHERE hash IN (
    SELECT r.chunk_hash FROM module_versioning_data.snapshot_chunks r JOIN module_versioning.data_changes c ON c.after_image = r.snapshot_id
    JOIN module_versioning.list_snapshots(NULL, :'m') l ON l.id = c.backup_id);
\set VERBOSITY sqlstate
SELECT * FROM rp.go(:'m', '1.0.0');
\set VERBOSITY default
ROLLBACK;
TABLE rp_damaged_rps.t;
