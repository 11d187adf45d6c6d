-- The columns of the views $1 that nothing can be written to.
SELECT a.attrelid, a.attnum
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT pg_catalog.pg_column_is_updatable(a.attrelid, a.attnum, true)
