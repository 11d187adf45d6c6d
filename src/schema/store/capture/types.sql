-- Enums, domains and ranges of the schemas $1, without what belongs to an extension.
SELECT t.typnamespace, 'type', t.oid, t.typname::pg_catalog.text, pg_catalog.pg_get_userbyid(t.typowner)::pg_catalog.text, t.typacl::pg_catalog.text[],
       pg_catalog.json_build_object(
           'kind', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'range type' END,
           'labels', CASE WHEN t.typtype = 'e' THEN
               ARRAY(SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END,
           'label_identities', CASE WHEN t.typtype = 'e' THEN
               ARRAY(SELECT e.oid::pg_catalog.int8 FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END,
           'base', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
           'collation', CASE WHEN t.typtype = 'd' THEN (
               SELECT t.typcollation::pg_catalog.regcollation::pg_catalog.text FROM pg_catalog.pg_type b
               WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation) END,
           'not_null', t.typnotnull,
           'default', CASE WHEN t.typtype = 'd' THEN coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
           'definition', CASE WHEN t.typtype = 'r' THEN (
               SELECT pg_catalog.concat_ws(' ', pg_catalog.format_type(r.rngsubtype, NULL), o.opcname,
                          nullif(r.rngcollation, 0)::pg_catalog.regcollation, nullif(r.rngcanonical, 0)::pg_catalog.regproc, nullif(r.rngsubdiff, 0)::pg_catalog.regproc,
                          'multirange ' || pg_catalog.format_type(r.rngmultitypid, NULL))
               FROM pg_catalog.pg_range r JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid) END)::pg_catalog.text
FROM pg_catalog.pg_type t
WHERE t.typnamespace = ANY ($1) AND t.typtype IN ('e', 'd', 'r')
  AND t.oid NOT IN (SELECT e.objid FROM pg_catalog.pg_depend e
                    WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
                      AND e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass)
