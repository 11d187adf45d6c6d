-- The constraints of the relations $1 and of the domains $2; those that a partition has from its root left out.
SELECT CASE WHEN k.conrelid = 0 THEN k.contypid ELSE k.conrelid END, k.oid, k.conname::pg_catalog.text, k.contype::pg_catalog.text,
       pg_catalog.pg_get_constraintdef(k.oid, true), k.conkey, NOT k.convalidated
FROM pg_catalog.pg_constraint k
WHERE k.oid = ANY (ARRAY(SELECT r.oid FROM pg_catalog.pg_constraint r
                         WHERE r.conrelid = ANY ($1) AND r.contype IN ('c', 'u', 'p', 'f', 'x') AND r.conparentid = 0
                           AND (r.contype <> 'c' OR r.conislocal))
                || ARRAY(SELECT d.oid FROM pg_catalog.pg_constraint d WHERE d.contypid = ANY ($2) AND d.contype = 'c'))
