//! Tells whether a snapshot is what was written, by hashing every byte of it again.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::Uuid;
use versioning_core::snapshot::manifest::{self, Manifest, Piece, Table};
use versioning_core::snapshot::row::count_rows;

use crate::error::{Error, Family, Result};
use crate::snapshot::chunks::Reader;
use crate::snapshot::restore::choose;
use crate::snapshot::store::{self, Header};

/// What verifying found of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVerdict {
    /// The table.
    pub table_name: String,
    /// Whether every byte is as it was written.
    pub ok: bool,
    /// How many rows it should have.
    pub expected_rows: i64,
    /// How many could be read from intact chunks.
    pub actual_rows: i64,
    /// What is wrong.
    pub error: Option<String>,
}

/// Hashes every byte of a snapshot again.
///
/// # Errors
/// 42704 when there is no such snapshot. Damage is a verdict, not an error.
pub fn verify(backup_id: Uuid) -> Result<Vec<TableVerdict>> {
    let header = store::header(backup_id)?;
    match read_manifest(backup_id, &header)? {
        Ok(manifest) => {
            let verdicts = manifest
                .tables
                .iter()
                .map(verify_table)
                .collect::<Result<Vec<_>>>()?;
            let tables: Vec<&Table> = manifest.tables.iter().collect();
            if verdicts.iter().all(|verdict| verdict.ok) && !is_kept(backup_id, &tables, true)? {
                damaged_as_a_whole(backup_id, NOT_KEPT)
            } else {
                Ok(verdicts)
            }
        }
        Err(damage) => damaged_as_a_whole(backup_id, &damage),
    }
}

/// Refuses a snapshot whose bytes are not what was written, those of these tables or of all. Of the others
/// nothing is said: what was damaged there stands in nobody's way.
///
/// # Errors
/// 42704 when there is no such snapshot or it has no table of a name, XX001 when anything of it is damaged.
pub fn intact(backup_id: Uuid, names: Option<&[String]>) -> Result<()> {
    let manifest = kept(backup_id, names)?;
    let tables = choose(&manifest.tables, names)?;
    let damages = damages(tables.iter().copied())?;
    if damages.is_empty() {
        Ok(())
    } else {
        Err(damaged(backup_id, &damages.join(" ")))
    }
}

/// The manifest of a snapshot that keeps the chunks of these tables, or of all. Their bytes are still to be
/// verified.
///
/// # Errors
/// As [`intact`], but for the bytes.
pub fn kept(backup_id: Uuid, names: Option<&[String]>) -> Result<Manifest> {
    let (_, manifest) = readable(backup_id)?;
    let tables = choose(&manifest.tables, names)?;
    if is_kept(backup_id, &tables, names.is_none())? {
        return Ok(manifest);
    }
    // A chunk that is gone altogether says more than that.
    let mut damages = damages(tables.iter().copied())?;
    if damages.is_empty() {
        damages.push(format!("The manifest is damaged: {NOT_KEPT}."));
    }
    Err(damaged(backup_id, &damages.join(" ")))
}

/// Where an error says that one table is damaged, one that says it of all these tables.
pub fn with_all_damages(backup_id: Uuid, names: Option<&[String]>, error: Error) -> Error {
    match &error {
        Error::Found {
            family: Family::DamagedSnapshot,
            ..
        } => intact(backup_id, names).err().unwrap_or(error),
        _ => error,
    }
}

/// What is wrong with the bytes of tables, a sentence each.
///
/// # Errors
/// PostgreSQL's own only.
pub fn damages<'a>(tables: impl Iterator<Item = &'a Table>) -> Result<Vec<String>> {
    let mut damages = Vec::new();
    for table in tables {
        let verdict = verify_table(table)?;
        damages.extend(
            verdict
                .error
                .map(|error| format!("Table \"{}\": {error}.", table.name)),
        );
    }
    Ok(damages)
}

/// The manifest of a snapshot, itself verified; its chunks are not.
///
/// # Errors
/// 42704 when there is no such snapshot, XX001 when the manifest is damaged.
pub fn readable(backup_id: Uuid) -> Result<(Header, Manifest)> {
    let header = store::header(backup_id)?;
    match read_manifest(backup_id, &header)? {
        Ok(manifest) => Ok((header, manifest)),
        Err(damage) => Err(damaged(
            backup_id,
            &format!("The manifest is damaged: {damage}."),
        )
        .hint("Nothing was changed. No table of this snapshot can be trusted; use another snapshot.")),
    }
}

/// The error for a snapshot that isn't what was written.
pub fn damaged(backup_id: Uuid, detail: &str) -> Error {
    Error::damaged_snapshot(format!("snapshot {backup_id} is damaged"))
        .detail(detail)
        .hint("Nothing was changed. verify_snapshot() lists what is intact: intact tables can be restored by name; for the others use another snapshot.")
}

/// The error for a table whose bytes are not what was written.
pub fn damaged_table(table: &Table, damage: &str) -> Error {
    Error::damaged_snapshot(format!(
        "the snapshot of table \"{}\" is damaged",
        table.name
    ))
    .detail(format!("Found: {damage}."))
}

/// The error for a table that was intact when the snapshot was verified.
pub fn damaged_since(table: &Table, damage: &str) -> Error {
    Error::damaged_snapshot(format!(
        "the snapshot of table \"{}\" is damaged",
        table.name
    ))
    .detail(format!("It was intact a moment ago; now {damage}."))
}

fn read_manifest(
    backup_id: Uuid,
    header: &Header,
) -> Result<std::result::Result<Manifest, String>> {
    let Some((text, stored_root)) = store::manifest(backup_id)? else {
        return Ok(Err("it is missing".into()));
    };
    let root = manifest::root_hash(&text);
    if root.0.as_slice() != stored_root || root.to_string() != header.root_hash {
        return Ok(Err("its hash is not the snapshot's root hash".into()));
    }
    Ok(match Manifest::from_text(&text) {
        Ok(manifest) if !agrees(&manifest, header) || !is_listed_so(backup_id, &manifest)? => {
            Err("its numbers are not those of the list of snapshots".into())
        }
        Ok(manifest)
            if manifest.site_id == header.site_id.to_string()
                && manifest.module_id == header.module_id.to_string()
                && manifest.version == header.version =>
        {
            Ok(manifest)
        }
        Ok(_) => Err("it belongs to another site, module or version".into()),
        Err(error) => Err(error.to_string()),
    })
}

/// Whether rows and bytes are as many as the list of snapshots says.
fn agrees(manifest: &Manifest, header: &Header) -> bool {
    let sum = |part: fn(&Table) -> u64| {
        let sum = manifest
            .tables
            .iter()
            .try_fold(0_u64, |sum, table| sum.checked_add(part(table)));
        sum.and_then(|sum| i64::try_from(sum).ok())
    };
    sum(|table| table.rows) == Some(header.row_count)
        && sum(|table| table.bytes) == Some(header.size_bytes)
}

/// Whether tables and rows are those of the list of snapshots.
fn is_listed_so(backup_id: Uuid, manifest: &Manifest) -> Result<bool> {
    let listed: BTreeMap<String, i64> = store::listed_counts(backup_id)?.into_iter().collect();
    let named: BTreeMap<String, i64> = manifest
        .tables
        .iter()
        .map(|table| {
            (
                table.name.clone(),
                i64::try_from(table.rows).unwrap_or(i64::MAX),
            )
        })
        .collect();
    Ok(listed == named)
}

/// What is wrong with a chunk that is no list of as many rows as were written.
pub const OTHER_ROWS: &str = "a chunk doesn't hold the rows it should";

const NOT_KEPT: &str = "its chunks are not those that are kept for it";

/// Whether the tables' chunks are kept for the snapshot: what is not might be freed any time. Where these are
/// all its tables, it must keep no others.
fn is_kept(backup_id: Uuid, tables: &[&Table], are_all: bool) -> Result<bool> {
    let hashes: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| &table.chunks)
        .map(|piece| piece.hash.as_str())
        .collect();
    let count = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
    let hashes = hashes.into_iter().map(str::to_owned).collect();
    let (kept, of_these) = store::count_references(backup_id, hashes)?;
    Ok(of_these == count && (kept == count || !are_all))
}

fn damaged_as_a_whole(backup_id: Uuid, damage: &str) -> Result<Vec<TableVerdict>> {
    let verdict = |(table_name, expected_rows)| TableVerdict {
        table_name,
        ok: false,
        expected_rows,
        actual_rows: 0,
        error: Some(format!("the manifest is damaged: {damage}")),
    };
    let verdicts: Vec<_> = store::listed_counts(backup_id)?
        .into_iter()
        .map(verdict)
        .collect();
    // A snapshot without tables has a manifest that can be damaged too.
    Ok(if verdicts.is_empty() {
        vec![verdict((String::new(), 0))]
    } else {
        verdicts
    })
}

fn verify_table(table: &Table) -> Result<TableVerdict> {
    let (rows, damage) = look_at(table, table.chunk_groups())?;
    Ok(TableVerdict {
        table_name: table.name.clone(),
        ok: damage.is_none(),
        expected_rows: i64::try_from(table.rows).unwrap_or(i64::MAX),
        actual_rows: i64::try_from(rows).unwrap_or(i64::MAX),
        error: damage,
    })
}

/// Hashes every byte of these chunks of a table.
///
/// # Errors
/// XX001 when one is damaged.
pub fn require_intact<'a>(table: &Table, groups: impl Iterator<Item = &'a [Piece]>) -> Result<()> {
    match look_at(table, groups)? {
        (_, None) => Ok(()),
        (_, Some(damage)) => Err(damaged_table(table, &damage)),
    }
}

/// How many rows could be read from those chunks that are intact, and what is wrong with the first that isn't.
fn look_at<'a>(
    table: &Table,
    groups: impl Iterator<Item = &'a [Piece]>,
) -> Result<(u64, Option<String>)> {
    let (mut rows, mut damage) = (0, None);
    let fields = table.columns.len();
    let mut reader = Reader::new(groups, true, move |bytes| count_rows(bytes, fields))?;
    while let Some((pieces, read)) = reader.next()? {
        match read {
            Ok(read) => {
                let expected: u64 = pieces.iter().map(|piece| piece.rows).sum();
                match read.found {
                    Some(count) if count == expected => rows += count,
                    _ => damage = damage.or(Some(OTHER_ROWS.into())),
                }
            }
            Err(found) => damage = damage.or(Some(found)),
        }
    }
    Ok((rows, damage))
}
