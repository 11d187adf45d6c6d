//! What the registry asks the database about modules, sites and installations. Versions and tables
//! are in the two files below this one; no SQL stands outside of them.
//!
//! Callers have pinned the search_path, so pg_catalog's operators are the plain ones here; those of
//! the extension's own types are qualified.

pub mod solver;
pub mod table;
pub mod version;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::Isolation;

use super::locking::SiteLock;
use super::{Installation, Module, Site};
use crate::error::{Error, Result};
use crate::pg::query::{self, Row};
use crate::pg::record::{Modules, Record, Sites};

/// The text of a version that PostgreSQL printed.
fn version(text: &str) -> Result<Version> {
    Version::parse(text)
        .map_err(|problem| Error::internal(format!("stored version \"{text}\": {problem}")))
}

/// The record of a row that is known to be there.
fn present<T>(record: Option<T>) -> Result<T> {
    record.ok_or_else(|| Error::internal("a row of the registry has gone while it was read"))
}

fn read_module(row: &Row<'_>) -> Result<Module> {
    let isolation: String = row.get(4)?;
    Ok(Module {
        id: row.get(1)?,
        slug: row.get(2)?,
        name: row.get(3)?,
        isolation: Isolation::from_word(&isolation)
            .ok_or_else(|| Error::internal(format!("isolation \"{isolation}\" is unknown")))?,
        schema_name: row.get(5)?,
        site_column: row.get(6)?,
        owner_role: row.get(7)?,
    })
}

/// The module with that id.
pub fn module_by_id(id: Uuid) -> Result<Option<Module>> {
    query::first(
        "SELECT m.id, m.slug, m.name, m.isolation, m.schema_name, m.site_column, m.owner_role::text
         FROM module_versioning.modules m WHERE m.id = $1",
        &[id.into()],
        read_module,
    )
}

/// The module with that slug.
pub fn module_by_slug(slug: &str) -> Result<Option<Module>> {
    query::first(
        "SELECT m.id, m.slug, m.name, m.isolation, m.schema_name, m.site_column, m.owner_role::text
         FROM module_versioning.modules m WHERE m.slug = $1",
        &[slug.into()],
        read_module,
    )
}

/// The slugs of all modules.
pub fn module_slugs() -> Result<Vec<String>> {
    query::rows(
        "SELECT m.slug FROM module_versioning.modules m",
        &[],
        |row| row.get(1),
    )
}

/// The row of a module.
pub fn module_record(id: Uuid) -> Result<Record<Modules>> {
    query::record(
        "SELECT m FROM module_versioning.modules m WHERE m.id = $1",
        &[id.into()],
    )
    .and_then(present)
}

/// Adds a module; does nothing when somebody else has just taken the slug.
pub fn insert_module(module: &Module) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.modules (id, slug, name, isolation, schema_name, site_column, owner_role)
         VALUES ($1, $2, $3, $4, $5, $6, $7::name) ON CONFLICT DO NOTHING",
        &[
            module.id.into(),
            module.slug.as_str().into(),
            module.name.as_str().into(),
            module.isolation.as_str().into(),
            module.schema_name.as_str().into(),
            module.site_column.as_str().into(),
            module.owner_role.as_str().into(),
        ],
    )?;
    Ok(())
}

/// A new id.
pub fn new_id() -> Result<Uuid> {
    query::one("SELECT pg_catalog.gen_random_uuid()", &[], |row| row.get(1))
}

fn read_site(row: &Row<'_>) -> Result<Site> {
    let platform_version: Option<String> = row.optional(4)?;
    Ok(Site {
        id: row.get(1)?,
        slug: row.get(2)?,
        name: row.get(3)?,
        platform_version: platform_version.as_deref().map(version).transpose()?,
    })
}

/// The site with that id.
pub fn site_by_id(id: Uuid) -> Result<Option<Site>> {
    query::first(
        "SELECT s.id, s.slug, s.name, s.platform_version::text
         FROM module_versioning.sites s WHERE s.id = $1",
        &[id.into()],
        read_site,
    )
}

/// The site with that slug.
pub fn site_by_slug(slug: &str) -> Result<Option<Site>> {
    query::first(
        "SELECT s.id, s.slug, s.name, s.platform_version::text
         FROM module_versioning.sites s WHERE s.slug = $1",
        &[slug.into()],
        read_site,
    )
}

/// The slugs of all sites.
pub fn site_slugs() -> Result<Vec<String>> {
    query::rows("SELECT s.slug FROM module_versioning.sites s", &[], |row| {
        row.get(1)
    })
}

/// The row of a site.
pub fn site_record(id: Uuid) -> Result<Record<Sites>> {
    query::record(
        "SELECT s FROM module_versioning.sites s WHERE s.id = $1",
        &[id.into()],
    )
    .and_then(present)
}

/// Locks the row of a site. To be alone with it writes the row, though nothing else: so a transaction that
/// sees the site as it was before fails under REPEATABLE READ instead of deciding by that. Rows that merely
/// refer to the site go on being written.
pub fn lock_site(id: Uuid, lock: SiteLock) -> Result<()> {
    let query = match lock {
        SiteLock::Beside => "SELECT FROM module_versioning.sites s WHERE s.id = $1 FOR SHARE",
        SiteLock::Alone => "UPDATE module_versioning.sites s SET name = s.name WHERE s.id = $1",
    };
    query::run(query, &[id.into()]).map(drop)
}

/// What an active version needs of the platform.
pub struct PlatformNeed {
    pub slug: String,
    pub version: Version,
    pub platform: Version,
}

/// What the active versions of a site need of the platform, where they say so.
pub fn platform_needs(site: Uuid) -> Result<Vec<PlatformNeed>> {
    query::rows(
        "SELECT m.slug, v.version::text, v.min_platform_version::text
         FROM module_versioning.site_modules i
         JOIN module_versioning.modules m ON m.id = i.module_id
         JOIN module_versioning.site_module_versions s ON s.site_module_id = i.id AND s.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE i.site_id = $1 AND v.min_platform_version IS NOT NULL
         ORDER BY m.slug COLLATE \"C\"",
        &[site.into()],
        |row| {
            Ok(PlatformNeed {
                slug: row.get(1)?,
                version: version(&row.get::<String>(2)?)?,
                platform: version(&row.get::<String>(3)?)?,
            })
        },
    )
}

/// Writes down the platform of a site.
pub fn set_platform(site: Uuid, platform: &Version) -> Result<()> {
    query::run(
        "UPDATE module_versioning.sites SET platform_version = $2::module_versioning.semver WHERE id = $1",
        &[site.into(), platform.to_string().into()],
    )
    .map(drop)
}

/// A session that has locked or changed rows of a table in a transaction that is still open.
pub struct Holder {
    pub pid: i32,
    pub role: String,
}

/// The sessions of which one holds the lock on a row of the table that couldn't be had. (Which transaction
/// holds a row can't be read from SQL when several share it.)
pub fn lock_holders(table: &str) -> Result<Vec<Holder>> {
    query::rows(
        "SELECT DISTINCT l.pid, coalesce(a.usename::text, 'unknown')
         FROM pg_catalog.pg_locks l
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
         WHERE l.locktype = 'relation' AND l.granted
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
           AND l.relation = ('module_versioning.' || $1)::regclass
           AND l.mode IN ('RowShareLock', 'RowExclusiveLock')
           AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
         ORDER BY l.pid",
        &[table.into()],
        |row| {
            Ok(Holder {
                pid: row.optional(1)?.unwrap_or_default(),
                role: row.get(2)?,
            })
        },
    )
}

/// Adds a site; does nothing when its slug or its id is taken.
pub fn insert_site(site: &Site) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.sites (id, slug, name, platform_version)
         VALUES ($1, $2, $3, $4::module_versioning.semver) ON CONFLICT DO NOTHING",
        &[
            site.id.into(),
            site.slug.as_str().into(),
            site.name.as_str().into(),
            site.platform_version
                .as_ref()
                .map(ToString::to_string)
                .into(),
        ],
    )?;
    Ok(())
}

/// The installation of a module on a site, with the version that is active there.
pub fn installation(site: Uuid, module: Uuid) -> Result<Option<Installation>> {
    query::first(
        "SELECT i.id, i.schema_name, v.id, v.version::text
         FROM module_versioning.site_modules i
         LEFT JOIN module_versioning.site_module_versions s
                ON s.site_module_id = i.id AND s.status = 'active'
         LEFT JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE i.site_id = $1 AND i.module_id = $2",
        &[site.into(), module.into()],
        |row| {
            let text: Option<String> = row.optional(4)?;
            let active_id: Option<Uuid> = row.optional(3)?;
            Ok(Installation {
                site_module_id: row.get(1)?,
                schema_name: row.get(2)?,
                active: active_id.zip(text.as_deref().map(version).transpose()?),
            })
        },
    )
}

/// Whether this transaction sees the database as it was when it began.
pub fn has_frozen_view() -> Result<bool> {
    query::one(
        "SELECT pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable')",
        &[],
        |row| row.get(1),
    )
}
