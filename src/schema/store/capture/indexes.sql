-- The indexes of the relations $1; those of constraints and those that a partition has from its root left out.
SELECT x.indrelid, x.indexrelid, i.relname::pg_catalog.text, pg_catalog.pg_get_indexdef(x.indexrelid, 0, true),
       (x.indkey::pg_catalog.int2[])[0:x.indnkeyatts - 1],
       CASE WHEN x.indexprs IS NOT NULL THEN ARRAY(
           SELECT pg_catalog.pg_get_indexdef(x.indexrelid, place, true) FROM pg_catalog.generate_series(1, x.indnkeyatts) place ORDER BY place) END,
       CASE WHEN x.indpred IS NOT NULL THEN pg_catalog.pg_get_expr(x.indpred, x.indrelid, true) END,
       x.indisunique, x.indnullsnotdistinct, NOT x.indisvalid
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = ANY ($1) AND NOT i.relispartition
  AND x.indexrelid NOT IN (SELECT k.conindid FROM pg_catalog.pg_constraint k
                           WHERE k.conrelid = ANY ($1) AND k.contype IN ('u', 'p', 'x'))
