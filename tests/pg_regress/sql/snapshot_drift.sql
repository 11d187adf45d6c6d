-- Tables that have changed since a snapshot: all that stands in the way of a restore is named, and no row is touched.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_drift_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-drift') \gset
SELECT id AS module FROM module_versioning.register_module('snap-drift', isolation => 'schema', owner_role => 'snap_drift_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset
SET search_path = :"own", public;
SET ROLE snap_drift_owner;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE gone AS ENUM ('x');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int;
CREATE TABLE loose (id int PRIMARY KEY, n text, t text, w timestamptz, keeps text);
INSERT INTO loose VALUES (1, '1', 'a', '2020-01-01 12:00+00', '7'), (2, 'two', 'long text', NULL, '8');
CREATE TABLE moody (id int PRIMARY KEY, m mood, ms mood[], p pair);
INSERT INTO moody SELECT g, CASE WHEN g = 500 THEN 'sad' ELSE 'glad' END::mood, ARRAY['glad']::mood[], ROW(g, 'x')::pair FROM generate_series(1, 500) g;
CREATE TABLE domains (id int PRIMARY KEY, s small);
INSERT INTO domains SELECT g, g FROM generate_series(1, 1000) g;
CREATE TABLE typed (id int PRIMARY KEY, g gone);
INSERT INTO typed VALUES (1, 'x');
CREATE TABLE other (id int PRIMARY KEY, a int, b int);
INSERT INTO other VALUES (1, 2, 3);
CREATE TABLE lost (id int);
RESET ROLE;
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset

-- Everything at once: types that don't take the values, one that is gone, a column that is gone or computed, new columns that
-- must have a value (by themselves or by their domain), a table that is gone.
SET ROLE snap_drift_owner;
ALTER TABLE loose ALTER n TYPE int USING NULL, ALTER t TYPE varchar(3) USING 'x', ALTER w TYPE date, ALTER keeps TYPE int USING 0;
ALTER TABLE typed DROP COLUMN g;
DROP TYPE gone;
ALTER TABLE typed ADD g text;
CREATE DOMAIN needed AS text NOT NULL;
CREATE DOMAIN supplied AS text NOT NULL DEFAULT 'supplied';
TRUNCATE domains;
ALTER TABLE domains ADD d supplied, ADD e text NOT NULL DEFAULT 'e';
TRUNCATE moody;
ALTER TABLE moody ADD must needed, ADD too int NOT NULL;
ALTER TABLE other DROP COLUMN a, DROP COLUMN b;
ALTER TABLE other ADD b int GENERATED ALWAYS AS (id * 2) STORED;
DROP TABLE lost;
RESET ROLE;
SELECT md5(string_agg(l::text, ',' ORDER BY id)) AS loose_before FROM loose l \gset
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT md5(string_agg(l::text, ',' ORDER BY id)) = :'loose_before' AS untouched FROM loose l;
-- Comparing can't either, and says so.
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
SET ROLE snap_drift_owner;
CREATE TABLE lost (id int);
RESET ROLE;
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
-- New columns that get a value by themselves are no obstacle, nor are types that take the values.
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['domains'], false);
SELECT d, e, count(*) FROM domains GROUP BY 1, 2;
SET ROLE snap_drift_owner;
ALTER TABLE loose ALTER n TYPE text, ALTER t TYPE text;
RESET ROLE;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['loose'], false);
SELECT * FROM loose ORDER BY id;

-- Types that are called as before and are not what they were: the last row of many, in a row that is changed, in rows that come
-- by COPY.
SET ROLE snap_drift_owner;
ALTER TABLE moody DROP COLUMN must, DROP COLUMN too, DROP COLUMN m, DROP COLUMN ms, DROP COLUMN p;
DROP TYPE mood, pair;
CREATE TYPE mood AS ENUM ('glad');
CREATE TYPE pair AS (a int, b text, c int);
ALTER TABLE moody ADD m mood, ADD ms mood[], ADD p pair;
ALTER DOMAIN small ADD CHECK (VALUE < 1000) NOT VALID;
RESET ROLE;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['moody'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM moody;
CREATE TYPE gone AS ENUM ('x');
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
UPDATE domains SET s = 0;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['domains'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*), sum(s) FROM domains;
TRUNCATE domains;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['domains'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM domains;
-- An error that has another cause is not blamed on a type.
SET ROLE snap_drift_owner;
ALTER DOMAIN small DROP CONSTRAINT small_check;
ALTER TABLE domains ADD CHECK (s < 900) NOT VALID;
RESET ROLE;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['domains'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM domains;
