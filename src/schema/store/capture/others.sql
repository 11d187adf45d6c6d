-- All else in the schemas $1 that has no model of its own, without what belongs to an extension.
SELECT o.namespace, 'other', o.oid, pg_catalog.concat_ws(' ', o.kind, o.name), pg_catalog.pg_get_userbyid(o.owner)::pg_catalog.text, NULL::pg_catalog.text[],
       pg_catalog.json_build_object('kind', o.kind, 'definition', o.definition, 'class', o.class::pg_catalog.int8)::pg_catalog.text
FROM (
    SELECT 'operator' AS kind, pg_catalog.concat(x.oprname, '(', pg_catalog.format_type(nullif(x.oprleft, 0), NULL), ', ', pg_catalog.format_type(x.oprright, NULL), ')') AS name,
           pg_catalog.concat_ws(' ', x.oprcode::pg_catalog.regproc, x.oprcom::pg_catalog.regoperator, x.oprnegate::pg_catalog.regoperator,
                                nullif(x.oprrest, 0)::pg_catalog.regproc, nullif(x.oprjoin, 0)::pg_catalog.regproc, x.oprcanmerge, x.oprcanhash) AS definition,
           x.oprowner AS owner, x.oid, x.tableoid AS class, x.oprnamespace AS namespace
    FROM pg_catalog.pg_operator x
    WHERE x.oprnamespace = ANY ($1)
    UNION ALL
    SELECT 'collation', pg_catalog.quote_ident(x.collname),
           pg_catalog.concat_ws(' ', x.collprovider, pg_catalog.quote_nullable(x.collcollate), pg_catalog.quote_nullable(x.collctype), x.collisdeterministic, x.collencoding),
           x.collowner, x.oid, x.tableoid, x.collnamespace
    FROM pg_catalog.pg_collation x
    WHERE x.collnamespace = ANY ($1)
    UNION ALL
    SELECT 'statistics', pg_catalog.quote_ident(x.stxname),
           pg_catalog.concat_ws(' ', x.stxrelid::pg_catalog.regclass, pg_catalog.array_to_string(ARRAY(
                                    SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
                                    WHERE a.attrelid = x.stxrelid AND a.attnum = ANY (x.stxkeys) ORDER BY a.attname)
                                || coalesce(pg_catalog.pg_get_statisticsobjdef_expressions(x.oid), '{}'), ', '),
                                pg_catalog.array_to_string(x.stxkind, ',')),
           x.stxowner, x.oid, x.tableoid, x.stxnamespace
    FROM pg_catalog.pg_statistic_ext x
    WHERE x.stxnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search configuration', pg_catalog.quote_ident(x.cfgname), p.prsname::pg_catalog.text, x.cfgowner, x.oid, x.tableoid, x.cfgnamespace
    FROM pg_catalog.pg_ts_config x JOIN pg_catalog.pg_ts_parser p ON p.oid = x.cfgparser
    WHERE x.cfgnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search dictionary', pg_catalog.quote_ident(x.dictname), coalesce(x.dictinitoption, ''), x.dictowner, x.oid, x.tableoid, x.dictnamespace
    FROM pg_catalog.pg_ts_dict x
    WHERE x.dictnamespace = ANY ($1)
    UNION ALL
    SELECT 'extension', pg_catalog.quote_ident(x.extname), x.extversion, x.extowner, x.oid, x.tableoid, x.extnamespace
    FROM pg_catalog.pg_extension x
    WHERE x.extnamespace = ANY ($1)
) o
WHERE (o.class, o.oid) NOT IN (
          SELECT e.classid, e.objid FROM pg_catalog.pg_depend e
          WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e')
