-- The functions, procedures and aggregates of the schemas $1, without what belongs to an extension.
SELECT p.pronamespace, 'function', p.oid, pg_catalog.concat(pg_catalog.quote_ident(p.proname), '(', pg_catalog.oidvectortypes(p.proargtypes), ')'),
       pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text, p.proacl::pg_catalog.text[], pg_catalog.json_build_object(
           'kind', CASE p.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'window function' END,
           'name', p.proname,
           'arguments', pg_catalog.pg_get_function_arguments(p.oid),
           'input_types', ARRAY(
               SELECT pg_catalog.format_type(kind, NULL) FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY a (kind, place) ORDER BY place),
           'input_names', CASE WHEN p.proargnames IS NOT NULL THEN ARRAY(
               SELECT p.proargnames[place] FROM pg_catalog.generate_subscripts(p.proargnames, 1) place
               WHERE p.proargmodes IS NULL OR p.proargmodes[place] IN ('i', 'b', 'v') ORDER BY place) END,
           'outputs', CASE WHEN p.proargmodes IS NOT NULL THEN ARRAY(
               SELECT pg_catalog.concat_ws(' ', pg_catalog.quote_ident(p.proargnames[place]), pg_catalog.format_type(p.proallargtypes[place], NULL))
               FROM pg_catalog.generate_subscripts(p.proargmodes, 1) place
               WHERE p.proargmodes[place] IN ('o', 'b', 't') ORDER BY place) END,
           'defaults', p.pronargdefaults,
           'variadic', p.provariadic <> 0,
           'result', pg_catalog.pg_get_function_result(p.oid),
           'language', l.lanname,
           'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END,
           'security_definer', p.prosecdef,
           'strict', p.proisstrict,
           'leakproof', p.proleakproof,
           'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
           'body', CASE WHEN p.prokind = 'a' THEN (
                   SELECT pg_catalog.concat_ws(' ', x.aggtransfn::pg_catalog.regproc, x.aggfinalfn::pg_catalog.regproc, x.aggcombinefn::pg_catalog.regproc,
                              pg_catalog.format_type(x.aggtranstype, NULL), pg_catalog.quote_nullable(x.agginitval), x.aggkind,
                              -- What few aggregates have, where this one has any of it.
                              nullif(pg_catalog.concat_ws(' ', x.aggserialfn::pg_catalog.regproc, x.aggdeserialfn::pg_catalog.regproc, x.aggmtransfn::pg_catalog.regproc,
                                  x.aggminvtransfn::pg_catalog.regproc, x.aggmfinalfn::pg_catalog.regproc, x.aggfinalextra, x.aggmfinalextra, x.aggfinalmodify,
                                  x.aggmfinalmodify, nullif(x.aggsortop, 0)::pg_catalog.regoperator, x.aggtransspace, nullif(x.aggmtranstype, 0)::pg_catalog.regtype,
                                  x.aggmtransspace, pg_catalog.quote_literal(x.aggminitval)), '- - - - - f f r r 0 0'))
                   FROM pg_catalog.pg_aggregate x WHERE x.aggfnoid = p.oid)
               ELSE pg_catalog.concat(pg_catalog.pg_get_function_sqlbody(p.oid), CASE WHEN p.prosqlbody IS NULL THEN p.prosrc END,
                                      ', ' || nullif(p.probin, '')) END,
           'config', p.proconfig,
           'support', nullif(p.prosupport, 0)::pg_catalog.regproc,
           'transforms', CASE WHEN p.protrftypes IS NOT NULL THEN ARRAY(
               SELECT pg_catalog.format_type(kind, NULL) FROM pg_catalog.unnest(p.protrftypes) WITH ORDINALITY a (kind, place) ORDER BY place) END,
           'cost', CASE WHEN p.procost <> CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END THEN p.procost::pg_catalog.text END,
           'rows', CASE WHEN p.proretset AND p.prorows <> 1000 THEN p.prorows::pg_catalog.text END)::pg_catalog.text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = ANY ($1)
  AND p.oid NOT IN (SELECT e.objid FROM pg_catalog.pg_depend e
                    WHERE e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
                      AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
  -- The constructors of a range go with it.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i
                  WHERE i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND i.objid = p.oid AND i.deptype = 'i')
