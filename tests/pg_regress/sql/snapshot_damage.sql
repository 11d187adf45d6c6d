-- Whatever is changed in a stored snapshot shows, and a damaged snapshot changes nothing.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE SCHEMA snap_damage;
CREATE TABLE snap_damage.things (id int PRIMARY KEY, site_id uuid NOT NULL, body text);
CREATE TABLE snap_damage.empty (site_id uuid NOT NULL);
SELECT id AS site FROM module_versioning.register_site('snap-damage') \gset
SELECT id AS other FROM module_versioning.register_site('snap-damage-other') \gset
SELECT id AS module FROM module_versioning.register_module('snap-damage', schema_name => 'snap_damage') \gset
SELECT count(module_versioning.register_module_table(:'module', t)) FROM unnest(ARRAY['snap_damage.things', 'snap_damage.empty']::regclass[]) t;
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
INSERT INTO snap_damage.things SELECT g, :'site', md5(g::text) || repeat('-', g % 50) FROM generate_series(1, 40000) g;
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SELECT count(*) > 1 AS several_chunks FROM module_versioning_data.snapshot_chunks WHERE snapshot_id = :'backup';
UPDATE snap_damage.things SET body = 'changed' WHERE id = 1;

-- Leaves out what differs from run to run.
CREATE FUNCTION snap_damage.verdict(backup uuid) RETURNS TABLE (tab text, good boolean, all_rows boolean, problem text)
LANGUAGE sql AS $$
    SELECT table_name, ok, expected_rows = actual_rows, regexp_replace(error, '[0-9a-f]{64}', '<hash>')
    FROM module_versioning.verify_snapshot(backup) ORDER BY 1
$$;
CREATE FUNCTION snap_damage.attempt(backup uuid) RETURNS TABLE (state text, message text, hint text, untouched boolean)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM module_versioning.restore_module_data(backup, create_backup => false);
    RETURN QUERY SELECT 'restored', NULL::text, NULL::text, NULL::boolean;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    message := replace(message, backup::text, '<id>');
    untouched := (SELECT body = 'changed' FROM snap_damage.things WHERE id = 1);
    RETURN NEXT;
END $$;
SELECT * FROM snap_damage.verdict(:'backup');

-- One bit of one chunk, at every place of a stride, is found.
SELECT c.hash AS chunk FROM module_versioning_data.chunks c JOIN module_versioning_data.snapshot_chunks s ON s.chunk_hash = c.hash
WHERE s.snapshot_id = :'backup' ORDER BY c.raw_size LIMIT 1 \gset
BEGIN;
CREATE TEMP TABLE missed (place int);
DO $$
DECLARE
    chunk bytea; size int; place int;
    backup uuid := (SELECT id FROM module_versioning.module_data_backups b
                    JOIN module_versioning_data.snapshots s USING (id) WHERE s.manifest LIKE '%snap_damage%');
BEGIN
    SELECT c.hash, octet_length(c.content) INTO chunk, size
    FROM module_versioning_data.chunks c JOIN module_versioning_data.snapshot_chunks s ON s.chunk_hash = c.hash
    WHERE s.snapshot_id = backup ORDER BY c.raw_size LIMIT 1;
    FOR place IN SELECT DISTINCT least(g, size * 8 - 1) FROM generate_series(0, size * 8, size * 8 / 20) g LOOP
        UPDATE module_versioning_data.chunks SET content = set_bit(content, place, 1 - get_bit(content, place)) WHERE hash = chunk;
        IF (SELECT bool_and(ok) FROM module_versioning.verify_snapshot(backup)) THEN
            INSERT INTO missed VALUES (place);
        END IF;
        UPDATE module_versioning_data.chunks SET content = set_bit(content, place, 1 - get_bit(content, place)) WHERE hash = chunk;
    END LOOP;
END $$;
SELECT count(*) AS missed FROM missed;
ROLLBACK;

-- Every bit of what surrounds the rows: the head of the compressed bytes (some of which decompressing doesn't
-- look at), the other columns, the list of snapshots, the references.
BEGIN;
CREATE TEMP TABLE missed (what text);
CREATE FUNCTION pg_temp.attempt(backup uuid, what text, change text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE change;
    IF (SELECT bool_and(ok) FROM module_versioning.verify_snapshot(backup)) THEN RAISE SQLSTATE 'MV001'; END IF;
    RAISE SQLSTATE 'MV002';
EXCEPTION WHEN SQLSTATE 'MV001' THEN INSERT INTO missed VALUES (what);
    WHEN SQLSTATE 'MV002' THEN NULL;
END $$;
SELECT count(pg_temp.attempt(:'backup', 'content ' || g, format('UPDATE module_versioning_data.chunks SET content = set_bit(content, %1$s, 1 - get_bit(content, %1$s)) WHERE hash = %2$L', g, :'chunk')))
FROM generate_series(0, 103) g;
SELECT count(pg_temp.attempt(:'backup', 'content_hash ' || g, format('UPDATE module_versioning_data.chunks SET content_hash = set_bit(content_hash, %1$s, 1 - get_bit(content_hash, %1$s)) WHERE hash = %2$L', g, :'chunk')))
FROM generate_series(0, 255, 51) g;
SELECT count(pg_temp.attempt(:'backup', 'raw_size ' || g, format('UPDATE module_versioning_data.chunks SET raw_size = raw_size # (1::bigint << %s) WHERE hash = %L', g, :'chunk')))
FROM generate_series(0, 63, 7) g;
SELECT count(pg_temp.attempt(:'backup', 'codec ' || g, format('UPDATE module_versioning_data.chunks SET codec = codec # (1 << %s)::smallint WHERE hash = %L', g, :'chunk')))
FROM generate_series(0, 14) g;
SELECT count(pg_temp.attempt(:'backup', 'root_hash ' || g, format('UPDATE module_versioning_data.snapshots SET root_hash = set_bit(root_hash, %1$s, 1 - get_bit(root_hash, %1$s)) WHERE id = %2$L', g, :'backup')))
FROM generate_series(0, 255, 17) g;
SELECT count(pg_temp.attempt(:'backup', 'manifest ' || g, format('UPDATE module_versioning_data.snapshots SET manifest = overlay(manifest PLACING chr(ascii(substr(manifest, %1$s, 1)) # 1) FROM %1$s FOR 1) WHERE id = %2$L', g, :'backup'))) > 30 AS many
FROM generate_series(1, (SELECT length(manifest) FROM module_versioning_data.snapshots WHERE id = :'backup'), 29) g;
SELECT count(pg_temp.attempt(:'backup', what, format('UPDATE module_versioning.module_data_backups SET %s WHERE id = %L', what, :'backup')))
FROM unnest(ARRAY['row_count = row_count # 1', 'size_bytes = size_bytes # 1024', 'table_counts = table_counts || ''{"things": 1}''', 'table_counts = table_counts - ''empty''',
                  'root_hash = overlay(root_hash PLACING ''x'' FROM 9 FOR 1)', 'version = ''1.0.1''']) what;
SELECT count(pg_temp.attempt(:'backup', 'reference', format('DELETE FROM module_versioning_data.snapshot_chunks WHERE snapshot_id = %L AND chunk_hash = %L', :'backup', :'chunk')));
TABLE missed;
ROLLBACK;

-- One bit anywhere: random ones of every region, weighted by nothing but chance. Verifying finds each; restoring refuses and leaves
-- all rows as they are. Even keys and references are bits, which no foreign key guards here.
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE missed (region text, place bigint, what text);
CREATE FUNCTION pg_temp.flipped(content bytea, place bigint) RETURNS bytea LANGUAGE sql AS $$
    SELECT set_bit(content, place, 1 - get_bit(content, place)) $$;
CREATE FUNCTION pg_temp.flipped(id uuid, place bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT encode(pg_temp.flipped(uuid_send(id), place), 'hex')::uuid $$;
CREATE FUNCTION pg_temp.flip(backup uuid, chunk bytea, region text, share float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE place bigint;
BEGIN
    CASE region
        WHEN 'content' THEN
            SELECT trunc(share * octet_length(content) * 8) INTO place FROM module_versioning_data.chunks WHERE hash = chunk;
            UPDATE module_versioning_data.chunks SET content = pg_temp.flipped(content, place) WHERE hash = chunk;
        WHEN 'content_hash' THEN place := trunc(share * 256);
            UPDATE module_versioning_data.chunks SET content_hash = pg_temp.flipped(content_hash, place) WHERE hash = chunk;
        WHEN 'hash' THEN place := trunc(share * 256);
            UPDATE module_versioning_data.chunks SET hash = pg_temp.flipped(hash, place) WHERE hash = chunk;
        WHEN 'raw_size' THEN place := trunc(share * 64);
            UPDATE module_versioning_data.chunks SET raw_size = raw_size # (1::bigint << place::int) WHERE hash = chunk;
        WHEN 'codec' THEN place := trunc(share * 16);
            UPDATE module_versioning_data.chunks SET codec = pg_temp.other_bit(codec, place::int) WHERE hash = chunk;
        WHEN 'root_hash' THEN place := trunc(share * 256);
            UPDATE module_versioning_data.snapshots SET root_hash = pg_temp.flipped(root_hash, place) WHERE id = backup;
        WHEN 'manifest' THEN
            -- The highest bit of a byte alone makes no text.
            SELECT trunc(share * length(manifest) * 7) INTO place FROM module_versioning_data.snapshots WHERE id = backup;
            UPDATE module_versioning_data.snapshots
            SET manifest = overlay(manifest PLACING chr(greatest(1, ascii(substr(manifest, place::int / 7 + 1, 1)) # (1 << (place % 7)::int))) FROM place::int / 7 + 1 FOR 1)
            WHERE id = backup;
        WHEN 'id' THEN place := trunc(share * 128);
            UPDATE module_versioning_data.snapshots SET id = pg_temp.flipped(id, place) WHERE id = backup;
        WHEN 'reference_chunk' THEN place := trunc(share * 256);
            UPDATE module_versioning_data.snapshot_chunks SET chunk_hash = pg_temp.flipped(chunk_hash, place) WHERE snapshot_id = backup AND chunk_hash = chunk;
        WHEN 'reference_snapshot' THEN place := trunc(share * 128);
            UPDATE module_versioning_data.snapshot_chunks SET snapshot_id = pg_temp.flipped(snapshot_id, place) WHERE snapshot_id = backup AND chunk_hash = chunk;
    END CASE;
    RETURN place;
END $$;
CREATE FUNCTION pg_temp.attempt(backup uuid, chunk bytea, region text, share float8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE place bigint; problem text;
BEGIN
    BEGIN
        place := pg_temp.flip(backup, chunk, region, share);
        IF (SELECT bool_and(ok) FROM module_versioning.verify_snapshot(backup)) THEN problem := 'verified'; END IF;
        BEGIN
            PERFORM module_versioning.restore_module_data(backup, create_backup => false);
            problem := concat_ws(' ', problem, 'restored');
        EXCEPTION WHEN data_corrupted THEN
            IF (SELECT body <> 'changed' FROM snap_damage.things WHERE id = 1) THEN problem := concat_ws(' ', problem, 'touched'); END IF;
        END;
        RAISE SQLSTATE 'MV002';
    EXCEPTION WHEN SQLSTATE 'MV002' THEN NULL;
    END;
    IF problem IS NOT NULL THEN INSERT INTO missed VALUES (region, place, problem); END IF;
END $$;
CREATE FUNCTION pg_temp.other_bit(number smallint, place int) RETURNS smallint LANGUAGE sql AS $$
    SELECT CASE WHEN place = 15 THEN (number::int - 32768)::smallint ELSE (number # (1 << place)::smallint)::smallint END $$;
SELECT setseed(0.42) \gset
SELECT region, count(pg_temp.attempt(:'backup', c.hash, region, random())) AS tried
FROM unnest(ARRAY['content', 'content_hash', 'hash', 'raw_size', 'codec', 'root_hash', 'manifest', 'id', 'reference_chunk', 'reference_snapshot']) WITH ORDINALITY AS r (region, n),
     generate_series(1, 12) g,
     LATERAL (SELECT s.chunk_hash AS hash FROM module_versioning_data.snapshot_chunks s WHERE s.snapshot_id = :'backup' ORDER BY s.chunk_hash
              OFFSET g % (SELECT count(*) FROM module_versioning_data.snapshot_chunks n WHERE n.snapshot_id = :'backup') LIMIT 1) c
GROUP BY region, n ORDER BY n;
TABLE missed;
ROLLBACK;

BEGIN;
UPDATE module_versioning_data.chunks SET content = set_bit(content, 800, 1 - get_bit(content, 800)) WHERE hash = :'chunk';
SELECT * FROM snap_damage.verdict(:'backup');
SELECT * FROM snap_damage.attempt(:'backup');
SELECT * FROM module_versioning.diff_snapshot('00000000-0000-0000-0000-000000000000');
ROLLBACK;
-- A chunk that is cut short, made longer, replaced by another, of an unknown codec, or gone.
BEGIN;
UPDATE module_versioning_data.chunks SET content = substr(content, 1, octet_length(content) - 1) WHERE hash = :'chunk';
SELECT good, all_rows FROM snap_damage.verdict(:'backup') WHERE tab = 'things';
UPDATE module_versioning_data.chunks SET content = '\x' WHERE hash = :'chunk';
SELECT good, all_rows FROM snap_damage.verdict(:'backup') WHERE tab = 'things';
UPDATE module_versioning_data.chunks c SET content = o.content FROM module_versioning_data.chunks o
WHERE c.hash = :'chunk' AND o.hash <> c.hash AND o.raw_size > 300000;
SELECT good, all_rows FROM snap_damage.verdict(:'backup') WHERE tab = 'things';
UPDATE module_versioning_data.chunks SET codec = 9 WHERE hash = :'chunk';
SELECT * FROM snap_damage.verdict(:'backup') WHERE tab = 'things';
ROLLBACK;
BEGIN;
DELETE FROM module_versioning_data.snapshot_chunks WHERE chunk_hash = :'chunk';
DELETE FROM module_versioning_data.chunks WHERE hash = :'chunk';
SELECT * FROM snap_damage.verdict(:'backup') WHERE tab = 'things';
SELECT * FROM snap_damage.attempt(:'backup');
ROLLBACK;
-- An edited manifest, with and without its hash; another site's manifest; none; a list that says otherwise.
BEGIN;
UPDATE module_versioning_data.snapshots SET manifest = replace(manifest, '"rows":40000', '"rows":39999') WHERE id = :'backup';
SELECT * FROM snap_damage.verdict(:'backup');
SELECT * FROM snap_damage.attempt(:'backup');
UPDATE module_versioning_data.snapshots
SET root_hash = sha256('module_versioning snapshot'::bytea || '\x00'::bytea || convert_to(manifest, 'UTF8')) WHERE id = :'backup';
SELECT * FROM snap_damage.verdict(:'backup');
UPDATE module_versioning.module_data_backups b SET root_hash = encode(s.root_hash, 'hex')
FROM module_versioning_data.snapshots s WHERE s.id = b.id AND b.id = :'backup';
SELECT * FROM snap_damage.verdict(:'backup');
SELECT * FROM snap_damage.attempt(:'backup');
ROLLBACK;
BEGIN;
UPDATE module_versioning.module_data_backups SET site_id = :'other' WHERE id = :'backup';
SELECT * FROM snap_damage.verdict(:'backup');
ROLLBACK;
BEGIN;
DELETE FROM module_versioning_data.snapshots WHERE id = :'backup';
SELECT * FROM snap_damage.verdict(:'backup');
SELECT * FROM snap_damage.attempt(:'backup');
SELECT * FROM module_versioning.verify_snapshot('00000000-0000-0000-0000-000000000000');
ROLLBACK;

-- Rows of another site are never accepted, whatever the hashes say: a table that was taken whole, and whose
-- manifest was rewritten to be one of a single site.
INSERT INTO snap_damage.things VALUES (50000, :'other', 'theirs');
SELECT module_versioning.register_module('snap-damage-whole', schema_name => 'snap_damage', site_column => 'tenant') IS NOT NULL AS registered;
SELECT module_versioning.module_id('snap-damage-whole') AS whole \gset
SELECT (module_versioning.register_module_table(:'whole', 'snap_damage.things')).site_column IS NULL AS whole;
SELECT id AS version_id FROM module_versioning.create_version(:'whole', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'whole');
SELECT id AS whole_backup FROM module_versioning.snapshot_module_data(:'site', :'whole') \gset
UPDATE snap_damage.things SET body = 'newer' WHERE id = 50000;
BEGIN;
UPDATE module_versioning_data.snapshots SET manifest = replace(manifest, '"site_column":null', '"site_column":"site_id"') WHERE id = :'whole_backup';
UPDATE module_versioning_data.snapshots
SET root_hash = sha256('module_versioning snapshot'::bytea || '\x00'::bytea || convert_to(manifest, 'UTF8')) WHERE id = :'whole_backup';
UPDATE module_versioning.module_data_backups b SET root_hash = encode(s.root_hash, 'hex')
FROM module_versioning_data.snapshots s WHERE s.id = b.id AND b.id = :'whole_backup';
SELECT * FROM snap_damage.attempt(:'whole_backup');
SELECT body FROM snap_damage.things WHERE id = 50000;
ROLLBACK;

-- The intact snapshot restores, and one changed row of many chunks is found among the rest.
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT body <> 'changed' AS restored FROM snap_damage.things WHERE id = 1;
DROP SCHEMA snap_damage CASCADE;
