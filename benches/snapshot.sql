-- Run by snapshot.sh in an empty database: the table that is measured, in a module of the row layout.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION module_versioning;
CREATE ROLE bench_owner NOLOGIN;
SELECT id AS site FROM module_versioning.register_site('bench') \gset
SELECT id AS module FROM module_versioning.register_module('bench', owner_role => 'bench_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS migration_id FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE entries (
        id uuid PRIMARY KEY, site_id uuid NOT NULL, title text NOT NULL, body text NOT NULL,
        price numeric(12, 2) NOT NULL, amount int NOT NULL, status text NOT NULL, extra jsonb NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)
    $$, 'DROP TABLE entries') \gset
SELECT id AS published FROM module_versioning.publish_version(:'version_id') \gset
SELECT status AS installed FROM module_versioning.install_module(:'site', :'module') \gset
CREATE FUNCTION public.entry(n int) RETURNS bench.entries LANGUAGE sql AS $$
    SELECT md5('id' || n)::uuid, module_versioning.site_id('bench'), 'Title of entry ' || n,
           md5('a' || n) || ' ' || md5('b' || n), (n % 1000000) / 100.0, n % 1000, (ARRAY['new', 'open', 'closed'])[1 + n % 3],
           jsonb_build_object('n', n, 'tag', 'tag ' || n % 100), timestamptz '2025-01-01' + n * interval '1 second',
           timestamptz '2025-06-01' + n * interval '1 second'
$$;
INSERT INTO bench.entries SELECT e.* FROM generate_series(1, :rows) n, public.entry(n) e;
VACUUM (ANALYZE, FREEZE) bench.entries;
CREATE TABLE public.clean AS SELECT * FROM bench.entries;
SELECT pg_size_pretty(pg_table_size('bench.entries')) AS size \gset
\echo entries: :rows rows, :size
