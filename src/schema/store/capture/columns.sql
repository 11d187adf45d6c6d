-- The columns and attributes of the relations $1. Most have nothing to say that isn't the usual.
SELECT a.attrelid, a.attnum, a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid, a.attnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated <> '', a.attacl::pg_catalog.text[],
       CASE WHEN (a.atttypid, a.attcollation, a.attstorage) NOT IN (SELECT t.oid, t.typcollation, t.typstorage FROM pg_catalog.pg_type t)
              OR a.attgenerated = 'v' OR a.attidentity <> ''
              OR a.attcompression <> '' OR a.attstattarget >= 0 OR a.attfdwoptions IS NOT NULL
              OR a.attoptions[1] LIKE 'n\_distinct%' OR a.attoptions[2] IS NOT NULL
       THEN pg_catalog.json_build_object(
           'collation', (SELECT a.attcollation::pg_catalog.regcollation::pg_catalog.text FROM pg_catalog.pg_type t
                         WHERE t.oid = a.atttypid AND t.typcollation <> a.attcollation),
           'virtual_column', a.attgenerated = 'v',
           'identity_kind', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
           'storage', (SELECT CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END
                       FROM pg_catalog.pg_type t
                       WHERE t.oid = a.atttypid AND t.typstorage <> a.attstorage AND a.attrelid <> ALL ($2)),
           'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
           'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
           -- Those that are documented: what else a server keeps there is its own affair.
           'options', coalesce(a.attfdwoptions, '{}') ||
               ARRAY(SELECT option FROM pg_catalog.unnest(a.attoptions) option WHERE option LIKE 'n\_distinct%'))::pg_catalog.text END
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND d.adrelid = ANY ($1)
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
