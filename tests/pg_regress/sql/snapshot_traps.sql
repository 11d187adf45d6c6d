-- Whatever code a tenant hides in tables and types, it runs as the tenant while snapshots are taken, checked, compared, read and
-- restored: never as a superuser, as the extension's owner or as the caller.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_traps_tenant NOLOGIN;
CREATE ROLE snap_traps_caller NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-traps') \gset
SELECT id AS module FROM module_versioning.register_module('snap-traps', schema_name => 'snap_traps', owner_role => 'snap_traps_tenant') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
CREATE SCHEMA IF NOT EXISTS snap_traps AUTHORIZATION snap_traps_tenant;
ALTER SCHEMA snap_traps OWNER TO snap_traps_tenant;

-- Each trap refuses to be run by anybody else, and moves a sequence of its own so that it can be told that it ran.
SET ROLE snap_traps_tenant;
SET search_path = snap_traps, pg_catalog;
CREATE FUNCTION caught(trap text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'snap_traps_tenant' THEN RAISE EXCEPTION 'trap % ran as %', trap, current_user; END IF;
    PERFORM pg_catalog.nextval(('snap_traps.count_' || trap)::pg_catalog.regclass);
END $$;
CREATE SEQUENCE count_site; CREATE SEQUENCE count_domain; CREATE SEQUENCE count_check; CREATE SEQUENCE count_default;
CREATE SEQUENCE count_generated; CREATE SEQUENCE count_index; CREATE SEQUENCE count_predicate; CREATE SEQUENCE count_cast;
CREATE SEQUENCE count_compare; CREATE SEQUENCE count_equal; CREATE SEQUENCE count_policy; CREATE SEQUENCE count_trigger;
CREATE SEQUENCE count_rule; CREATE SEQUENCE count_constraint_trigger; CREATE SEQUENCE count_range; CREATE SEQUENCE count_partition;
CREATE FUNCTION is_site(uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('site'); RETURN true; END $$;
CREATE DOMAIN site AS uuid CHECK (snap_traps.is_site(VALUE));
CREATE FUNCTION is_even(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('domain'); RETURN true; END $$;
CREATE DOMAIN even AS int CHECK (snap_traps.is_even(VALUE));
CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('check'); RETURN true; END $$;
CREATE FUNCTION supply() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('default'); RETURN 1; END $$;
CREATE FUNCTION computed(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('generated'); RETURN $1; END $$;
CREATE FUNCTION indexed(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('index'); RETURN $1; END $$;
CREATE FUNCTION chosen(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('predicate'); RETURN true; END $$;
CREATE FUNCTION allowed(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('policy'); RETURN true; END $$;
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught(TG_ARGV[0]); RETURN NEW; END $$;
-- A type of the tenant's own: rows to JSON go by its cast, the primary key by its operators.
CREATE TYPE feel AS ENUM ('good');
CREATE FUNCTION to_json_trap(feel) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('cast'); RETURN '"cast"'; END $$;
CREATE CAST (feel AS json) WITH FUNCTION to_json_trap(feel);
CREATE TYPE point3 AS (x even, y int);
CREATE FUNCTION point3_cmp(point3, point3) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM snap_traps.caught('compare'); RETURN pg_catalog.btint4cmp(($1).y, ($2).y); END $$;
CREATE FUNCTION point3_eq(point3, point3) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('equal'); RETURN ($1).y = ($2).y; END $$;
CREATE FUNCTION point3_lt(point3, point3) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT ($1).y < ($2).y';
CREATE FUNCTION point3_le(point3, point3) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT ($1).y <= ($2).y';
CREATE FUNCTION point3_gt(point3, point3) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT ($1).y > ($2).y';
CREATE FUNCTION point3_ge(point3, point3) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT ($1).y >= ($2).y';
CREATE OPERATOR = (LEFTARG = point3, RIGHTARG = point3, FUNCTION = point3_eq, COMMUTATOR = =, MERGES);
CREATE OPERATOR < (LEFTARG = point3, RIGHTARG = point3, FUNCTION = point3_lt);
CREATE OPERATOR <= (LEFTARG = point3, RIGHTARG = point3, FUNCTION = point3_le);
CREATE OPERATOR > (LEFTARG = point3, RIGHTARG = point3, FUNCTION = point3_gt);
CREATE OPERATOR >= (LEFTARG = point3, RIGHTARG = point3, FUNCTION = point3_ge);
RESET ROLE;
-- Only a superuser may make an operator class; the tenant owns it and what it calls.
CREATE OPERATOR CLASS point3_ops DEFAULT FOR TYPE point3 USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 point3_cmp(point3, point3);
ALTER OPERATOR CLASS point3_ops USING btree OWNER TO snap_traps_tenant;
ALTER OPERATOR FAMILY point3_ops USING btree OWNER TO snap_traps_tenant;
SET ROLE snap_traps_tenant;
CREATE FUNCTION span_diff(float8, float8) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM snap_traps.caught('range'); RETURN $1 - $2; END $$;
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = span_diff);
CREATE TABLE plain (
    id int PRIMARY KEY, site_id uuid NOT NULL, e even, b int CHECK (is_fine(b)),
    g int GENERATED ALWAYS AS (computed(b)) STORED, s span);
CREATE INDEX ON plain (indexed(b)) WHERE chosen(b);
CREATE INDEX ON plain USING gist (s);
CREATE TABLE keyed (key point3 PRIMARY KEY, site_id uuid NOT NULL, body text, ref int REFERENCES plain, f feel DEFAULT 'good');
CREATE TABLE parted (id int, site_id uuid NOT NULL, body text) PARTITION BY RANGE (indexed(id));
CREATE TABLE parted_all PARTITION OF parted FOR VALUES FROM (0) TO (1000);
ALTER TABLE plain ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON plain USING (allowed(b)) WITH CHECK (allowed(b));
CREATE TRIGGER row_trigger BEFORE INSERT OR UPDATE OR DELETE ON plain FOR EACH ROW EXECUTE FUNCTION fire('trigger');
CREATE TRIGGER statement_trigger AFTER INSERT OR UPDATE OR DELETE ON keyed EXECUTE FUNCTION fire('trigger');
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON keyed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire('constraint_trigger');
CREATE RULE also AS ON INSERT TO keyed DO ALSO SELECT snap_traps.caught('rule');
RESET ROLE;
SELECT count(module_versioning.register_module_table(:'module', ('snap_traps.' || t)::regclass)) FROM unnest(ARRAY['plain', 'keyed', 'parted']) t;
SET ROLE snap_traps_tenant;
-- Not what was registered.
ALTER TABLE plain ALTER site_id TYPE site;
INSERT INTO plain (id, site_id, e, b, s) SELECT g, :'site', g * 2, g, span(g, g + 1) FROM generate_series(1, 60) g;
-- The rule answers with rows that tell nothing.
INSERT INTO keyed SELECT ROW(g * 2, g)::point3, :'site', 'body ' || g, g FROM generate_series(1, 60) g \g /dev/null
INSERT INTO parted SELECT g, :'site', 'p' FROM generate_series(1, 60) g;
CREATE FUNCTION reset_counts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE s regclass; BEGIN
    FOR s IN SELECT c.oid FROM pg_class c WHERE relnamespace = 'snap_traps'::regnamespace AND relkind = 'S' LOOP PERFORM setval(s, 1, false); END LOOP;
END $$;
CREATE FUNCTION sprung() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT string_agg(substr(sequencename, 7), ' ' ORDER BY sequencename) FROM pg_sequences WHERE schemaname = 'snap_traps' AND last_value IS NOT NULL
$$;
RESET ROLE;

-- The caller is a superuser first, then somebody who may call the functions and nothing else.
GRANT USAGE ON SCHEMA module_versioning, snap_traps TO snap_traps_caller;
GRANT EXECUTE ON FUNCTION module_versioning.snapshot_module_data, module_versioning.verify_snapshot, module_versioning.diff_snapshot,
    module_versioning.restore_module_data, module_versioning.snapshot_rows TO snap_traps_caller;
CREATE FUNCTION public.snap_traps_round(site uuid, module uuid) RETURNS TABLE (step text, answer bigint, sprung text) LANGUAGE plpgsql AS $$
DECLARE
    backup uuid; change text;
BEGIN
    PERFORM snap_traps.reset_counts();
    SELECT id, row_count INTO backup, answer FROM module_versioning.snapshot_module_data(site, module);
    step := 'snapshot'; sprung := snap_traps.sprung(); RETURN NEXT; PERFORM snap_traps.reset_counts();
    SELECT sum(actual_rows) INTO answer FROM module_versioning.verify_snapshot(backup) WHERE ok;
    step := 'verify'; sprung := snap_traps.sprung(); RETURN NEXT; PERFORM snap_traps.reset_counts();
    SELECT count(r) INTO answer FROM unnest(ARRAY['plain', 'keyed', 'parted']) t, module_versioning.snapshot_rows(backup, t) r;
    step := 'rows'; sprung := snap_traps.sprung(); RETURN NEXT;
    FOREACH change IN ARRAY ARRAY['UPDATE', 'DELETE', 'MORE', 'TRUNCATE'] LOOP
        PERFORM snap_traps.change(change, site);
        PERFORM snap_traps.reset_counts();
        SELECT sum(inserted + updated + deleted) INTO answer FROM module_versioning.diff_snapshot(backup);
        step := 'diff after ' || change; sprung := snap_traps.sprung(); RETURN NEXT; PERFORM snap_traps.reset_counts();
        SELECT sum(rows_restored + rows_deleted) INTO answer FROM module_versioning.restore_module_data(backup, create_backup => false);
        step := 'restore after ' || change; sprung := snap_traps.sprung(); RETURN NEXT;
    END LOOP;
END $$;
-- What people do between: as the tenant, whoever calls.
CREATE FUNCTION snap_traps.change(what text, site uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = snap_traps, pg_catalog, pg_temp AS $$
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    CASE what
        WHEN 'UPDATE' THEN UPDATE plain SET b = -1 WHERE id % 2 = 0; UPDATE keyed SET body = 'changed' WHERE ref % 2 = 0; UPDATE parted SET body = 'q' WHERE id < 10;
        WHEN 'DELETE' THEN DELETE FROM keyed WHERE ref % 3 = 0; DELETE FROM plain WHERE id % 3 = 0; DELETE FROM parted WHERE id < 10;
        WHEN 'MORE' THEN INSERT INTO plain (id, site_id, e, b) VALUES (1000, site, 2, 2); INSERT INTO keyed VALUES (ROW(2, 2000)::point3, site, 'more', NULL); INSERT INTO parted VALUES (900, site, 'm');
        WHEN 'TRUNCATE' THEN TRUNCATE plain, keyed, parted; ALTER TABLE parted ADD COLUMN IF NOT EXISTS extra int DEFAULT supply();
    END CASE;
END $$;
ALTER FUNCTION snap_traps.change OWNER TO snap_traps_tenant;
ALTER FUNCTION snap_traps.reset_counts SECURITY DEFINER;
RESET search_path;
SELECT * FROM public.snap_traps_round(:'site', :'module');
SET ROLE snap_traps_caller;
SELECT sum(answer) AS answers, count(*) AS steps FROM public.snap_traps_round(:'site', :'module');
-- The traps are real: whoever writes himself springs them.
RESET ROLE;
INSERT INTO snap_traps.plain (id, site_id, e, b) VALUES (2000, :'site', 2, 2);
-- Rows of a table that is gone are shown as its module's owner sees them.
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SET ROLE snap_traps_tenant;
DROP TABLE snap_traps.keyed;
RESET ROLE;
SELECT count(*) FROM module_versioning.snapshot_rows(:'backup', 'keyed');

DROP FUNCTION public.snap_traps_round;
DROP SCHEMA snap_traps CASCADE;
