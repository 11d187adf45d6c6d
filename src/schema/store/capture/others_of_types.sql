-- What stands in no schema or has no model of its own, and belongs to a type or a routine of the schemas $1: casts and
-- types made of functions; without what belongs to an extension.
SELECT o.namespace, 'other', o.oid, pg_catalog.concat_ws(' ', o.kind, o.name), pg_catalog.pg_get_userbyid(o.owner)::pg_catalog.text, o.acl,
       pg_catalog.json_build_object('kind', o.kind, 'definition', o.definition, 'class', o.class::pg_catalog.int8)::pg_catalog.text
FROM (
    SELECT 'cast' AS kind, pg_catalog.concat('(', pg_catalog.format_type(x.castsource, NULL), ' AS ', pg_catalog.format_type(x.casttarget, NULL), ')') AS name,
           pg_catalog.concat_ws(' ', CASE x.castmethod WHEN 'f' THEN x.castfunc::pg_catalog.regprocedure::pg_catalog.text WHEN 'i' THEN 'with inout' ELSE 'without function' END,
                                CASE x.castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' END) AS definition,
           NULL::pg_catalog.oid AS owner, NULL::pg_catalog.text[] AS acl, x.oid, x.tableoid AS class,
           CASE WHEN s.typnamespace = ANY ($1) THEN s.typnamespace WHEN t.typnamespace = ANY ($1) THEN t.typnamespace ELSE f.pronamespace END AS namespace
    FROM pg_catalog.pg_cast x
    JOIN pg_catalog.pg_type s ON s.oid = x.castsource
    JOIN pg_catalog.pg_type t ON t.oid = x.casttarget
    LEFT JOIN pg_catalog.pg_proc f ON f.oid = x.castfunc
    -- That of a range to its multirange goes with it.
    WHERE x.oid >= 16384 AND (s.typtype <> 'r' OR t.typtype <> 'm')
    UNION ALL
    SELECT 'base type', pg_catalog.quote_ident(x.typname),
           pg_catalog.concat_ws(' ', x.typinput, x.typoutput, x.typreceive, x.typsend, x.typmodin, x.typmodout, x.typanalyze, x.typlen, x.typbyval, x.typalign,
                                x.typstorage, x.typcategory, x.typispreferred, pg_catalog.quote_literal(x.typdelim::pg_catalog.text), pg_catalog.format_type(nullif(x.typelem, 0), NULL),
                                x.typcollation <> 0, pg_catalog.quote_nullable(x.typdefault)),
           x.typowner, x.typacl::pg_catalog.text[], x.oid, x.tableoid, x.typnamespace
    FROM pg_catalog.pg_type x
    -- Arrays go with their elements; a shell is no type yet.
    WHERE x.typnamespace = ANY ($1) AND x.typtype = 'b' AND x.typisdefined
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = x.oid)
) o
WHERE o.namespace = ANY ($1)
  AND (o.class, o.oid) NOT IN (
          SELECT e.classid, e.objid FROM pg_catalog.pg_depend e
          WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e')
