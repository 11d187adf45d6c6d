-- What holds for every object of the extension.
\pset format unaligned
\echo Every object has a comment.
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'module_versioning'
  AND obj_description(d.objid, d.classid::regclass::text) IS NULL
  -- Row and array types stand for their table or element.
  AND NOT EXISTS (SELECT FROM pg_type t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typrelid <> 0 OR t.typelem <> 0))
ORDER BY 1;

\echo No two functions share a name.
SELECT proname FROM pg_proc WHERE pronamespace = 'module_versioning'::regnamespace GROUP BY 1 HAVING count(*) > 1;

\echo Every function that reads or writes anything has its search_path pinned, but the one that runs the scripts under theirs.
SELECT oid::regprocedure FROM pg_proc
WHERE pronamespace = 'module_versioning'::regnamespace AND provolatile <> 'i'
  AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
ORDER BY 1;

\echo What everybody may call; nothing that reads or writes the registry is among it.
SELECT p.proname FROM pg_proc p
WHERE pronamespace = 'module_versioning'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1;
\echo Tables belong to the owner alone.
SELECT c.oid::regclass FROM pg_class c
WHERE relnamespace IN ('module_versioning'::regnamespace, 'module_versioning_data'::regnamespace) AND relkind IN ('r', 'v', 'S')
  AND has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE');

\echo Every table and sequence goes into a dump.
SELECT c.oid::regclass FROM pg_class c JOIN pg_extension e ON e.extname = 'module_versioning'
WHERE relnamespace = 'module_versioning'::regnamespace AND relkind IN ('r', 'S') AND NOT (c.oid = ANY (e.extconfig));

\echo The functions of the contract, with their arguments and results.
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, p.provolatile AS volatility, p.proparallel AS parallel
FROM pg_proc p WHERE pronamespace = 'module_versioning'::regnamespace AND p.proname !~ '^_' AND prokind = 'f' ORDER BY 1;
