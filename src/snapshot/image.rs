//! Images: rows kept for the extension's own use, in the form of a snapshot but on no list. They tell what
//! scripts did to rows, and go with the snapshot that they belong to.

use std::collections::BTreeMap;

use pgrx::Uuid;
use versioning_core::snapshot::manifest::{self, Manifest, Table};

use crate::error::{Error, Result};
use crate::pg::view::{HeldView, Moment};
use crate::snapshot::source::TableSource;
use crate::snapshot::{store, take, verify};

/// Takes an image of the rows of these tables; none of no table.
///
/// # Errors
/// As [`take::take`].
pub fn take(site_id: Uuid, module_id: Uuid, tables: &[TableSource]) -> Result<Option<Uuid>> {
    if tables.is_empty() {
        return Ok(None);
    }
    let (read, _) = take::read(site_id, tables)?;
    keep(site_id, module_id, read)
}

/// The same with a view that is held.
///
/// # Errors
/// As [`take::take`].
pub fn take_in(
    view: &HeldView,
    site_id: Uuid,
    module_id: Uuid,
    tables: &[TableSource],
) -> Result<Option<Uuid>> {
    if tables.is_empty() {
        return Ok(None);
    }
    let read = take::read_in(view, None, &site_id.to_string(), tables, &|_, _| true)?;
    keep(site_id, module_id, read)
}

/// Makes an image of tables whose chunks are stored; none of no table.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn keep(site_id: Uuid, module_id: Uuid, tables: Vec<Table>) -> Result<Option<Uuid>> {
    if tables.is_empty() {
        return Ok(None);
    }
    let id = store::new_id()?;
    let manifest = Manifest {
        tables,
        ..empty(site_id, module_id)
    };
    take::store_manifest(id, manifest)?;
    Ok(Some(id))
}

/// The manifest of an image of no table.
pub fn empty(site_id: Uuid, module_id: Uuid) -> Manifest {
    Manifest {
        format: manifest::FORMAT,
        site_id: site_id.to_string(),
        module_id: module_id.to_string(),
        version: None,
        fingerprint: String::new(),
        tables: Vec::new(),
        sequences: Vec::new(),
    }
}

/// A table as it is called now, and as it was when it was read before.
pub struct Earlier<'a> {
    /// Now.
    pub source: TableSource,
    /// Before.
    pub table: &'a Table,
    /// Columns: now, before.
    pub columns: BTreeMap<String, String>,
}

/// Reads a table again without what this transaction has done since that moment, called as it was then.
/// Nothing when it is as it was read then: nobody else has written to it meanwhile.
///
/// # Errors
/// As [`take::take`].
pub fn read_earlier(
    view: &HeldView,
    moment: &Moment,
    site_id: &str,
    earlier: &Earlier<'_>,
) -> Result<Option<Table>> {
    let is_wanted = |_: &TableSource, name: &str| earlier.columns.contains_key(name);
    let sources = std::slice::from_ref(&earlier.source);
    let mut read = take::read_in(view, Some(moment), site_id, sources, &is_wanted)?;
    let Some(mut table) = read.pop() else {
        return Ok(None);
    };
    let was = earlier.table;
    for column in &mut table.columns {
        if let Some(name) = earlier.columns.get(&column.name) {
            column.name.clone_from(name);
        }
    }
    table.name.clone_from(&was.name);
    table.schema.clone_from(&was.schema);
    table.relation.clone_from(&was.relation);
    table.site_column.clone_from(&was.site_column);
    table.primary_key.clone_from(&was.primary_key);
    table.sequences.clone_from(&was.sequences);
    table.hash = table.content_hash().to_string();
    Ok((table.hash != was.hash).then_some(table))
}

fn damaged(id: Uuid, detail: &str) -> Error {
    Error::damaged_snapshot(format!("image {id} of a change is damaged"))
        .detail(detail)
        .hint("Nothing was changed. Strategy down needs no image, restore needs the snapshot only.")
}

/// The manifest of an image, itself verified; its chunks are not.
///
/// # Errors
/// XX001 when it is damaged.
pub fn readable(id: Uuid) -> Result<Manifest> {
    let (text, stored_root) =
        store::manifest(id)?.ok_or_else(|| damaged(id, "Its manifest is missing."))?;
    if !store::is_root(&stored_root, &manifest::root_hash(&text)) {
        return Err(damaged(id, "Its hash is not its root hash."));
    }
    Manifest::from_text(&text).map_err(|error| damaged(id, &error.to_string()))
}

/// The manifest of an image, all of whose bytes have just been verified.
///
/// # Errors
/// XX001 when anything in it is damaged.
pub fn intact(id: Uuid) -> Result<Manifest> {
    let manifest = readable(id)?;
    let damages = verify::damages(manifest.tables.iter())?;
    if damages.is_empty() {
        Ok(manifest)
    } else {
        Err(damaged(id, &damages.join(" ")))
    }
}

/// Deletes images.
///
/// # Errors
/// None of its own.
pub fn forget(ids: &[Uuid]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    store::delete_images(ids)?;
    store::free_chunks().map(drop)
}

/// The table of a manifest that lies there.
pub fn table<'a>(manifest: &'a Manifest, schema: &str, relation: &str) -> Option<&'a Table> {
    manifest
        .tables
        .iter()
        .find(|table| table.schema == schema && table.relation == relation)
}
