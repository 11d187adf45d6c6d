//! What is asked of the catalog and the counters of this transaction while scripts are tried.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::pg_sys;
use versioning_core::rehearsal::shape::{Column, Table, Tables};
use versioning_core::rehearsal::{Kind, NewIndex, Relation, Relations, Written};

use crate::error::Result;
use crate::pg::query;

/// Schemas that hold people's objects: not those of the server, of this extension, or temporary ones.
pub(super) const USER_SCHEMA: &str =
    "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND n.nspname <> 'module_versioning' AND n.nspname <> 'module_versioning_data'";

/// A relation as findings name it: without schema in the module's own (`$1`).
pub(super) const SHOWN: &str = "CASE WHEN n.nspname = $1 THEN pg_catalog.quote_ident(c.relname)
    ELSE pg_catalog.format('%I.%I', n.nspname, c.relname) END";

pub(super) fn number(oid: pg_sys::Oid) -> u32 {
    oid.to_u32()
}

fn names(schemas: &BTreeSet<String>) -> Vec<String> {
    schemas.iter().cloned().collect()
}

/// Every relation in the schemas of people, but for those left out.
///
/// # Errors
/// Only broken expectations.
pub fn relations(home: &str, without: &BTreeSet<String>) -> Result<Relations> {
    let found = query::rows(
        &format!(
            "SELECT c.oid, {SHOWN}, c.relkind::text, c.relfilenode, i.indrelid
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
             WHERE {USER_SCHEMA} AND c.relpersistence <> 't' AND n.nspname::text <> ALL ($2)"
        ),
        &[home.into(), names(without).into()],
        |row| {
            let oid: pg_sys::Oid = row.get(1)?;
            Ok(Relation {
                oid: number(oid),
                shown: row.get(2)?,
                kind: Kind::from_letter(&row.get::<String>(3)?),
                file: number(row.get(4)?),
                table: row.optional::<pg_sys::Oid>(5)?.map(number),
            })
        },
    )?;
    Ok(found
        .into_iter()
        .map(|relation| (relation.oid, relation))
        .collect())
}

/// The number of a column's type, or of its elements', and for a composite one its attributes.
const TYPE_PARTS: &str = "(
    SELECT pg_catalog.concat_ws(' ', inner_type.oid,
               (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', b.attnum, pg_catalog.format_type(b.atttypid, b.atttypmod)), ', ' ORDER BY b.attnum)
                FROM pg_catalog.pg_attribute b
                WHERE inner_type.typtype = 'c' AND b.attrelid = inner_type.typrelid AND b.attnum > 0 AND NOT b.attisdropped))
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_type base ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    JOIN pg_catalog.pg_type inner_type ON inner_type.oid = CASE base.typcategory WHEN 'A' THEN base.typelem ELSE base.oid END
    WHERE t.oid = a.atttypid)";

/// The tables that hold rows of their own and stay, with the columns that hold values of their own.
///
/// # Errors
/// Only broken expectations.
pub fn tables(home: &str, without: &BTreeSet<String>) -> Result<Tables> {
    let mut found = Tables::new();
    query::rows(
        &format!(
            "SELECT c.oid, {SHOWN}, a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
                    {TYPE_PARTS}
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_catalog.pg_attribute a
                  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             WHERE {USER_SCHEMA} AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p')
               AND n.nspname::text <> ALL ($2)"
        ),
        &[home.into(), names(without).into()],
        |row| {
            let oid: pg_sys::Oid = row.get(1)?;
            let shown = row.get(2)?;
            let table = found.entry(number(oid)).or_insert_with(|| Table {
                shown,
                columns: BTreeMap::new(),
            });
            if let Some(place) = row.optional::<i16>(3)? {
                table.columns.insert(
                    place,
                    Column {
                        name: row.get(4)?,
                        type_name: row.get(5)?,
                        type_parts: row.get(6)?,
                    },
                );
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// What is known of a table or index at one moment.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Its file.
    pub file: u32,
    /// How often it was read from end to end in this transaction.
    pub scans: i64,
    /// The rows written in it in this transaction.
    pub written: Written,
    /// What the catalog says that all its rows fulfil.
    pub rules: Vec<String>,
    /// Its indexes.
    pub indexes: Vec<(u32, NewIndex)>,
}

/// What a statement's lock on a table may be about: everything that a scan of it can have checked.
const RULES: &str = "
    SELECT pg_catalog.format('constraint %I', k.conname) AS rule
      FROM pg_catalog.pg_constraint k
     WHERE k.conrelid = c.oid AND k.convalidated AND k.contype IN ('c', 'f')
    UNION ALL
    SELECT pg_catalog.format('NOT NULL of %I', a.attname)
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
    UNION ALL
    SELECT pg_catalog.format('constraint %I of domain %I', k.conname, t.typname)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
      JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.convalidated
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT pg_catalog.format('NOT NULL of domain %I', t.typname)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd' AND t.typnotnull
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT pg_catalog.format('its place in %s', i.inhparent::pg_catalog.regclass)
      FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition
    UNION ALL
    SELECT pg_catalog.format('that no row belongs to partition %s', other.inhrelid::pg_catalog.regclass)
      FROM pg_catalog.pg_partitioned_table p
      JOIN pg_catalog.pg_inherits i ON i.inhparent = p.partrelid AND i.inhrelid = c.oid
      JOIN pg_catalog.pg_inherits other ON other.inhparent = p.partrelid AND other.inhrelid <> c.oid
     WHERE p.partdefid = c.oid";

/// What is known now of those tables, materialized views and indexes.
///
/// # Errors
/// Only broken expectations.
pub fn facts(home: &str, of: Vec<u32>) -> Result<BTreeMap<u32, Facts>> {
    let of: Vec<pg_sys::Oid> = of.into_iter().map(pg_sys::Oid::from).collect();
    let found = query::rows(
        &format!(
            "SELECT c.oid, c.relfilenode, pg_catalog.pg_stat_get_xact_numscans(c.oid),
                    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),
                    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid),
                    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid),
                    CASE WHEN c.relkind = 'i' THEN '{{}}' ELSE ARRAY({RULES}) END
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = ANY ($2) AND c.relkind IN ('r', 'm', 'i') AND {USER_SCHEMA}
               AND c.relpersistence <> 't' AND $1::text IS NOT NULL"
        ),
        &[home.into(), of.clone().into()],
        |row| {
            let facts = Facts {
                file: number(row.get(2)?),
                scans: row.get(3)?,
                written: Written {
                    inserted: row.get(4)?,
                    updated: row.get(5)?,
                    deleted: row.get(6)?,
                },
                rules: row.get(7)?,
                indexes: Vec::new(),
            };
            Ok((number(row.get(1)?), facts))
        },
    )?;
    let mut found: BTreeMap<u32, Facts> = found.into_iter().collect();
    for (oid, index) in indexes(home, of)? {
        if let Some(facts) = found.get_mut(&index.table) {
            facts.indexes.push((oid, index));
        }
    }
    Ok(found)
}

/// The indexes of tables.
fn indexes(home: &str, of: Vec<pg_sys::Oid>) -> Result<Vec<(u32, NewIndex)>> {
    query::rows(
        &format!(
            "SELECT c.oid, {SHOWN}, i.indrelid, c.relfilenode
             FROM pg_catalog.pg_index i
             JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE i.indrelid = ANY ($2)"
        ),
        &[home.into(), of.into()],
        |row| {
            let index = NewIndex {
                shown: row.get(2)?,
                table: number(row.get(3)?),
                file: number(row.get(4)?),
            };
            Ok((number(row.get(1)?), index))
        },
    )
}

/// The owner of a table, and the query that counts its rows up to a number.
///
/// # Errors
/// Only broken expectations.
pub fn owner_and_name(table: u32) -> Result<Option<(pg_sys::Oid, String)>> {
    query::first(
        "SELECT c.relowner, pg_catalog.format('%I.%I', n.nspname, c.relname)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = $1 AND c.relkind = 'r'",
        &[pg_sys::Oid::from(table).into()],
        |row| Ok((row.get(1)?, row.get(2)?)),
    )
}

/// How many rows a table holds, counted up to `most`. The caller runs it as the table's owner.
///
/// # Errors
/// 42501 when row-level security hides rows all the same.
pub fn rows_up_to(quoted: &str, most: i64) -> Result<i64> {
    query::one(
        &format!("SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY {quoted} LIMIT $1) rows"),
        &[most.into()],
        |row| row.get(1),
    )
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnindexedKey {
    /// The table that has it.
    pub shown: String,
    /// Its name.
    pub name: String,
    /// The table it refers to.
    pub parent: String,
}

/// The foreign keys whose columns no index begins with, by number.
///
/// # Errors
/// Only broken expectations.
pub fn unindexed_keys(home: &str) -> Result<BTreeMap<u32, UnindexedKey>> {
    let found = query::rows(
        &format!(
            "SELECT k.oid, {SHOWN}, pg_catalog.quote_ident(k.conname), k.confrelid::pg_catalog.regclass::text
             FROM pg_catalog.pg_constraint k
             JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE k.contype = 'f' AND k.conparentid = 0 AND {USER_SCHEMA} AND c.relpersistence <> 't'
               AND NOT EXISTS (
                   SELECT FROM pg_catalog.pg_index i
                   WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                     -- An int2vector counts from 0.
                     AND (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
                     AND k.conkey @> (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1])"
        ),
        &[home.into()],
        |row| {
            let oid: pg_sys::Oid = row.get(1)?;
            let key = UnindexedKey {
                shown: row.get(2)?,
                name: row.get(3)?,
                parent: row.get(4)?,
            };
            Ok((number(oid), key))
        },
    )?;
    Ok(found.into_iter().collect())
}
