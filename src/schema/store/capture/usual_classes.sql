-- The operator classes that B-trees use where none is named, with the types they are for.
SELECT c.oid, c.opcintype FROM pg_catalog.pg_opclass c WHERE c.opcmethod = 403 AND c.opcdefault
