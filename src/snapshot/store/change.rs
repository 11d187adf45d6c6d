//! SQL of what scripts did to the rows of a snapshot: the shapes of tables, images, and what is recorded.

use pgrx::{JsonB, Uuid, pg_sys};
use versioning_core::lineage::{Fate, Shape, ShapeColumn, TableName};
use versioning_core::snapshot::hash::Hash;

use crate::error::{Error, Result};
use crate::pg::identity::as_extension_owner;
use crate::pg::query;

/// The tables that have one of these names or are one of these, as they are now.
///
/// Whether rows were touched is told by the files that they lie in and by the counts of rows that this
/// transaction wrote; without counts a table is never the same.
///
/// # Errors
/// None of its own.
pub fn shapes(names: &[TableName], ids: &[u32]) -> Result<Vec<Shape>> {
    let (schemas, relations): (Vec<String>, Vec<String>) = names
        .iter()
        .map(|name| (name.schema.clone(), name.relation.clone()))
        .unzip();
    let ids: Vec<pg_sys::Oid> = ids.iter().map(|id| pg_sys::Oid::from(*id)).collect();
    query::rows(
        "WITH named AS (
             SELECT n.oid AS schema, t.relation
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS t (schema, relation)
             JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema)
         SELECT c.oid, n.nspname::text, c.relname::text,
                a.numbers, a.names, a.kinds, a.defaults,
                p.files,
                p.writes || CASE WHEN pg_catalog.current_setting('track_counts') = 'on' THEN ''
                                 ELSE pg_catalog.gen_random_uuid()::text END
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (
             SELECT coalesce(pg_catalog.array_agg(a.attnum ORDER BY a.attnum), '{}') AS numbers,
                    coalesce(pg_catalog.array_agg(a.attname::text ORDER BY a.attnum), '{}') AS names,
                    coalesce(pg_catalog.array_agg(a.atttypid ORDER BY a.attnum), '{}') AS kinds,
                    coalesce(pg_catalog.array_agg(a.atthasmissing ORDER BY a.attnum), '{}') AS defaults
             FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') a
         CROSS JOIN LATERAL (
             SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', p.oid, p.relfilenode), ' ' ORDER BY p.oid) AS files,
                    pg_catalog.string_agg(
                        pg_catalog.concat_ws(':', pg_catalog.pg_stat_get_xact_tuples_inserted(p.oid),
                                             pg_catalog.pg_stat_get_xact_tuples_updated(p.oid),
                                             pg_catalog.pg_stat_get_xact_tuples_deleted(p.oid)),
                        ' ' ORDER BY p.oid) AS writes
             FROM pg_catalog.pg_class p
             WHERE p.oid = c.oid
                OR p.oid IN (SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(c.oid::pg_catalog.regclass) t)) p
         WHERE c.relkind IN ('r', 'p')
           AND (c.oid = ANY ($3::oid[])
                OR (c.relnamespace, c.relname) IN (SELECT schema, relation::name FROM named))
         ORDER BY c.oid",
        &[schemas.into(), relations.into(), ids.into()],
        |row| {
            let numbers: Vec<i16> = row.get(4)?;
            let names: Vec<String> = row.get(5)?;
            let kinds: Vec<pg_sys::Oid> = row.get(6)?;
            let defaults: Vec<bool> = row.get(7)?;
            Ok(Shape {
                id: row.get::<pg_sys::Oid>(1)?.to_u32(),
                name: TableName {
                    schema: row.get(2)?,
                    relation: row.get(3)?,
                },
                columns: numbers
                    .into_iter()
                    .zip(names)
                    .zip(kinds)
                    .zip(defaults)
                    .map(|(((number, name), kind), has_default)| ShapeColumn {
                        number,
                        name,
                        kind: kind.to_u32(),
                        has_default,
                    })
                    .collect(),
                files: row.get(8)?,
                writes: row.get(9)?,
            })
        },
    )
}

/// What scripts did to the rows of a snapshot.
#[derive(Debug, Clone)]
pub struct DataChange {
    /// The snapshot.
    pub backup_id: Uuid,
    /// Rows of all sites before the scripts, where they may have changed those too.
    pub before_image: Option<Uuid>,
    /// The rows that the scripts touched, as they left them.
    pub after_image: Option<Uuid>,
    /// What became of each table.
    pub tables: Vec<Fate>,
}

/// Records what scripts did.
///
/// # Errors
/// None of its own.
pub fn record_change(change: &DataChange) -> Result<()> {
    let tables = serde_json::to_value(&change.tables)
        .map_err(|problem| Error::internal(problem.to_string()))?;
    as_extension_owner(|| {
        query::run(
            "INSERT INTO module_versioning.data_changes (backup_id, before_image, after_image, tables)
             VALUES ($1, $2, $3, $4)",
            &[
                change.backup_id.into(),
                change.before_image.into(),
                change.after_image.into(),
                JsonB(tables).into(),
            ],
        )
        .map(drop)
    })
}

/// What was recorded for a snapshot.
///
/// # Errors
/// XX000 when it doesn't read back.
pub fn change(backup_id: Uuid) -> Result<Option<DataChange>> {
    as_extension_owner(|| {
        query::first(
            "SELECT c.before_image, c.after_image, c.tables
             FROM module_versioning.data_changes c WHERE c.backup_id = $1",
            &[backup_id.into()],
            |row| {
                let JsonB(tables) = row.get(3)?;
                Ok(DataChange {
                    backup_id,
                    before_image: row.optional(1)?,
                    after_image: row.optional(2)?,
                    tables: serde_json::from_value(tables).map_err(|problem| {
                        Error::internal(format!("a recorded change does not read back: {problem}"))
                    })?,
                })
            },
        )
    })
}

/// A new id.
///
/// # Errors
/// None of its own.
pub fn new_id() -> Result<Uuid> {
    query::one("SELECT pg_catalog.gen_random_uuid()", &[], |row| row.get(1))
}

/// Deletes images; their chunks are freed with the next snapshot that goes.
///
/// # Errors
/// None of its own.
pub fn delete_images(ids: &[Uuid]) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "DELETE FROM module_versioning_data.snapshots s WHERE s.id = ANY ($1)",
            &[ids.to_vec().into()],
        )
        .map(drop)
    })
}

/// Whether a stored root hash is that one.
pub fn is_root(stored: &[u8], root: &Hash) -> bool {
    stored == root.0
}
