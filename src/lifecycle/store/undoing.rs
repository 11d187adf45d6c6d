//! The SQL that finds the earlier change that migrations undo.

use pgrx::Uuid;
use versioning_core::model::Direction;

use crate::error::Result;
use crate::pg::query;

/// The last run of a migration, when it went the other way.
pub struct Origin {
    /// The migration.
    pub migration_id: Uuid,
    /// The snapshot taken before that run, if it is still there.
    pub backup_id: Option<Uuid>,
    /// Whether there was one that isn't there any more.
    pub is_deleted: bool,
}

/// The other way.
fn opposite(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => Direction::Down.as_str(),
        Direction::Down => Direction::Up.as_str(),
    }
}

/// The last runs of these migrations, on this site or, for shared ones, anywhere, as far as they went the
/// other way than `direction`.
pub fn origins(ids: &[Uuid], site_id: Uuid, direction: Direction) -> Result<Vec<Origin>> {
    query::rows(
        "SELECT m.id, b.id, b.id IS NULL AND last.backup_id IS NOT NULL
         FROM module_versioning.module_migrations m
         CROSS JOIN LATERAL (
             SELECT r.direction, r.backup_id FROM module_versioning.module_migration_runs r
             WHERE r.migration_id = m.id AND r.status = 'success'
               AND (m.scope = 'shared' OR r.site_id = $2)
             ORDER BY r.ordinal DESC LIMIT 1) last
         LEFT JOIN module_versioning.module_data_backups b ON b.id = last.backup_id
         WHERE m.id = ANY ($1) AND last.direction = $3",
        &[
            ids.to_vec().into(),
            site_id.into(),
            opposite(direction).into(),
        ],
        |row| {
            Ok(Origin {
                migration_id: row.get(1)?,
                backup_id: row.optional(2)?,
                is_deleted: row.get(3)?,
            })
        },
    )
}

/// The snapshot taken before these migrations ran that way for the first time, on this site or, for shared
/// ones, anywhere; nothing when they hadn't run together then, or it isn't there any more.
pub fn first(ids: &[Uuid], site_id: Uuid, direction: Direction) -> Result<Option<Uuid>> {
    query::one(
        "SELECT CASE WHEN count(*) = cardinality($1::uuid[]) AND count(DISTINCT r.backup_id) = 1
                     THEN (pg_catalog.array_agg(b.id))[1] END
         FROM module_versioning.module_migrations m
         CROSS JOIN LATERAL (
             SELECT r.backup_id FROM module_versioning.module_migration_runs r
             WHERE r.migration_id = m.id AND r.status = 'success' AND r.direction = $3
               AND (m.scope = 'shared' OR r.site_id = $2)
             ORDER BY r.ordinal LIMIT 1) r
         JOIN module_versioning.module_data_backups b ON b.id = r.backup_id
         WHERE m.id = ANY ($1)",
        &[
            ids.to_vec().into(),
            site_id.into(),
            direction.as_str().into(),
        ],
        |row| row.optional(1),
    )
}

/// Whether these are all the migrations that a change had run, but for those that were undone since.
pub fn is_all(backup_id: Uuid, ids: &[Uuid], direction: Direction) -> Result<bool> {
    query::one(
        "SELECT NOT EXISTS (
             SELECT FROM module_versioning.module_migration_runs r
             WHERE r.backup_id = $1 AND r.status = 'success' AND r.direction = $3
               AND r.migration_id <> ALL ($2)
               AND NOT EXISTS (SELECT FROM module_versioning.module_migration_runs later
                               WHERE later.migration_id = r.migration_id AND later.status = 'success'
                                 AND later.ordinal > r.ordinal AND later.site_id = r.site_id))",
        &[backup_id.into(), ids.to_vec().into(), opposite(direction).into()],
        |row| row.get(1),
    )
}

/// The migrations that a change had run.
pub fn migrations(backup_id: Uuid) -> Result<Vec<Uuid>> {
    query::rows(
        "SELECT DISTINCT r.migration_id FROM module_versioning.module_migration_runs r
         WHERE r.backup_id = $1 AND r.status = 'success'",
        &[backup_id.into()],
        |row| row.get(1),
    )
}
