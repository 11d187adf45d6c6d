//! The SQL of locks, and of telling who holds one.

use pgrx::Uuid;

use crate::error::Result;
use crate::lifecycle::lock::ModuleLock;
use crate::pg::query;

/// Who holds a lock.
pub struct Holder {
    /// Process id of the backend.
    pub pid: i32,
    /// Its role.
    pub role: String,
    /// Its application_name.
    pub application: String,
    /// When its current query began.
    pub query_start: String,
    /// The table whose row is locked.
    pub relation: String,
}

/// Locks a module's row. NO KEY UPDATE keeps every other change of the module out, and lets rows go on
/// being written that merely refer to it.
pub fn lock_module(module_id: Uuid, lock: ModuleLock) -> Result<()> {
    let query = match lock {
        ModuleLock::Beside => "SELECT FROM module_versioning.modules WHERE id = $1 FOR SHARE",
        ModuleLock::Alone => {
            "SELECT FROM module_versioning.modules WHERE id = $1 FOR NO KEY UPDATE"
        }
    };
    query::run(query, &[module_id.into()]).map(drop)
}

/// Locks an installation's row.
pub fn lock_installation(site_module_id: Uuid) -> Result<()> {
    query::run(
        "SELECT FROM module_versioning.site_modules WHERE id = $1 FOR UPDATE",
        &[site_module_id.into()],
    )
    .map(drop)
}

/// Locks an installation's row against changes.
pub fn keep_installation(site_module_id: Uuid) -> Result<()> {
    query::run(
        "SELECT FROM module_versioning.site_modules WHERE id = $1 FOR SHARE",
        &[site_module_id.into()],
    )
    .map(drop)
}

/// Leaves a mark that tells others who holds the lock of that row. It never waits and protects nothing.
pub fn mark_lock_holder(id: Uuid) -> Result<()> {
    query::run(
        "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended($1::text, 0))",
        &[id.into()],
    )
    .map(drop)
}

/// Who left the mark.
pub fn lock_holder(id: Uuid) -> Result<Option<Holder>> {
    query::first(
        "WITH mark AS (SELECT pg_catalog.hashtextextended($1::text, 0) AS key)
         SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
                coalesce(a.query_start::text, 'an unknown time'),
                CASE WHEN EXISTS (SELECT FROM module_versioning.modules m WHERE m.id = $1)
                     THEN 'module_versioning.modules' ELSE 'module_versioning.site_modules' END
         FROM mark
         JOIN pg_catalog.pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
              AND (l.classid::bigint << 32) | l.objid::bigint = mark.key
         JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
         WHERE a.pid <> pg_catalog.pg_backend_pid()
           AND l.database = (SELECT oid FROM pg_catalog.pg_database
                             WHERE datname = pg_catalog.current_database())
         LIMIT 1",
        &[id.into()],
        |row| {
            Ok(Holder {
                pid: row.get(1)?,
                role: row.get(2)?,
                application: row.get(3)?,
                query_start: row.get(4)?,
                relation: row.get(5)?,
            })
        },
    )
}
