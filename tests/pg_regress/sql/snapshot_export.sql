-- Snapshots as files: written, loaded by COPY itself, taken back in; anything but what was written is refused.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_export_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('snap-export') \gset
SELECT id AS module FROM module_versioning.register_module('snap-export', isolation => 'schema', owner_role => 'snap_export_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT schema_name AS own FROM module_versioning.site_modules WHERE module_id = :'module' \gset
SET search_path = :"own", public;
SET ROLE snap_export_owner;
CREATE TABLE person (id int PRIMARY KEY, name text, extra jsonb, born date);
INSERT INTO person SELECT g, 'Person ' || g || repeat(md5(g::text), 20), jsonb_build_object('n', g), date '2000-01-01' + g FROM generate_series(1, 3000) g;
CREATE TABLE "../../Hostile ""name""
" (a int);
INSERT INTO "../../Hostile ""name""
" VALUES (1), (NULL);
CREATE TABLE empty_one (a int);
CREATE TABLE "select" (a int);
RESET ROLE;
SELECT id AS backup, root_hash FROM module_versioning.snapshot_module_data(:'site', :'module') \gset

-- A folder beside the server's data, which differs from run to run and is therefore never shown.
SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '') || 'snap_export_' || md5(random()::text) AS folder \gset
SELECT :'folder' || '_z' AS folder_z \gset
CREATE FUNCTION public.snap_export_shown(answer jsonb) RETURNS TABLE (tab text, file text, row_count int, loadable boolean) LANGUAGE sql AS $$
    SELECT f ->> 'table_name', f ->> 'file', (f ->> 'rows')::int,
           (f ->> 'sha256') = encode(sha256(pg_read_binary_file(answer ->> 'directory' || '/' || (f ->> 'file'))), 'hex')
    FROM jsonb_array_elements(answer -> 'files') f
$$;
SELECT module_versioning.export_snapshot(:'backup', :'folder') AS answer \gset
SELECT * FROM public.snap_export_shown(:'answer');
SELECT :'answer'::jsonb ->> 'root_hash' = :'root_hash' AS root, :'answer'::jsonb ->> 'backup_id' = :'backup' AS id;
SELECT * FROM pg_ls_dir(:'folder') AS name ORDER BY name COLLATE "C";
SELECT count(*) AS left_over FROM pg_ls_dir(regexp_replace(:'folder', '[^/]*$', '')) AS name WHERE name LIKE '.module_versioning%';
SELECT module_versioning.export_snapshot(:'backup', :'folder_z', compress => true) AS answer_z \gset
SELECT tab, file, row_count, loadable FROM public.snap_export_shown(:'answer_z');
SELECT (:'answer_z'::jsonb ->> 'bytes')::int < (:'answer'::jsonb ->> 'bytes')::int AS smaller;

-- COPY reads them.
CREATE TABLE public.snap_export_copy (LIKE person);
SELECT :'folder' || '/person.copy' AS file \gset
\set ECHO none
COPY public.snap_export_copy FROM :'file' (FORMAT binary);
\set ECHO all
SELECT count(*) AS differing FROM (SELECT * FROM person EXCEPT SELECT * FROM public.snap_export_copy) d;
-- The same bytes come without files.
SELECT sha256(string_agg(part, NULL ORDER BY n)) = sha256(pg_read_binary_file(:'folder' || '/person.copy')) AS same, count(*) AS parts
FROM module_versioning.snapshot_chunks(:'backup', 'person') WITH ORDINALITY AS c (part, n);
SELECT part FROM module_versioning.snapshot_chunks(:'backup', 'empty_one') AS part;
SELECT * FROM module_versioning.snapshot_chunks(:'backup', 'nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.snapshot_chunks(NULL, 'person');
\echo :LAST_ERROR_SQLSTATE

-- Where a folder may not be.
CREATE FUNCTION public.snap_export_attempt(call text, backup uuid, folder text) RETURNS TABLE (state text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
    IF call = 'export' THEN PERFORM module_versioning.export_snapshot(backup, folder);
    ELSE PERFORM module_versioning.import_snapshot(folder); END IF;
    RETURN QUERY SELECT 'done', NULL, NULL, NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    message := replace(message, folder, '<folder>'); detail := regexp_replace(replace(detail, folder, '<folder>'), '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>');
    RETURN NEXT;
END $$;
\x on
SELECT * FROM public.snap_export_attempt('export', :'backup', :'folder');
SELECT * FROM public.snap_export_attempt('export', :'backup', 'relative/path');
SELECT * FROM public.snap_export_attempt('export', :'backup', '/tmp/../etc');
SELECT state, message FROM public.snap_export_attempt('export', :'backup', '/');
SELECT state, message, detail FROM public.snap_export_attempt('export', :'backup', '/no such folder/export');
SELECT state, message, detail FROM public.snap_export_attempt('export', :'backup', current_setting('data_directory') || '/export');
SELECT state, message FROM public.snap_export_attempt('export', '00000000-0000-0000-0000-000000000000', :'folder');
SELECT * FROM public.snap_export_attempt('import', NULL, '/no such folder/export');
SELECT * FROM public.snap_export_attempt('import', NULL, :'folder' || '/person.copy');
\x off

-- Whoever may not use the server's files may not here either, and no detour by somebody else's function helps.
CREATE ROLE snap_export_caller NOLOGIN;
GRANT USAGE ON SCHEMA module_versioning TO snap_export_caller;
GRANT EXECUTE ON FUNCTION module_versioning.export_snapshot, module_versioning.import_snapshot TO snap_export_caller;
CREATE FUNCTION public.snap_export_definer(backup uuid, folder text) RETURNS jsonb LANGUAGE sql SECURITY DEFINER AS 'SELECT module_versioning.export_snapshot(backup, folder)';
CREATE FUNCTION public.snap_export_trap(backup uuid, folder text) RETURNS jsonb LANGUAGE sql SECURITY DEFINER AS 'SELECT module_versioning.export_snapshot(backup, folder)';
ALTER FUNCTION public.snap_export_trap OWNER TO snap_export_caller;
SET ROLE snap_export_caller;
SELECT module_versioning.export_snapshot(:'backup', '/tmp/never');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.import_snapshot('/tmp/never');
\echo :LAST_ERROR_SQLSTATE
SELECT public.snap_export_definer(:'backup', '/tmp/never');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT public.snap_export_trap(:'backup', '/tmp/never');
\echo :LAST_ERROR_SQLSTATE

-- Taken back in, beside the original and instead of it; once.
SELECT id AS imported, type, row_count, stored_bytes, backup_url = 'file://' || :'folder' AS url, root_hash = :'root_hash' AS root, version
FROM module_versioning.import_snapshot(:'folder') \gset
SELECT :'type', :'row_count', :'stored_bytes', :'url', :'root', :'version';
SELECT * FROM module_versioning.verify_snapshot(:'imported');
\x on
SELECT * FROM public.snap_export_attempt('import', NULL, :'folder');
SELECT * FROM public.snap_export_attempt('import', NULL, :'folder_z');
\x off
SELECT count(module_versioning.delete_snapshot(b)) FROM unnest(ARRAY[:'imported', :'backup']::uuid[]) b;
SELECT id AS imported, stored_bytes > 0 AS stored FROM module_versioning.import_snapshot(:'folder_z') \gset
\echo :stored
SELECT md5(string_agg(p::text, '' ORDER BY id)) AS before FROM person p \gset
DELETE FROM person WHERE id % 3 = 0;
UPDATE person SET name = 'changed' WHERE id % 3 = 1;
SELECT * FROM module_versioning.restore_module_data(:'imported', create_backup => false);
SELECT md5(string_agg(p::text, '' ORDER BY id)) = :'before' AS same FROM person p;
SELECT count(module_versioning.delete_snapshot(:'imported'));

-- Every change of the folder is refused, and leaves nothing in the store. The server changes its own files.
CREATE FUNCTION public.snap_export_change(folder text, file text, change text) RETURNS TABLE (state text, detail text) LANGUAGE plpgsql AS $$
DECLARE
    path CONSTANT text := folder || '/' || file;
    kept CONSTANT oid := CASE WHEN change <> 'extra' THEN lo_import(path) END;
    size int; before bigint; changed oid;
BEGIN
    SELECT count(*) INTO before FROM module_versioning_data.chunks;
    IF change = 'extra' THEN changed := lo_from_bytea(0, 'x');
    ELSE
        size := length(lo_get(kept));
        changed := lo_from_bytea(0, CASE change
            WHEN 'flip first' THEN set_bit(lo_get(kept), 3, 1 - get_bit(lo_get(kept), 3))
            WHEN 'flip middle' THEN set_bit(lo_get(kept), size * 4, 1 - get_bit(lo_get(kept), size * 4))
            WHEN 'flip last' THEN set_bit(lo_get(kept), size * 8 - 1, 1 - get_bit(lo_get(kept), size * 8 - 1))
            WHEN 'cut' THEN substr(lo_get(kept), 1, size - 1)
            WHEN 'longer' THEN lo_get(kept) || '\x00'
            WHEN 'empty' THEN '' END);
    END IF;
    PERFORM lo_export(changed, path);
    SELECT a.state, a.message || ': ' || a.detail INTO state, detail FROM public.snap_export_attempt('import', NULL, folder) a;
    detail := replace(detail, folder, '<folder>');
    IF change <> 'extra' THEN PERFORM lo_export(kept, path), lo_unlink(kept); END IF;
    PERFORM lo_unlink(changed);
    IF (SELECT count(*) <> before FROM module_versioning_data.chunks) THEN state := 'left something behind'; END IF;
    RETURN NEXT;
END $$;
SELECT file, change, c.state, CASE WHEN file <> 'metadata.json' THEN c.detail END AS detail
FROM unnest(ARRAY['metadata.json', 'person.copy', 'empty_one.copy']) WITH ORDINALITY AS f (file, n),
     unnest(ARRAY['flip first', 'flip middle', 'flip last', 'cut', 'longer', 'empty']) WITH ORDINALITY AS g (change, m),
     public.snap_export_change(:'folder', file, change) c ORDER BY n, m;
SELECT change, c.state
FROM unnest(ARRAY['flip first', 'flip middle', 'flip last', 'cut', 'longer', 'empty']) WITH ORDINALITY AS g (change, m),
     public.snap_export_change(:'folder_z', 'person.copy.zst', change) c ORDER BY m;
-- A database without that site, or without that module.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE module_versioning.modules SET id = gen_random_uuid() WHERE id = :'module';
SELECT state, message, hint FROM public.snap_export_attempt('import', NULL, :'folder');
UPDATE module_versioning.sites SET id = gen_random_uuid() WHERE id = :'site';
SELECT state, message, hint FROM public.snap_export_attempt('import', NULL, :'folder');
ROLLBACK;

SELECT state, detail FROM public.snap_export_change(:'folder', 'more.copy', 'extra');

DROP FUNCTION public.snap_export_shown, public.snap_export_attempt, public.snap_export_definer, public.snap_export_trap, public.snap_export_change;
DROP TABLE public.snap_export_copy;
