-- Where snapshots lie: a schema that is no member of the extension, so that DROP EXTENSION can't take the
-- backups along and pg_dump dumps them as plain tables. Nothing in it refers to the extension.

CREATE FUNCTION module_versioning._create_snapshot_store() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    installer CONSTANT oid := (SELECT e.extowner FROM pg_catalog.pg_extension e
                               WHERE e.extname OPERATOR(pg_catalog.=) 'module_versioning');
    stranger text;
BEGIN
    SELECT n.nspname INTO stranger FROM pg_catalog.pg_namespace n
    WHERE n.nspname OPERATOR(pg_catalog.=) 'module_versioning_data' AND n.nspowner OPERATOR(pg_catalog.<>) installer;
    IF NOT FOUND THEN
        SELECT c.relname INTO stranger FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE n.nspname OPERATOR(pg_catalog.=) 'module_versioning_data' AND c.relowner OPERATOR(pg_catalog.<>) installer;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "module_versioning_data" or "%" in it belongs to somebody else', stranger
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Snapshots are kept only in tables that the owner of the extension owns.',
                  HINT = 'Give the schema and its tables to the owner of the extension, or rename the schema.';
    END IF;

    IF pg_catalog.to_regnamespace('module_versioning_data') IS NULL THEN
        CREATE SCHEMA module_versioning_data;
        REVOKE ALL ON SCHEMA module_versioning_data FROM PUBLIC;
        COMMENT ON SCHEMA module_versioning_data IS
'The snapshots of module_versioning. Belongs to no extension: DROP EXTENSION leaves it alone, pg_dump dumps it.';
    END IF;

    IF pg_catalog.to_regclass('module_versioning_data.chunks') IS NULL THEN
        CREATE TABLE module_versioning_data.chunks (
            hash bytea PRIMARY KEY CHECK (pg_catalog.octet_length(hash) OPERATOR(pg_catalog.=) 32),
            codec smallint NOT NULL,
            raw_size bigint NOT NULL,
            content bytea NOT NULL,
            content_hash bytea NOT NULL CHECK (pg_catalog.octet_length(content_hash) OPERATOR(pg_catalog.=) 32)
        );
        ALTER TABLE module_versioning_data.chunks ALTER COLUMN content SET STORAGE EXTERNAL;
        REVOKE ALL ON TABLE module_versioning_data.chunks FROM PUBLIC;
        COMMENT ON TABLE module_versioning_data.chunks IS
'Pieces of rows in COPY BINARY format, each stored once whatever the number of snapshots that hold it.
hash: SHA-256 of the uncompressed bytes; codec: 1 = zstd; raw_size: bytes before compression;
content_hash: SHA-256 of content, for compressed bytes have bits that decompressing doesn''t look at.';
    END IF;

    IF pg_catalog.to_regclass('module_versioning_data.snapshots') IS NULL THEN
        CREATE TABLE module_versioning_data.snapshots (
            id uuid PRIMARY KEY,
            manifest text NOT NULL,
            root_hash bytea NOT NULL
        );
        REVOKE ALL ON TABLE module_versioning_data.snapshots FROM PUBLIC;
        COMMENT ON TABLE module_versioning_data.snapshots IS
'What each snapshot is made of. With its chunks, the manifest is all that verifying and restoring need.
root_hash: SHA-256 of the manifest''s bytes behind the prefix "module_versioning snapshot" and a zero byte.';
    END IF;

    IF pg_catalog.to_regclass('module_versioning_data.snapshot_chunks') IS NULL THEN
        CREATE TABLE module_versioning_data.snapshot_chunks (
            snapshot_id uuid NOT NULL REFERENCES module_versioning_data.snapshots (id) ON DELETE CASCADE,
            chunk_hash bytea NOT NULL REFERENCES module_versioning_data.chunks (hash),
            PRIMARY KEY (chunk_hash, snapshot_id)
        );
        CREATE INDEX snapshot_chunks_snapshot_id ON module_versioning_data.snapshot_chunks (snapshot_id);
        REVOKE ALL ON TABLE module_versioning_data.snapshot_chunks FROM PUBLIC;
        COMMENT ON TABLE module_versioning_data.snapshot_chunks IS
'Which snapshots refer to which chunks. A chunk that nothing refers to is freed.';
    END IF;
END
$$;
COMMENT ON FUNCTION module_versioning._create_snapshot_store() IS
'Internal: makes the schema and tables that snapshots lie in, where they are missing.
Tables that are there are taken over when the owner of the extension owns them; else 55000.';

-- When a dump is restored, its schema is there before the extension is, and its tables come after: then
-- they are left to the dump. Tables that are there were left by an earlier installation.
DO $$
DECLARE
    member record;
BEGIN
    IF pg_catalog.to_regnamespace('module_versioning_data') IS NULL
       OR pg_catalog.to_regclass('module_versioning_data.chunks') IS NOT NULL THEN
        PERFORM module_versioning._create_snapshot_store();
    END IF;
    FOR member IN
        SELECT CASE WHEN c.oid IS NULL
                    THEN 'ALTER EXTENSION module_versioning DROP SCHEMA module_versioning_data'
                    ELSE pg_catalog.format('ALTER EXTENSION module_versioning DROP TABLE module_versioning_data.%I', c.relname)
               END AS statement
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
             AND e.extname OPERATOR(pg_catalog.=) 'module_versioning'
        LEFT JOIN pg_catalog.pg_namespace n
             ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
             AND n.oid OPERATOR(pg_catalog.=) d.objid
        LEFT JOIN pg_catalog.pg_class c
             ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
             AND c.oid OPERATOR(pg_catalog.=) d.objid
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND d.deptype OPERATOR(pg_catalog.=) 'e'
          AND (n.nspname OPERATOR(pg_catalog.=) 'module_versioning_data'
               OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('module_versioning_data')::pg_catalog.oid)
    LOOP
        EXECUTE member.statement;
    END LOOP;
END
$$;
