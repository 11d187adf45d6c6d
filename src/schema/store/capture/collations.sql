-- The collations $1.
SELECT c.oid, c.oid::pg_catalog.regcollation::pg_catalog.text FROM pg_catalog.pg_collation c WHERE c.oid = ANY ($1)
