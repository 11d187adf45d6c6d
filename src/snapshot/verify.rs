//! Tells whether a snapshot is what was written, by hashing every byte of it again.

use pgrx::Uuid;
use versioning_core::snapshot::manifest::{self, Manifest, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::snapshot::chunks;
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
        Ok(manifest) => manifest.tables.iter().map(verify_table).collect(),
        Err(damage) => damaged_as_a_whole(backup_id, &damage),
    }
}

/// The manifest of a snapshot all of whose bytes have just been verified.
///
/// # Errors
/// 42704 when there is no such snapshot, XX001 when anything in it is damaged.
pub fn intact(backup_id: Uuid) -> Result<(Header, Manifest)> {
    let (header, manifest) = readable(backup_id)?;
    let mut damages = Vec::new();
    for table in &manifest.tables {
        let verdict = verify_table(table)?;
        damages.extend(
            verdict
                .error
                .map(|error| format!("Table \"{}\": {error}.", table.name)),
        );
    }
    if damages.is_empty() {
        Ok((header, manifest))
    } else {
        Err(damaged(backup_id, &damages.join(" ")))
    }
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
        )),
    }
}

/// The error for a snapshot that isn't what was written.
pub fn damaged(backup_id: Uuid, detail: &str) -> Error {
    Error::damaged_snapshot(format!("snapshot {backup_id} is damaged"))
        .detail(detail)
        .hint("Nothing was changed. verify_snapshot() lists what is intact; use another snapshot.")
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
    let mut rows = 0;
    let mut damage = None;
    for pieces in table.chunk_groups() {
        match chunks::fetch(pieces)? {
            Ok(bytes) => {
                let expected: u64 = pieces.iter().map(|piece| piece.rows).sum();
                match count_rows(&bytes, table.columns.len()) {
                    Some(count) if count == expected => rows += count,
                    _ => damage = damage.or(Some("a chunk doesn't hold the rows it should".into())),
                }
            }
            Err(found) => damage = damage.or(Some(found)),
        }
    }
    Ok(TableVerdict {
        table_name: table.name.clone(),
        ok: damage.is_none(),
        expected_rows: i64::try_from(table.rows).unwrap_or(i64::MAX),
        actual_rows: i64::try_from(rows).unwrap_or(i64::MAX),
        error: damage,
    })
}

fn count_rows(bytes: &[u8], columns: usize) -> Option<u64> {
    RowReader::new(bytes, columns).try_fold(0_u64, |count, row| {
        pgrx::check_for_interrupts!();
        row.ok().map(|_| count + 1)
    })
}
