-- What sessions are doing now. The numbers are locks of type userlock (src/progress.rs), for locks are the
-- one thing that other sessions see before COMMIT.

CREATE VIEW module_versioning.progress AS
WITH report AS (
    SELECT l.pid, l.objsubid AS key,
           (l.classid::bigint OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.|) l.objid::bigint AS value
    FROM pg_catalog.pg_locks l
    WHERE l.locktype OPERATOR(pg_catalog.=) 'userlock'
      AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
                                             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
), session AS (
    SELECT r.pid,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 0) AS what,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 1) AS site_high,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 2) AS site_low,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 3) AS module_high,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 4) AS module_low,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 5) AS started,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 6) AS migration,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 7) AS statement,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 8) AS rows_done,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 9) AS rows_total,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 10) AS bytes_done,
           pg_catalog.max(r.value) FILTER (WHERE r.key OPERATOR(pg_catalog.=) 11) AS bytes_total
    FROM report r
    GROUP BY r.pid
), told AS (
    SELECT s.*,
           pg_catalog.concat(pg_catalog.lpad(pg_catalog.to_hex(s.site_high), 16, '0'),
                             pg_catalog.lpad(pg_catalog.to_hex(s.site_low), 16, '0'))::uuid AS site_id,
           pg_catalog.concat(pg_catalog.lpad(pg_catalog.to_hex(s.module_high), 16, '0'),
                             pg_catalog.lpad(pg_catalog.to_hex(s.module_low), 16, '0'))::uuid AS module_id,
           timestamptz '2000-01-01 00:00:00+00' OPERATOR(pg_catalog.+)
               pg_catalog.make_interval(secs => s.started::float8 OPERATOR(pg_catalog./) 1000000) AS started_at
    FROM session s
    WHERE s.what IS NOT NULL AND s.started IS NOT NULL AND s.site_high IS NOT NULL AND s.site_low IS NOT NULL
      AND s.module_high IS NOT NULL AND s.module_low IS NOT NULL
)
SELECT t.pid, t.site_id, site.slug AS site, t.module_id, module.slug AS module,
       (ARRAY['install', 'upgrade', 'rollback', 'snapshot', 'restore', 'rollout'])
           [(t.what OPERATOR(pg_catalog.>>) 8)::integer] AS operation,
       (ARRAY['preparation', 'snapshot', 'migration', 'verification', 'restore'])
           [(t.what OPERATOR(pg_catalog.&) 255)::integer] AS step,
       (t.migration OPERATOR(pg_catalog.>>) 32)::integer AS migration_number,
       (t.migration OPERATOR(pg_catalog.&) 2147483647)::integer AS migration_count,
       (t.statement OPERATOR(pg_catalog.>>) 32)::integer AS statement_number,
       (t.statement OPERATOR(pg_catalog.&) 2147483647)::integer AS statement_count,
       t.rows_done, t.rows_total, t.bytes_done, t.bytes_total,
       t.started_at, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) t.started_at AS elapsed
FROM told t
LEFT JOIN module_versioning.sites site ON site.id OPERATOR(pg_catalog.=) t.site_id
LEFT JOIN module_versioning.modules module ON module.id OPERATOR(pg_catalog.=) t.module_id;
COMMENT ON VIEW module_versioning.progress IS
'What sessions of this database are doing with modules now: one row for each that installs, upgrades, rolls back, takes or restores a snapshot, or runs a rollout.
step: preparation, snapshot, migration, verification or restore. statement_number of statement_count: the statement of the script that runs now. rows_done, bytes_done: of the snapshot being taken or restored; rows_total, bytes_total: how many there are, NULL where nobody knows beforehand. A session that ends in any way leaves no row. Reading it waits for nobody.';
