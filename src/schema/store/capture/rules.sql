-- The rules of the relations $1, but for those that make a view.
SELECT u.ev_class, 'rule', u.oid, u.rulename::pg_catalog.text, NULL, NULL::pg_catalog.text[], pg_catalog.json_build_object(
           'definition', pg_catalog.pg_get_ruledef(u.oid, true),
           'enabled', CASE u.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END)::pg_catalog.text
FROM pg_catalog.pg_rewrite u
WHERE u.ev_class = ANY ($1) AND u.rulename <> '_RETURN'
