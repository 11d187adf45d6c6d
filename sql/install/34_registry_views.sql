-- Views for people: what there is, where it runs, what needs what. They ask the same indexes as the look-ups,
-- once per row, so that a large registry is read in seconds. Nobody but the extension's owner may read them
-- until it is granted (docs/permissions.md); they show every site and module.

CREATE VIEW module_versioning.module_overview AS
SELECT m.id AS module_id, m.slug AS module, m.name, r.version AS latest,
       CASE WHEN r.version IS NULL OR p.version OPERATOR(module_versioning.>) r.version THEN p.version END AS latest_prerelease,
       c.versions, c.drafts, a.installs, a.installs_by_version
FROM module_versioning.modules m
LEFT JOIN LATERAL (
    SELECT v.version FROM module_versioning.registered_versions v
    WHERE v.module_id OPERATOR(pg_catalog.=) m.id AND v.status OPERATOR(pg_catalog.=) 'published' AND v.prerelease IS NULL
    ORDER BY v.version DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (
    SELECT v.version FROM module_versioning.registered_versions v
    WHERE v.module_id OPERATOR(pg_catalog.=) m.id AND v.status OPERATOR(pg_catalog.=) 'published'
    ORDER BY v.version DESC LIMIT 1) p ON true
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) FILTER (WHERE v.status OPERATOR(pg_catalog.<>) 'draft') AS versions,
           pg_catalog.count(*) FILTER (WHERE v.status OPERATOR(pg_catalog.=) 'draft') AS drafts
    FROM module_versioning.registered_versions v WHERE v.module_id OPERATOR(pg_catalog.=) m.id) c
CROSS JOIN LATERAL (
    SELECT COALESCE(pg_catalog.sum(i.installs), 0)::bigint AS installs,
           COALESCE(pg_catalog.jsonb_object_agg(i.version::text, i.installs), '{}'::jsonb) AS installs_by_version
    FROM (SELECT v.version, pg_catalog.count(*) AS installs
          FROM module_versioning.site_modules o
          JOIN module_versioning.site_module_versions s
            ON s.site_module_id OPERATOR(pg_catalog.=) o.id AND s.status OPERATOR(pg_catalog.=) 'active'
          JOIN module_versioning.registered_versions v ON v.id OPERATOR(pg_catalog.=) s.version_id
          WHERE o.module_id OPERATOR(pg_catalog.=) m.id
          GROUP BY v.version) i) a;
COMMENT ON VIEW module_versioning.module_overview IS
'Every module: its newest versions, and how many sites run which.
module: its slug. latest: the highest published release, NULL when there is none. latest_prerelease: the highest published prerelease where it is above latest.
versions: how many have ever been published; drafts: how many have not. installs: on how many sites it is active; installs_by_version: the same by version, {"1.0.0": 3}.';

CREATE VIEW module_versioning.site_overview AS
SELECT s.id AS site_id, s.slug AS site, m.id AS module_id, m.slug AS module,
       v.version AS installed, l.version AS latest,
       CASE WHEN NOT l.version OPERATOR(module_versioning.>) v.version THEN NULL
            WHEN l.version_major OPERATOR(pg_catalog.<>) v.version_major THEN 'major'
            WHEN l.version_minor OPERATOR(pg_catalog.<>) v.version_minor THEN 'minor'
            WHEN l.version_patch OPERATOR(pg_catalog.<>) v.version_patch THEN 'patch'
            WHEN l.version IS NOT NULL THEN 'prerelease' END AS behind,
       COALESCE(b.versions, 0) AS versions_behind, COALESCE(b.majors, 0) AS majors_behind,
       COALESCE(b.minors, 0) AS minors_behind, COALESCE(b.patches, 0) AS patches_behind,
       v.status OPERATOR(pg_catalog.=) 'yanked' AS is_yanked,
       v.status OPERATOR(pg_catalog.=) 'deprecated' AS is_deprecated,
       v.status_reason,
       run.at AS last_run_at, run.status AS last_run_status, snapshot.created_at AS last_snapshot_at
FROM module_versioning.site_modules i
JOIN module_versioning.sites s ON s.id OPERATOR(pg_catalog.=) i.site_id
JOIN module_versioning.modules m ON m.id OPERATOR(pg_catalog.=) i.module_id
JOIN module_versioning.site_module_versions a
  ON a.site_module_id OPERATOR(pg_catalog.=) i.id AND a.status OPERATOR(pg_catalog.=) 'active'
JOIN module_versioning.registered_versions v ON v.id OPERATOR(pg_catalog.=) a.version_id
LEFT JOIN LATERAL (
    SELECT n.version, n.version_major, n.version_minor, n.version_patch
    FROM module_versioning.registered_versions n
    WHERE n.id OPERATOR(pg_catalog.=) COALESCE(
        (SELECT o.id FROM module_versioning.registered_versions o
         WHERE o.module_id OPERATOR(pg_catalog.=) m.id AND o.status OPERATOR(pg_catalog.=) 'published' AND o.prerelease IS NULL
         ORDER BY o.version DESC LIMIT 1),
        (SELECT o.id FROM module_versioning.registered_versions o
         WHERE o.module_id OPERATOR(pg_catalog.=) m.id AND o.status OPERATOR(pg_catalog.=) 'published'
         ORDER BY o.version DESC LIMIT 1))) l ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.count(*) AS versions,
           pg_catalog.count(DISTINCT n.version_major)
               FILTER (WHERE n.version_major OPERATOR(pg_catalog.>) v.version_major) AS majors,
           pg_catalog.count(DISTINCT n.version_minor)
               FILTER (WHERE n.version_major OPERATOR(pg_catalog.=) v.version_major
                         AND n.version_minor OPERATOR(pg_catalog.>) v.version_minor) AS minors,
           pg_catalog.count(*)
               FILTER (WHERE n.version_major OPERATOR(pg_catalog.=) v.version_major
                         AND n.version_minor OPERATOR(pg_catalog.=) v.version_minor) AS patches
    FROM module_versioning.registered_versions n
    WHERE n.module_id OPERATOR(pg_catalog.=) m.id AND n.status OPERATOR(pg_catalog.=) 'published' AND n.prerelease IS NULL
      AND n.version OPERATOR(module_versioning.>) v.version) b ON true
LEFT JOIN LATERAL (
    SELECT COALESCE(r.completed_at, r.started_at) AS at, r.status
    FROM module_versioning.module_migration_runs r
    WHERE r.site_id OPERATOR(pg_catalog.=) i.site_id AND r.module_id OPERATOR(pg_catalog.=) i.module_id
    ORDER BY r.ordinal DESC LIMIT 1) run ON true
LEFT JOIN LATERAL (
    SELECT d.created_at
    FROM module_versioning.module_data_backups d
    WHERE d.site_id OPERATOR(pg_catalog.=) i.site_id AND d.module_id OPERATOR(pg_catalog.=) i.module_id
    ORDER BY d.ordinal DESC LIMIT 1) snapshot ON true;
COMMENT ON VIEW module_versioning.site_overview IS
'Every module on every site: what runs there, and how far behind it is.
site, module: slugs. latest: the highest published release (the highest prerelease where there is no release). behind: the first number in which latest is higher: major, minor, patch, or prerelease; NULL when it isn''t higher.
versions_behind: how many published releases are above the installed version; majors_behind: how many higher majors they have; minors_behind: how many higher minors of the same major; patches_behind: how many of the same major and minor.
is_yanked, is_deprecated, status_reason: what became of the installed version. last_run_at, last_run_status: the newest attempt to run a migration. last_snapshot_at: the newest snapshot.';

CREATE VIEW module_versioning.dependency_graph AS
SELECT m.id AS module_id, m.slug AS module, v.id AS version_id, v.version, v.is_latest, v.installs, e.kind,
       n.id AS required_module_id, n.slug AS required_module, e.written AS version_range,
       f.version AS matched_version,
       CASE e.kind WHEN 'dependency' THEN f.version IS NOT NULL
                   ELSE l.version IS NULL
                        OR NOT module_versioning.semver_satisfies(l.version, e.range, true) END AS satisfied
FROM module_versioning.modules m
CROSS JOIN LATERAL (
    SELECT o.id, o.version, o.dependencies, o.conflicts, pg_catalog.bool_or(o.is_latest) AS is_latest,
           pg_catalog.sum(o.installs)::bigint AS installs
    FROM (
        (SELECT r.id, r.version, r.dependencies, r.conflicts, true AS is_latest, 0::bigint AS installs
         FROM module_versioning.registered_versions r
         WHERE r.id OPERATOR(pg_catalog.=) COALESCE(
             (SELECT p.id FROM module_versioning.registered_versions p
              WHERE p.module_id OPERATOR(pg_catalog.=) m.id AND p.status OPERATOR(pg_catalog.=) 'published' AND p.prerelease IS NULL
              ORDER BY p.version DESC LIMIT 1),
             (SELECT p.id FROM module_versioning.registered_versions p
              WHERE p.module_id OPERATOR(pg_catalog.=) m.id AND p.status OPERATOR(pg_catalog.=) 'published'
              ORDER BY p.version DESC LIMIT 1)))
        UNION ALL
        SELECT r.id, r.version, r.dependencies, r.conflicts, false, 1
        FROM module_versioning.site_modules i
        JOIN module_versioning.site_module_versions a
          ON a.site_module_id OPERATOR(pg_catalog.=) i.id AND a.status OPERATOR(pg_catalog.=) 'active'
        JOIN module_versioning.registered_versions r ON r.id OPERATOR(pg_catalog.=) a.version_id
        WHERE i.module_id OPERATOR(pg_catalog.=) m.id) o
    GROUP BY o.id, o.version, o.dependencies, o.conflicts) v
CROSS JOIN LATERAL (
    SELECT 'dependency'::text AS kind, d.key, d.value AS written, d.value::module_versioning.semver_range AS range
    FROM pg_catalog.jsonb_each_text(v.dependencies) AS d (key, value)
    UNION ALL
    SELECT 'conflict', d.key, d.value, d.value::module_versioning.semver_range
    FROM pg_catalog.jsonb_each_text(v.conflicts) AS d (key, value)) e
-- A key is an id in any way that PostgreSQL reads one, else a slug: no slug looks like an id.
LEFT JOIN module_versioning.modules by_slug ON by_slug.slug OPERATOR(pg_catalog.=) e.key
LEFT JOIN module_versioning.modules by_id ON by_id.id OPERATOR(pg_catalog.=)
    CASE WHEN e.key OPERATOR(pg_catalog.~) '^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$'
           OR e.key OPERATOR(pg_catalog.~) '^\{([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}$' THEN e.key::uuid END
CROSS JOIN LATERAL (SELECT COALESCE(by_slug.id, by_id.id) AS id, COALESCE(by_slug.slug, by_id.slug, e.key) AS slug) n
-- A constant third argument, so that the range bounds an index scan.
LEFT JOIN LATERAL (
    (SELECT p.version FROM module_versioning.registered_versions p
     WHERE e.kind OPERATOR(pg_catalog.=) 'dependency'
       AND p.module_id OPERATOR(pg_catalog.=) n.id AND p.status OPERATOR(pg_catalog.=) 'published'
       AND module_versioning.semver_satisfies(p.version, e.range, false)
     ORDER BY p.version DESC LIMIT 1)
    UNION ALL
    (SELECT p.version FROM module_versioning.registered_versions p
     WHERE e.kind OPERATOR(pg_catalog.=) 'conflict'
       AND p.module_id OPERATOR(pg_catalog.=) n.id AND p.status OPERATOR(pg_catalog.=) 'published'
       AND module_versioning.semver_satisfies(p.version, e.range, true)
     ORDER BY p.version DESC LIMIT 1)) f ON true
LEFT JOIN LATERAL (
    SELECT p.version FROM module_versioning.registered_versions p
    WHERE e.kind OPERATOR(pg_catalog.=) 'conflict'
      AND p.module_id OPERATOR(pg_catalog.=) n.id AND p.status OPERATOR(pg_catalog.=) 'published' AND p.prerelease IS NULL
    ORDER BY p.version DESC LIMIT 1) l ON true;
COMMENT ON VIEW module_versioning.dependency_graph IS
'What the versions that matter say about other modules: of each module the newest one and those that sites run.
module, required_module: slugs. is_latest: whether the version is the module''s newest published one (a prerelease only where there is no release); installs: how many sites run it. kind: dependency or conflict. version_range: as it was declared.
matched_version: the highest published version of the required module in version_range. satisfied: of a dependency, whether there is one; of a conflict, whether the required module''s newest release is outside of the range.';
