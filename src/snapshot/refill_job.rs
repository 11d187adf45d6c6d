//! What is given back to one table: which rows and columns, and how it is told.

use std::collections::HashSet;

use versioning_core::lineage::{Between, Undo};
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::Result;
use crate::pg::row_set::{RowSet, Session, with_row_sets};
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::reference::{Reference, references};
use crate::snapshot::refill_side::{Compared, Side, content, live_contents};
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

/// What is known of a table between the scripts and their undoing.
pub enum Told<'a> {
    /// It wasn't there: nobody can have written anything.
    New,
    /// Its rows as the scripts left them, and as they were before the undoing.
    Known {
        /// Where it was.
        between: &'a Between,
        /// As the scripts left it.
        after: &'a Table,
        /// Before the undoing.
        now: &'a Table,
    },
    /// It was there, and what was in it isn't known.
    Unknown,
}

/// A column to be set.
pub struct Setting<'a> {
    /// The column.
    pub column: &'a Column,
    /// Whether the undoing has made it.
    pub is_new: bool,
    /// Which hash of the sides is the column's.
    pub hash: Option<usize>,
}

/// The rows that statements speak of.
pub struct Loaded {
    /// `snapshot_rows`.
    pub rows: RowSet,
    /// `after_rows` and `now_rows`, where they are known.
    pub sides: Option<(RowSet, RowSet)>,
    /// Where there is no key: `live_contents`, what the table has now.
    pub contents: Option<RowSet>,
}

/// One table's refilling.
pub struct Job<'a> {
    /// The table in the snapshot.
    pub table: &'a Table,
    /// The live one, locked.
    pub live: LiveTable,
    /// What its rows refer to.
    pub references: Vec<Reference>,
    /// The columns to set.
    pub set: Vec<Setting<'a>>,
    /// Whether rows are inserted.
    pub rows: bool,
    /// Columns that have gone, and which hash is theirs.
    pub homeless: Vec<(String, usize)>,
    /// How the rows in between are read, where they are known.
    pub compared: Option<Compared<'a>>,
    /// Whether rows are matched by primary key.
    pub is_keyed: bool,
    /// Where they aren't: the columns that rows are known by.
    content: Vec<String>,
    /// What the column of `snapshot_rows` is called that numbers the rows.
    pub number: String,
    /// Whether an old value counts more than what the undoing has put into a column that it made, also in
    /// rows that people have changed since.
    pub old_wins: bool,
    /// What can't be given back is said here.
    pub warnings: Vec<String>,
}

impl<'a> Job<'a> {
    /// Locks the table. The inner error is why nothing can be given back, if that needs saying.
    ///
    /// # Errors
    /// 0A000 when it is no table any more; 55P03 when the lock isn't to be had in time.
    pub fn new(
        table: &'a Table,
        undo: &Undo,
        told: Told<'a>,
        old_wins: bool,
    ) -> Result<std::result::Result<Self, Vec<String>>> {
        let Some(live) = source(table).lock(Lock::Write)? else {
            return Ok(Err(Vec::new()));
        };
        let mut job = Self {
            references: references(live.oid)?,
            set: Vec::new(),
            rows: undo.rows,
            homeless: Vec::new(),
            compared: None,
            is_keyed: has_key(table, &live),
            number: free_name(table),
            content: Vec::new(),
            old_wins,
            warnings: Vec::new(),
            table,
            live,
        };
        job.choose(undo, told);
        if job.set.is_empty() && !job.rows && job.homeless.is_empty() {
            return Ok(Err(job.warnings));
        }
        Ok(Ok(job))
    }

    /// Chooses by what is told what can be given back.
    fn choose(&mut self, undo: &Undo, told: Told<'a>) {
        let wanted = self.settable(undo);
        if !self.is_keyed {
            let is_live =
                |column: &&Column| self.live.stored_columns().any(|c| c.name == column.name);
            let columns = self.table.columns.iter().filter(is_live);
            self.content = columns.map(|column| column.name.clone()).collect();
        }
        match told {
            // All rows that come are whole, and those the scripts made are theirs.
            Told::New => {}
            Told::Known {
                between,
                after,
                now,
            } => {
                let mut compared = Compared::new(self.table, between, after, now);
                if self.is_keyed && compared.has(self.live.key.iter().map(|key| &*key.name)) {
                    self.set = wanted;
                    for setting in &mut self.set {
                        setting.hash = compared.place(&setting.column.name);
                    }
                    self.set
                        .retain(|setting| setting.is_new || setting.hash.is_some());
                    let homeless = undo.homeless.iter();
                    self.homeless = homeless
                        .filter_map(|name| Some((name.clone(), compared.place_of_added(name)?)))
                        .collect();
                    self.compared = Some(compared);
                } else if self.is_keyed {
                    self.without_knowledge(wanted, !between.is_same);
                } else {
                    self.refuse_columns(&wanted);
                    self.content = compared.restrict(&self.live);
                    self.compared = Some(compared);
                }
            }
            Told::Unknown => self.without_knowledge(wanted, true),
        }
    }

    /// Without knowing what people wrote, only columns in which nothing is are filled.
    fn without_knowledge(&mut self, wanted: Vec<Setting<'a>>, is_touched: bool) {
        self.rows = false;
        if is_touched {
            self.warnings.push(format!(
                "what people wrote to table {} can't be told from what the scripts did: only columns made anew are filled; the snapshot has the rest",
                self.table.name
            ));
        }
        if self.is_keyed {
            self.set = wanted;
            self.set.retain(|setting| setting.is_new);
        } else {
            self.refuse_columns(&wanted);
        }
    }

    fn refuse_columns(&mut self, wanted: &[Setting<'a>]) {
        let new: Vec<&Column> = wanted
            .iter()
            .filter(|setting| setting.is_new)
            .map(|setting| setting.column)
            .collect();
        if !new.is_empty() {
            self.warnings.push(format!(
                "table {} has no primary key: columns {} keep the values that the scripts gave them; the old ones are in the snapshot",
                self.table.name,
                listed(&new)
            ));
        }
    }

    /// The columns that may be set: not those of the key, nor those that the server alone sets.
    fn settable(&self, undo: &Undo) -> Vec<Setting<'a>> {
        let may_be_set = |column: &&Column| {
            let is_key = self.live.key.iter().any(|key| key.name == column.name);
            let is_site = self.live.source.site_column.as_ref() == Some(&column.name);
            let live = self.live.column(&column.name);
            !is_key
                && !is_site
                && live.is_some_and(|live| !live.generated && live.column.identity != "a")
        };
        self.table
            .columns
            .iter()
            .filter(may_be_set)
            .filter_map(|column| {
                let found = undo
                    .columns
                    .iter()
                    .find(|other| other.name == column.name)?;
                Some(Setting {
                    column,
                    is_new: found.is_new,
                    hash: None,
                })
            })
            .collect()
    }

    /// The columns that are decoded: those to be set and the key, or all that are there.
    pub(super) fn columns(&self) -> Vec<&'a Column> {
        let is_key = |column: &Column| self.live.key.iter().any(|key| key.name == column.name);
        let is_live = |column: &Column| self.live.stored_columns().any(|c| c.name == column.name);
        let is_set = |column: &Column| {
            let names = |setting: &Setting<'_>| setting.column.name == column.name;
            self.set.iter().any(names)
        };
        let is_wanted =
            |column: &&Column| is_live(column) && (self.rows || is_key(column) || is_set(column));
        self.table.columns.iter().filter(is_wanted).collect()
    }

    /// Reads what the statements need. Chunks that the scripts left as they were need no reading.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the table's types raise.
    pub fn load(self, site_id: &str) -> Result<Ready<'a>> {
        let (old, left) = match &self.compared {
            Some(compared) if self.is_keyed && compared.has_same_columns(self.table) => {
                (groups(self.table), groups(compared.after))
            }
            _ => (HashSet::new(), HashSet::new()),
        };
        let is_shared = |pieces: &[Piece]| {
            let group = group(pieces);
            old.contains(&group) && left.contains(&group)
        };
        let live = self.live.clone();
        let loaded = live.as_owner(|| {
            let sides = self.compared.as_ref().map(|compared| {
                let side = |side: Side| compared.read(&live, self.is_keyed, side, &is_shared);
                Ok::<_, crate::error::Error>((side(Side::After)?, side(Side::Now)?))
            });
            let contents = (!self.is_keyed).then(|| live_contents(&live, &self.content, site_id));
            Ok(Loaded {
                rows: self.read(&is_shared)?,
                sides: sides.transpose()?,
                contents: contents.transpose()?,
            })
        })?;
        Ok(Ready { job: self, loaded })
    }

    fn place(&self, name: &str) -> Option<usize> {
        let mut columns = self.table.columns.iter();
        columns.position(|column| column.name == name)
    }

    fn read(&self, is_shared: &dyn Fn(&[Piece]) -> bool) -> Result<RowSet> {
        let targets = targets(self.table, &self.live, &self.columns());
        let mut described: Vec<_> = self
            .table
            .columns
            .iter()
            .zip(&targets)
            .filter_map(|(column, target)| Some((column.name.as_str(), target.as_ref()?.kind)))
            .collect();
        described.push((&self.number, Compared::NUMBER));
        let mut rows = RowSet::new(c"snapshot_rows", &described)?;
        let mut decoder = RowDecoder::new(&self.table.columns, &targets)?;
        let damaged = |damage: &str| verify::damaged_since(self.table, damage);
        let is_needed = self.rows || !self.set.is_empty();
        let groups = self.table.chunk_groups();
        let groups = groups.filter(|group| is_needed && !is_shared(group));
        let mut chunks = Reader::new(groups, false, |_| ())?;
        let places: Vec<Option<usize>> = self.content.iter().map(|name| self.place(name)).collect();
        let mut number = 0;
        while let Some((_, read)) = chunks.next()? {
            let read = read.map_err(|damage| damaged(&damage))?;
            for row in RowReader::new(&read.bytes, self.table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row = row.map_err(|error| damaged(&error.to_string()))?;
                number += 1;
                // Where there is no key, a row is known by what is in it.
                let last = if self.is_keyed {
                    number
                } else {
                    content(&row.fields, &places)
                };
                decoder.put_numbered(&row.fields, last, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// A warning about rows that were not given back, for a reason; none when there is no such row.
    pub(super) fn lost(&self, why: &str, what: &str, keys: &[String]) -> Option<String> {
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
            "{why}: {what}{rows} of table {}: {}{more}; the snapshot has them",
            self.table.name,
            shown.join(", ")
        ))
    }

    pub(super) fn refilled(&mut self, count: u64, warnings: Vec<String>) -> TableRefilled {
        let mut all = std::mem::take(&mut self.warnings);
        all.extend(warnings);
        TableRefilled {
            table_name: self.table.name.clone(),
            rows_refilled: i64::try_from(count).unwrap_or(i64::MAX),
            warnings: all,
        }
    }
}

/// One table's refilling, all that it needs being read.
pub struct Ready<'a> {
    /// What is to be done.
    pub job: Job<'a>,
    loaded: Loaded,
}

impl Ready<'_> {
    /// Runs `body` with a connection to the rows, as the table's owner.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn ask<R>(&mut self, body: impl FnOnce(&Session) -> Result<R>) -> Result<R> {
        let Loaded {
            rows,
            sides,
            contents,
        } = &mut self.loaded;
        let mut sets = vec![rows];
        if let Some((after, now)) = sides {
            sets.extend([after, now]);
        }
        sets.extend(contents);
        let live = &self.job.live;
        live.as_owner(|| with_row_sets(&mut sets, body))
    }

    /// How many rows the snapshot's relation has.
    pub fn count(&self) -> u64 {
        self.loaded.rows.count()
    }
}

fn group(pieces: &[Piece]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.hash.as_str()).collect()
}

fn groups(table: &Table) -> HashSet<Vec<&str>> {
    table.chunk_groups().map(group).collect()
}

/// A name that no column has.
fn free_name(table: &Table) -> String {
    let mut name = "row".to_owned();
    while table.columns.iter().any(|column| column.name == name) {
        name.push('_');
    }
    name
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
