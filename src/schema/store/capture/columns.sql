-- The columns and attributes of the relations $1. Most have nothing to say that isn't the usual. A default names
-- no column, so it is printed without its table, which then needn't be opened.
SELECT a.attrelid, a.attnum, a.attname::pg_catalog.text, a.atttypid, a.atttypmod, a.attcollation, a.attstorage, a.attnotnull,
       CASE WHEN d.adrelid IS NOT NULL THEN
           pg_catalog.pg_get_expr(d.adbin, CASE WHEN a.attgenerated = '' THEN 0::pg_catalog.oid ELSE d.adrelid END) END,
       a.attgenerated <> '', a.attidentity, a.attacl::pg_catalog.text[],
       CASE WHEN a.attgenerated = 'v' OR a.attcompression <> '' OR a.attstattarget >= 0 OR a.attfdwoptions IS NOT NULL
              OR a.attoptions[1] LIKE 'n\_distinct%' OR a.attoptions[2] IS NOT NULL
       THEN pg_catalog.json_build_object(
           'virtual_column', a.attgenerated = 'v',
           'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
           'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
           -- Those that are documented: what else a server keeps there is its own affair.
           'options', coalesce(a.attfdwoptions, '{}') ||
               ARRAY(SELECT option FROM pg_catalog.unnest(a.attoptions) option WHERE option LIKE 'n\_distinct%'))::pg_catalog.text END
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND d.adrelid = ANY ($1)
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
