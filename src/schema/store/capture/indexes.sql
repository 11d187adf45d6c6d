-- The indexes of the relations $1; those of constraints and those that a partition has from its root left out.
-- The tenth column tells those that are plain: a B-tree of columns in the usual order, with nothing else to it.
SELECT x.indrelid, x.indexrelid, i.relname::pg_catalog.text, (x.indkey::pg_catalog.int2[])[0:x.indnkeyatts - 1],
       x.indclass::pg_catalog.oid[], x.indcollation::pg_catalog.oid[], x.indisunique, x.indnullsnotdistinct, NOT x.indisvalid,
       x.indexprs IS NULL AND x.indpred IS NULL AND x.indnatts = x.indnkeyatts AND i.relam = 403 AND i.reloptions IS NULL
           AND NOT x.indnullsnotdistinct AND 0 = ALL (x.indoption::pg_catalog.int2[]),
       CASE WHEN i.reltablespace <> 0 THEN (SELECT s.spcname::pg_catalog.text FROM pg_catalog.pg_tablespace s WHERE s.oid = i.reltablespace) END,
       CASE WHEN x.indexprs IS NOT NULL THEN (
           SELECT pg_catalog.array_agg(pg_catalog.concat(a.attnum, '=', a.attstattarget) ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0) END
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = ANY ($1) AND NOT i.relispartition
  AND x.indexrelid NOT IN (SELECT k.conindid FROM pg_catalog.pg_constraint k
                           WHERE k.conrelid = ANY ($1) AND k.contype IN ('u', 'p', 'x'))
