//! The rows of registered versions.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::lookup::Point;
use versioning_core::status::Status;

use super::{present, version};
use crate::error::{Error, Result};
use crate::pg::query::{self, Row};
use crate::pg::record::{ModuleVersions, Record};
use crate::registry::RegisteredVersion;

/// What `create_version` writes.
pub struct Draft {
    pub version: Version,
    pub bundle_url: Option<String>,
    pub bundle_hash: Option<String>,
    pub changelog: Option<String>,
    pub release_notes: Option<String>,
    pub min_platform_version: Option<Version>,
    pub breaking_changes: bool,
    pub breaking_description: Option<String>,
    pub dependencies: String,
    pub conflicts: String,
    pub source_url: Option<String>,
}

/// A version installed on a site, with what it needs and excludes.
pub struct InstalledVersion {
    pub module_id: Uuid,
    pub slug: String,
    pub version: Version,
    pub dependencies: serde_json::Value,
    pub conflicts: serde_json::Value,
}

/// The text of a declaration that PostgreSQL printed.
fn declaration(text: &str) -> Result<serde_json::Value> {
    serde_json::from_str(text).map_err(|problem| {
        Error::internal(format!("stored dependencies can't be read: {problem}"))
            .detail(format!("They are: {text}"))
    })
}

fn read_version(row: &Row<'_>) -> Result<RegisteredVersion> {
    let (text, status): (String, String) = (row.get(3)?, row.get(4)?);
    let min_platform_version: Option<String> = row.optional(7)?;
    Ok(RegisteredVersion {
        id: row.get(1)?,
        module_id: row.get(2)?,
        version: version(&text)?,
        status: Status::from_word(&status)
            .ok_or_else(|| Error::internal(format!("status \"{status}\" is unknown")))?,
        breaking_changes: row.get(5)?,
        breaking_description: row.optional(6)?,
        min_platform_version: min_platform_version.as_deref().map(version).transpose()?,
        dependencies: declaration(&row.get::<String>(8)?)?,
        conflicts: declaration(&row.get::<String>(9)?)?,
    })
}

macro_rules! select_version {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.module_id, v.version::text, v.status, v.breaking_changes,
                    v.breaking_description, v.min_platform_version::text, v.dependencies::text,
                    v.conflicts::text
             FROM module_versioning.registered_versions v ",
            $rest
        )
    };
}

/// All versions of a module, ascending by precedence.
pub fn of_module(module: Uuid) -> Result<Vec<RegisteredVersion>> {
    query::rows(
        select_version!("WHERE v.module_id = $1 ORDER BY v.version"),
        &[module.into()],
        read_version,
    )
}

/// The version with that id.
pub fn by_id(id: Uuid) -> Result<Option<RegisteredVersion>> {
    query::first(
        select_version!("WHERE v.id = $1"),
        &[id.into()],
        read_version,
    )
}

/// The version with that id, which nobody else can change until the transaction ends.
pub fn lock(id: Uuid) -> Result<Option<RegisteredVersion>> {
    query::first(
        select_version!("WHERE v.id = $1 FOR NO KEY UPDATE"),
        &[id.into()],
        read_version,
    )
}

/// The version with that id, which nobody else can change until the transaction ends; others may share it.
pub fn share(id: Uuid) -> Result<Option<RegisteredVersion>> {
    query::first(
        select_version!("WHERE v.id = $1 FOR SHARE"),
        &[id.into()],
        read_version,
    )
}

/// Keeps the drafts of a module below a version drafts until the transaction ends, from the highest down, as
/// whoever publishes one of them does.
pub fn share_drafts_below(module: Uuid, limit: &Version) -> Result<()> {
    query::run(
        "SELECT FROM module_versioning.registered_versions v
         WHERE v.module_id = $1 AND v.status = 'draft'
           AND v.version OPERATOR(module_versioning.<) $2::module_versioning.semver
         ORDER BY v.version DESC FOR SHARE",
        &[module.into(), limit.to_string().into()],
    )
    .map(drop)
}

/// The row of a version as callers see it.
pub fn record(id: Uuid) -> Result<Record<ModuleVersions>> {
    query::record(
        "SELECT v FROM module_versioning.module_versions v WHERE v.id = $1",
        &[id.into()],
    )
    .and_then(present)
}

/// The registered version of the same precedence, in its own words.
pub fn same_precedence(module: Uuid, version_sought: &Version) -> Result<Option<Version>> {
    first_version(
        "SELECT v.version::text FROM module_versioning.registered_versions v
         WHERE v.module_id = $1 AND v.version OPERATOR(module_versioning.=) $2::module_versioning.semver",
        module,
        version_sought.to_string(),
    )
}

/// The highest published version, prereleases included.
pub fn highest_published(module: Uuid) -> Result<Option<Version>> {
    query::first(
        "SELECT v.version::text FROM module_versioning.registered_versions v
         WHERE v.module_id = $1 AND v.status = 'published' ORDER BY v.version DESC LIMIT 1",
        &[module.into()],
        |row| version(&row.get::<String>(1)?),
    )
}

/// The highest release below a version that was ever published, also one that is deprecated or
/// yanked by now: sites may still run it.
pub fn highest_release_below(module: Uuid, limit: &Version) -> Result<Option<Version>> {
    first_version(
        "SELECT v.version::text FROM module_versioning.registered_versions v
         WHERE v.module_id = $1 AND v.status <> 'draft' AND v.prerelease IS NULL
           AND v.version OPERATOR(module_versioning.<) $2::module_versioning.semver
         ORDER BY v.version DESC LIMIT 1",
        module,
        limit.to_string(),
    )
}

/// Which published versions a look-up is about; for each there is an index that has no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Those that are no prereleases.
    Releases,
    /// All of them.
    All,
}

/// The highest published version below a point, or of all without one: one look at an index.
pub fn highest_below(
    module: Uuid,
    among: Among,
    point: Option<&Point>,
) -> Result<Option<(Uuid, Version)>> {
    let released = match among {
        Among::Releases => "AND v.prerelease IS NULL",
        Among::All => "",
    };
    let (limit, at) = match point {
        Some(point) if point.is_above => (
            "AND v.version OPERATOR(module_versioning.<=) $2::module_versioning.semver",
            Some(point.version.to_string()),
        ),
        Some(point) => (
            "AND v.version OPERATOR(module_versioning.<) $2::module_versioning.semver",
            Some(point.version.to_string()),
        ),
        None => ("AND $2::text IS NULL", None),
    };
    query::first(
        &format!(
            "SELECT v.id, v.version::text FROM module_versioning.registered_versions v
             WHERE v.module_id = $1 AND v.status = 'published' {released} {limit}
             ORDER BY v.version DESC LIMIT 1"
        ),
        &[module.into(), at.into()],
        |row| Ok((row.get(1)?, version(&row.get::<String>(2)?)?)),
    )
}

/// How many versions a message lists.
const LISTED: &str = "6";

/// The highest versions in a range that were published and are deprecated or yanked by now.
pub fn withdrawn(module: Uuid, range: &str) -> Result<Vec<(Version, Status)>> {
    query::rows(
        &format!(
            "SELECT v.version::text, v.status FROM module_versioning.registered_versions v
             WHERE v.module_id = $1 AND v.status IN ('deprecated', 'yanked')
               AND module_versioning.semver_satisfies(v.version, $2::module_versioning.semver_range, false)
             ORDER BY v.version DESC LIMIT {LISTED}"
        ),
        &[module.into(), range.into()],
        |row| {
            let status: String = row.get(2)?;
            let status = Status::from_word(&status)
                .ok_or_else(|| Error::internal(format!("status \"{status}\" is unknown")))?;
            Ok((version(&row.get::<String>(1)?)?, status))
        },
    )
}

/// The highest published prereleases between the bounds of a range, whether it names them or not.
pub fn prereleases(module: Uuid, range: &str) -> Result<Vec<Version>> {
    query::rows(
        &format!(
            "SELECT v.version::text FROM module_versioning.registered_versions v
             WHERE v.module_id = $1 AND v.status = 'published' AND v.prerelease IS NOT NULL
               AND module_versioning.semver_satisfies(v.version, $2::module_versioning.semver_range, true)
             ORDER BY v.version DESC LIMIT {LISTED}"
        ),
        &[module.into(), range.into()],
        |row| version(&row.get::<String>(1)?),
    )
}

fn first_version(query: &str, module: Uuid, text: String) -> Result<Option<Version>> {
    query::first(query, &[module.into(), text.into()], |row| {
        version(&row.get::<String>(1)?)
    })
}

/// The ids and numbers of the published versions.
pub fn published(module: Uuid) -> Result<Vec<(Uuid, Version)>> {
    query::rows(
        "SELECT v.id, v.version::text FROM module_versioning.registered_versions v
         WHERE v.module_id = $1 AND v.status = 'published'",
        &[module.into()],
        |row| Ok((row.get(1)?, version(&row.get::<String>(2)?)?)),
    )
}

/// Adds a draft; nothing when somebody else has just added the same version.
pub fn insert(module: Uuid, draft: Draft) -> Result<Option<Uuid>> {
    query::first(
        "INSERT INTO module_versioning.registered_versions
             (module_id, version, bundle_url, bundle_hash, changelog, release_notes, min_platform_version,
              breaking_changes, breaking_description, dependencies, source_url, conflicts)
         VALUES ($1, $2::module_versioning.semver, $3, $4, $5, $6, $7::module_versioning.semver,
                 $8, $9, $10::jsonb, $11, $12::jsonb)
         ON CONFLICT DO NOTHING RETURNING id",
        &[
            module.into(),
            draft.version.to_string().into(),
            draft.bundle_url.into(),
            draft.bundle_hash.into(),
            draft.changelog.into(),
            draft.release_notes.into(),
            draft.min_platform_version.map(|version| version.to_string()).into(),
            draft.breaking_changes.into(),
            draft.breaking_description.into(),
            draft.dependencies.into(),
            draft.source_url.into(),
            draft.conflicts.into(),
        ],
        |row| row.get(1),
    )
}

/// Makes a draft public.
pub fn publish(id: Uuid, published_by: Option<Uuid>, breaking_changes: bool) -> Result<()> {
    query::run(
        "UPDATE module_versioning.registered_versions
         SET status = 'published', published_at = pg_catalog.now(), published_by = $2, breaking_changes = $3
         WHERE id = $1",
        &[id.into(), published_by.into(), breaking_changes.into()],
    )?;
    Ok(())
}

/// Writes other notes or another reason, where one is given.
pub fn annotate(id: Uuid, release_notes: Option<&str>, status_reason: Option<&str>) -> Result<()> {
    query::run(
        "UPDATE module_versioning.registered_versions v
         SET release_notes = coalesce($2, v.release_notes), status_reason = coalesce($3, v.status_reason)
         WHERE v.id = $1",
        &[id.into(), release_notes.into(), status_reason.into()],
    )?;
    Ok(())
}

/// Moves a version on, with the reason.
pub fn set_status(id: Uuid, status: Status, reason: Option<&str>) -> Result<()> {
    query::run(
        "UPDATE module_versioning.registered_versions SET status = $2, status_reason = $3 WHERE id = $1",
        &[id.into(), status.as_str().into(), reason.into()],
    )?;
    Ok(())
}

/// In how many rows the downloads of a version are counted.
const DOWNLOAD_SLOTS: i32 = 16;

/// Counts one download, in the slot of this process.
pub fn count_download(id: Uuid) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.version_downloads AS d (version_id, slot, download_count)
         VALUES ($1, (pg_catalog.pg_backend_pid() % $2)::smallint, 1)
         ON CONFLICT (version_id, slot) DO UPDATE SET download_count = d.download_count + 1",
        &[id.into(), DOWNLOAD_SLOTS.into()],
    )
    .map(drop)
}

/// How many downloads were counted.
pub fn downloads(id: Uuid) -> Result<i64> {
    query::one(
        "SELECT coalesce(pg_catalog.sum(d.download_count), 0)::bigint
         FROM module_versioning.version_downloads d WHERE d.version_id = $1",
        &[id.into()],
        |row| row.get(1),
    )
}

/// The active versions of all modules but one on a site.
pub fn active_beside(site: Uuid, module: Uuid) -> Result<Vec<InstalledVersion>> {
    query::rows(
        "SELECT m.slug, v.version::text, v.dependencies::text, v.conflicts::text, m.id
         FROM module_versioning.site_modules i
         JOIN module_versioning.modules m ON m.id = i.module_id
         JOIN module_versioning.site_module_versions s ON s.site_module_id = i.id AND s.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE i.site_id = $1 AND i.module_id <> $2
         ORDER BY m.slug COLLATE \"C\"",
        &[site.into(), module.into()],
        |row| {
            Ok(InstalledVersion {
                module_id: row.get(5)?,
                slug: row.get(1)?,
                version: version(&row.get::<String>(2)?)?,
                dependencies: declaration(&row.get::<String>(3)?)?,
                conflicts: declaration(&row.get::<String>(4)?)?,
            })
        },
    )
}
