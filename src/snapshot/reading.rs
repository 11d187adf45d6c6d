//! Reads a live table, chunk by chunk, in the order in which its rows lie.

use pgrx::spi::quote_identifier;
use versioning_core::snapshot::chunker::{Chunk, Chunker};
use versioning_core::snapshot::manifest::{Column, Encoding};

use crate::error::Result;
use crate::pg::row_stream::{self, Place};
use crate::pg::scope::with_settings;
use crate::pg::setting;
use crate::snapshot::source::LiveTable;

/// Rows in heap order, so that an unchanged table gives the same chunks again.
const HEAP_ORDER: [(&str, &str); 4] = [
    ("synchronize_seqscans", "off"),
    ("enable_indexscan", "off"),
    ("enable_indexonlyscan", "off"),
    ("max_parallel_workers_per_gather", "0"),
];

/// A server that knows it refuses to read through a view or foreign table put under the name meanwhile
/// (CVE-2024-7348).
const PLAIN_TABLES_ONLY: (&str, &str) = ("restrict_nonsystem_relation_kind", "view,foreign-table");

/// What is called with each chunk and the places of its rows.
pub type OnChunk<'a> = &'a mut dyn FnMut(Chunk, Vec<Place>) -> Result<()>;

/// Hands the places of the rows for which the condition holds to `each`, as [`read_chunks_where`] does the
/// rows.
///
/// # Errors
/// As [`read_chunks`], and what `each` returns.
pub fn read_places_where(
    live: &LiveTable,
    site_id: &str,
    condition: &str,
    each: &mut dyn FnMut(Place) -> Result<()>,
) -> Result<()> {
    reading(live, &[], site_id, condition, |source| {
        row_stream::stream(source, &mut |row| each(row.place()?))
    })
}

/// Hands the table's rows (of the site, where the table has a site column) to `on_chunk`, these columns
/// only. Reads with the active snapshot, as the table's owner.
///
/// # Errors
/// What `on_chunk` returns; 42501 raised by PostgreSQL when row-level security would hide rows.
pub fn read_chunks(
    live: &LiveTable,
    columns: &[&Column],
    site_id: &str,
    on_chunk: OnChunk<'_>,
) -> Result<()> {
    read_chunks_where(live, columns, site_id, "true", on_chunk)
}

/// The same for those rows, as `t`, for which the condition holds.
///
/// # Errors
/// As [`read_chunks`].
pub fn read_chunks_where(
    live: &LiveTable,
    columns: &[&Column],
    site_id: &str,
    condition: &str,
    on_chunk: OnChunk<'_>,
) -> Result<()> {
    reading(live, columns, site_id, condition, |source| {
        chunks(source, on_chunk)
    })
}

/// Runs `body` with the query for these columns and rows, as the table's owner.
fn reading(
    live: &LiveTable,
    columns: &[&Column],
    site_id: &str,
    condition: &str,
    body: impl FnOnce(&row_stream::Source<'_>) -> Result<()>,
) -> Result<()> {
    let list: String = columns
        .iter()
        .map(|column| format!(", t.{}", quote_identifier(&column.name)))
        .collect();
    let site = live.site_condition("t", "$1")?;
    let joint = if site.is_empty() { " WHERE" } else { " AND" };
    let query = format!(
        "SELECT t.tableoid, t.ctid{list} FROM {} AS t{site}{joint} {condition}",
        live.table_item(),
    );
    let text: Vec<bool> = columns
        .iter()
        .map(|column| column.encoding == Encoding::Text)
        .collect();
    let source = row_stream::Source {
        query: &query,
        parameter: live.source.site_column.as_ref().map(|_| site_id),
        text: &text,
    };
    let mut settings = HEAP_ORDER.to_vec();
    settings.extend(setting::is_known(PLAIN_TABLES_ONLY.0).then_some(PLAIN_TABLES_ONLY));
    with_settings(&settings, || live.as_owner(|| body(&source)))
}

fn chunks(source: &row_stream::Source<'_>, on_chunk: OnChunk<'_>) -> Result<()> {
    let mut chunker = Chunker::default();
    let mut places = Vec::new();
    row_stream::stream(source, &mut |row| {
        places.push(row.place()?);
        row.append_to(chunker.buffer())?;
        if chunker.end_row() {
            on_chunk(chunker.take(), std::mem::take(&mut places))?;
        }
        Ok(())
    })?;
    if chunker.is_empty() {
        Ok(())
    } else {
        on_chunk(chunker.take(), places)
    }
}
