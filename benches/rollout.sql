-- Run by rollout.sh.
\pset format unaligned
\pset tuples_only on
\timing off
\o /dev/null
CREATE EXTENSION module_versioning;
CREATE ROLE bench_owner NOLOGIN;
SELECT id AS module FROM module_versioning.register_module('bench', isolation => 'schema', owner_role => 'bench_owner') \gset
SELECT module_versioning.create_version(:'module', v::module_versioning.semver) FROM unnest(ARRAY['1.0.0', '1.1.0', '1.2.0']) v;
SELECT module_versioning.add_migration(:'module', '1.0.0', 'CREATE TABLE item (id int PRIMARY KEY, body text)');
SELECT module_versioning.add_migration(:'module', '1.1.0', 'ALTER TABLE item ADD COLUMN extra int');
SELECT module_versioning.add_migration(:'module', '1.2.0', $$
    CREATE TABLE note (id int PRIMARY KEY, item int NOT NULL REFERENCES item, body text);
    CREATE INDEX ON note (item);
    ALTER TABLE item ADD COLUMN state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'old'))
$$);
SELECT module_versioning.publish_version(v.id) FROM module_versioning.get_versions(:'module') v;
CREATE TABLE measured (migration text, how text, seconds float8);

-- The bare loop: the same schemas and tables without the extension.
CREATE PROCEDURE bare_install(sites int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1..sites LOOP
        EXECUTE format('CREATE SCHEMA bare_%s', n);
        EXECUTE format('CREATE TABLE bare_%s.item (id int PRIMARY KEY, body text)', n);
        COMMIT;
    END LOOP;
END $$;
CREATE PROCEDURE bare_column(sites int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1..sites LOOP
        EXECUTE format('ALTER TABLE bare_%s.item ADD COLUMN extra int', n);
        COMMIT;
    END LOOP;
END $$;
CREATE PROCEDURE bare_table(sites int) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1..sites LOOP
        EXECUTE format('CREATE TABLE bare_%1$s.note (id int PRIMARY KEY, item int NOT NULL REFERENCES bare_%1$s.item, body text)', n);
        EXECUTE format('CREATE INDEX ON bare_%s.note (item)', n);
        EXECUTE format('ALTER TABLE bare_%s.item ADD COLUMN state text NOT NULL DEFAULT ''new'' CHECK (state IN (''new'', ''old''))', n);
        COMMIT;
    END LOOP;
END $$;
CREATE PROCEDURE install(sites int, module uuid) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1..sites LOOP
        PERFORM module_versioning.install_module((module_versioning.register_site('site-' || n)).id, module, '1.0.0');
        COMMIT;
    END LOOP;
END $$;
CALL bare_install(:sites);
CALL install(:sites, :'module');
VACUUM ANALYZE;
CHECKPOINT;

SELECT clock_timestamp() AS started \gset
CALL bare_column(:sites);
INSERT INTO measured VALUES ('one column', 'bare', extract(epoch FROM clock_timestamp() - :'started'));
CHECKPOINT;
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.1.0', create_backup => false) \gset
SELECT clock_timestamp() AS started \gset
CALL module_versioning.run_rollout(:'rollout');
INSERT INTO measured SELECT 'one column', 'rollout', extract(epoch FROM clock_timestamp() - :'started')
FROM module_versioning.get_rollout(:'rollout') WHERE success = :sites;
CHECKPOINT;

SELECT clock_timestamp() AS started \gset
CALL bare_table(:sites);
INSERT INTO measured VALUES ('a table, an index, a column', 'bare', extract(epoch FROM clock_timestamp() - :'started'));
CHECKPOINT;
SELECT id AS rollout FROM module_versioning.create_rollout(:'module', '1.2.0', create_backup => false) \gset
SELECT clock_timestamp() AS started \gset
CALL module_versioning.run_rollout(:'rollout');
INSERT INTO measured SELECT 'a table, an index, a column', 'rollout', extract(epoch FROM clock_timestamp() - :'started')
FROM module_versioning.get_rollout(:'rollout') WHERE success = :sites;
CHECKPOINT;

\o
SELECT format('%-28s run_rollout %s sites/s, bare loop %s sites/s, ratio %s', r.migration || ':', round(:sites / r.seconds), round(:sites / b.seconds),
              round((b.seconds / r.seconds)::numeric, 2))
FROM measured r JOIN measured b USING (migration) WHERE r.how = 'rollout' AND b.how = 'bare' ORDER BY r.seconds;
