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
                                pg_catalog.array_to_string(x.stxkind, ','),
                                CASE WHEN x.stxstattarget >= 0 THEN pg_catalog.concat('target ', x.stxstattarget) END),
           x.stxowner, x.oid, x.tableoid, x.stxnamespace
    FROM pg_catalog.pg_statistic_ext x
    WHERE x.stxnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search configuration', pg_catalog.quote_ident(x.cfgname),
           pg_catalog.concat_ws('; ', x.parser, (
               SELECT pg_catalog.string_agg(mapping.shown, '; ' ORDER BY mapping.shown)
               FROM (SELECT pg_catalog.concat(t.alias, ': ', pg_catalog.string_agg(m.mapdict::pg_catalog.regdictionary::pg_catalog.text, ', ' ORDER BY m.mapseqno)) AS shown
                     FROM pg_catalog.pg_ts_config_map m JOIN pg_catalog.ts_token_type(x.cfgparser) t ON t.tokid = m.maptokentype
                     WHERE m.mapcfg = x.oid GROUP BY t.alias) mapping)),
           x.cfgowner, x.oid, x.tableoid, x.cfgnamespace
    FROM (SELECT c.tableoid, c.*, pg_catalog.concat_ws('.', nullif(n.nspname, 'pg_catalog'), p.prsname) AS parser
          FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
          JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace) x
    WHERE x.cfgnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search dictionary', pg_catalog.quote_ident(x.dictname), pg_catalog.concat_ws(' ', t.tmplname, x.dictinitoption),
           x.dictowner, x.oid, x.tableoid, x.dictnamespace
    FROM pg_catalog.pg_ts_dict x JOIN pg_catalog.pg_ts_template t ON t.oid = x.dicttemplate
    WHERE x.dictnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search parser', pg_catalog.quote_ident(x.prsname),
           pg_catalog.concat_ws(' ', x.prsstart, x.prstoken, x.prsend, x.prsheadline, x.prslextype), NULL, x.oid, x.tableoid, x.prsnamespace
    FROM pg_catalog.pg_ts_parser x
    WHERE x.prsnamespace = ANY ($1)
    UNION ALL
    SELECT 'text search template', pg_catalog.quote_ident(x.tmplname), pg_catalog.concat_ws(' ', x.tmplinit, x.tmpllexize), NULL, x.oid, x.tableoid, x.tmplnamespace
    FROM pg_catalog.pg_ts_template x
    WHERE x.tmplnamespace = ANY ($1)
    UNION ALL
    SELECT 'conversion', pg_catalog.quote_ident(x.conname),
           pg_catalog.concat_ws(' ', pg_catalog.pg_encoding_to_char(x.conforencoding), pg_catalog.pg_encoding_to_char(x.contoencoding), x.conproc, x.condefault),
           x.conowner, x.oid, x.tableoid, x.connamespace
    FROM pg_catalog.pg_conversion x
    WHERE x.connamespace = ANY ($1)
    UNION ALL
    SELECT 'operator class', pg_catalog.concat(pg_catalog.quote_ident(x.opcname), ' USING ', m.amname),
           pg_catalog.concat_ws(' ', pg_catalog.format_type(x.opcintype, NULL), CASE WHEN x.opcdefault THEN 'default' END,
                                pg_catalog.concat('family ', nullif(n.nspname, schema.nspname) || '.', pg_catalog.quote_ident(f.opfname)),
                                'storage ' || pg_catalog.format_type(nullif(x.opckeytype, 0), NULL)),
           x.opcowner, x.oid, x.tableoid, x.opcnamespace
    FROM pg_catalog.pg_opclass x JOIN pg_catalog.pg_am m ON m.oid = x.opcmethod
    JOIN pg_catalog.pg_opfamily f ON f.oid = x.opcfamily JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
    JOIN pg_catalog.pg_namespace schema ON schema.oid = x.opcnamespace
    WHERE x.opcnamespace = ANY ($1)
    UNION ALL
    SELECT 'operator family', pg_catalog.concat(pg_catalog.quote_ident(x.opfname), ' USING ', m.amname),
           (SELECT coalesce(pg_catalog.string_agg(member.shown, '; ' ORDER BY member.shown), '')
            FROM (SELECT pg_catalog.concat_ws(' ', 'operator', o.amopstrategy, o.amopopr::pg_catalog.regoperator,
                             CASE o.amoppurpose WHEN 'o' THEN pg_catalog.concat('for order by ', s.opfname) END) AS shown
                  FROM pg_catalog.pg_amop o LEFT JOIN pg_catalog.pg_opfamily s ON s.oid = o.amopsortfamily
                  WHERE o.amopfamily = x.oid
                  UNION ALL
                  SELECT pg_catalog.concat_ws(' ', 'function', p.amprocnum, pg_catalog.format_type(p.amproclefttype, NULL), pg_catalog.format_type(p.amprocrighttype, NULL),
                             p.amproc::pg_catalog.regprocedure)
                  FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = x.oid) member),
           x.opfowner, x.oid, x.tableoid, x.opfnamespace
    FROM pg_catalog.pg_opfamily x JOIN pg_catalog.pg_am m ON m.oid = x.opfmethod
    WHERE x.opfnamespace = ANY ($1)
    UNION ALL
    SELECT 'extension', pg_catalog.quote_ident(x.extname), x.extversion, x.extowner, x.oid, x.tableoid, x.extnamespace
    FROM pg_catalog.pg_extension x
    WHERE x.extnamespace = ANY ($1)
) o
WHERE (o.class, o.oid) NOT IN (
          SELECT e.classid, e.objid FROM pg_catalog.pg_depend e
          WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e')
