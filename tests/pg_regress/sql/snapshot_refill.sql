-- What a rollback with strategy preserve gives back from the snapshot, and what it can't.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

SELECT id AS site_a FROM module_versioning.register_site('snap-refill-a') \gset
SELECT id AS site_b FROM module_versioning.register_site('snap-refill-b') \gset
CREATE SCHEMA snap_refill;
SELECT id AS module FROM module_versioning.register_module('snap-refill', schema_name => 'snap_refill') \gset
SELECT count(module_versioning.create_version(:'module', v)) FROM unnest(ARRAY['1.0.0', '2.0.0']::module_versioning.semver[]) v;
SELECT count(module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE people (id int PRIMARY KEY, site_id uuid NOT NULL, name text);
    CREATE TABLE cards (id serial PRIMARY KEY, site_id uuid NOT NULL, person int NOT NULL REFERENCES people, number text,
                        replaces int REFERENCES cards, phone text, guardian int REFERENCES people);
    CREATE TABLE stamps (card int REFERENCES cards, site_id uuid NOT NULL, at int);
    CREATE TABLE lines (site_id uuid NOT NULL, body text, kept text);
$$, 'DROP TABLE lines, stamps, cards, people'));
-- Drops two tables that refer to one that stays and to each other, a column, and one of a table without key.
SELECT count(module_versioning.add_migration(:'module', '2.0.0', $$
    ALTER TABLE people ADD nick text;
    DROP TABLE stamps, cards;
    ALTER TABLE people DROP name;
    ALTER TABLE lines DROP body;
$$, $$
    ALTER TABLE people ADD name text;
    ALTER TABLE people DROP nick;
    ALTER TABLE lines ADD body text;
    CREATE TABLE cards (id serial PRIMARY KEY, site_id uuid NOT NULL, person int NOT NULL REFERENCES people, number text,
                        replaces int REFERENCES cards, phone text, guardian int REFERENCES people);
    CREATE TABLE stamps (card int REFERENCES cards, site_id uuid NOT NULL, at int);
$$));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'module');
SELECT status, error_message FROM module_versioning.install_module(:'site_a', :'module', '1.0.0');
INSERT INTO snap_refill.people SELECT g, :'site_a', 'name ' || g FROM generate_series(1, 6) g;
INSERT INTO snap_refill.cards (site_id, person, number, replaces, guardian)
SELECT :'site_a', g, 'n' || g, nullif(g - 1, 0), CASE WHEN g = 2 THEN 5 END FROM generate_series(1, 6) g;
INSERT INTO snap_refill.cards (site_id, person, replaces) VALUES (:'site_a', 1, 6), (:'site_a', 2, 7);
INSERT INTO snap_refill.stamps SELECT g, :'site_a', g FROM generate_series(1, 6) g;
INSERT INTO snap_refill.lines SELECT :'site_a', 'b' || g, 'k' || g FROM generate_series(1, 2) g;

SELECT status, error_message FROM module_versioning.upgrade_module(:'site_a', :'module', '2.0.0');
-- Meanwhile: one person goes, one comes, one changes.
DELETE FROM snap_refill.people WHERE id = 6;
INSERT INTO snap_refill.people VALUES (7, :'site_a', 'seven');
UPDATE snap_refill.people SET nick = 'one' WHERE id = 1;
SELECT status, error_message, sqlstate, array_to_string(warnings[2:], E'\n') AS warnings
FROM module_versioning.rollback_module(:'site_a', :'module', '1.0.0', force => true);
SELECT id, name FROM snap_refill.people ORDER BY id;
SELECT id, person, number, replaces, guardian FROM snap_refill.cards ORDER BY id;
SELECT card, at FROM snap_refill.stamps ORDER BY at;
SELECT body, kept FROM snap_refill.lines ORDER BY kept;
-- The next card gets a number that is free.
INSERT INTO snap_refill.cards (site_id, person) VALUES (:'site_a', 1) RETURNING id;
