-- What the relations $1 have that isn't the usual.
WITH RECURSIVE unasked (oid) AS (
    SELECT x.ftrelid
    FROM pg_catalog.pg_foreign_table x JOIN pg_catalog.pg_foreign_server s ON s.oid = x.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    WHERE w.fdwhandler = 0
    UNION
    SELECT r.ev_class
    FROM unasked u JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = u.oid
    JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
)
SELECT c.oid, pg_catalog.json_build_object(
           'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
                                  WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'composite type' END,
           'row_type', CASE WHEN c.relkind = 'c' THEN c.reltype::pg_catalog.int8 END,
           'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid, true) END,
           'unpopulated', c.relkind = 'm' AND NOT c.relispopulated,
           -- Insert, update and delete: the bits of the commands. A view over a foreign table without a handler
           -- can't be asked.
           'updatable', c.relkind = 'v' AND c.oid NOT IN (SELECT u.oid FROM unasked u)
               AND pg_catalog.pg_relation_is_updatable(c.oid, true) & 28 = 28,
           'partly_updatable', CASE WHEN c.relkind = 'v' AND c.oid NOT IN (SELECT u.oid FROM unasked u) THEN ARRAY(
               SELECT command FROM (VALUES ('delete', 16), ('insert', 8), ('update', 4)) AS w (command, bit),
                   pg_catalog.pg_relation_is_updatable(c.oid, true) AS taken
               WHERE taken & bit = bit AND taken & 28 <> 28) END,
           'unlogged', c.relpersistence = 'u',
           'options', coalesce(c.reloptions, '{}') ||
               ARRAY(SELECT pg_catalog.concat('toast.', option) FROM pg_catalog.pg_class t, pg_catalog.unnest(t.reloptions) option
                     WHERE c.reltoastrelid <> 0 AND t.oid = c.reltoastrelid) ||
               CASE WHEN c.relkind = 'f' THEN (SELECT f.ftoptions FROM pg_catalog.pg_foreign_table f WHERE f.ftrelid = c.oid) END,
           'access_method', CASE WHEN c.relkind IN ('r', 'm') AND c.relam <> 2 THEN (SELECT am.amname FROM pg_catalog.pg_am am WHERE am.oid = c.relam) END,
           'tablespace', CASE WHEN c.reltablespace <> 0 THEN (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace) END,
           'clustered_on', (SELECT x.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                            WHERE i.indrelid = c.oid AND i.indisclustered),
           'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
           'partition_of', CASE WHEN c.relispartition THEN
               (SELECT i.inhparent::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid LIMIT 1) END,
           'partition_bound', CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END,
           'inherits', CASE WHEN c.relkind IN ('r', 'f') AND NOT c.relispartition THEN ARRAY(
               SELECT i.inhparent::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_inherits i
               WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) END,
           'of_type', CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
           'server', CASE WHEN c.relkind = 'f' THEN (
               SELECT s.srvname FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
               WHERE f.ftrelid = c.oid) END,
           'replica_identity', CASE WHEN c.relkind IN ('r', 'p') THEN
               CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN
                   (SELECT pg_catalog.concat('index ', pg_catalog.quote_ident(x.relname))
                    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                    WHERE i.indrelid = c.oid AND i.indisreplident) END END,
           'row_security', c.relrowsecurity,
           'force_row_security', c.relforcerowsecurity)::pg_catalog.text
FROM pg_catalog.pg_class c
WHERE c.oid = ANY ($1)
