-- What a rollback and going up again give back where scripts carry values and rows from one table to another,
-- or compute them: what people wrote since counts, references lead to the same rows, and what can't be told
-- keeps the scripts' value and is named with its keys. Each case in both layouts.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE rm_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('rms', id => '77777777-0000-0000-0000-000000000001') \gset

CREATE SCHEMA rm;
CREATE TABLE rm.situation (slug text PRIMARY KEY, scripts text[], steps text[]);
-- Registers a module for a case: an up and a down script for each version. `/*S*/` stands for the site column.
CREATE FUNCTION rm.module(slug text, layout text, scripts text[]) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    column_ text := CASE layout WHEN 'row' THEN ', site_id uuid NOT NULL DEFAULT ''77777777-0000-0000-0000-000000000001''' ELSE '' END;
    module uuid := (module_versioning.register_module('rm-' || slug || '-' || layout, isolation => layout,
                                                      schema_name => 'rm_' || slug || '_' || layout, owner_role => 'rm_owner')).id;
    version uuid;
BEGIN
    FOR n IN 1 .. cardinality(scripts) / 2 LOOP
        version := (module_versioning.create_version(module, (n || '.0.0')::module_versioning.semver)).id;
        PERFORM module_versioning.add_migration(module, (n || '.0.0')::module_versioning.semver,
            replace(scripts[2 * n - 1], '/*S*/', column_), replace(scripts[2 * n], '/*S*/', column_));
        PERFORM module_versioning.publish_version(version);
    END LOOP;
    PERFORM module_versioning.install_module(module_versioning.site_id('rms'), module, '1.0.0');
    RETURN module;
END $$;
-- The steps of a case: U2 goes up to version 2.0.0, D1 down to 1.0.0, = tells the rows, all else is run.
CREATE FUNCTION rm.steps(slug text, layout text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    situation rm.situation := (SELECT s FROM rm.situation s WHERE s.slug = steps.slug);
    module uuid := rm.module(slug, layout, situation.scripts);
    place text := 'rm_' || slug || '_' || layout || CASE layout WHEN 'schema' THEN '_rms' ELSE '' END;
    step text;
BEGIN
    RETURN NEXT format('SET search_path = %I', place);
    FOREACH step IN ARRAY situation.steps LOOP
        RETURN NEXT CASE
            WHEN step ~ '^[UD][1-9]$' THEN format('SELECT * FROM rm.go(%L, %L)', 'rm-' || slug || '-' || layout, step)
            WHEN step = '=' THEN format('SELECT * FROM rm.rows(%L)', place)
            ELSE step END;
    END LOOP;
END $$;
CREATE FUNCTION rm.go(slug text, step text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    module uuid := (SELECT id FROM module_versioning.modules m WHERE m.slug = go.slug);
    version module_versioning.semver := right(step, 1) || '.0.0';
    done module_versioning.module_change;
BEGIN
    IF step ~ '^U' THEN
        SELECT * INTO done FROM module_versioning.upgrade_module(module_versioning.site_id('rms'), module, version, force => true);
    ELSE
        SELECT * INTO done FROM module_versioning.rollback_module(module_versioning.site_id('rms'), module, version, force => true);
    END IF;
    RETURN NEXT '-- ' || step || ': ' || done.status || coalesce(' ' || done.error_message, '') || coalesce(' ' || done.error_detail, '');
    RETURN QUERY SELECT w FROM unnest(done.warnings) w WHERE w LIKE '%put back%' OR w LIKE '%written since%' OR w LIKE '%is kept%'
        OR w LIKE '%matched%';
END $$;
CREATE FUNCTION rm.rows(place text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = place::regnamespace AND relkind IN ('r', 'p') ORDER BY relname COLLATE "C" LOOP
        RETURN QUERY EXECUTE format('SELECT %L || (to_jsonb(x) - ''site_id'')::text FROM %I.%I x ORDER BY 1', name || ' ', place, name);
    END LOOP;
END $$;

\echo == The down script makes the parent table and a column that refers to it anew, and fills both.
INSERT INTO rm.situation VALUES ('parent', ARRAY[
    $$CREATE TABLE city (id int PRIMARY KEY, name text/*S*/); CREATE TABLE t (id int PRIMARY KEY, city_id int REFERENCES city/*S*/)$$,
    $$DROP TABLE t; DROP TABLE city$$,
    $$ALTER TABLE t DROP city_id; DROP TABLE city$$,
    $$CREATE TABLE city (id int PRIMARY KEY, name text/*S*/); ALTER TABLE t ADD city_id int REFERENCES city;
      INSERT INTO city (id, name) VALUES (1, 'X'); UPDATE t SET city_id = 1$$],
    ARRAY[$$INSERT INTO city (id, name) VALUES (1, 'Rome'), (2, 'Oslo')$$,
    $$INSERT INTO t (id, city_id) VALUES (1, 1), (2, 2)$$,
    $$U2$$,
    $$INSERT INTO t (id) VALUES (3)$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('parent', 'schema') \gexec
SELECT rm.steps('parent', 'row') \gexec

\echo == Rebuilt through a copy in both directions, with narrower numbers in between.
INSERT INTO rm.situation VALUES ('copied', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$CREATE TABLE c (id int PRIMARY KEY, a text, n int/*S*/); INSERT INTO c (id, a, n) SELECT id, a, n FROM t;
      DROP TABLE t; ALTER TABLE c RENAME TO t; ALTER INDEX c_pkey RENAME TO t_pkey$$,
    $$CREATE TABLE c (id int PRIMARY KEY, a text, n numeric/*S*/); INSERT INTO c (id, a, n) SELECT id, a, n FROM t;
      DROP TABLE t; ALTER TABLE c RENAME TO t; ALTER INDEX c_pkey RENAME TO t_pkey$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1.123), (2, 'two', 2.345), (3, 'three', 3.5), (4, 'four', 4.5)$$,
    $$U2$$,
    $$UPDATE t SET a = 'edit' WHERE id = 2$$,
    $$UPDATE t SET n = 7 WHERE id = 3$$,
    $$UPDATE t SET n = NULL WHERE id = 4$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('copied', 'schema') \gexec
SELECT rm.steps('copied', 'row') \gexec

\echo == Up again, a column that the script computes: of newer values too, and what people wrote stays or is named.
INSERT INTO rm.situation VALUES ('twice', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$ALTER TABLE t ADD e int; UPDATE t SET e = n * 2$$,
    $$ALTER TABLE t DROP e$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)$$,
    $$U2$$,
    $$UPDATE t SET e = 77 WHERE id IN (2, 3)$$,
    $$INSERT INTO t (id, n, e) VALUES (5, 5, 55), (6, 6, 66)$$,
    $$D1$$,
    $$UPDATE t SET n = 500 WHERE id IN (1, 3, 5)$$,
    $$U2$$,
    $$=$$,
    $$D1$$,
    $$U2$$,
    $$=$$]);
SELECT rm.steps('twice', 'schema') \gexec
SELECT rm.steps('twice', 'row') \gexec

\echo == Up again, a column that the script fills from a table which goes.
INSERT INTO rm.situation VALUES ('merged', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text/*S*/); CREATE TABLE c (t_id int PRIMARY KEY, b text/*S*/)$$,
    $$DROP TABLE c; DROP TABLE t$$,
    $$ALTER TABLE t ADD b text; UPDATE t SET b = c.b FROM c WHERE c.t_id = t.id; DROP TABLE c$$,
    $$CREATE TABLE c (t_id int PRIMARY KEY, b text/*S*/); INSERT INTO c (t_id, b) SELECT id, b FROM t; ALTER TABLE t DROP b$$],
    ARRAY[$$INSERT INTO t (id, a) VALUES (1, 'p1'), (2, 'p2')$$,
    $$INSERT INTO c (t_id, b) VALUES (1, 'c1'), (2, 'c2')$$,
    $$U2$$,
    $$UPDATE t SET b = 'mine' WHERE id = 2$$,
    $$D1$$,
    $$UPDATE c SET b = 'later' WHERE t_id = 1$$,
    $$U2$$,
    $$=$$]);
SELECT rm.steps('merged', 'schema') \gexec
SELECT rm.steps('merged', 'row') \gexec

\echo == Up again, references into a table that the scripts make and fill anew.
INSERT INTO rm.situation VALUES ('again', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, city text/*S*/)$$,
    $$DROP TABLE t$$,
    $$CREATE TABLE city (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text UNIQUE/*S*/); INSERT INTO city (name) SELECT DISTINCT city FROM t ORDER BY 1; ALTER TABLE t ADD city_id int REFERENCES city;
      UPDATE t SET city_id = c.id FROM city c WHERE c.name = t.city; ALTER TABLE t DROP city$$,
    $$ALTER TABLE t ADD city text; UPDATE t SET city = c.name FROM city c WHERE c.id = t.city_id; ALTER TABLE t DROP city_id; DROP TABLE city$$],
    ARRAY[$$INSERT INTO t (id, city) VALUES (1, 'Rome'), (2, 'Oslo'), (4, 'Rome')$$,
    $$U2$$,
    $$UPDATE t SET city_id = 1 WHERE id = 4$$,
    $$D1$$,
    $$INSERT INTO t (id, city) VALUES (3, 'Aachen')$$,
    $$UPDATE t SET city = 'Aachen' WHERE id = 2$$,
    $$U2$$,
    $$=$$]);
SELECT rm.steps('again', 'schema') \gexec
SELECT rm.steps('again', 'row') \gexec

\echo == Down, references into a table that the scripts make and fill anew.
INSERT INTO rm.situation VALUES ('mirror', ARRAY[
    $$CREATE TABLE city (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text UNIQUE/*S*/); CREATE TABLE t (id int PRIMARY KEY, city_id int REFERENCES city/*S*/)$$,
    $$DROP TABLE t; DROP TABLE city$$,
    $$ALTER TABLE t ADD city text; UPDATE t SET city = c.name FROM city c WHERE c.id = t.city_id; ALTER TABLE t DROP city_id; DROP TABLE city$$,
    $$CREATE TABLE city (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text UNIQUE/*S*/); INSERT INTO city (name) SELECT DISTINCT city FROM t ORDER BY 1; ALTER TABLE t ADD city_id int REFERENCES city;
      UPDATE t SET city_id = c.id FROM city c WHERE c.name = t.city; ALTER TABLE t DROP city$$],
    ARRAY[$$INSERT INTO city (name) VALUES ('Rome'), ('Oslo')$$,
    $$INSERT INTO t (id, city_id) VALUES (1, 1), (2, 2)$$,
    $$U2$$,
    $$INSERT INTO t (id, city) VALUES (3, 'Aachen')$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('mirror', 'schema') \gexec
SELECT rm.steps('mirror', 'row') \gexec

\echo == Down, a column that the script fills from a table which people wrote to and which goes.
INSERT INTO rm.situation VALUES ('carried', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$CREATE TABLE ad (t_id int PRIMARY KEY, a text/*S*/); INSERT INTO ad (t_id, a) SELECT id, a FROM t; ALTER TABLE t DROP a$$,
    $$ALTER TABLE t ADD a text; UPDATE t SET a = upper(ad.a) FROM ad WHERE ad.t_id = t.id; DROP TABLE ad$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)$$,
    $$U2$$,
    $$UPDATE ad SET a = 'edit' WHERE t_id = 1$$,
    $$DELETE FROM ad WHERE t_id = 4$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('carried', 'schema') \gexec
SELECT rm.steps('carried', 'row') \gexec

\echo == The same, nobody having written to it.
INSERT INTO rm.situation VALUES ('left', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$CREATE TABLE ad (t_id int PRIMARY KEY, a text/*S*/); INSERT INTO ad (t_id, a) SELECT id, a FROM t; ALTER TABLE t DROP a$$,
    $$ALTER TABLE t ADD a text; UPDATE t SET a = upper(ad.a) FROM ad WHERE ad.t_id = t.id; DROP TABLE ad$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)$$,
    $$U2$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('left', 'schema') \gexec
SELECT rm.steps('left', 'row') \gexec

\echo == The same with a column that was there all the time, empty.
INSERT INTO rm.situation VALUES ('emptied', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$CREATE TABLE ad (t_id int PRIMARY KEY, a text/*S*/); INSERT INTO ad (t_id, a) SELECT id, a FROM t; UPDATE t SET a = NULL$$,
    $$UPDATE t SET a = ad.a FROM ad WHERE ad.t_id = t.id; DROP TABLE ad$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)$$,
    $$U2$$,
    $$UPDATE ad SET a = 'edit' WHERE t_id = 1$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('emptied', 'schema') \gexec
SELECT rm.steps('emptied', 'row') \gexec

\echo == Up again, a key under which there is another row now.
INSERT INTO rm.situation VALUES ('reused', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, n numeric/*S*/)$$,
    $$DROP TABLE t$$,
    $$ALTER TABLE t ADD e text$$,
    $$ALTER TABLE t DROP e$$],
    ARRAY[$$INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)$$,
    $$U2$$,
    $$UPDATE t SET e = 'of ' || a$$,
    $$D1$$,
    $$DELETE FROM t WHERE id = 2$$,
    $$INSERT INTO t (id, a) VALUES (2, 'other person')$$,
    $$UPDATE t SET a = 'edit' WHERE id = 3$$,
    $$U2$$,
    $$=$$]);
SELECT rm.steps('reused', 'schema') \gexec
SELECT rm.steps('reused', 'row') \gexec

\echo == Down, rows that the script moves to another table.
INSERT INTO rm.situation VALUES ('moved', ARRAY[
    $$CREATE TABLE t (id int PRIMARY KEY, a text, k int/*S*/); CREATE TABLE x (id int PRIMARY KEY, a text/*S*/)$$,
    $$DROP TABLE x; DROP TABLE t$$,
    $$INSERT INTO x (id, a) SELECT id, a FROM t WHERE k = 1; DELETE FROM t WHERE k = 1$$,
    $$INSERT INTO t (id, a, k) SELECT id, a, 1 FROM x WHERE id < 9; DELETE FROM x$$],
    ARRAY[$$INSERT INTO t (id, a, k) VALUES (1, 'one', 1), (2, 'two', 2)$$,
    $$U2$$,
    $$UPDATE x SET a = 'edit' WHERE id = 1$$,
    $$INSERT INTO x (id, a) VALUES (4, 'new'), (9, 'gone')$$,
    $$D1$$,
    $$=$$]);
SELECT rm.steps('moved', 'schema') \gexec
SELECT rm.steps('moved', 'row') \gexec

RESET search_path;
