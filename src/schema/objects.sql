-- The objects of schema $1, seen with search_path $2: name, definition, the table each hangs on, and what tells it from another of
-- the same name. A definition holds no OID, no position and not the name of the schema itself.
--
-- Runs with the schema in search_path, for that is how PostgreSQL leaves its name out of definitions. The
-- path is set by the query itself, before the first row: one plan then serves every schema, where a path set
-- beforehand would have PostgreSQL plan anew each time. So every name, type and operator here is qualified, and neither IN nor the short CASE is used: nothing that
-- somebody put into the schema is ever called.
--
-- Objects are found by their dependency on the schema, for which there is an index: the catalogs of
-- relations, routines and types have none by schema, and a database may hold thousands of schemas.
WITH path AS MATERIALIZED (
    SELECT pg_catalog.set_config('search_path', $2, true) AS value
), namespace AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
    FROM path
    JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) $1
    WHERE path.value IS NOT NULL
), relation AS (
    SELECT c.*, pg_catalog.format('%s %I', k.word, c.relname) AS label
    FROM namespace
    CROSS JOIN LATERAL (
        SELECT d.objid AS oid FROM pg_catalog.pg_depend d
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) namespace.oid
          AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        UNION ALL
        -- Of a composite type it is the type that hangs on the schema, and the relation on the type.
        SELECT t.typrelid FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) d.objid AND t.typtype OPERATOR(pg_catalog.=) 'c'
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) namespace.oid
          AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass) of_schema
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) of_schema.oid AND c.relnamespace OPERATOR(pg_catalog.=) namespace.oid
    JOIN (VALUES ('r'::pg_catalog."char", 'table'), ('p', 'table'), ('v', 'view'), ('m', 'materialized view'), ('S', 'sequence'),
                 ('c', 'composite type'), ('f', 'foreign table')) AS k (kind, word) ON k.kind OPERATOR(pg_catalog.=) c.relkind
    WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                        AND d.objid OPERATOR(pg_catalog.=) c.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')
), routine AS (
    SELECT f.*, namespace.nspname,
           pg_catalog.format('%s %I(%s)', CASE WHEN f.prokind OPERATOR(pg_catalog.=) 'p' THEN 'procedure'
                                               WHEN f.prokind OPERATOR(pg_catalog.=) 'a' THEN 'aggregate' ELSE 'function' END,
                             f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid)) AS label
    FROM namespace
    JOIN pg_catalog.pg_depend of_schema ON of_schema.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
         AND of_schema.refobjid OPERATOR(pg_catalog.=) namespace.oid AND of_schema.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
    JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) of_schema.objid AND f.pronamespace OPERATOR(pg_catalog.=) namespace.oid
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                        AND d.objid OPERATOR(pg_catalog.=) f.oid
                        AND d.deptype OPERATOR(pg_catalog.=) ANY ('{e,i}'::pg_catalog."char"[]))
), kind AS (
    SELECT t.*, pg_catalog.format('%s %I', CASE WHEN t.typtype OPERATOR(pg_catalog.=) 'e' THEN 'enum'
                                                WHEN t.typtype OPERATOR(pg_catalog.=) 'd' THEN 'domain' ELSE 'range type' END, t.typname) AS label
    FROM namespace
    JOIN pg_catalog.pg_depend of_schema ON of_schema.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
         AND of_schema.refobjid OPERATOR(pg_catalog.=) namespace.oid AND of_schema.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) of_schema.objid AND t.typnamespace OPERATOR(pg_catalog.=) namespace.oid
    WHERE t.typtype OPERATOR(pg_catalog.=) ANY ('{e,d,r}'::pg_catalog."char"[])
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
                        AND d.objid OPERATOR(pg_catalog.=) t.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')
), attribute AS (
    SELECT a.*, r.relname, r.relowner, r.label AS relation_label, pg_catalog.format('column %I.%I', r.relname, a.attname) AS label
    FROM relation r
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
    WHERE r.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,c,f}'::pg_catalog."char"[])
), granted (label, owner, acl, relation_label, identity) AS (
    SELECT 'schema', n.nspowner, n.nspacl, NULL, pg_catalog.concat('n', n.oid) FROM namespace n
    UNION ALL SELECT r.label, r.relowner, r.relacl, r.label, pg_catalog.concat('c', r.oid) FROM relation r
    UNION ALL SELECT a.label, a.relowner, a.attacl, a.relation_label, pg_catalog.concat('c', a.attrelid, '.', a.attnum) FROM attribute a
    UNION ALL SELECT f.label, f.proowner, coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner)), NULL, pg_catalog.concat('f', f.oid) FROM routine f
    UNION ALL SELECT t.label, t.typowner, coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)), NULL, pg_catalog.concat('t', t.oid) FROM kind t
)
SELECT r.label,
       pg_catalog.concat_ws('; ',
           pg_catalog.concat('owner ', pg_catalog.pg_get_userbyid(r.relowner)),
           CASE WHEN r.relkind OPERATOR(pg_catalog.=) 'p' THEN pg_catalog.concat('partitioned by ', pg_catalog.pg_get_partkeydef(r.oid)) END,
           (SELECT pg_catalog.concat('inherits ', pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::pg_catalog.text, ', ' ORDER BY i.inhseqno))
            FROM pg_catalog.pg_inherits i WHERE i.inhrelid OPERATOR(pg_catalog.=) r.oid HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0),
           CASE WHEN r.relispartition THEN pg_catalog.pg_get_expr(r.relpartbound, r.oid) END,
           CASE WHEN r.relkind OPERATOR(pg_catalog.=) ANY ('{v,m}'::pg_catalog."char"[]) THEN pg_catalog.pg_get_viewdef(r.oid) END,
           CASE WHEN s.seqrelid IS NOT NULL THEN
               pg_catalog.format('as %s start %s increment %s from %s to %s cache %s%s', pg_catalog.format_type(s.seqtypid, NULL), s.seqstart,
                                 s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END) END,
           (SELECT pg_catalog.concat('owned by ', d.refobjid::pg_catalog.regclass, '.', o.attname)
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_attribute o ON o.attrelid OPERATOR(pg_catalog.=) d.refobjid AND o.attnum OPERATOR(pg_catalog.=) d.refobjsubid
            WHERE s.seqrelid IS NOT NULL AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.objid OPERATOR(pg_catalog.=) r.oid AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.deptype OPERATOR(pg_catalog.=) ANY ('{a,i}'::pg_catalog."char"[]) LIMIT 1),
           CASE WHEN r.relpersistence OPERATOR(pg_catalog.=) 'u' THEN 'unlogged' END,
           CASE WHEN r.relrowsecurity THEN 'row level security' END,
           CASE WHEN r.relforcerowsecurity THEN 'forced row level security' END,
           CASE WHEN r.relreplident OPERATOR(pg_catalog.=) ANY ('{f,i}'::pg_catalog."char"[]) THEN pg_catalog.concat('replica identity ', r.relreplident) END,
           pg_catalog.array_to_string(r.reloptions, ', ')),
       NULL::pg_catalog.text, pg_catalog.concat('c', r.oid)
FROM relation r
LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid OPERATOR(pg_catalog.=) r.oid
UNION ALL
SELECT a.label,
       pg_catalog.concat_ws('; ', pg_catalog.format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation OPERATOR(pg_catalog.<>) t.typcollation THEN pg_catalog.concat('collate ', a.attcollation::pg_catalog.regcollation) END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE WHEN a.attidentity OPERATOR(pg_catalog.=) 'a' THEN 'identity always' WHEN a.attidentity OPERATOR(pg_catalog.=) 'd' THEN 'identity by default' END,
           CASE WHEN d.oid IS NOT NULL THEN
               pg_catalog.concat(CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) '' THEN 'default ' ELSE 'generated ' END,
                                 pg_catalog.pg_get_expr(d.adbin, d.adrelid)) END),
       a.relation_label, pg_catalog.concat('c', a.attrelid, '.', a.attnum)
FROM attribute a
JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum
UNION ALL
SELECT pg_catalog.format('constraint %I on %I', k.conname, r.relname), pg_catalog.pg_get_constraintdef(k.oid), r.label, pg_catalog.concat('k', k.oid)
FROM relation r
JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) r.oid AND k.contype OPERATOR(pg_catalog.<>) ALL ('{t,n}'::pg_catalog."char"[])
UNION ALL
SELECT pg_catalog.format('index %I', i.relname),
       pg_catalog.concat_ws('; ', pg_catalog.pg_get_indexdef(x.indexrelid, 0, true), CASE WHEN NOT x.indisvalid THEN 'invalid' END,
           CASE WHEN x.indisclustered THEN 'clustered' END, CASE WHEN x.indisreplident THEN 'replica identity' END,
           pg_catalog.array_to_string(i.reloptions, ', ')),
       r.label, pg_catalog.concat('c', i.oid)
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid OPERATOR(pg_catalog.=) r.oid
JOIN pg_catalog.pg_class i ON i.oid OPERATOR(pg_catalog.=) x.indexrelid
UNION ALL
SELECT pg_catalog.format('trigger %I on %I', t.tgname, r.relname),
       pg_catalog.concat(pg_catalog.pg_get_triggerdef(t.oid, true), '; ', t.tgenabled), r.label, pg_catalog.concat('g', t.oid)
FROM relation r
JOIN pg_catalog.pg_trigger t ON t.tgrelid OPERATOR(pg_catalog.=) r.oid AND NOT t.tgisinternal
UNION ALL
SELECT pg_catalog.format('rule %I on %I', w.rulename, r.relname),
       pg_catalog.concat(pg_catalog.pg_get_ruledef(w.oid, true), '; ', w.ev_enabled), r.label, pg_catalog.concat('w', w.oid)
FROM relation r
JOIN pg_catalog.pg_rewrite w ON w.ev_class OPERATOR(pg_catalog.=) r.oid AND w.rulename OPERATOR(pg_catalog.<>) '_RETURN'
UNION ALL
SELECT pg_catalog.format('policy %I on %I', p.polname, r.relname),
       pg_catalog.concat_ws('; ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
           (SELECT pg_catalog.string_agg(coalesce(m.rolname, 'public'), ', ' ORDER BY m.rolname)
            FROM pg_catalog.unnest(p.polroles) AS member LEFT JOIN pg_catalog.pg_roles m ON m.oid OPERATOR(pg_catalog.=) member),
           pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)),
       r.label, pg_catalog.concat('p', p.oid)
FROM relation r
JOIN pg_catalog.pg_policy p ON p.polrelid OPERATOR(pg_catalog.=) r.oid
UNION ALL
SELECT pg_catalog.format('statistics %I', x.stxname),
       pg_catalog.concat_ws('; ', x.stxkind, pg_catalog.pg_get_statisticsobjdef_columns(x.oid), x.stxrelid::pg_catalog.regclass),
       (SELECT r.label FROM relation r WHERE r.oid OPERATOR(pg_catalog.=) x.stxrelid), pg_catalog.concat('x', x.oid)
FROM namespace
JOIN pg_catalog.pg_depend of_schema ON of_schema.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
         AND of_schema.refobjid OPERATOR(pg_catalog.=) namespace.oid AND of_schema.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
    JOIN pg_catalog.pg_statistic_ext x ON x.oid OPERATOR(pg_catalog.=) of_schema.objid AND x.stxnamespace OPERATOR(pg_catalog.=) namespace.oid
UNION ALL
SELECT f.label,
       pg_catalog.concat_ws('; ', pg_catalog.concat('owner ', pg_catalog.pg_get_userbyid(f.proowner)),
           CASE WHEN f.prokind OPERATOR(pg_catalog.=) 'a' THEN
               (SELECT pg_catalog.concat_ws(', ', pg_catalog.pg_get_function_result(f.oid), g.aggtransfn, g.aggfinalfn, g.aggtranstype::pg_catalog.regtype, g.agginitval)
                FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid OPERATOR(pg_catalog.=) f.oid)
           ELSE pg_catalog.overlay(d.definition, pg_catalog.quote_ident(f.proname), pg_catalog.strpos(d.definition, d.qualified), pg_catalog.length(d.qualified)) END),
       NULL, pg_catalog.concat('f', f.oid)
FROM routine f
CROSS JOIN LATERAL (SELECT CASE WHEN f.prokind OPERATOR(pg_catalog.<>) 'a' THEN pg_catalog.pg_get_functiondef(f.oid) END AS definition,
                           pg_catalog.format('%I.%I', f.nspname, f.proname) AS qualified) d
UNION ALL
SELECT t.label,
       pg_catalog.concat_ws('; ', pg_catalog.concat('owner ', pg_catalog.pg_get_userbyid(t.typowner)),
           CASE WHEN t.typtype OPERATOR(pg_catalog.=) 'e' THEN
               (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                FROM pg_catalog.pg_enum e WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid)
                WHEN t.typtype OPERATOR(pg_catalog.=) 'd' THEN
               pg_catalog.concat_ws('; ', pg_catalog.format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'not null' END,
                   pg_catalog.pg_get_expr(t.typdefaultbin, 0::pg_catalog.oid),
                   (SELECT pg_catalog.string_agg(pg_catalog.concat(k.conname, ' ', pg_catalog.pg_get_constraintdef(k.oid)), '; ' ORDER BY k.conname)
                    FROM pg_catalog.pg_constraint k WHERE k.contypid OPERATOR(pg_catalog.=) t.oid))
                ELSE (SELECT pg_catalog.format_type(g.rngsubtype, NULL) FROM pg_catalog.pg_range g WHERE g.rngtypid OPERATOR(pg_catalog.=) t.oid) END),
       NULL, pg_catalog.concat('t', t.oid)
FROM kind t
UNION ALL
SELECT pg_catalog.format('grants on %s to %s', g.label, coalesce(pg_catalog.quote_ident(grantee.rolname), 'public')),
       pg_catalog.string_agg(pg_catalog.concat(x.privilege_type, CASE WHEN x.is_grantable THEN ' with grant option' END), ', '
                             ORDER BY x.privilege_type COLLATE pg_catalog."C", x.is_grantable),
       g.relation_label, pg_catalog.concat(g.identity, 'a', x.grantee)
FROM granted g
CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) x
LEFT JOIN pg_catalog.pg_roles grantee ON grantee.oid OPERATOR(pg_catalog.=) x.grantee
WHERE x.grantee OPERATOR(pg_catalog.<>) g.owner
GROUP BY g.label, g.relation_label, g.identity, x.grantee, grantee.rolname
UNION ALL
SELECT pg_catalog.format('comment on %s', o.label), d.description, o.relation_label, pg_catalog.concat(o.identity, 'd')
FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, r.oid, 0 AS sub, r.label, r.label AS relation_label, pg_catalog.concat('c', r.oid) AS identity FROM relation r
      UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, a.attrelid, a.attnum, a.label, a.relation_label, pg_catalog.concat('c', a.attrelid, '.', a.attnum) FROM attribute a
      UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, f.oid, 0, f.label, NULL, pg_catalog.concat('f', f.oid) FROM routine f
      UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, 0, t.label, NULL, pg_catalog.concat('t', t.oid) FROM kind t) o
JOIN pg_catalog.pg_description d ON d.classoid OPERATOR(pg_catalog.=) o.class AND d.objoid OPERATOR(pg_catalog.=) o.oid AND d.objsubid OPERATOR(pg_catalog.=) o.sub
