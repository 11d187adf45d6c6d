-- Going back and up again where the scripts change the keys by which rows are told apart; which snapshots that
-- needs; what the strategies that give nothing back say.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE rk_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('rks') \gset

CREATE SCHEMA rk;
-- Registers a module of its own for a case, with versions 1.0.0, 2.0.0 …: an up and a down script each.
CREATE FUNCTION rk.module(slug text, VARIADIC scripts text[]) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (module_versioning.register_module('rk-' || slug, isolation => 'schema', schema_name => 'rk_' || slug, owner_role => 'rk_owner')).id;
    version uuid;
BEGIN
    FOR n IN 1 .. cardinality(scripts) / 2 LOOP
        version := (module_versioning.create_version(module, (n || '.0.0')::module_versioning.semver)).id;
        PERFORM module_versioning.add_migration(module, (n || '.0.0')::module_versioning.semver, scripts[2 * n - 1], scripts[2 * n]);
        PERFORM module_versioning.publish_version(version);
    END LOOP;
    PERFORM module_versioning.install_module(module_versioning.site_id('rks'), module, '1.0.0');
    RETURN module;
END $$;
-- Goes up or down and tells what is worth knowing.
CREATE FUNCTION rk.go(module uuid, version module_versioning.semver, strategy text DEFAULT NULL)
RETURNS TABLE (status text, message text) LANGUAGE plpgsql AS $$
DECLARE
    site uuid := module_versioning.site_id('rks');
    done module_versioning.module_change;
BEGIN
    IF version OPERATOR(module_versioning.>) module_versioning.get_installed_version(site, module) THEN
        SELECT * INTO done FROM module_versioning.upgrade_module(site, module, version);
    ELSE
        SELECT * INTO done FROM module_versioning.rollback_module(site, module, version, strategy);
    END IF;
    RETURN QUERY SELECT done.status, coalesce(done.error_message, '') || coalesce(' ' || done.error_detail, '');
    RETURN QUERY SELECT 'warning'::text, w FROM unnest(done.warnings) w;
END $$;

\echo == Scripts that count the keys up and down again: what was removed stays so, and no row comes twice.
SELECT rk.module('shift', 'CREATE TABLE t (id int PRIMARY KEY, a text)', 'DROP TABLE t',
    'UPDATE t SET id = id + 1000', 'UPDATE t SET id = id - 1000') AS m \gset
INSERT INTO rk_shift_rks.t VALUES (1, 'one'), (2, 'two'), (3, 'three');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_shift_rks.t SET a = 'mine' WHERE id = 1001;
INSERT INTO rk_shift_rks.t VALUES (1004, 'new');
DELETE FROM rk_shift_rks.t WHERE id = 1003;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_shift_rks.t ORDER BY id;
UPDATE rk_shift_rks.t SET a = 'later' WHERE id = 2;
SELECT * FROM rk.go(:'m', '2.0.0');
SELECT * FROM rk_shift_rks.t ORDER BY id;

\echo == The same in DO blocks, by ON CONFLICT DO UPDATE under another name, and through ON UPDATE CASCADE.
SELECT rk.module('hidden', 'CREATE TABLE t (id int PRIMARY KEY, a text)', 'DROP TABLE t',
    'DO $d$ BEGIN UPDATE t SET id = id + 1000; END $d$', 'DO $d$ BEGIN UPDATE t SET id = id - 1000; END $d$') AS m \gset
INSERT INTO rk_hidden_rks.t VALUES (1, 'one'), (2, 'two'), (3, 'three');
SELECT * FROM rk.go(:'m', '2.0.0');
DELETE FROM rk_hidden_rks.t WHERE id = 1003;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_hidden_rks.t ORDER BY id;
SELECT rk.module('down', 'CREATE TABLE t (id int PRIMARY KEY, a text)', 'DROP TABLE t',
    'ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME id TO k; UPDATE u SET a = upper(a)',
    'INSERT INTO u SELECT k FROM u ON CONFLICT (k) DO UPDATE SET k = u.k + 10; ALTER TABLE u RENAME k TO id; ALTER TABLE u RENAME TO t') AS m \gset
INSERT INTO rk_down_rks.t VALUES (1, 'one'), (2, 'two');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_down_rks.u SET a = 'mine' WHERE k = 1;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_down_rks.t ORDER BY id;
SELECT rk.module('cascade', 'CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON UPDATE CASCADE, k int, a text, PRIMARY KEY (p, k))', 'DROP TABLE c, p',
    'UPDATE p SET id = id + 10; UPDATE c SET a = upper(a)', 'UPDATE p SET id = id - 10') AS m \gset
INSERT INTO rk_cascade_rks.p VALUES (1), (2);
INSERT INTO rk_cascade_rks.c VALUES (1, 1, 'a'), (2, 1, 'b');
SELECT * FROM rk.go(:'m', '2.0.0');
DELETE FROM rk_cascade_rks.c WHERE p = 12;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_cascade_rks.c ORDER BY p;

\echo == Another key that they leave alone does; rows that were deleted come back with the old one.
SELECT rk.module('other', 'CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE NOT NULL, a text)', 'DROP TABLE t',
    'UPDATE t SET id = id + 1000; UPDATE t SET a = upper(a); DELETE FROM t WHERE mail = ''m4''', 'UPDATE t SET id = id - 1000') AS m \gset
INSERT INTO rk_other_rks.t VALUES (1, 'm1', 'a'), (2, 'm2', 'b'), (3, 'm3', 'c'), (4, 'm4', 'd');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_other_rks.t SET a = 'mine' WHERE id = 1001;
INSERT INTO rk_other_rks.t VALUES (1005, 'm5', 'new');
DELETE FROM rk_other_rks.t WHERE id = 1003;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_other_rks.t ORDER BY id;

\echo == Scripts that delete rows and hide others: the keys that are left lead on.
SELECT rk.module('fewer', 'CREATE TABLE t (id int PRIMARY KEY, a text)', 'DROP TABLE t',
    'DO $d$ BEGIN UPDATE t SET a = upper(a); DELETE FROM t WHERE id = 2; END $d$', 'SELECT 1') AS m \gset
INSERT INTO rk_fewer_rks.t VALUES (1, 'one'), (2, 'two'), (3, 'three');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_fewer_rks.t SET a = 'mine' WHERE id = 1;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_fewer_rks.t ORDER BY id;

\echo == The snapshot before a rollback stays until its migrations have run again.
SELECT rk.module('again', 'CREATE TABLE t (id int PRIMARY KEY, a text)', 'DROP TABLE t',
    'ALTER TABLE t ADD e text', 'ALTER TABLE t DROP e', 'ALTER TABLE t ADD f text', 'ALTER TABLE t DROP f') AS m \gset
INSERT INTO rk_again_rks.t VALUES (1, 'one'), (2, 'two');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_again_rks.t SET e = 'mine' WHERE id = 1;
SELECT backup_id AS backup FROM module_versioning.rollback_module(:'site', :'m', '1.0.0') \gset
UPDATE module_versioning.module_data_backups SET expires_at = now() - interval '1 day' WHERE module_id = :'m' AND type = 'pre_rollback';
-- Going back needs none any more, going up again needs this one.
SELECT count(*) FROM module_versioning.expire_snapshots();
CREATE FUNCTION rk.delete(backup uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    m text; d text; h text;
BEGIN
    PERFORM module_versioning.delete_snapshot(backup);
    RETURN 'deleted';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', replace(m, backup::text, '…'), d, h);
END $$;
SELECT rk.delete(:'backup');
SELECT * FROM rk.go(:'m', '2.0.0');
SELECT * FROM rk_again_rks.t ORDER BY id;
-- They have.
SELECT backup_id = :'backup' AS this_one FROM module_versioning.expire_snapshots();
-- Deleted all the same, it is missed.
SELECT backup_id AS backup FROM module_versioning.rollback_module(:'site', :'m', '1.0.0') \gset
SELECT module_versioning.delete_snapshot(:'backup', force => true) >= 0 AS deleted;
SELECT * FROM rk.go(:'m', '2.0.0');
SELECT * FROM rk_again_rks.t ORDER BY id;
-- Nobody goes up again where the module is no more.
SELECT backup_id AS backup FROM module_versioning.rollback_module(:'site', :'m', '1.0.0') \gset
SELECT rk.delete(:'backup') <> 'deleted' AS refused;
SELECT status FROM module_versioning.uninstall_module(:'site', :'m');
SELECT rk.delete(:'backup');
SELECT status, warnings FROM module_versioning.install_module(:'site', :'m', '3.0.0');

\echo == The strategies that give nothing back name what goes.
CREATE FUNCTION rk.strategy(strategy text) RETURNS TABLE (status text, message text) LANGUAGE plpgsql AS $$
DECLARE
    m uuid := rk.module('by-' || strategy, 'CREATE TABLE t (id int PRIMARY KEY, a text, k text); CREATE TABLE log (body text)', 'DROP TABLE log, t',
        'UPDATE t SET a = upper(a); ALTER TABLE t ADD e text; CREATE TABLE x (id int PRIMARY KEY)',
        'DROP TABLE x; ALTER TABLE t DROP e; DELETE FROM t WHERE k = ''go''; UPDATE t SET k = ''low'' WHERE k = ''high''');
BEGIN
    PERFORM set_config('search_path', format('%I', 'rk_by-' || strategy || '_rks'), true);
    INSERT INTO t VALUES (1, 'one', 'go'), (2, 'two', 'high'), (3, 'three', 'high'), (4, 'four', NULL);
    INSERT INTO log VALUES ('old');
    PERFORM rk.go(m, '2.0.0');
    UPDATE t SET e = 'mine', a = 'edit' WHERE id = 4;
    INSERT INTO t SELECT n, 'new', CASE WHEN n % 2 = 0 THEN 'go' ELSE 'high' END FROM generate_series(5, 6) n;
    INSERT INTO x VALUES (1);
    INSERT INTO log VALUES ('new');
    RETURN QUERY SELECT * FROM rk.go(m, '1.0.0', strategy);
    RETURN QUERY SELECT 't', to_jsonb(t)::text FROM t ORDER BY id;
    RETURN QUERY SELECT 'log', body FROM log ORDER BY 2;
END $$;
SELECT * FROM rk.strategy('down');
SELECT * FROM rk.strategy('restore');

\echo == What the down script leaves under another name belongs to the module: the next upgrade takes it away.
SELECT rk.module('rebuilt', 'CREATE TABLE t (id int PRIMARY KEY, n numeric)', 'DROP TABLE t',
    'CREATE TABLE t_new (id int PRIMARY KEY, n bigint); INSERT INTO t_new SELECT id, n FROM t; DROP TABLE t; ALTER TABLE t_new RENAME TO t',
    'CREATE TABLE t_old (id int PRIMARY KEY, n numeric); INSERT INTO t_old SELECT id, n FROM t; DROP TABLE t; ALTER TABLE t_old RENAME TO t;
     ALTER TABLE t ADD CONSTRAINT left_over CHECK (n > 0)') AS m \gset
INSERT INTO rk_rebuilt_rks.t VALUES (1, 1);
SELECT * FROM rk.go(:'m', '2.0.0');
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT passed, detail FROM module_versioning.verify_module(:'site', :'m') WHERE check_name = 'schema';
-- What somebody else has made since is not.
ALTER TABLE rk_rebuilt_rks.t ADD CONSTRAINT theirs CHECK (n > -1);
SELECT * FROM rk.go(:'m', '2.0.0');
ALTER TABLE rk_rebuilt_rks.t DROP CONSTRAINT theirs;
SELECT * FROM rk.go(:'m', '2.0.0');
SELECT * FROM rk.go(:'m', '1.0.0');

\echo == No false alarm: an enum made anew under its name, a table without key of which nothing was destroyed.
SELECT rk.module('enum', 'CREATE TYPE st AS ENUM (''a'', ''b'', ''c''); CREATE TABLE t (id int PRIMARY KEY, s st)', 'DROP TABLE t; DROP TYPE st',
    'ALTER TYPE st RENAME TO st_old; CREATE TYPE st AS ENUM (''a'', ''b'', ''d'');
     ALTER TABLE t ALTER s TYPE st USING (CASE s::text WHEN ''c'' THEN ''d'' ELSE s::text END)::st; DROP TYPE st_old',
    'ALTER TYPE st RENAME TO st_old; CREATE TYPE st AS ENUM (''a'', ''b'', ''c'');
     ALTER TABLE t ALTER s TYPE st USING (CASE s::text WHEN ''d'' THEN ''c'' ELSE s::text END)::st; DROP TYPE st_old') AS m \gset
INSERT INTO rk_enum_rks.t VALUES (1, 'a'), (2, 'b'), (3, 'c');
SELECT * FROM rk.go(:'m', '2.0.0');
UPDATE rk_enum_rks.t SET s = 'd' WHERE id = 1;
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT * FROM rk_enum_rks.t ORDER BY id;
SELECT rk.module('keyless', 'CREATE TABLE t (a text)', 'DROP TABLE t', 'DELETE FROM t WHERE a = ''x''', 'SELECT 1') AS m \gset
INSERT INTO rk_keyless_rks.t VALUES ('x'), ('x'), ('y');
SELECT * FROM rk.go(:'m', '2.0.0');
INSERT INTO rk_keyless_rks.t VALUES ('z');
SELECT * FROM rk.go(:'m', '1.0.0');
SELECT a, count(*) FROM rk_keyless_rks.t GROUP BY a ORDER BY a;
SELECT * FROM rk.go(:'m', '2.0.0');
