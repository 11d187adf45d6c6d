-- What publishing finds out about migrations in an empty copy of the module's schema, and what it says to a version
-- whose number says too little.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
SET module_versioning.version_policy TO 'warn';
CREATE ROLE policy_owner NOLOGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA module_versioning TO policy_owner;
CREATE FUNCTION pg_temp.add(slug text, version text, up text DEFAULT NULL, down text DEFAULT NULL, backport boolean DEFAULT false) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    m uuid := module_versioning.module_id(slug);
    v uuid := (module_versioning.create_version(m, version::module_versioning.semver, allow_backport => backport)).id;
BEGIN
    IF up IS NOT NULL THEN
        PERFORM module_versioning.add_migration(m, version::module_versioning.semver, up, down);
    END IF;
    RETURN v;
END $$;
CREATE FUNCTION pg_temp.publish(slug text, version text, up text DEFAULT NULL, down text DEFAULT NULL, backport boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (module_versioning.publish_version(pg_temp.add(slug, version, up, down, backport))).status;
END $$;
CREATE FUNCTION pg_temp.recorded(slug text) RETURNS TABLE (version text, reversibility text, bump text, breaks text, loses text, down_loses text, detail text) LANGUAGE sql AS $$
    SELECT to_version::text, reversibility, suggested_bump,
           (SELECT string_agg(concat_ws(' ', f->>'kind', f->>'object', 'by', f->>'statement_number'), ', ') FROM jsonb_array_elements(findings->'breaking_changes') f),
           (SELECT string_agg(concat_ws(' ', f->>'kind', f->>'object', 'by', f->>'statement_number'), ', ') FROM jsonb_array_elements(findings->'data_loss') f),
           (SELECT string_agg(concat_ws(' ', f->>'kind', f->>'object'), ', ') FROM jsonb_array_elements(findings->'down_data_loss') f),
           reversibility_detail
    FROM module_versioning.module_migrations WHERE module_id = module_versioning.module_id(slug) ORDER BY sequence
$$;

-- A draft that was refused stands in the way of lower versions.
CREATE FUNCTION pg_temp.discard(slug text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM module_versioning.module_migrations m USING module_versioning.registered_versions v
    WHERE m.module_id = module_versioning.module_id(slug) AND v.module_id = m.module_id AND m.to_version OPERATOR(module_versioning.=) v.version AND v.status = 'draft';
    DELETE FROM module_versioning.registered_versions WHERE module_id = module_versioning.module_id(slug) AND status = 'draft'
$$;

\echo -- What is recorded.
SELECT count(*) FROM module_versioning.register_module('policy', schema_name => 'policy_notes', owner_role => 'policy_owner');
SELECT pg_temp.publish('policy', '1.0.0', 'CREATE TABLE note (id int PRIMARY KEY, body text, author text); CREATE TABLE tag (id int, name text)', 'DROP TABLE tag, note');
SELECT pg_temp.publish('policy', '1.1.0', 'ALTER TABLE note ADD COLUMN pinned boolean NOT NULL DEFAULT false', 'ALTER TABLE note DROP COLUMN pinned');
SELECT pg_temp.publish('policy', '1.1.1', 'CREATE INDEX note_author ON note (author)', 'DROP INDEX note_author');
SELECT pg_temp.publish('policy', '2.0.0', 'ALTER TABLE note DROP COLUMN author', 'ALTER TABLE note ADD COLUMN author text; CREATE INDEX note_author ON note (author)');
SELECT pg_temp.publish('policy', '3.0.0', 'ALTER TABLE note RENAME COLUMN body TO text', 'ALTER TABLE note RENAME COLUMN text TO body');
SELECT pg_temp.publish('policy', '4.0.0', 'DROP TABLE tag');
SELECT pg_temp.publish('policy', '5.0.0', 'ALTER TABLE note ALTER id TYPE bigint', 'SELECT 1');
SELECT pg_temp.publish('policy', '6.0.0', 'DELETE FROM note WHERE pinned', 'SELECT 1');
SELECT pg_temp.publish('policy', '6.1.0', 'UPDATE note SET text = upper(text)', 'UPDATE note SET text = lower(text)');
SELECT pg_temp.publish('policy', '6.2.0', 'ALTER TABLE note ADD COLUMN slug text; UPDATE note SET slug = lower(text)', 'ALTER TABLE note DROP COLUMN slug');
SELECT * FROM pg_temp.recorded('policy');
\echo -- Nothing of it stays.
SELECT nspname FROM pg_namespace WHERE nspname ~ '^(mv_|policy)';

\echo -- Too small a step, with each policy.
SET module_versioning.version_policy TO 'off';
SELECT pg_temp.publish('policy', '6.2.1', 'ALTER TABLE note DROP COLUMN pinned; CREATE TABLE link (id int)', 'DROP TABLE link; ALTER TABLE note ADD COLUMN pinned boolean NOT NULL DEFAULT false');
SET module_versioning.version_policy TO 'warn';
SELECT pg_temp.publish('policy', '6.2.2', 'ALTER TABLE link ADD COLUMN url text NOT NULL; CREATE VIEW links AS SELECT id FROM link', 'DROP VIEW links; ALTER TABLE link DROP COLUMN url');
SET module_versioning.version_policy TO 'enforce';
SELECT pg_temp.add('policy', '6.2.3', 'CREATE TABLE more (id int)', 'DROP TABLE more') AS more \gset
SELECT status FROM module_versioning.publish_version(:'more');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('policy', '6.3.0', 'ALTER TABLE link ALTER url TYPE varchar(100)', 'ALTER TABLE link ALTER url TYPE text') AS narrow \gset
SELECT status FROM module_versioning.publish_version(:'narrow');
\echo :LAST_ERROR_SQLSTATE
\echo -- Nothing is recorded of what is refused, and it can be published when nobody minds.
SELECT v.status, m.reversibility, m.suggested_bump FROM module_versioning.get_version(:'narrow') v
JOIN module_versioning.module_migrations m ON m.module_id = v.module_id AND m.to_version OPERATOR(module_versioning.=) v.version;
SELECT pg_temp.discard('policy');
SELECT pg_temp.publish('policy', '6.2.4', 'COMMENT ON TABLE note IS $$Notes$$', 'COMMENT ON TABLE note IS NULL');
SELECT pg_temp.publish('policy', '7.0.0', 'DROP VIEW links', 'CREATE VIEW links AS SELECT id FROM link');

\echo -- Hidden in a DO block.
SELECT pg_temp.add('policy', '7.1.0', 'DO $do$ BEGIN EXECUTE concat($$ALTER TABLE li$$, $$nk DR$$, $$OP COLUMN url$$); END $do$', 'ALTER TABLE link ADD COLUMN url text') AS hidden \gset
SELECT status FROM module_versioning.publish_version(:'hidden');
\echo :LAST_ERROR_SQLSTATE

SELECT pg_temp.discard('policy');
\echo -- A backport is compared with its own line.
SELECT pg_temp.add('policy', '6.2.5', 'ALTER TABLE note DROP COLUMN slug', 'ALTER TABLE note ADD COLUMN slug text', true) AS backport \gset
SELECT status FROM module_versioning.publish_version(:'backport');
SELECT pg_temp.discard('policy');
SELECT pg_temp.publish('policy', '6.2.6', 'CREATE INDEX note_slug ON note (slug)', 'DROP INDEX note_slug', true);
\echo -- A prerelease makes the step of its release; what it contains counts for the release too.
SELECT pg_temp.add('policy', '7.1.0-rc.1', 'ALTER TABLE link ADD COLUMN title text', 'ALTER TABLE link DROP COLUMN title') AS rc \gset
SELECT status FROM module_versioning.publish_version(:'rc');
SELECT pg_temp.publish('policy', '7.1.0');
SELECT pg_temp.add('policy', '7.1.1-rc.1', 'ALTER TABLE link ADD COLUMN icon text', 'ALTER TABLE link DROP COLUMN icon') AS rc \gset
SELECT status FROM module_versioning.publish_version(:'rc');
SELECT pg_temp.discard('policy');
SELECT pg_temp.publish('policy', '8.0.0-rc.1', 'ALTER TABLE link DROP COLUMN title', 'ALTER TABLE link ADD COLUMN title text');
SELECT pg_temp.publish('policy', '8.0.0');
\echo -- Between prereleases a table may come and go: what the release adds to the one before counts.
SELECT pg_temp.publish('policy', '8.1.0-rc.1', 'CREATE TABLE draft (id int)', 'DROP TABLE draft');
SELECT pg_temp.publish('policy', '8.1.0-rc.2', 'DROP TABLE draft; CREATE TABLE final (id int)', 'DROP TABLE final; CREATE TABLE draft (id int)');
SELECT pg_temp.publish('policy', '8.1.0', 'ALTER TABLE final ADD COLUMN name text NOT NULL', 'ALTER TABLE final DROP COLUMN name');

\echo -- Below 1.0.0 a minor step may carry what a major one does above.
SELECT count(*) FROM module_versioning.register_module('policy-early', schema_name => 'policy_early', owner_role => 'policy_owner');
SELECT pg_temp.publish('policy-early', '0.1.0', 'CREATE TABLE t (id int, a text)', 'DROP TABLE t');
SELECT pg_temp.publish('policy-early', '0.1.1', 'ALTER TABLE t ADD COLUMN b text', 'ALTER TABLE t DROP COLUMN b');
SELECT pg_temp.add('policy-early', '0.1.2', 'ALTER TABLE t DROP COLUMN b', 'ALTER TABLE t ADD COLUMN b text') AS early \gset
SELECT status FROM module_versioning.publish_version(:'early');
SELECT pg_temp.discard('policy-early');
SELECT pg_temp.publish('policy-early', '0.2.0', 'ALTER TABLE t DROP COLUMN b', 'ALTER TABLE t ADD COLUMN b text');

\echo -- The first version has no clients.
SELECT count(*) FROM module_versioning.register_module('policy-first', schema_name => 'policy_first', owner_role => 'policy_owner', isolation => 'schema');
SELECT pg_temp.publish('policy-first', '0.0.1', 'CREATE TABLE t (id int, site uuid DEFAULT module_versioning.current_site_id()); INSERT INTO t VALUES (1); ALTER TABLE t DROP COLUMN id');
SELECT * FROM pg_temp.recorded('policy-first');

\echo -- What could not be run is published, with a warning, and only its text counts.
SELECT pg_temp.publish('policy-first', '0.1.0', 'DO $do$ BEGIN IF NOT EXISTS (SELECT FROM t WHERE site IS NULL) THEN RAISE $$nothing to do$$; END IF; END $do$', 'SELECT 1');
SELECT pg_temp.publish('policy-first', '0.1.1', 'CREATE TABLE u (id int)', 'DROP TABLE u');
CREATE SCHEMA policy_other AUTHORIZATION policy_owner;
CREATE TABLE policy_other.t (id int);
ALTER TABLE policy_other.t OWNER TO policy_owner;
SELECT count(*) FROM module_versioning.register_module('policy-far', schema_name => 'policy_far', owner_role => 'policy_owner');
SELECT pg_temp.publish('policy-far', '1.0.0', 'CREATE TABLE u (id int)', 'DROP TABLE u');
SELECT pg_temp.add('policy-far', '1.0.1', 'ALTER TABLE policy_other.t ADD COLUMN a int; CREATE TABLE v (id int); CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1', 'SELECT 1') AS far \gset
SELECT status FROM module_versioning.publish_version(:'far');
SELECT pg_temp.discard('policy-far');
SELECT pg_temp.publish('policy-far', '1.1.0', 'ALTER TABLE policy_other.t ADD COLUMN a int', 'ALTER TABLE policy_other.t DROP COLUMN a');
SELECT pg_temp.add('policy-far', '1.1.1', 'ALTER TABLE policy_other.t DROP COLUMN id', 'ALTER TABLE policy_other.t ADD COLUMN id int') AS far \gset
SELECT status FROM module_versioning.publish_version(:'far');
SELECT * FROM pg_temp.recorded('policy-first');
SELECT * FROM pg_temp.recorded('policy-far');

\echo -- Names with the schema of the module mean the copy: rows of sites stay what they are, and unlocked.
SELECT count(*) FROM module_versioning.register_site('policy-site');
SELECT count(*) FROM module_versioning.register_module('policy-own', schema_name => 'policy_own', owner_role => 'policy_owner');
SELECT pg_temp.publish('policy-own', '1.0.0', 'CREATE TABLE policy_own.t (id int, a text)', 'DROP TABLE policy_own.t');
SELECT status FROM module_versioning.install_module(module_versioning.site_id('policy-site'), module_versioning.module_id('policy-own'));
INSERT INTO policy_own.t VALUES (1, 'one'), (2, 'two');
BEGIN;
SELECT pg_temp.publish('policy-own', '2.0.0', 'ALTER TABLE policy_own.t DROP COLUMN a', 'ALTER TABLE policy_own.t ADD COLUMN a text');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'policy_own.t'::regclass;
COMMIT;
SELECT * FROM policy_own.t;
SELECT * FROM pg_temp.recorded('policy-own');

\echo -- Plans tell what was found out then, also of what the scripts hide.
SELECT pg_temp.publish('policy-own', '2.1.0', 'DO $do$ BEGIN EXECUTE $$CREATE TABLE late (id int, b text)$$; END $do$', 'DO $do$ BEGIN EXECUTE $$DROP TABLE late$$; END $do$');
SELECT pg_temp.publish('policy-own', '3.0.0', 'DO $do$ BEGIN EXECUTE $$ALTER TABLE t RENAME TO s$$; EXECUTE $$ALTER TABLE late DROP COLUMN b$$; END $do$', 'ALTER TABLE late ADD COLUMN b text; ALTER TABLE s RENAME TO t');
SELECT b->>'version' AS version, b->>'kind' AS kind, b->>'object' AS object, b->>'statement_number' AS statement
FROM module_versioning.plan_upgrade(module_versioning.site_id('policy-site'), module_versioning.module_id('policy-own')) p, jsonb_array_elements(p.breaking_changes) b
WHERE b->>'kind' <> 'declared';
SELECT status FROM module_versioning.upgrade_module(module_versioning.site_id('policy-site'), module_versioning.module_id('policy-own'), '2.1.0');
INSERT INTO policy_own.late VALUES (1, 'x'), (2, NULL), (3, 'y');
SELECT data_loss FROM module_versioning.plan_rollback(module_versioning.site_id('policy-site'), module_versioning.module_id('policy-own'), '2.0.0');

\echo -- What is recorded stays.
UPDATE module_versioning.module_migrations SET reversibility = 'reversible' WHERE module_id = module_versioning.module_id('policy-own') AND sequence = 1;
\echo :LAST_ERROR_SQLSTATE

\echo -- Who may not change settings may not change the policy either.
SET ROLE policy_owner;
SET module_versioning.version_policy TO 'off';
SET module_versioning.rehearse_at_publish TO off;
RESET ROLE;
\echo -- Without a rehearsal only the text counts.
SET module_versioning.rehearse_at_publish TO off;
SELECT pg_temp.add('policy-own', '3.0.1', 'ALTER TABLE s DROP COLUMN id', 'ALTER TABLE s ADD COLUMN id int') AS unrehearsed \gset
SELECT status FROM module_versioning.publish_version(:'unrehearsed');
SELECT pg_temp.publish('policy-own', '3.0.2', 'DO $do$ BEGIN EXECUTE $$ALTER TABLE s DROP COLUMN id$$; END $do$', 'SELECT 1');
SELECT * FROM pg_temp.recorded('policy-own') WHERE version LIKE '3.0._';
\echo -- What runs for each site runs in the copy, too; equivalents of other versions do not.
RESET module_versioning.rehearse_at_publish;
SELECT count(*) FROM module_versioning.register_module('policy-lines', schema_name => 'policy_lines', owner_role => 'policy_owner');
SELECT pg_temp.publish('policy-lines', '1.0.0', 'CREATE TABLE t (id int, site_id uuid)', 'DROP TABLE t');
SELECT pg_temp.publish('policy-lines', '2.0.0', 'CREATE TABLE u (id int)', 'DROP TABLE u');
SELECT pg_temp.publish('policy-lines', '1.1.0', 'ALTER TABLE t ADD COLUMN a int', 'ALTER TABLE t DROP COLUMN a', true);
SELECT id AS same FROM module_versioning.create_version(module_versioning.module_id('policy-lines'), '2.1.0') \gset
SELECT count(module_versioning.add_migration(module_versioning.module_id('policy-lines'), '2.1.0', 'ALTER TABLE t ADD COLUMN a int', 'ALTER TABLE t DROP COLUMN a', equivalent_of => m.id))
FROM module_versioning.module_migrations m WHERE m.module_id = module_versioning.module_id('policy-lines') AND m.to_version::text = '1.1.0';
SELECT count(module_versioning.add_migration(module_versioning.module_id('policy-lines'), '2.1.0', 'INSERT INTO t VALUES (1, module_versioning.current_site_id())', 'DELETE FROM t WHERE id = 1', scope => 'site'));
SELECT status FROM module_versioning.publish_version(:'same');
SELECT * FROM pg_temp.recorded('policy-lines');
\echo -- the highest version first: what is missing is named
SELECT id AS module FROM module_versioning.register_module('policy-drafts', schema_name => 'policy_drafts', owner_role => 'policy_owner') \gset
SELECT count(module_versioning.create_version(:'module', v::module_versioning.semver)) FROM unnest(ARRAY['1.0.0', '1.1.0', '1.2.0']) v;
SELECT count(module_versioning.add_migration(:'module', '1.0.0', 'CREATE TABLE t (id int)', 'DROP TABLE t'));
SELECT count(module_versioning.add_migration(:'module', '1.1.0', 'ALTER TABLE t ADD COLUMN a int', 'ALTER TABLE t DROP COLUMN a'));
SELECT count(module_versioning.add_migration(:'module', '1.2.0', 'ALTER TABLE t ADD COLUMN b int', 'ALTER TABLE t DROP COLUMN b'));
SELECT version, status FROM module_versioning.publish_version((SELECT v.id FROM module_versioning.get_versions(:'module') v WHERE v.version::text = '1.2.0'));
SELECT version, status FROM module_versioning.publish_version((SELECT v.id FROM module_versioning.get_versions(:'module') v WHERE v.version::text = '1.1.0'));
SELECT version, status FROM module_versioning.publish_version((SELECT v.id FROM module_versioning.get_versions(:'module') v WHERE v.version::text = '1.0.0'));
SELECT to_version, reversibility FROM module_versioning.module_migrations WHERE module_id = :'module' ORDER BY to_version;
RESET module_versioning.version_policy;
