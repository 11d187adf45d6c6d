//! Snapshots as files that PostgreSQL's own COPY reads: written to the server's disk, or handed to a
//! client.

use pgrx::Uuid;
use serde_json::{Value, json};
use versioning_core::snapshot::copy_file;
use versioning_core::snapshot::export::{self, File, METADATA, Metadata};
use versioning_core::snapshot::manifest::{Manifest, Piece, Table};

use crate::error::{Error, Result};

use crate::snapshot::folder::{NewFile, NewFolder};
use crate::snapshot::restore::choose;
use crate::snapshot::{chunk_writer, chunks, store, verify};

/// One table of a snapshot as the file that COPY reads, part by part.
pub struct CopyFile {
    table: Table,
    next: Part,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Header,
    Piece(usize),
    End,
}

impl CopyFile {
    /// Starts reading.
    ///
    /// # Errors
    /// 42704 when there is no such snapshot or table in it, XX001 when the manifest is damaged.
    pub fn open(backup_id: Uuid, table_name: &str) -> Result<Self> {
        let (_, manifest) = verify::readable(backup_id)?;
        let table = choose(&manifest.tables, Some(&[table_name.to_owned()]))?
            .first()
            .map(|table| (*table).clone())
            .ok_or_else(|| Error::internal("a table that was found is gone"))?;
        Ok(Self::of(table))
    }

    fn of(table: Table) -> Self {
        Self {
            table,
            next: Part::Header,
        }
    }

    /// The next bytes, if there are more.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged.
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>> {
        match self.next {
            Part::Header => {
                self.next = Part::Piece(0);
                Ok(Some(copy_file::HEADER.to_vec()))
            }
            Part::Piece(index) => match self.table.chunks.get(index) {
                Some(piece) => {
                    self.next = Part::Piece(index + 1);
                    self.fetch(piece).map(Some)
                }
                None => {
                    self.next = Part::End;
                    Ok(Some(copy_file::TRAILER.to_vec()))
                }
            },
            Part::End => Ok(None),
        }
    }

    fn fetch(&self, piece: &Piece) -> Result<Vec<u8>> {
        chunks::fetch(std::slice::from_ref(piece))?
            .map_err(|damage| verify::damaged_table(&self.table, &damage))
    }
}

/// Writes a snapshot into a folder of the server, and says what was written.
///
/// # Errors
/// 42704 when there is no such snapshot, XX001 when it is damaged, 22023 and 58030 as [`NewFolder`]. No
/// folder is left then.
pub fn export(backup_id: Uuid, directory: &str, compress: bool) -> Result<Value> {
    let (header, manifest) = verify::readable(backup_id)?;
    let (site, module) = store::slugs(header.site_id, header.module_id)?;
    let text = store::manifest(backup_id)?
        .map(|(text, _)| text)
        .ok_or_else(|| Error::internal("a manifest that was read is gone"))?;
    let mut folder = NewFolder::begin(directory)?;
    let files = write_tables(&mut folder, manifest, compress)?;
    let metadata = Metadata {
        format: export::FORMAT,
        site: site.unwrap_or_default(),
        module: module.unwrap_or_default(),
        backup_id: backup_id.to_string(),
        exported_at: store::now()?,
        root_hash: header.root_hash,
        manifest: text,
        files,
        hash: String::new(),
    };
    let unreadable = |error: export::BadMetadata| Error::internal(error.to_string());
    let metadata = metadata.seal().map_err(unreadable)?;
    let mut file = folder.file(METADATA)?;
    file.write(metadata.to_text().map_err(unreadable)?.as_bytes())?;
    let (bytes, _) = file.finish()?;
    folder.finish()?;
    Ok(summary(directory, &metadata, bytes))
}

fn write_tables(folder: &mut NewFolder, manifest: Manifest, compress: bool) -> Result<Vec<File>> {
    let names = export::file_names(&manifest, compress);
    let mut files = Vec::with_capacity(names.len());
    for (table, name) in manifest.tables.into_iter().zip(names) {
        let (table_name, rows) = (table.name.clone(), table.rows);
        let (bytes, hash) = write_table(folder.file(&name)?, table, compress)?;
        files.push(File {
            table_name,
            name,
            rows,
            bytes,
            hash: hash.to_string(),
        });
    }
    Ok(files)
}

fn write_table(
    mut file: NewFile,
    table: Table,
    compress: bool,
) -> Result<(u64, versioning_core::snapshot::hash::Hash)> {
    let mut parts = CopyFile::of(table);
    while let Some(part) = parts.next_part()? {
        pgrx::check_for_interrupts!();
        if compress {
            // Each part is a frame of its own; a file may have many.
            file.write(&chunk_writer::compress(&part)?)?;
        } else {
            file.write(&part)?;
        }
    }
    file.finish()
}

fn summary(directory: &str, metadata: &Metadata, metadata_bytes: u64) -> Value {
    let files: Vec<Value> = metadata
        .files
        .iter()
        .map(|file| {
            json!({
                "table_name": file.table_name, "file": file.name, "rows": file.rows,
                "bytes": file.bytes, "sha256": file.hash,
            })
        })
        .collect();
    json!({
        "directory": directory,
        "backup_id": metadata.backup_id,
        "root_hash": metadata.root_hash,
        "files": files,
        "bytes": metadata_bytes + metadata.files.iter().map(|file| file.bytes).sum::<u64>(),
    })
}
