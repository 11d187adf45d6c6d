-- The triggers of the relations $1; the server's own and those that a partition has from its root left out.
SELECT t.tgrelid, 'trigger', t.oid, t.tgname::pg_catalog.text, NULL, NULL::pg_catalog.text[], pg_catalog.json_build_object(
           'definition', pg_catalog.pg_get_triggerdef(t.oid, true),
           'enabled', CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END)::pg_catalog.text
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgparentid = 0
