-- Which of the rarer kinds of objects there are in the schemas $1: to ask whether is cheaper than to ask for them.
SELECT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typnamespace = ANY ($1) AND t.typtype IN ('e', 'd', 'r')),
       EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = ANY ($1)),
       EXISTS (SELECT FROM pg_catalog.pg_operator x WHERE x.oprnamespace = ANY ($1))
       OR EXISTS (SELECT FROM pg_catalog.pg_collation x WHERE x.collnamespace = ANY ($1))
       OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext x WHERE x.stxnamespace = ANY ($1))
       OR EXISTS (SELECT FROM pg_catalog.pg_ts_config x WHERE x.cfgnamespace = ANY ($1))
       OR EXISTS (SELECT FROM pg_catalog.pg_ts_dict x WHERE x.dictnamespace = ANY ($1))
       OR EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extnamespace = ANY ($1))
