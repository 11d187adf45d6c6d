-- A column's type changes there and back under conditions, keys and views: what the server prints with other casts
-- says the same, unless a cast changes values.
\set VERBOSITY default
SET client_min_messages TO warning;
SELECT id AS module FROM module_versioning.register_module('casts', schema_name => 'casts') \gset
CREATE SCHEMA casts;
CREATE TABLE casts.item (id int PRIMARY KEY, status varchar(20) DEFAULT 'open' CHECK (status IN ('open', 'closed')), qty int DEFAULT 1 CONSTRAINT positive CHECK (qty > 0),
    half int CONSTRAINT half CHECK (half / 2 > 1), ratio float8 CHECK (ratio >= 0.5), owner_name varchar(30), up bigint);
CREATE INDEX item_lower ON casts.item (lower(status)) WHERE status <> 'closed';
CREATE UNIQUE INDEX item_owner ON casts.item (owner_name) WHERE qty > 5 AND status = 'open';
CREATE TABLE casts.person (name varchar(30), loud text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE DOMAIN casts.code AS varchar(10) CHECK (VALUE <> '');
CREATE VIEW casts.shown AS SELECT id, up FROM casts.item WHERE up > 5;
INSERT INTO casts.item VALUES (1, 'open', 7, 9, 0.75, 'a', 8);

CREATE FUNCTION pg_temp.rehearse(up text, down text) RETURNS SETOF text LANGUAGE sql AS $$
    WITH r AS MATERIALIZED (SELECT * FROM module_versioning.rehearse_migration(module_versioning.module_id('casts'), up, down))
    SELECT concat_ws(' ', CASE WHEN ok THEN 'ok' ELSE 'failed ' || error_message END, reversibility, 'restored=' || schema_restored, suggested_bump) FROM r
    UNION ALL SELECT concat_ws(' ', 'breaks', f ->> 'kind', f ->> 'object') FROM r, jsonb_array_elements(breaking_changes) f
    UNION ALL SELECT 'warning ' || w FROM r, unnest(warnings) w WHERE w LIKE 'the way back%' OR w LIKE 'after going back%'
$$;
\pset tuples_only on
-- Text that may be longer, numbers that may be larger or more exact, and back.
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER status TYPE text', 'ALTER TABLE casts.item ALTER status TYPE varchar(20)');
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER qty TYPE bigint', 'ALTER TABLE casts.item ALTER qty TYPE int');
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER qty TYPE numeric', 'ALTER TABLE casts.item ALTER qty TYPE int');
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER ratio TYPE numeric', 'ALTER TABLE casts.item ALTER ratio TYPE float8');
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER owner_name TYPE text', 'ALTER TABLE casts.item ALTER owner_name TYPE varchar(30)');
-- A view that is in the way.
SELECT pg_temp.rehearse('DROP VIEW casts.shown; ALTER TABLE casts.item ALTER up TYPE numeric; CREATE VIEW casts.shown AS SELECT id, up FROM casts.item WHERE up > 5',
                        'DROP VIEW casts.shown; ALTER TABLE casts.item ALTER up TYPE bigint; CREATE VIEW casts.shown AS SELECT id, up FROM casts.item WHERE up > 5::numeric');
-- A half of an integer isn't that of a number: 3 was refused before and isn't now, and stays so after the way back.
SELECT pg_temp.rehearse('ALTER TABLE casts.item ALTER half TYPE numeric', 'ALTER TABLE casts.item ALTER half TYPE int');
-- A rounded number isn't the number.
SELECT pg_temp.rehearse('ALTER TABLE casts.item DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (qty::real > 0)', 'ALTER TABLE casts.item DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (qty > 0)');
\pset tuples_only off
DROP SCHEMA casts CASCADE;
