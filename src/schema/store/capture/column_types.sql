-- The types $1 with the modifiers $2.
SELECT used.kind, used.modifiers, pg_catalog.format_type(used.kind, used.modifiers), t.typcollation, t.typstorage
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) used (kind, modifiers)
JOIN pg_catalog.pg_type t ON t.oid = used.kind
