//! What is given back to one table: which rows and columns, and how it is told.

use versioning_core::snapshot::manifest::{Column, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::Result;
use crate::pg::row_set::{RowSet, with_row_sets};
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::reference::{Reference, references};
use crate::snapshot::restore::source;
use crate::snapshot::source::{LiveTable, Lock};
use crate::snapshot::verify;

/// What refilling did to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRefilled {
    /// The table.
    pub table_name: String,
    /// Rows that got values back, or came back.
    pub rows_refilled: i64,
    /// What could not be given back, and why.
    pub warnings: Vec<String>,
}

/// How many keys a warning lists.
const KEYS_SHOWN: usize = 20;

/// What of a table is to be given back.
pub enum Wish<'a> {
    /// Values of these columns.
    Columns(Vec<&'a str>),
    /// All rows that aren't there.
    Rows,
}

/// One table's refilling.
pub struct Job<'a> {
    /// The table in the snapshot.
    pub table: &'a Table,
    /// The live one, locked.
    pub live: LiveTable,
    /// What its rows refer to.
    pub references: Vec<Reference>,
    /// The columns to set; `None` when rows are to be inserted.
    pub set: Option<Vec<&'a Column>>,
}

impl<'a> Job<'a> {
    /// Locks the table. The inner error is why nothing can be given back, if that needs saying.
    ///
    /// # Errors
    /// 0A000 when it is no table any more; 55P03 when the lock isn't to be had in time.
    pub fn new(
        table: Option<&'a Table>,
        wish: Wish<'_>,
    ) -> Result<std::result::Result<Self, Option<String>>> {
        // What the snapshot doesn't know was not destroyed by the upgrade.
        let Some(table) = table else {
            return Ok(Err(None));
        };
        let Some(live) = source(table).lock(Lock::Write)? else {
            return Ok(Err(None));
        };
        let set = match wish {
            Wish::Rows => None,
            Wish::Columns(names) => {
                let known = |column: &&Column| {
                    names.contains(&column.name.as_str())
                        && live.stored_columns().any(|other| other.name == column.name)
                };
                let columns: Vec<&Column> = table.columns.iter().filter(known).collect();
                if columns.is_empty() {
                    return Ok(Err(None));
                }
                if !has_key(table, &live) {
                    return Ok(Err(Some(format!(
                        "table {} has no primary key: columns {} keep the values that the scripts gave them; the old ones are in the snapshot",
                        table.name,
                        listed(&columns)
                    ))));
                }
                Some(columns)
            }
        };
        let references = references(live.oid)?;
        Ok(Ok(Self {
            table,
            live,
            references,
            set,
        }))
    }

    /// The columns that are decoded: those to be set and the key, or all that are there.
    pub(super) fn columns(&self) -> Vec<&'a Column> {
        let is_key = |column: &Column| self.live.key.iter().any(|key| key.name == column.name);
        let is_live = |column: &Column| self.live.stored_columns().any(|c| c.name == column.name);
        let is_wanted = |column: &&Column| match &self.set {
            Some(set) => is_key(column) || set.iter().any(|other| other.name == column.name),
            None => is_live(column),
        };
        self.table.columns.iter().filter(is_wanted).collect()
    }

    fn load(&self) -> Result<RowSet> {
        let targets = targets(self.table, &self.live, &self.columns());
        let described: Vec<_> = self
            .table
            .columns
            .iter()
            .zip(&targets)
            .filter_map(|(column, target)| Some((column.name.as_str(), target.as_ref()?.kind)))
            .collect();
        let mut rows = RowSet::new(c"snapshot_rows", &described)?;
        let mut decoder = RowDecoder::new(&self.table.columns, &targets)?;
        let damaged = |damage: &str| verify::damaged_since(self.table, damage);
        let mut chunks = Reader::new(self.table.chunk_groups(), false, |_| ())?;
        while let Some((_, read)) = chunks.next()? {
            let read = read.map_err(|damage| damaged(&damage))?;
            for row in RowReader::new(&read.bytes, self.table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row = row.map_err(|error| damaged(&error.to_string()))?;
                decoder.put(&row.fields, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// Gives back what can be given back. `later`: jobs that will insert rows after this one.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the table's constraints and types raise.
    pub fn run(&self, site_id: &str, later: &[&Job<'_>]) -> Result<TableRefilled> {
        self.live.as_owner(|| {
            let mut rows = self.load()?;
            with_row_sets(&mut [&mut rows], |session| match &self.set {
                Some(set) => self.update(session, set, site_id),
                None => self.insert(session, site_id, later),
            })
        })
    }

    pub(super) fn lost(&self, what: &str, keys: &[String]) -> Option<String> {
        let shown: Vec<&str> = keys.iter().take(KEYS_SHOWN).map(String::as_str).collect();
        let more = if keys.len() > shown.len() {
            ", …"
        } else {
            ""
        };
        let rows = match keys.len() {
            0 => return None,
            1 => "1 row".to_owned(),
            count => format!("{count} rows"),
        };
        Some(format!(
            "not put back, for they refer to rows that are gone: {what}{rows} of table {}: {}{more}; the snapshot has them",
            self.table.name,
            shown.join(", ")
        ))
    }

    pub(super) fn refilled(&self, count: u64, warning: Option<String>) -> TableRefilled {
        TableRefilled {
            table_name: self.table.name.clone(),
            rows_refilled: i64::try_from(count).unwrap_or(i64::MAX),
            warnings: warning.into_iter().collect(),
        }
    }
}

pub(super) fn listed(columns: &[&Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    names.join(", ")
}

pub(super) fn has_key(table: &Table, live: &LiveTable) -> bool {
    let stored = |name: &str| table.columns.iter().any(|column| column.name == name);
    !live.key.is_empty() && live.key.iter().all(|key| stored(&key.name))
}
