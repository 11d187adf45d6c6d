-- Snapshots of the row layout: what is taken, what a restore writes, and what it must leave alone.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_restore_owner NOLOGIN;
CREATE SCHEMA snap_restore AUTHORIZATION snap_restore_owner;
SET ROLE snap_restore_owner;
CREATE TABLE snap_restore.customers (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id uuid NOT NULL,
    email text UNIQUE,
    amount numeric(10, 2) DEFAULT 1.50,
    document json,
    shouted text GENERATED ALWAYS AS (upper(email)) STORED
);
CREATE TABLE snap_restore.orders (
    id bigserial PRIMARY KEY,
    site_id uuid NOT NULL,
    customer_id int NOT NULL REFERENCES snap_restore.customers,
    parent bigint REFERENCES snap_restore.orders,
    place int,
    UNIQUE (site_id, place)
);
-- Two tables that refer to each other, neither key deferrable.
CREATE TABLE snap_restore.heads (id int PRIMARY KEY, site_id uuid NOT NULL, tail int NOT NULL);
CREATE TABLE snap_restore.tails (id int PRIMARY KEY, site_id uuid NOT NULL, head int NOT NULL REFERENCES snap_restore.heads);
CREATE TABLE snap_restore.log (site_id uuid NOT NULL, line json);
CREATE TABLE snap_restore.codes (code text PRIMARY KEY, label text);
RESET ROLE;

SELECT id AS site_a FROM module_versioning.register_site('snap-restore-a') \gset
SELECT id AS site_b FROM module_versioning.register_site('snap-restore-b') \gset
SELECT id AS module FROM module_versioning.register_module('snap-restore', schema_name => 'snap_restore', owner_role => 'snap_restore_owner') \gset
SELECT t.table_name, t.site_column
FROM unnest(ARRAY['customers', 'orders', 'heads', 'tails', 'log', 'codes']) AS n,
     module_versioning.register_module_table(:'module', ('snap_restore.' || n)::regclass) AS t;
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site_a', :'module');
SELECT status FROM module_versioning.install_module(:'site_b', :'module');

INSERT INTO snap_restore.customers (site_id, email, document)
SELECT CASE WHEN g % 2 = 1 THEN :'site_a'::uuid ELSE :'site_b' END, 'c' || g, '{"b": 1, "a": [1,2], "b": 2}'
FROM generate_series(1, 20) g;
INSERT INTO snap_restore.orders (site_id, customer_id, place, parent)
SELECT site_id, id, id, CASE WHEN id > 2 THEN id - 2 END FROM snap_restore.customers ORDER BY id;
INSERT INTO snap_restore.heads VALUES (1, :'site_a', 1), (2, :'site_b', 2);
INSERT INTO snap_restore.tails VALUES (1, :'site_a', 1), (2, :'site_b', 2);
ALTER TABLE snap_restore.heads ADD FOREIGN KEY (tail) REFERENCES snap_restore.tails;
INSERT INTO snap_restore.log SELECT :'site_a', json_build_object('n', g % 3) FROM generate_series(1, 9) g;
INSERT INTO snap_restore.codes VALUES ('x', 'one'), ('y', 'two');

-- Whatever fires, fails: triggers of every kind, a rule, and policies that hide all rows from the owner too.
CREATE FUNCTION snap_restore.trap() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'a trigger fired'; END $$;
CREATE TRIGGER plain BEFORE INSERT OR UPDATE OR DELETE ON snap_restore.orders
    FOR EACH ROW EXECUTE FUNCTION snap_restore.trap();
CREATE TRIGGER "al""ways" AFTER INSERT OR UPDATE OR DELETE ON snap_restore.customers
    FOR EACH STATEMENT EXECUTE FUNCTION snap_restore.trap();
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON snap_restore.log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION snap_restore.trap();
CREATE TRIGGER replica BEFORE INSERT ON snap_restore.codes FOR EACH ROW EXECUTE FUNCTION snap_restore.trap();
ALTER TABLE snap_restore.customers ENABLE ALWAYS TRIGGER "al""ways";
ALTER TABLE snap_restore.codes ENABLE REPLICA TRIGGER replica;
CREATE RULE nothing AS ON DELETE TO snap_restore.log DO INSTEAD NOTHING;
ALTER TABLE snap_restore.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE snap_restore.customers FORCE ROW LEVEL SECURITY;

SELECT id AS backup, type, version, row_count, jsonb_pretty(table_counts), length(root_hash),
       expires_at > now() + interval '29 days' AS month, size_bytes > 0 AS sized
FROM module_versioning.snapshot_module_data(:'site_a', :'module') \gset
\echo :type :version :row_count :jsonb_pretty :length :month :sized
SELECT * FROM module_versioning.verify_snapshot(:'backup');
SELECT * FROM module_versioning.diff_snapshot(:'backup');

-- The same again adds nothing and has the same hash, whatever the session's settings.
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET bytea_output = 'escape'; SET extra_float_digits = 0;
SELECT b.stored_bytes, b.root_hash = a.root_hash AS same, b.expires_at IS NOT NULL AS expires
FROM module_versioning.snapshot_module_data(:'site_a', :'module', 'manual', '1 hour') b,
     module_versioning.list_snapshots(:'site_a', :'module') a WHERE a.id = :'backup';
RESET TimeZone; RESET DateStyle; RESET bytea_output; RESET extra_float_digits;

-- Changes of every kind.
SELECT md5(string_agg(c::text, ';' ORDER BY id)) AS customers_b FROM snap_restore.customers c WHERE site_id = :'site_b' \gset
CREATE TABLE snap_restore.before AS SELECT 'o' AS kind, o::text FROM snap_restore.orders o WHERE site_id = :'site_a'
    UNION ALL SELECT 'c', c::text FROM snap_restore.customers c WHERE site_id = :'site_a'
    UNION ALL SELECT 'h', h::text FROM snap_restore.heads h UNION ALL SELECT 't', t::text FROM snap_restore.tails t
    UNION ALL SELECT 'l', l::text FROM snap_restore.log l UNION ALL SELECT 'd', d::text FROM snap_restore.codes d;
BEGIN;
ALTER TABLE snap_restore.orders DISABLE TRIGGER USER;
ALTER TABLE snap_restore.customers DISABLE TRIGGER USER;
ALTER TABLE snap_restore.log DISABLE TRIGGER USER;
ALTER TABLE snap_restore.log DISABLE RULE nothing;
UPDATE snap_restore.customers SET amount = 99 WHERE id = 3;
UPDATE snap_restore.orders SET place = -place WHERE id IN (5, 7);
UPDATE snap_restore.orders SET place = CASE id WHEN 5 THEN 7 ELSE 5 END WHERE id IN (5, 7);
DELETE FROM snap_restore.orders WHERE id = 19;
DELETE FROM snap_restore.customers WHERE id = 19;
INSERT INTO snap_restore.customers (site_id, email) VALUES (:'site_a', 'c19');
INSERT INTO snap_restore.orders (site_id, customer_id, place) VALUES (:'site_a', 21, 19);
ALTER TABLE snap_restore.heads DISABLE TRIGGER ALL; ALTER TABLE snap_restore.tails DISABLE TRIGGER ALL;
DELETE FROM snap_restore.heads WHERE id = 1; DELETE FROM snap_restore.tails WHERE id = 1;
ALTER TABLE snap_restore.heads ENABLE TRIGGER ALL; ALTER TABLE snap_restore.tails ENABLE TRIGGER ALL;
DELETE FROM snap_restore.log WHERE line ->> 'n' = '0';
INSERT INTO snap_restore.log VALUES (:'site_a', '{"n" : 1}');
DELETE FROM snap_restore.codes WHERE code = 'x';
ALTER TABLE snap_restore.orders ENABLE TRIGGER USER;
ALTER TABLE snap_restore.customers ENABLE ALWAYS TRIGGER "al""ways";
ALTER TABLE snap_restore.log ENABLE TRIGGER USER;
ALTER TABLE snap_restore.log ENABLE RULE nothing;
COMMIT;

SELECT * FROM module_versioning.diff_snapshot(:'backup');
SELECT * FROM module_versioning.restore_module_data(:'backup');
SELECT * FROM module_versioning.diff_snapshot(:'backup');
SELECT count(*) AS differing FROM (
    (SELECT * FROM snap_restore.before EXCEPT ALL (
        SELECT 'o', o::text FROM snap_restore.orders o WHERE site_id = :'site_a'
        UNION ALL SELECT 'c', c::text FROM snap_restore.customers c WHERE site_id = :'site_a'
        UNION ALL SELECT 'h', h::text FROM snap_restore.heads h UNION ALL SELECT 't', t::text FROM snap_restore.tails t
        UNION ALL SELECT 'l', l::text FROM snap_restore.log l UNION ALL SELECT 'd', d::text FROM snap_restore.codes d))) AS x;
SELECT md5(string_agg(c::text, ';' ORDER BY id)) = :'customers_b' AS neighbour_untouched
FROM snap_restore.customers c WHERE site_id = :'site_b';
-- Triggers, rules and their states are as they were.
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
WHERE tgrelid::regclass::text LIKE 'snap_restore.%' AND NOT tgisinternal ORDER BY 1, 2;
SELECT ev_class::regclass, rulename, ev_enabled FROM pg_rewrite WHERE rulename = 'nothing';
-- A sequence that sites share doesn't move back.
SELECT last_value, is_called FROM snap_restore.orders_id_seq;
-- The restore took a snapshot first; again it finds nothing to do.
SELECT type, row_count FROM module_versioning.list_snapshots(:'site_a', :'module') ORDER BY ordinal;
SELECT sum(rows_restored) AS restored, sum(rows_deleted) AS deleted, sum(rows_kept) AS kept
FROM module_versioning.restore_module_data(:'backup', create_backup => false);

-- One table only.
ALTER TABLE snap_restore.codes DISABLE TRIGGER USER;
UPDATE snap_restore.codes SET label = 'changed';
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['log', 'codes'], false);
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['nothing'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY[NULL]::text[], false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data('00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE

-- A deletion that would reach outside the snapshot is refused.
CREATE TABLE snap_restore.outside (customer int REFERENCES snap_restore.customers ON DELETE CASCADE);
ALTER TABLE snap_restore.outside OWNER TO snap_restore_owner;
ALTER TABLE snap_restore.customers DISABLE TRIGGER USER;
INSERT INTO snap_restore.customers (site_id, email) VALUES (:'site_a', 'later') RETURNING id AS later \gset
SELECT rows_deleted FROM module_versioning.restore_module_data(:'backup', ARRAY['customers'], false);
INSERT INTO snap_restore.customers (site_id, email) VALUES (:'site_a', 'later') RETURNING id AS later \gset
INSERT INTO snap_restore.outside VALUES (:later);
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM snap_restore.outside;
DROP TABLE snap_restore.outside;
-- Without an action the server's own check refuses.
CREATE TABLE snap_restore.outside (customer int REFERENCES snap_restore.customers);
INSERT INTO snap_restore.outside VALUES (:later);
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM snap_restore.customers WHERE email = 'later';
DROP TABLE snap_restore.outside;

-- Drift: everything that stands in the way is named before a row is touched.
ALTER TABLE snap_restore.codes ADD COLUMN wanted int;
UPDATE snap_restore.codes SET wanted = 1;
ALTER TABLE snap_restore.codes ALTER wanted SET NOT NULL;
ALTER TABLE snap_restore.log DROP COLUMN line;
ALTER TABLE snap_restore.tails RENAME TO tales;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.diff_snapshot(:'backup');
ALTER TABLE snap_restore.tales RENAME TO tails;
SELECT * FROM module_versioning.diff_snapshot(:'backup');
ALTER TABLE snap_restore.log ADD COLUMN line json;
-- A new column with a default gets it in new rows and keeps its values in old ones; a changed type takes
-- the values where it can.
ALTER TABLE snap_restore.codes ALTER wanted SET DEFAULT 7;
DELETE FROM snap_restore.codes WHERE code = 'x';
ALTER TABLE snap_restore.customers DROP COLUMN shouted;
ALTER TABLE snap_restore.customers ALTER amount DROP DEFAULT, ALTER amount TYPE text, ALTER email TYPE varchar(5);
UPDATE snap_restore.customers SET amount = 'much' WHERE id = 1;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['codes', 'customers'], false);
SELECT * FROM snap_restore.codes ORDER BY code;
SELECT amount, email FROM snap_restore.customers WHERE site_id = :'site_a' ORDER BY id LIMIT 2;
ALTER TABLE snap_restore.customers ALTER email TYPE varchar(2) USING left(email, 2), DROP CONSTRAINT customers_email_key;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['customers'], false);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FILTER (WHERE length(email) > 2) AS too_long FROM snap_restore.customers;

-- The rows as JSON.
SELECT * FROM module_versioning.snapshot_rows(:'backup', 'codes');
SELECT r - 'site_id' FROM module_versioning.snapshot_rows(:'backup', 'customers') r LIMIT 1;
SELECT * FROM module_versioning.snapshot_rows(:'backup', 'nothing');
\echo :LAST_ERROR_SQLSTATE

-- What can't be in a snapshot.
SELECT * FROM module_versioning.snapshot_module_data(:'site_a', :'module', 'sometimes');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE snap_restore.log;
CREATE VIEW snap_restore.log AS SELECT NULL::uuid AS site_id;
SELECT * FROM module_versioning.snapshot_module_data(:'site_a', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
DROP VIEW snap_restore.log;
SELECT * FROM module_versioning.snapshot_module_data(:'site_a', :'module');
\echo :LAST_ERROR_SQLSTATE
