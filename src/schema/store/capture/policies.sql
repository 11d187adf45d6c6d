-- The policies of the relations $1.
SELECT p.polrelid, 'policy', p.oid, p.polname::pg_catalog.text, NULL, NULL::pg_catalog.text[], pg_catalog.json_build_object(
           'command', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
           'restrictive', NOT p.polpermissive,
           'roles', ARRAY(
               SELECT CASE role WHEN 0 THEN 'public' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(role)) END
               FROM pg_catalog.unnest(p.polroles) role),
           'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid, true),
           'with_check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid, true))::pg_catalog.text
FROM pg_catalog.pg_policy p
WHERE p.polrelid = ANY ($1)
