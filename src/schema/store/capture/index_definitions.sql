-- What the indexes $1 are, as the server prints them.
SELECT x.indexrelid, pg_catalog.pg_get_indexdef(x.indexrelid, 0, true),
       CASE WHEN x.indexprs IS NOT NULL THEN ARRAY(
           SELECT pg_catalog.pg_get_indexdef(x.indexrelid, place, true) FROM pg_catalog.generate_series(1, x.indnkeyatts) place ORDER BY place) END,
       CASE WHEN x.indpred IS NOT NULL THEN pg_catalog.pg_get_expr(x.indpred, x.indrelid, true) END
FROM pg_catalog.pg_index x
WHERE x.indexrelid = ANY ($1)
