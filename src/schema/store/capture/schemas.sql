-- The schemas that people's objects live in: not the server's, not temporary ones, not this extension's.
SELECT nspname::pg_catalog.text
FROM pg_catalog.pg_namespace
WHERE NOT pg_catalog.starts_with(nspname::pg_catalog.text, 'pg_')
  AND nspname NOT IN ('information_schema', 'module_versioning', 'module_versioning_data')
ORDER BY 1
