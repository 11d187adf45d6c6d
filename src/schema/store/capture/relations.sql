-- Tables, views and composite types of the schemas $1, without what belongs to an extension. Most have
-- nothing to say that isn't the usual; of those whose last column isn't NULL more is to be asked.
SELECT c.relnamespace, 'relation', c.oid, c.relname::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text,
       CASE WHEN c.relkind = 'c' THEN (SELECT t.typacl::pg_catalog.text[] FROM pg_catalog.pg_type t WHERE t.oid = c.reltype)
            ELSE c.relacl::pg_catalog.text[] END,
       CASE WHEN c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.reloptions IS NOT NULL OR c.relam <> 2 OR c.relispartition
              OR c.reloftype <> 0 OR c.relreplident <> 'd' OR c.relrowsecurity OR c.relforcerowsecurity
              OR c.reltablespace <> 0 OR c.oid IN (SELECT i.inhrelid FROM pg_catalog.pg_inherits i)
              OR c.oid IN (SELECT x.indrelid FROM pg_catalog.pg_index x WHERE x.indisclustered)
              OR c.reltoastrelid IN (SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relkind = 't' AND t.reloptions IS NOT NULL)
       THEN '' END
FROM pg_catalog.pg_class c
WHERE c.relnamespace = ANY ($1) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND c.relpersistence <> 't'
  AND c.oid NOT IN (SELECT e.objid FROM pg_catalog.pg_depend e
                    WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
                      AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
  AND (c.relkind <> 'c' OR c.reltype NOT IN (
           SELECT e.objid FROM pg_catalog.pg_depend e
           WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
             AND e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass))
