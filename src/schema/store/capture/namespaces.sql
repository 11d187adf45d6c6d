-- The schemas of the names $1 themselves.
SELECT 0::pg_catalog.oid, 'namespace', n.oid, n.nspname::pg_catalog.text, pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text, n.nspacl::pg_catalog.text[],
       pg_catalog.json_build_object(
           'default_privileges', ARRAY(
               SELECT pg_catalog.concat('for ', pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.defaclrole)), ' on ',
                          CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                               WHEN 'T' THEN 'types' ELSE d.defaclobjtype::pg_catalog.text END,
                          ': ', g.privilege_type, ' TO ', CASE g.grantee WHEN 0 THEN 'public' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
                          CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
               FROM pg_catalog.pg_default_acl d
               CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) g
               WHERE d.defaclnamespace = n.oid))::pg_catalog.text
FROM pg_catalog.pg_namespace n
WHERE n.nspname = ANY ($1)
