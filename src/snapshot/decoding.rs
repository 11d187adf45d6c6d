//! Rows of a snapshot as values of types that are there now.

use pgrx::pg_sys;
use versioning_core::snapshot::manifest::{Column, Encoding, Table};

use crate::error::{Error, Result};
use crate::pg::field::{FieldDecoder, TypeReference};
use crate::pg::memory::Scratch;
use crate::pg::query;
use crate::pg::row_set::RowSet;
use crate::snapshot::source::LiveTable;

/// The type a column is wanted in.
#[derive(Debug, Clone)]
pub struct Target {
    /// The type.
    pub kind: TypeReference,
    /// The same as SQL text.
    pub type_name: String,
}

/// For each column of a snapshot's table what it is wanted as, if it is one of `columns`: as the live table
/// has it.
pub fn targets(table: &Table, live: &LiveTable, columns: &[&Column]) -> Vec<Option<Target>> {
    let target = |column: &Column| {
        let is_wanted = columns.iter().any(|other| other.name == column.name);
        let live = live.column(&column.name).filter(|_| is_wanted)?;
        Some(Target {
            kind: live.kind,
            type_name: live.column.type_name.clone(),
        })
    };
    table.columns.iter().map(target).collect()
}

/// Decodes rows into row sets.
pub struct RowDecoder {
    fields: Vec<Option<FieldDecoder>>,
    scratch: Scratch,
}

impl RowDecoder {
    /// For rows with these columns; those without a target are skipped.
    ///
    /// # Errors
    /// 55000 when the type that values were written in isn't there any more.
    pub fn new(columns: &[Column], targets: &[Option<Target>]) -> Result<Self> {
        let fields = columns
            .iter()
            .zip(targets)
            .map(|(column, target)| {
                target
                    .as_ref()
                    .map(|target| decoder(column, target))
                    .transpose()
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            fields,
            scratch: Scratch::new(),
        })
    }

    /// Decodes a row and adds it to the set, which has a column for each target.
    ///
    /// # Errors
    /// XX001 when a value is none of its type. Errors of the type itself are raised.
    pub fn put(&mut self, fields: &[Option<&[u8]>], set: &mut RowSet) -> Result<()> {
        let Self {
            fields: decoders,
            scratch,
        } = self;
        scratch.with(|| {
            let values = fields
                .iter()
                .zip(decoders)
                .filter_map(|(bytes, decoder)| Some(decoder.as_mut()?.decode(*bytes)))
                .collect::<Result<Vec<_>>>()?;
            set.put(&values)
        })
    }

    /// Decodes a row and forgets it.
    ///
    /// # Errors
    /// As [`RowDecoder::put`].
    pub fn check(&mut self, fields: &[Option<&[u8]>]) -> Result<()> {
        let Self {
            fields: decoders,
            scratch,
        } = self;
        scratch.with(|| {
            fields
                .iter()
                .zip(decoders)
                .filter_map(|(bytes, decoder)| Some((bytes, decoder.as_mut()?)))
                .try_for_each(|(bytes, decoder)| decoder.decode(*bytes).map(|_| ()))
        })
    }
}

/// What reads the values of a column as the target.
///
/// # Errors
/// As [`RowDecoder::new`].
pub(super) fn decoder(column: &Column, target: &Target) -> Result<FieldDecoder> {
    let written = match column.encoding {
        Encoding::Text => None,
        Encoding::Binary if column.type_name == target.type_name => Some(target.kind.oid),
        Encoding::Binary => Some(type_named(&column.type_name)?.ok_or_else(|| {
            Error::wrong_state(format!("type {} is not there any more", column.type_name))
                .detail(format!(
                    "The snapshot holds column \"{}\" in that type.",
                    column.name
                ))
                .hint("Create the type again, then try again.")
        })?),
    };
    Ok(FieldDecoder::new(written, target.kind))
}

/// The type that a manifest names, if it is there.
///
/// # Errors
/// None of its own.
pub fn type_named(name: &str) -> Result<Option<pg_sys::Oid>> {
    query::one(
        "SELECT pg_catalog.to_regtype($1)::pg_catalog.oid",
        &[name.into()],
        |row| row.optional(1),
    )
}
