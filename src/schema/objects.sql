-- The objects of schema $1, each with a definition that holds no OID and no position.
WITH namespace AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1
), relation AS (
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence, c.reloptions
    FROM pg_catalog.pg_class c JOIN namespace ON namespace.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c', 'f') AND c.relpersistence <> 't'
)
SELECT pg_catalog.format('%s %I', CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                                                 WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type'
                                                 WHEN 'f' THEN 'foreign table' ELSE 'table' END, r.relname),
       pg_catalog.concat_ws('; ',
           CASE WHEN r.relkind = 'p' THEN pg_catalog.concat('partitioned by ', pg_catalog.pg_get_partkeydef(r.oid)) END,
           CASE WHEN r.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(r.oid) END,
           CASE WHEN r.relpersistence = 'u' THEN 'unlogged' END,
           CASE WHEN r.relrowsecurity THEN 'row level security' END,
           CASE WHEN r.relforcerowsecurity THEN 'forced row level security' END,
           pg_catalog.array_to_string(r.reloptions, ', '))
FROM relation r
UNION ALL
SELECT pg_catalog.format('column %I.%I', r.relname, a.attname),
       pg_catalog.concat_ws('; ', pg_catalog.format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN pg_catalog.concat('collate ', a.attcollation::pg_catalog.regcollation) END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
           CASE WHEN d.oid IS NOT NULL THEN
               pg_catalog.concat(CASE WHEN a.attgenerated = '' THEN 'default ' ELSE 'generated ' END,
                                 pg_catalog.pg_get_expr(d.adbin, d.adrelid)) END)
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'c', 'f')
UNION ALL
SELECT pg_catalog.format('constraint %I on %I', k.conname, r.relname), pg_catalog.pg_get_constraintdef(k.oid)
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype <> 't'
UNION ALL
SELECT pg_catalog.format('index %I', i.relname), pg_catalog.pg_get_indexdef(x.indexrelid)
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT pg_catalog.format('trigger %I on %I', t.tgname, r.relname),
       pg_catalog.concat(pg_catalog.pg_get_triggerdef(t.oid), '; ', t.tgenabled)
FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT pg_catalog.format('policy %I on %I', p.polname, r.relname),
       pg_catalog.concat_ws('; ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
           (SELECT pg_catalog.string_agg(coalesce(m.rolname, 'public'), ', ' ORDER BY m.rolname)
            FROM pg_catalog.unnest(p.polroles) AS member LEFT JOIN pg_catalog.pg_roles m ON m.oid = member),
           pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT pg_catalog.format('%s %s', CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
                         pg_catalog.concat(pg_catalog.quote_ident(f.proname), '(', pg_catalog.pg_get_function_identity_arguments(f.oid), ')')),
       CASE WHEN f.prokind = 'a' THEN pg_catalog.pg_get_function_result(f.oid) ELSE pg_catalog.pg_get_functiondef(f.oid) END
FROM pg_catalog.pg_proc f JOIN namespace ON namespace.oid = f.pronamespace
UNION ALL
SELECT pg_catalog.format('%s %I', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'range type' END, t.typname),
       CASE t.typtype
           WHEN 'e' THEN (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                          FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
           WHEN 'd' THEN pg_catalog.concat_ws('; ', pg_catalog.format_type(t.typbasetype, t.typtypmod),
                          CASE WHEN t.typnotnull THEN 'not null' END, t.typdefault,
                          (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), '; ' ORDER BY k.conname)
                           FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))
           ELSE 'range' END
FROM pg_catalog.pg_type t JOIN namespace ON namespace.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r')
