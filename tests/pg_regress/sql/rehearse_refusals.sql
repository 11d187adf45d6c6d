-- What clients of the old version are refused after a script: by triggers, by views, by rights that came through
-- a group; and what a rehearsal says where that can't be told.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
SET client_min_messages TO warning;
CREATE ROLE refused_owner NOLOGIN;
CREATE ROLE refused_reader NOLOGIN;
CREATE ROLE refused_auditors NOLOGIN;
CREATE ROLE refused_stranger NOLOGIN;
GRANT refused_auditors TO refused_reader;
SELECT id AS module FROM module_versioning.register_module('refused', schema_name => 'refused', owner_role => 'refused_owner') \gset
SELECT id AS root_module FROM module_versioning.register_module('refused_root', schema_name => 'refused', owner_role => current_user) \gset
CREATE SCHEMA refused AUTHORIZATION refused_owner;
SET ROLE refused_owner;
SET search_path = refused;
CREATE TABLE asset (id int PRIMARY KEY, tag text UNIQUE);
INSERT INTO asset VALUES (1, 'a'), (2, 'b');
CREATE TABLE empty_one (id int PRIMARY KEY);
CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE quota (id int PRIMARY KEY, n int NOT NULL);
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON quota FOR EACH ROW EXECUTE FUNCTION quiet();
INSERT INTO quota VALUES (1, 5), (2, -5);
CREATE TABLE wage (dept text, cents int);
CREATE VIEW by_dept AS SELECT dept, sum(cents) AS cents FROM wage GROUP BY dept;
CREATE VIEW plain AS SELECT dept, cents FROM wage;
GRANT SELECT ON by_dept TO refused_reader, refused_stranger;
GRANT SELECT, INSERT ON plain TO PUBLIC;
GRANT SELECT ON wage, asset TO refused_auditors;
GRANT USAGE ON SCHEMA refused TO refused_reader;
CREATE FUNCTION spent() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(cents) FROM wage); END $$;
RESET search_path;
RESET ROLE;

CREATE FUNCTION pg_temp.rehearse(module uuid, up text) RETURNS SETOF text LANGUAGE sql AS $$
    WITH r AS MATERIALIZED (SELECT * FROM module_versioning.rehearse_migration(module, up))
    SELECT concat_ws(' ', CASE WHEN ok THEN 'ok' ELSE 'failed' END, sqlstate, error_message, suggested_bump) FROM r
    UNION ALL SELECT concat_ws(' ', 'breaks', f->>'kind', f->>'object', 'by ' || (f->>'statement_number') || ':', f->>'detail')
              FROM r, jsonb_array_elements(breaking_changes) f
    UNION ALL SELECT concat_ws(' ', 'changes', f->>'kind', f->>'object') FROM r, jsonb_array_elements(schema_changes) f
              WHERE f->'detail'->>'level' IN ('breaking', 'dangerous')
    UNION ALL SELECT 'warning ' || w FROM r, unnest(warnings) w WHERE w !~ 'no way back'
$$;

\echo -- a trigger that fills a new column refuses nobody
SELECT pg_temp.rehearse(:'module', $up$
    ALTER TABLE asset ADD COLUMN tag_lower text;
    CREATE FUNCTION lower_tag() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tag_lower := lower(NEW.tag); RETURN NEW; END $$;
    CREATE TRIGGER lower_tag BEFORE INSERT OR UPDATE ON asset FOR EACH ROW EXECUTE FUNCTION lower_tag()$up$);
\echo -- one that refuses some rows, of which one is there
SELECT pg_temp.rehearse(:'module', $up$
    CREATE OR REPLACE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.n < 0 THEN RAISE EXCEPTION 'too little'; END IF; RETURN NEW; END $$$up$);
\echo -- one that refuses some rows, of which none is there
SELECT pg_temp.rehearse(:'module', $up$
    CREATE FUNCTION check_tag() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.tag = 'z' THEN RAISE EXCEPTION 'no z'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER check_tag BEFORE INSERT ON asset FOR EACH ROW EXECUTE FUNCTION check_tag()$up$);
\echo -- a table without rows
SELECT pg_temp.rehearse(:'module', $up$
    CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$;
    CREATE TRIGGER closed BEFORE INSERT ON empty_one FOR EACH ROW EXECUTE FUNCTION closed()$up$);
\echo -- rights below a view
SELECT pg_temp.rehearse(:'module', 'ALTER VIEW by_dept SET (security_invoker = true)');
SELECT pg_temp.rehearse(:'module', 'ALTER VIEW by_dept SET (security_invoker = true); GRANT SELECT (dept, cents) ON wage TO refused_stranger');
SELECT pg_temp.rehearse(:'module', 'ALTER VIEW plain SET (security_invoker = on); GRANT SELECT ON wage TO PUBLIC');
SELECT pg_temp.rehearse(:'module', 'CREATE OR REPLACE VIEW by_dept WITH (security_invoker) AS SELECT dept, sum(cents) AS cents FROM plain GROUP BY dept');
\echo -- rights through a group
SELECT pg_temp.rehearse(:'root_module', 'REVOKE refused_auditors FROM refused_reader');
SELECT pg_temp.rehearse(:'root_module', 'REVOKE refused_auditors FROM refused_reader; GRANT SELECT ON wage, asset TO refused_reader');
\echo -- a body whose names have gone; all kinds of a change
SELECT pg_temp.rehearse(:'module', 'ALTER TABLE wage RENAME TO wages');
SELECT pg_temp.rehearse(:'module', 'ALTER TABLE asset ALTER tag TYPE varchar(5), ALTER tag SET DEFAULT ''x''; ALTER TABLE asset RENAME tag TO label');

\echo -- nothing runs with the rights of those who may use a view
SET ROLE refused_owner;
CREATE FUNCTION refused.spy() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'refused_owner' THEN RAISE WARNING 'runs as %', current_user; END IF;
    RETURN true;
END $$;
CREATE VIEW refused.lure AS SELECT dept FROM refused.wage WHERE refused.spy();
DO $$ BEGIN EXECUTE format('GRANT SELECT ON refused.lure TO %I', session_user); END $$;
RESET ROLE;
SELECT pg_temp.rehearse(:'module', 'ALTER VIEW lure SET (security_invoker = true)');

SET client_min_messages TO error;
DROP SCHEMA refused CASCADE;
DROP OWNED BY refused_owner, refused_reader, refused_auditors, refused_stranger;
