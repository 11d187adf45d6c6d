-- Versions like those that a nightly build publishes, on which other implementations contradict
-- themselves: an identifier that begins with a digit is text, not a number.
SET search_path = public, module_versioning;
CREATE EXTENSION amcheck SCHEMA public;

CREATE TABLE semver_nightly AS
SELECT i, format('0.0.0-%s-%s%s', substr(md5(i::text), 1, 8), 20230101 + i % 300, CASE WHEN i % 10 = 0 THEN '+' || i END) AS text
FROM generate_series(1, 2000) i
UNION ALL
SELECT i, format('%s.%s.0-%s%s', i % 3, i % 2, CASE WHEN i % 2 = 0 THEN 'experimental-' || substr(md5(i::text), 1, 6) ELSE i % 7 || 'a.' || i END, CASE WHEN i % 4 = 0 THEN '.0' END)
FROM generate_series(2001, 2800) i
UNION ALL
-- True duplicates: they differ in build metadata, or in nothing.
SELECT i, format('0.0.0-%s-%s+again.%s', substr(md5((i - 2800)::text), 1, 8), 20230101 + (i - 2800) % 300, i) FROM generate_series(2801, 3000) i;
SELECT count(*), count(DISTINCT split_part(text, '+', 1)) AS different FROM semver_nightly;

CREATE TABLE semver_sound AS SELECT i, text::semver AS v FROM semver_nightly;
CREATE INDEX semver_sound_v ON semver_sound (v);
SELECT bt_index_check('semver_sound_v', true);
SELECT bt_index_parent_check('semver_sound_v', true);

\echo Every row is found through the index.
SET enable_seqscan = off;
SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM semver_sound s WHERE s.v = n.text::semver AND s.i = n.i)) AS lost FROM semver_nightly n;
RESET enable_seqscan;

\echo A unique index refuses exactly the true duplicates.
CREATE TABLE semver_unique (v semver UNIQUE);
INSERT INTO semver_unique SELECT text::semver FROM semver_nightly ORDER BY i ON CONFLICT DO NOTHING;
SELECT count(*) FROM semver_unique;
SELECT bt_index_check('semver_unique_v_key', true);
CREATE UNIQUE INDEX ON semver_sound (v);
\echo :LAST_ERROR_SQLSTATE

\echo Sorted with abbreviated keys, by comparisons alone and through the index: the same order.
SELECT count(*) FILTER (WHERE semver_compare(v, next) > 0) AS "out of order" FROM (SELECT v, lead(v) OVER (ORDER BY v) AS next FROM semver_sound) s;
SELECT (SELECT md5(string_agg(split_part(v::text, '+', 1), ' ')) FROM (SELECT v FROM semver_sound ORDER BY v) s)
     = (SELECT md5(string_agg(split_part(v::text, '+', 1), ' ')) FROM (SELECT v FROM semver_unique u JOIN semver_sound USING (v) ORDER BY v) s) AS same;

\echo Inserted row by row in another order, the index is as sound.
CREATE TABLE semver_grown (v semver);
CREATE INDEX semver_grown_v ON semver_grown (v);
INSERT INTO semver_grown SELECT text::semver FROM semver_nightly ORDER BY md5(text);
SELECT bt_index_parent_check('semver_grown_v', true);

\echo Many equal abbreviations: one release with thousands of prereleases, and few different versions.
CREATE TABLE semver_alike AS SELECT format('1.2.3-alphabetical.%s', i * 7919 % 30011)::semver AS v FROM generate_series(1, 30000) i;
SELECT count(*) FILTER (WHERE v >= next) AS "out of order" FROM (SELECT v, lead(v) OVER (ORDER BY v) AS next FROM semver_alike) s;
CREATE INDEX semver_alike_v ON semver_alike (v);
SELECT bt_index_check('semver_alike_v', true);
CREATE TABLE semver_equal AS SELECT format('1.2.%s+%s', i % 3, i)::semver AS v FROM generate_series(1, 30000) i;
CREATE INDEX semver_equal_v ON semver_equal (v);
SELECT bt_index_check('semver_equal_v', true);
\echo Builds are kept in an index-only scan: equal keys are never merged into one.
SELECT count(DISTINCT v::text) FROM semver_equal;
SELECT string_agg(opc.opcname || ' ' || p.amprocnum, ', ' ORDER BY p.amprocnum) AS "support functions, without 4"
FROM pg_opclass opc JOIN pg_amproc p ON p.amprocfamily = opc.opcfamily WHERE opc.opcname = 'semver_btree_ops';

DROP TABLE semver_nightly, semver_sound, semver_unique, semver_grown, semver_alike, semver_equal;
DROP EXTENSION amcheck;
