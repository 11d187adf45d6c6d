//! All SQL of the snapshots' own tables: manifests and the list of snapshots here, chunks and retention in
//! files of their own.

mod change;
mod chunk;
mod retention;

pub use change::*;
pub use chunk::*;
pub use retention::*;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::snapshot::hash::Hash;

use crate::error::{Error, Result};
use crate::pg::identity::as_extension_owner;
use crate::pg::query;
use crate::pg::record::{ModuleDataBackups, Record};

/// The row of a snapshot in `module_data_backups`.
#[derive(Debug, Clone)]
pub struct Header {
    /// Whose data.
    pub site_id: Uuid,
    /// Of which module.
    pub module_id: Uuid,
    /// The version it was taken of.
    pub version: Option<String>,
    /// The root hash as it was reported when the snapshot was taken.
    pub root_hash: String,
    /// Bytes of the rows.
    pub size_bytes: i64,
    /// Rows in all.
    pub row_count: i64,
}

/// What a new row of `module_data_backups` says.
pub struct NewBackup<'a> {
    /// Whose data.
    pub site_id: Uuid,
    /// Of which module.
    pub module_id: Uuid,
    /// The version the site ran.
    pub version: Option<String>,
    /// Why it was taken.
    pub kind: &'a str,
    /// Bytes of the rows.
    pub size_bytes: i64,
    /// Bytes added to the store.
    pub stored_bytes: i64,
    /// Rows in all.
    pub row_count: i64,
    /// Rows by table, a JSON object.
    pub table_counts: String,
    /// The root hash, in hex.
    pub root_hash: String,
    /// For how long it is kept, an interval as text; for ever when `None`.
    pub expires_in: Option<&'a str>,
    /// Who asked for it.
    pub created_by: Option<Uuid>,
    /// Where it was imported from.
    pub backup_url: Option<String>,
}

/// Makes the store's tables where they are missing, as after a dump was restored without them.
///
/// # Errors
/// 55000 raised when the schema is somebody else's.
pub fn create_if_missing() -> Result<()> {
    as_extension_owner(|| {
        let is_there: bool = query::one(
            "SELECT pg_catalog.to_regclass('module_versioning_data.snapshot_chunks') IS NOT NULL",
            &[],
            |row| row.get(1),
        )?;
        if !is_there {
            query::run("SELECT module_versioning._create_snapshot_store()", &[])?;
        }
        Ok(())
    })
}

/// The snapshot's row.
///
/// # Errors
/// 42704 when there is none.
pub fn header(backup_id: Uuid) -> Result<Header> {
    let found = as_extension_owner(|| {
        query::first(
            "SELECT b.site_id, b.module_id, b.version::text, b.root_hash, b.size_bytes, b.row_count
             FROM module_versioning.module_data_backups b WHERE b.id = $1",
            &[backup_id.into()],
            |row| {
                Ok(Header {
                    site_id: row.get(1)?,
                    module_id: row.get(2)?,
                    version: row.optional(3)?,
                    root_hash: row.get(4)?,
                    size_bytes: row.get(5)?,
                    row_count: row.get(6)?,
                })
            },
        )
    })?;
    found.ok_or_else(|| {
        Error::not_found(format!("snapshot {backup_id} does not exist"))
            .hint("list_snapshots() shows those there are.")
    })
}

/// The manifest's text, and the root hash stored beside it.
///
/// # Errors
/// None of its own.
pub fn manifest(backup_id: Uuid) -> Result<Option<(String, Vec<u8>)>> {
    as_extension_owner(|| {
        query::first(
            "SELECT s.manifest, s.root_hash FROM module_versioning_data.snapshots s WHERE s.id = $1",
            &[backup_id.into()],
            |row| Ok((row.get(1)?, row.get(2)?)),
        )
    })
}

/// The tables and row counts as the list of snapshots has them, for one whose manifest can't be read.
///
/// # Errors
/// None of its own.
pub fn listed_counts(backup_id: Uuid) -> Result<Vec<(String, i64)>> {
    as_extension_owner(|| {
        query::rows(
            "SELECT t.key, t.value::bigint FROM module_versioning.module_data_backups b,
                    pg_catalog.jsonb_each_text(b.table_counts) t
             WHERE b.id = $1 ORDER BY t.key COLLATE \"C\"",
            &[backup_id.into()],
            |row| Ok((row.get(1)?, row.get(2)?)),
        )
    })
}

/// Adds the snapshot to the list and returns its id.
///
/// # Errors
/// PostgreSQL's own are raised, for example 23503 for a site that isn't there.
pub fn insert_backup(backup: NewBackup<'_>) -> Result<Uuid> {
    as_extension_owner(|| {
        query::one(
            "INSERT INTO module_versioning.module_data_backups AS b
                 (site_id, module_id, version, type, size_bytes, stored_bytes, row_count,
                  table_counts, root_hash, expires_at, created_by, backup_url)
             VALUES ($1, $2, $3::module_versioning.semver, $4, $5, $6, $7,
                     $8::pg_catalog.jsonb, $9,
                     pg_catalog.clock_timestamp() + $10::pg_catalog.interval, $11, $12)
             RETURNING b.id",
            &[
                backup.site_id.into(),
                backup.module_id.into(),
                backup.version.into(),
                backup.kind.into(),
                backup.size_bytes.into(),
                backup.stored_bytes.into(),
                backup.row_count.into(),
                backup.table_counts.into(),
                backup.root_hash.into(),
                backup.expires_in.map(str::to_owned).into(),
                backup.created_by.into(),
                backup.backup_url.into(),
            ],
            |row| row.get(1),
        )
    })
}

/// Stores a manifest and what it refers to.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn insert_manifest(id: Uuid, text: &str, root: &Hash, pieces: Vec<String>) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "INSERT INTO module_versioning_data.snapshots (id, manifest, root_hash)
             VALUES ($1, $2, $3)",
            &[id.into(), text.into(), root.0.to_vec().into()],
        )?;
        query::run(
            "INSERT INTO module_versioning_data.snapshot_chunks (snapshot_id, chunk_hash)
             SELECT DISTINCT $1, pg_catalog.decode(h, 'hex') FROM pg_catalog.unnest($2) AS h",
            &[id.into(), pieces.into()],
        )?;
        Ok(())
    })
}

/// Locks the installation that a snapshot belongs to, as every change to it does; false when the site
/// no longer runs the module.
///
/// # Errors
/// PostgreSQL's own are raised, 55P03 when the lock isn't to be had in time.
pub fn lock_installation(header: &Header) -> Result<bool> {
    as_extension_owner(|| {
        let locked = query::run(
            "UPDATE module_versioning.site_modules s SET changed_at = pg_catalog.clock_timestamp()
             WHERE s.site_id = $1 AND s.module_id = $2",
            &[header.site_id.into(), header.module_id.into()],
        )?;
        Ok(locked > 0)
    })
}

/// The schema that the site has to itself for the module, in the schema layout.
///
/// # Errors
/// None of its own.
pub fn own_schema(header: &Header) -> Result<Option<String>> {
    as_extension_owner(|| {
        query::first(
            "SELECT s.schema_name FROM module_versioning.site_modules s
             JOIN module_versioning.modules m ON m.id = s.module_id AND m.isolation = 'schema'
             WHERE s.site_id = $1 AND s.module_id = $2",
            &[header.site_id.into(), header.module_id.into()],
            |row| row.get(1),
        )
    })
}

/// The fingerprint recorded for the schema that a site's data lies in, empty when there is none.
///
/// # Errors
/// None of its own.
pub fn recorded_fingerprint(header: &Header) -> Result<String> {
    as_extension_owner(|| {
        let found = query::first(
            "SELECT s.fingerprint FROM module_versioning.schema_states s
             WHERE s.module_id = $1 AND (s.site_id = $2 OR s.site_id IS NULL)
             ORDER BY s.site_id NULLS LAST LIMIT 1",
            &[header.module_id.into(), header.site_id.into()],
            |row| row.get(1),
        )?;
        Ok(found.unwrap_or_default())
    })
}

/// The version that the site runs now.
///
/// # Errors
/// XX000 when the stored version doesn't read as one.
pub fn active_version(header: &Header) -> Result<Option<Version>> {
    let found = as_extension_owner(|| {
        query::first(
            "SELECT v.version::text FROM module_versioning.site_modules i
             JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
             JOIN module_versioning.registered_versions v ON v.id = a.version_id
             WHERE i.site_id = $1 AND i.module_id = $2",
            &[header.site_id.into(), header.module_id.into()],
            |row| row.get::<String>(1),
        )
    })?;
    found
        .map(|text| {
            text.parse()
                .map_err(|_| Error::internal(format!("\"{text}\" is no version")))
        })
        .transpose()
}

/// The role that owns a module, by name.
///
/// # Errors
/// None of its own.
pub fn module_owner(module_id: Uuid) -> Result<Option<String>> {
    as_extension_owner(|| {
        query::first(
            "SELECT m.owner_role::text FROM module_versioning.modules m WHERE m.id = $1",
            &[module_id.into()],
            |row| row.get(1),
        )
    })
}

/// A snapshot as a row of its table.
///
/// # Errors
/// None of its own.
pub fn record(backup_id: Uuid) -> Result<Option<Record<ModuleDataBackups>>> {
    as_extension_owner(|| {
        query::record(
            "SELECT b FROM module_versioning.module_data_backups b WHERE b.id = $1",
            &[backup_id.into()],
        )
    })
}

/// The slugs of a site and a module, where they are registered.
///
/// # Errors
/// None of its own.
pub fn slugs(site_id: Uuid, module_id: Uuid) -> Result<(Option<String>, Option<String>)> {
    as_extension_owner(|| {
        query::one(
            "SELECT (SELECT s.slug FROM module_versioning.sites s WHERE s.id = $1),
                    (SELECT m.slug FROM module_versioning.modules m WHERE m.id = $2)",
            &[site_id.into(), module_id.into()],
            |row| Ok((row.optional(1)?, row.optional(2)?)),
        )
    })
}

/// The snapshot that an export with this root hash was imported as.
///
/// # Errors
/// None of its own.
pub fn imported(site_id: Uuid, module_id: Uuid, root_hash: &str) -> Result<Option<Uuid>> {
    as_extension_owner(|| {
        query::first(
            "SELECT b.id FROM module_versioning.module_data_backups b
             WHERE b.site_id = $1 AND b.module_id = $2 AND b.root_hash = $3 AND b.backup_url IS NOT NULL",
            &[site_id.into(), module_id.into(), root_hash.into()],
            |row| row.get(1),
        )
    })
}

/// The folder that the server keeps its own files in.
///
/// # Errors
/// None of its own.
pub fn data_directory() -> Result<String> {
    as_extension_owner(|| {
        query::one(
            "SELECT pg_catalog.current_setting('data_directory')",
            &[],
            |row| row.get(1),
        )
    })
}

/// Now, as text for people.
///
/// # Errors
/// None of its own.
pub fn now() -> Result<String> {
    query::one(
        "SELECT pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()),
                                   'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        &[],
        |row| row.get(1),
    )
}

/// How many different chunks are kept for a snapshot, and how many of them are among these.
///
/// # Errors
/// None of its own.
pub fn count_references(backup_id: Uuid, hashes: Vec<String>) -> Result<(i64, i64)> {
    as_extension_owner(|| {
        query::one(
            "SELECT pg_catalog.count(*),
                    pg_catalog.count(*) FILTER (WHERE pg_catalog.encode(r.chunk_hash, 'hex') = ANY ($2))
             FROM module_versioning_data.snapshot_chunks r WHERE r.snapshot_id = $1",
            &[backup_id.into(), hashes.into()],
            |row| Ok((row.get(1)?, row.get(2)?)),
        )
    })
}
