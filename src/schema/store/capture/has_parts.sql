-- Which of the rarer kinds of parts the relations $1 have.
SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal),
       EXISTS (SELECT FROM pg_catalog.pg_rewrite u WHERE u.ev_class = ANY ($1) AND u.rulename <> '_RETURN'),
       EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = ANY ($1))
