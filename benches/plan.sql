-- Run by plan.sh in an empty database: 200 versions of five migrations each, 2,000 sites on the last ones.
\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION module_versioning;
CREATE ROLE bench_owner NOLOGIN;
SELECT id AS shared FROM module_versioning.register_module('bench-row', owner_role => 'bench_owner') \gset
SELECT id AS own FROM module_versioning.register_module('bench-schema', isolation => 'schema', owner_role => 'bench_owner') \gset
INSERT INTO module_versioning.sites (slug, name) SELECT 'bench-' || n, 'Bench ' || n FROM generate_series(1, 2001) n;
SELECT count(module_versioning.create_version(m, format('1.%s.0', n)::module_versioning.semver))
FROM generate_series(0, 199) n, unnest(ARRAY[:'shared', :'own']::uuid[]) m \g /dev/null
-- Half of a migration is prose, as it is in life.
SELECT count(module_versioning.add_migration(m, format('1.%s.0', (n - 1) / 5)::module_versioning.semver,
           format('-- %2$s
CREATE TABLE t%1$s (id bigint PRIMARY KEY, site_id uuid NOT NULL, name text, created timestamptz DEFAULT now());
CREATE INDEX ON t%1$s (site_id);
ALTER TABLE t%1$s ADD COLUMN note text;', n, repeat('What it does and why. ', 20)),
           format('DROP TABLE t%s', n)))
FROM generate_series(1, 1000) n, unnest(ARRAY[:'shared', :'own']::uuid[]) m \g /dev/null
SELECT count(module_versioning.publish_version(id))
FROM module_versioning.registered_versions WHERE module_id IN (:'shared', :'own') \g /dev/null

-- The sites as installations would have left them, without the tables.
INSERT INTO module_versioning.site_modules (site_id, module_id, schema_name)
SELECT s.id, m, 'bench_' || s.slug FROM module_versioning.sites s, unnest(ARRAY[:'shared', :'own']::uuid[]) m WHERE s.slug <> 'bench-2001';
INSERT INTO module_versioning.site_module_versions (site_module_id, version_id, status, activated_at)
SELECT i.id, v.id, 'active', now()
FROM module_versioning.site_modules i
JOIN module_versioning.sites s ON s.id = i.site_id
JOIN module_versioning.registered_versions v ON v.module_id = i.module_id AND v.version_minor = 180 + right(s.slug, 1)::integer;
INSERT INTO module_versioning.applied_migrations (migration_id)
SELECT id FROM module_versioning.module_migrations WHERE module_id = :'shared' AND sequence <= 950;
INSERT INTO module_versioning.applied_migrations (migration_id, site_id)
SELECT m.id, i.site_id
FROM module_versioning.site_modules i
JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id
JOIN module_versioning.registered_versions v ON v.id = a.version_id
JOIN module_versioning.module_migrations m
  ON m.module_id = i.module_id AND m.to_version OPERATOR(module_versioning.<=) v.version
WHERE i.module_id = :'own';
VACUUM ANALYZE;

CREATE FUNCTION pg_temp.ms(query text, OUT first numeric, OUT median numeric) LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    took float8[];
BEGIN
    FOR i IN 1..21 LOOP
        started := clock_timestamp();
        EXECUTE query;
        took := took || extract(epoch FROM clock_timestamp() - started)::float8 * 1000;
    END LOOP;
    first := round(took[1]::numeric, 1);
    SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY one)::numeric, 1) INTO median FROM unnest(took) one;
END
$$;
\echo 1,000 migrations, 2,000 sites; milliseconds. "first" parses the pending scripts, later ones remember.
SELECT what, pending, m.first, m.median
FROM (VALUES
    (1, 'row layout, a site behind', 50, 'plan_upgrade', 'bench-1', :'shared'::uuid),
    (2, 'row layout, a new site', 50, 'plan_upgrade', 'bench-2001', :'shared'),
    (3, 'schema layout, a site behind', 90, 'plan_upgrade', 'bench-1', :'own'),
    (4, 'schema layout, a new site', 1000, 'plan_upgrade', 'bench-2001', :'own'),
    (5, 'get_pending_migrations, a new site', 1000, 'get_pending_migrations', 'bench-2001', :'own')
) t (place, what, pending, call, site, module),
LATERAL pg_temp.ms(format('SELECT count(*) FROM module_versioning.%I(%L, %L)', call, module_versioning.site_id(site), module)) m
ORDER BY place;
