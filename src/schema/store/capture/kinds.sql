-- Which of the rarer kinds of objects there are in the schemas $1: types (1), routines (2), all else but relations (3).
-- To ask whether is cheaper than to ask for them.
SELECT DISTINCT CASE d.classid WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN 1 WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 2 ELSE 3 END
FROM pg_catalog.pg_depend d
WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = ANY ($1)
  AND d.classid <> 'pg_catalog.pg_class'::pg_catalog.regclass
UNION
-- What the server came with hangs on nothing.
SELECT kind FROM pg_catalog.generate_series(1, 3) kind WHERE EXISTS (SELECT FROM pg_catalog.unnest($1) schema WHERE schema < 16384 AND schema <> 2200)
