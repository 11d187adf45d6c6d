//! Folders that were exported, taken back into the store: exactly what was written, or nothing.

use std::io::{self, Read};

use pgrx::Uuid;
use versioning_core::snapshot::copy_file;
use versioning_core::snapshot::export::{File, METADATA, METADATA_MAX, Metadata};
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{Manifest, Table};

use crate::error::{Error, Result};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::chunk_writer::Writer;
use crate::snapshot::folder::{FileReader, Folder};
use crate::snapshot::{store, verify};

/// Imports a folder and returns the new snapshot's id.
///
/// # Errors
/// XX001 when the folder isn't exactly what was exported; 42704 when its site or module isn't registered
/// here; 23505 when it was imported already; 22023 and 58030 as [`Folder`].
pub fn import(directory: &str) -> Result<Uuid> {
    let folder = Folder::open(directory)?;
    let (metadata, manifest) = read_metadata(directory, &folder)?;
    refuse_strange_files(directory, &folder, &metadata)?;
    let (site_id, module_id) = owner(&metadata, &manifest)?;
    if let Some(backup_id) = store::imported(site_id, module_id, &metadata.root_hash)? {
        return Err(Error::already_exists(format!(
            "the export in \"{directory}\" was imported already"
        ))
        .detail(format!("It is snapshot {backup_id}."))
        .hint("Use that snapshot, or delete it first."));
    }
    in_subtransaction(|| {
        store::create_if_missing()?;
        let mut writer = Writer::new()?;
        for (file, table) in metadata.files.iter().zip(&manifest.tables) {
            read_table(
                &Source {
                    directory,
                    file,
                    table,
                },
                &folder,
                &mut writer,
            )?;
        }
        let backup_id = record(directory, &metadata, &manifest, writer.added)?;
        // Rows and all: the very check that a restore makes.
        verify::intact(backup_id, None)?;
        Ok(backup_id)
    })
}

fn damaged(directory: &str, what: &str) -> Error {
    Error::damaged_snapshot(format!("the export in \"{directory}\" is damaged"))
        .detail(format!("Found: {what}."))
        .hint("Nothing was imported. Copy the folder again, or use another export.")
}

fn read_metadata(directory: &str, folder: &Folder) -> Result<(Metadata, Manifest)> {
    if !folder.names()?.iter().any(|name| name == METADATA) {
        return Err(damaged(directory, &format!("there is no {METADATA}")));
    }
    let Some((length, file)) = folder.file(METADATA)? else {
        return Err(damaged(directory, &format!("{METADATA} is no plain file")));
    };
    if length > METADATA_MAX {
        return Err(damaged(directory, &format!("{METADATA} is too long")));
    }
    let mut bytes = Vec::new();
    let mut file = file.take(length);
    if let Err(error) = file.read_to_end(&mut bytes) {
        return Err(file.into_inner().failed(&error));
    }
    Metadata::from_bytes(&bytes).map_err(|error| damaged(directory, &error.to_string()))
}

fn refuse_strange_files(directory: &str, folder: &Folder, metadata: &Metadata) -> Result<()> {
    let mut expected: Vec<&str> = metadata
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    expected.push(METADATA);
    let found = folder.names()?;
    if let Some(name) = expected
        .iter()
        .find(|name| !found.iter().any(|other| other == *name))
    {
        return Err(damaged(directory, &format!("file \"{name}\" is missing")));
    }
    match found.iter().find(|name| !expected.contains(&name.as_str())) {
        Some(name) => Err(damaged(
            directory,
            &format!("file \"{name}\" is none of the export's"),
        )),
        None => Ok(()),
    }
}

/// Whose snapshot it is, if they are here.
fn owner(metadata: &Metadata, manifest: &Manifest) -> Result<(Uuid, Uuid)> {
    let uuid = |text: &str| {
        let bytes: Vec<u8> = text
            .bytes()
            .filter_map(|byte| char::from(byte).to_digit(16))
            .map(|digit| digit as u8)
            .collect::<Vec<u8>>()
            .chunks_exact(2)
            .filter_map(|pair| Some(pair.first()? << 4 | pair.last()?))
            .collect();
        <[u8; 16]>::try_from(bytes).ok().map(Uuid::from_bytes)
    };
    let missing = |what: &str, slug: &str, id: &str| {
        Error::not_found(format!("{what} \"{slug}\" of the export is not registered here"))
            .detail(format!("The export belongs to the {what} with id {id}."))
            .hint("An export can only be imported for the site and module that it was taken of, under their ids.")
    };
    let (site, module) = (uuid(&manifest.site_id), uuid(&manifest.module_id));
    let (Some(site_id), Some(module_id)) = (site, module) else {
        return Err(missing("site", &metadata.site, &manifest.site_id));
    };
    match store::slugs(site_id, module_id)? {
        (None, _) => Err(missing("site", &metadata.site, &manifest.site_id)),
        (_, None) => Err(missing("module", &metadata.module, &manifest.module_id)),
        _ => Ok((site_id, module_id)),
    }
}

/// A table's file.
struct Source<'a> {
    directory: &'a str,
    file: &'a File,
    table: &'a Table,
}

impl Source<'_> {
    fn damaged(&self, what: &str) -> Error {
        damaged(
            self.directory,
            &format!("file \"{}\" {what}", self.file.name),
        )
    }
}

fn read_table(source: &Source<'_>, folder: &Folder, writer: &mut Writer) -> Result<()> {
    let Some((length, mut file)) = folder.file(&source.file.name)? else {
        return Err(source.damaged("is no plain file"));
    };
    if length != source.file.bytes {
        return Err(source.damaged("has another length than was written"));
    }
    if source.file.name.ends_with(".zst") {
        let mut decoder =
            zstd::stream::read::Decoder::with_buffer(io::BufReader::new(&mut file))
                .map_err(|error| Error::internal(format!("zstd can't be set up: {error}")))?;
        // As much as a manifest's piece may need, so that a file can't ask for more memory.
        decoder
            .window_log_max(WINDOW_LOG_MAX)
            .map_err(|error| Error::internal(format!("zstd can't be set up: {error}")))?;
        read_rows(source, &mut decoder, writer)?;
        drop(decoder);
    } else {
        read_rows(source, &mut file, writer)?;
    }
    finish(source, file)
}

/// 64 MiB.
const WINDOW_LOG_MAX: u32 = 26;

fn read_rows(source: &Source<'_>, file: &mut dyn Read, writer: &mut Writer) -> Result<()> {
    let mut bytes = Vec::new();
    if take(source, file, copy_file::HEADER.len(), &mut bytes)? != copy_file::HEADER {
        return Err(source.damaged("doesn't begin as COPY's files do"));
    }
    for piece in &source.table.chunks {
        pgrx::check_for_interrupts!();
        // The manifest was checked to ask for no more than a piece may have.
        let size = usize::try_from(piece.bytes).unwrap_or(0);
        let rows = usize::try_from(piece.rows).unwrap_or(0);
        writer.put_piece(take(source, file, size, &mut bytes)?.to_vec(), rows)?;
    }
    // What shouldn't have been stored goes with the subtransaction.
    if writer.finish()? != source.table.chunks {
        return Err(source.damaged("has other bytes than were written"));
    }
    if take(source, file, copy_file::TRAILER.len(), &mut bytes)? != copy_file::TRAILER {
        return Err(source.damaged("doesn't end as COPY's files do"));
    }
    let mut rest = [0];
    match file.read(&mut rest) {
        Ok(0) => Ok(()),
        _ => Err(source.damaged("goes on behind its end")),
    }
}

/// Reads so many bytes, all of them or an error.
fn take<'a>(
    source: &Source<'_>,
    file: &mut dyn Read,
    count: usize,
    bytes: &'a mut Vec<u8>,
) -> Result<&'a [u8]> {
    bytes.clear();
    match file.take(count as u64).read_to_end(bytes) {
        Ok(read) if read == count => Ok(bytes),
        Ok(_) => Err(source.damaged("ends too early")),
        Err(error) => Err(source.damaged(&format!("can't be read: {error}"))),
    }
}

/// What reading row by row may have left out: the file as it lies there.
fn finish(source: &Source<'_>, mut file: FileReader) -> Result<()> {
    let mut rest = Vec::new();
    match file.by_ref().take(1).read_to_end(&mut rest) {
        Ok(0) => {}
        Ok(_) => return Err(source.damaged("goes on behind its end")),
        Err(error) => return Err(file.failed(&error)),
    }
    if file.hash().to_string() == source.file.hash {
        Ok(())
    } else {
        Err(source.damaged("is not what was written"))
    }
}

fn record(directory: &str, metadata: &Metadata, manifest: &Manifest, stored: u64) -> Result<Uuid> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let (site_id, module_id) = owner(metadata, manifest)?;
    let counts: serde_json::Map<String, serde_json::Value> = manifest
        .tables
        .iter()
        .map(|table| (table.name.clone(), table.rows.into()))
        .collect();
    let backup_id = store::insert_backup(store::NewBackup {
        site_id,
        module_id,
        version: manifest.version.clone(),
        kind: "manual",
        size_bytes: number(manifest.tables.iter().map(|table| table.bytes).sum()),
        stored_bytes: number(stored),
        row_count: number(manifest.tables.iter().map(|table| table.rows).sum()),
        table_counts: serde_json::Value::from(counts).to_string(),
        root_hash: metadata.root_hash.clone(),
        expires_in: None,
        created_by: None,
        backup_url: Some(format!("file://{directory}")),
    })?;
    let pieces = manifest.tables.iter().flat_map(|table| &table.chunks);
    let hashes = pieces.map(|piece| piece.hash.clone()).collect();
    let root = Hash::from_hex(&metadata.root_hash)
        .ok_or_else(|| Error::internal("a root hash that was checked is none"))?;
    store::insert_manifest(backup_id, &metadata.manifest, &root, hashes)?;
    Ok(backup_id)
}
