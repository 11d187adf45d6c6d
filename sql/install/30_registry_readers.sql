-- The registry's readers. They run as the extension's owner, because nobody else reads its tables, and
-- show nothing but the registry itself.

CREATE FUNCTION module_versioning.get_versions(module_id uuid)
RETURNS SETOF module_versioning.module_versions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.* FROM module_versioning.module_versions v
    WHERE v.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(get_versions.module_id)
    ORDER BY v.version DESC
$$;
COMMENT ON FUNCTION module_versioning.get_versions(uuid) IS
'All versions of a module, the newest first.
Drafts, deprecated and yanked ones too; ordered by precedence.
Errors: 22023 module_id is null, 42704 no such module. Takes no locks.';

CREATE FUNCTION module_versioning.get_latest_version(module_id uuid, include_prerelease boolean DEFAULT false)
RETURNS SETOF module_versioning.module_versions
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.* FROM module_versioning.module_versions v
    WHERE v.id OPERATOR(pg_catalog.=) (
        -- One branch runs; each takes the last entry of an index that has no others.
        CASE WHEN get_latest_version.include_prerelease THEN (
            SELECT p.id FROM module_versioning.registered_versions p
            WHERE p.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(get_latest_version.module_id)
              AND p.status OPERATOR(pg_catalog.=) 'published'
            ORDER BY p.version DESC LIMIT 1)
        ELSE (
            SELECT r.id FROM module_versioning.registered_versions r
            WHERE r.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(get_latest_version.module_id)
              AND r.status OPERATOR(pg_catalog.=) 'published' AND r.prerelease IS NULL
            ORDER BY r.version DESC LIMIT 1)
        END)
$$;
COMMENT ON FUNCTION module_versioning.get_latest_version(uuid, boolean) IS
'The highest published version of a module; no row when there is none.
include_prerelease: whether a prerelease may be it. Drafts, deprecated and yanked versions never are.
An index look-up, however many versions there are.
Errors: 22023 module_id is null, 42704 no such module. Takes no locks.';

CREATE FUNCTION module_versioning.find_matching_version(
    module_id uuid, version_range module_versioning.semver_range, include_prerelease boolean DEFAULT false)
RETURNS SETOF module_versioning.module_versions
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.* FROM module_versioning.module_versions v
    WHERE v.id OPERATOR(pg_catalog.=) (SELECT module_versioning._matching_version(
        find_matching_version.module_id, find_matching_version.version_range,
        COALESCE(find_matching_version.include_prerelease, false)))
$$;
COMMENT ON FUNCTION module_versioning.find_matching_version(uuid, module_versioning.semver_range, boolean) IS
'The highest published version of a module within an npm range; no row when there is none.
include_prerelease: as in npm, prereleases that the range doesn''t name match too.
NULL as the range matches nothing. An index look-up for each part of the range that could hold a version, however many versions there are.
Errors: 22023 module_id is null, 42704 no such module, 22P02 the range is malformed. Takes no locks.';

CREATE FUNCTION module_versioning.get_upgrade_path(
    module_id uuid, from_version module_versioning.semver, to_version module_versioning.semver)
RETURNS SETOF module_versioning.module_versions
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.*
    FROM ROWS FROM (module_versioning._upgrade_path(
             get_upgrade_path.module_id, get_upgrade_path.from_version, get_upgrade_path.to_version))
         WITH ORDINALITY AS step (id, place)
    JOIN module_versioning.module_versions v ON v.id OPERATOR(pg_catalog.=) step.id
    ORDER BY step.place
$$;
COMMENT ON FUNCTION module_versioning.get_upgrade_path(uuid, module_versioning.semver, module_versioning.semver) IS
'The published versions above one version up to another, in ascending order: the steps of an upgrade.
A prerelease is a step only when it is to_version itself, or from_version is a prerelease of the same major, minor and patch.
Drafts, deprecated and yanked versions are no steps. from_version NULL starts at the first version, to_version NULL ends at the last. No row when from_version is not below to_version.
Errors: 22023 module_id is null, 42704 no such module. Takes no locks.';

CREATE FUNCTION module_versioning.has_breaking_changes(
    module_id uuid, from_version module_versioning.semver, to_version module_versioning.semver)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM module_versioning.registered_versions v
        WHERE v.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(has_breaking_changes.module_id)
          AND v.status OPERATOR(pg_catalog.<>) 'draft'
          AND v.breaking_changes
          AND (has_breaking_changes.from_version IS NULL
               OR v.version OPERATOR(module_versioning.>) has_breaking_changes.from_version)
          AND (has_breaking_changes.to_version IS NULL
               OR v.version OPERATOR(module_versioning.<=) has_breaking_changes.to_version))
$$;
COMMENT ON FUNCTION module_versioning.has_breaking_changes(uuid, module_versioning.semver, module_versioning.semver) IS
'Whether any version above one version up to another breaks clients.
Deprecated and yanked versions count, for later ones contain their changes; drafts don''t. from_version NULL starts at the first version, to_version NULL ends at the last.
Errors: 22023 module_id is null, 42704 no such module. Takes no locks.';

CREATE FUNCTION module_versioning.get_changelog(
    module_id uuid, from_version module_versioning.semver, to_version module_versioning.semver)
RETURNS TABLE (version module_versioning.semver, changelog text, breaking_changes boolean,
               breaking_description text, published_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.version, v.changelog, v.breaking_changes, v.breaking_description, v.published_at
    FROM module_versioning.registered_versions v
    WHERE v.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(get_changelog.module_id)
      AND v.status OPERATOR(pg_catalog.<>) 'draft'
      AND (get_changelog.from_version IS NULL
           OR v.version OPERATOR(module_versioning.>) get_changelog.from_version)
      AND (get_changelog.to_version IS NULL
           OR v.version OPERATOR(module_versioning.<=) get_changelog.to_version)
    ORDER BY v.version
$$;
COMMENT ON FUNCTION module_versioning.get_changelog(uuid, module_versioning.semver, module_versioning.semver) IS
'What changed in each version above one version up to another, in ascending order.
Deprecated and yanked versions are in it, for later ones contain their changes; drafts aren''t. from_version NULL starts at the first version, to_version NULL ends at the last.
Errors: 22023 module_id is null, 42704 no such module. Takes no locks.';

CREATE FUNCTION module_versioning.get_active_module_version(site_module_id uuid)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.version_id FROM module_versioning.site_module_versions s
    WHERE s.site_module_id OPERATOR(pg_catalog.=) get_active_module_version.site_module_id
      AND s.status OPERATOR(pg_catalog.=) 'active'
$$;
COMMENT ON FUNCTION module_versioning.get_active_module_version(uuid) IS
'The id of the version that is active in an installation (a row of site_modules).
NULL when none is, or when there is no such installation. Takes no locks.';

CREATE FUNCTION module_versioning.get_installed_version(site_id uuid, module_id uuid)
RETURNS module_versioning.semver
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.version
    FROM module_versioning.site_modules i
    JOIN module_versioning.site_module_versions s
      ON s.site_module_id OPERATOR(pg_catalog.=) i.id AND s.status OPERATOR(pg_catalog.=) 'active'
    JOIN module_versioning.registered_versions v ON v.id OPERATOR(pg_catalog.=) s.version_id
    WHERE i.site_id OPERATOR(pg_catalog.=) module_versioning._existing_site(get_installed_version.site_id)
      AND i.module_id OPERATOR(pg_catalog.=) module_versioning._existing_module(get_installed_version.module_id)
$$;
COMMENT ON FUNCTION module_versioning.get_installed_version(uuid, uuid) IS
'The version of a module that a site runs; NULL when it runs none.
Errors: 22023 an argument is null, 42704 no such site or module. Takes no locks.';
