//! Rows of a snapshot judged by their bytes, without decoding them: whose they are and which key they
//! have. Only where equal values have equal bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use pgrx::pg_sys;
use versioning_core::snapshot::manifest::{Encoding, Table};
use versioning_core::snapshot::row::RowReader;

use crate::snapshot::source::LiveTable;

/// Where in a row the interesting fields are.
#[derive(Debug)]
pub struct RawRows {
    fields: usize,
    /// The places of the primary key's columns; `None` where rows aren't matched by key.
    key: Option<Vec<usize>>,
    /// The place of the site column and the bytes of the site.
    site: Option<(usize, Vec<u8>)>,
}

/// Types of which two values are equal exactly when their bytes are.
const EQUAL_BYTES: [pg_sys::Oid; 13] = [
    pg_sys::BOOLOID,
    pg_sys::BYTEAOID,
    pg_sys::DATEOID,
    pg_sys::INT2OID,
    pg_sys::INT4OID,
    pg_sys::INT8OID,
    pg_sys::OIDOID,
    pg_sys::TEXTOID,
    pg_sys::TIMEOID,
    pg_sys::TIMESTAMPOID,
    pg_sys::TIMESTAMPTZOID,
    pg_sys::UUIDOID,
    pg_sys::VARCHAROID,
];

impl RawRows {
    /// For a table whose rows in the snapshot are, byte for byte, what COPY takes for the live table.
    /// `None` for any other.
    pub fn of(table: &Table, live: &LiveTable, has_key: bool, site_id: &str) -> Option<Self> {
        let is_plain = table.columns.iter().all(|column| {
            let live = live.column(&column.name);
            column.encoding == Encoding::Binary
                && live.is_some_and(|live| {
                    !live.generated
                        && live.column.encoding == Encoding::Binary
                        && live.column.type_name == column.type_name
                })
        });
        if !is_plain || table.columns.is_empty() {
            return None;
        }
        let place = |name: &str| {
            let kind = live.column(name)?.kind.oid;
            let place = table
                .columns
                .iter()
                .position(|column| column.name == name)?;
            EQUAL_BYTES.contains(&kind).then_some((place, kind))
        };
        let key = if has_key {
            let places = live.key.iter().map(|key| Some(place(&key.name)?.0));
            Some(places.collect::<Option<Vec<_>>>()?)
        } else {
            None
        };
        let site = match &live.source.site_column {
            None => None,
            Some(name) => {
                let (place, kind) = place(name)?;
                Some((place, site_bytes(kind, site_id)?))
            }
        };
        Some(Self {
            fields: table.columns.len(),
            key,
            site,
        })
    }

    /// A hash of the row's primary key; `None` where rows aren't matched by key.
    pub fn key(&self, fields: &[Option<&[u8]>]) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        for place in self.key.as_ref()? {
            fields.get(*place).hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// The same for a row that isn't taken apart yet.
    fn key_of_row(&self, row: &[u8]) -> Option<u64> {
        self.key.as_ref()?;
        let mut fields = Vec::with_capacity(self.fields);
        RowReader::new(row, self.fields)
            .next_into(&mut fields)?
            .ok()?;
        self.key(&fields)
    }

    /// Whether the row is of the site that the snapshot was taken of.
    pub fn is_of_site(&self, fields: &[Option<&[u8]>]) -> bool {
        match &self.site {
            None => true,
            Some((place, site)) => fields.get(*place).copied().flatten() == Some(site.as_slice()),
        }
    }
}

impl RawRows {
    /// Whether the bytes are rows, all of that site.
    pub fn are_of_site(&self, bytes: &[u8]) -> bool {
        let mut reader = RowReader::new(bytes, self.fields);
        let mut fields = Vec::with_capacity(self.fields);
        while let Some(row) = reader.next_into(&mut fields) {
            if row.is_err() || !self.is_of_site(&fields) {
                return false;
            }
        }
        true
    }

    /// The primary keys' hashes of rows; none where rows aren't matched by key.
    pub fn keys<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Vec<u64> {
        rows.filter_map(|row| self.key_of_row(row)).collect()
    }
}

/// The site's id as its column's type sends it.
fn site_bytes(kind: pg_sys::Oid, site_id: &str) -> Option<Vec<u8>> {
    match kind {
        pg_sys::TEXTOID | pg_sys::VARCHAROID => Some(site_id.as_bytes().to_vec()),
        pg_sys::UUIDOID => {
            let digits: Vec<u8> = site_id
                .bytes()
                .filter_map(|byte| char::from(byte).to_digit(16).map(|digit| digit as u8))
                .collect();
            let bytes: Vec<u8> = digits
                .chunks_exact(2)
                .filter_map(|pair| Some(pair.first()? << 4 | pair.last()?))
                .collect();
            (bytes.len() == 16).then_some(bytes)
        }
        _ => None,
    }
}
