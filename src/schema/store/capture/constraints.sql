-- The constraints of the relations $1 and of the domains $2; those that a partition has from its root left out.
-- The server needn't print a usual key, nor a usual foreign key to one of the relations.
SELECT CASE WHEN k.conrelid = 0 THEN k.contypid ELSE k.conrelid END, k.oid, k.conname::pg_catalog.text, k.contype::pg_catalog.text,
       CASE WHEN k.condeferrable OR NOT (
                k.contype IN ('p', 'u') AND k.conexclop IS NULL
                    AND k.conindid NOT IN (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indnatts <> x.indnkeyatts OR x.indnullsnotdistinct)
                OR k.contype = 'f' AND k.confmatchtype = 's' AND k.confdelsetcols IS NULL AND k.confrelid = ANY ($1)
                    -- The server's own tables come first on any path, and their names begin so.
                    AND k.confrelid NOT IN (SELECT o.oid FROM pg_catalog.pg_class o WHERE o.relname LIKE 'pg\_%' AND o.relkind IN ('r', 'p'))
                    AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 180000)
            THEN pg_catalog.pg_get_constraintdef(k.oid, true) END,
       k.conkey, k.confrelid, k.confkey,
       CASE WHEN k.contype = 'f' THEN pg_catalog.concat(
           CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE' WHEN 'n' THEN ' ON UPDATE SET NULL'
                              WHEN 'd' THEN ' ON UPDATE SET DEFAULT' END,
           CASE k.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE' WHEN 'n' THEN ' ON DELETE SET NULL'
                              WHEN 'd' THEN ' ON DELETE SET DEFAULT' END) END,
       NOT k.convalidated, i.reloptions,
       CASE WHEN i.reltablespace <> 0 THEN (SELECT s.spcname::pg_catalog.text FROM pg_catalog.pg_tablespace s WHERE s.oid = i.reltablespace) END,
       k.conindid
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_class i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x') AND (i.reloptions IS NOT NULL OR i.reltablespace <> 0)
WHERE k.oid = ANY (ARRAY(SELECT r.oid FROM pg_catalog.pg_constraint r
                         WHERE r.conrelid = ANY ($1) AND r.contype IN ('c', 'u', 'p', 'f', 'x') AND r.conparentid = 0
                           AND (r.contype <> 'c' OR r.conislocal))
                || ARRAY(SELECT d.oid FROM pg_catalog.pg_constraint d WHERE d.contypid = ANY ($2) AND d.contype = 'c'))
