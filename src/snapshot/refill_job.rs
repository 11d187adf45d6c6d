//! What is given back to one table.

use std::collections::BTreeSet;

use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::manifest::{Column, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::Result;
use crate::pg::row_set::{Checks, RowSet, Session, with_row_sets};
use crate::snapshot::decoding::{RowDecoder, Target};
use crate::snapshot::reference::{Reference, references};
use crate::snapshot::restore::source;
use crate::snapshot::source::{LiveTable, Lock};
use crate::snapshot::{chunks, verify};

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
    fn columns(&self) -> Vec<&'a Column> {
        let is_key = |column: &Column| self.live.key.iter().any(|key| key.name == column.name);
        let is_live = |column: &Column| self.live.stored_columns().any(|c| c.name == column.name);
        let is_wanted = |column: &&Column| match &self.set {
            Some(set) => is_key(column) || set.iter().any(|other| other.name == column.name),
            None => is_live(column),
        };
        self.table.columns.iter().filter(is_wanted).collect()
    }

    fn load(&self) -> Result<RowSet> {
        let columns = self.columns();
        let target = |column: &Column| {
            let live = self.live.column(&column.name)?;
            columns
                .iter()
                .any(|other| other.name == column.name)
                .then(|| Target {
                    kind: live.kind,
                    type_name: live.column.type_name.clone(),
                })
        };
        let targets: Vec<Option<Target>> = self.table.columns.iter().map(target).collect();
        let described: Vec<_> = self
            .table
            .columns
            .iter()
            .zip(&targets)
            .filter_map(|(column, target)| Some((column.name.as_str(), target.as_ref()?.kind)))
            .collect();
        let mut rows = RowSet::new(c"snapshot_rows", &described)?;
        let mut decoder = RowDecoder::new(&self.table.columns, &targets)?;
        for pieces in self.table.chunk_groups() {
            let bytes = chunks::fetch(pieces)?
                .map_err(|damage| verify::damaged_since(self.table, &damage))?;
            for row in RowReader::new(&bytes, self.table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row =
                    row.map_err(|error| verify::damaged_since(self.table, &error.to_string()))?;
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

    fn update(&self, session: &Session, set: &[&Column], site_id: &str) -> Result<TableRefilled> {
        let live = &self.live;
        let assignments: Vec<String> = set
            .iter()
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!(
                    "{name} = CASE WHEN {} THEN s.{name} ELSE t.{name} END",
                    self.is_empty(column)
                )
            })
            .collect();
        let matched = format!("{}{}", self.same_key(), self.and_site(site_id)?);
        // What a script, or somebody since, has put there stays; rows already right aren't written.
        let changes: Vec<String> = set
            .iter()
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!(
                    "{} AND ROW(t.{name})::record *<> ROW(s.{name})::record",
                    self.is_empty(column)
                )
            })
            .collect();
        let changed = format!("({})", changes.join(" OR "));
        let alias = |column: &str| {
            if set.iter().any(|c| c.name == column) {
                "s"
            } else {
                "t"
            }
        };
        let held = self.held(alias, &[]);
        let lost = session.texts(&format!(
            "SELECT {} FROM snapshot_rows s JOIN {} t ON {matched} WHERE {changed} AND NOT ({held})",
            self.shown_key("s"),
            live.table_item()
        ))?;
        let count = session.run(
            &format!(
                "UPDATE {} AS t SET {} FROM snapshot_rows s WHERE {matched} AND {changed} AND ({held})",
                live.table_item(),
                assignments.join(", ")
            ),
            Checks::AtEnd,
        )?;
        let what = format!("columns {} of ", listed(set));
        Ok(self.refilled(count, self.lost(&what, &lost)))
    }

    fn insert(
        &self,
        session: &Session,
        site_id: &str,
        later: &[&Job<'_>],
    ) -> Result<TableRefilled> {
        let live = &self.live;
        let columns = self.columns();
        if let Some(column) = self.required_and_unknown(&columns) {
            return Ok(self.refilled(0, Some(format!(
                "the rows of table {} were not put back: column \"{column}\" must have a value and the snapshot has none",
                self.table.name
            ))));
        }
        let absent = if has_key(self.table, live) {
            format!(
                "NOT EXISTS (SELECT FROM {} t WHERE {})",
                live.table_item(),
                self.same_key()
            )
        } else {
            let site = live.site_condition("t", &quote_literal(site_id))?;
            format!("NOT EXISTS (SELECT FROM {} t{site})", live.table_item())
        };
        let missing = self.missing(&absent, &self.held(|_| "s", later));
        let lost = session.texts(&missing.lost)?;
        let names: Vec<String> = columns.iter().map(|c| quote_identifier(&c.name)).collect();
        let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
        let list = if names.is_empty() {
            String::new()
        } else {
            format!("({})", names.join(", "))
        };
        let count = session.run(
            &format!(
                "{}INSERT INTO {} {list} OVERRIDING SYSTEM VALUE
                 SELECT {} FROM snapshot_rows s WHERE {absent} AND {}",
                missing.with,
                live.source.qualified(),
                values.join(", "),
                missing.held
            ),
            Checks::AtEnd,
        )?;
        Ok(self.refilled(count, self.lost("", &lost)))
    }

    /// Rows that can't come back since they refer to rows that are gone, or, in a table that refers to
    /// itself, to rows that can't come back.
    fn missing(&self, absent: &str, held: &str) -> Missing {
        let itself: Vec<&Reference> = self
            .references
            .iter()
            .filter(|other| other.table == self.live.oid)
            .collect();
        if itself.is_empty() || !has_key(self.table, &self.live) {
            return Missing {
                with: String::new(),
                lost: format!(
                    "SELECT {} FROM snapshot_rows s WHERE {absent} AND NOT ({held})",
                    self.shown_key("s")
                ),
                held: format!("({held})"),
            };
        }
        let keys = self.live.key.iter().map(|key| &key.name);
        let columns: BTreeSet<&String> = keys
            .chain(itself.iter().flat_map(|reference| &reference.others))
            .collect();
        let columns: Vec<String> = columns
            .into_iter()
            .map(|name| format!("s.{}", quote_identifier(name)))
            .collect();
        let columns = columns.join(", ");
        let refers: Vec<String> = itself
            .iter()
            .map(|reference| format!("({})", reference.same(|_| "s", "gone")))
            .collect();
        let with = format!(
            "WITH RECURSIVE gone AS (
                 SELECT {columns} FROM snapshot_rows s WHERE {absent} AND NOT ({held})
                 UNION
                 SELECT {columns} FROM gone, snapshot_rows s WHERE {absent} AND ({})) ",
            refers.join(" OR ")
        );
        Missing {
            lost: format!("{with} SELECT {} FROM gone", self.shown_key("gone")),
            held: format!(
                "NOT EXISTS (SELECT FROM gone AS t WHERE {})",
                self.same_key()
            ),
            with,
        }
    }

    /// The condition under which the rows that a row refers to are there.
    fn held<'b>(&self, alias: impl Fn(&str) -> &'b str, later: &[&Job<'_>]) -> String {
        let touched = |column: &str| match &self.set {
            Some(set) => set.iter().any(|other| other.name == column),
            None => true,
        };
        let conditions: Vec<String> = self
            .references
            .iter()
            .filter(|reference| reference.columns.iter().any(|column| touched(column)))
            // The server looks at those itself at the end: their rows come later, or belong to somebody
            // else.
            .filter(|reference| reference.owner == self.live.owner)
            .filter(|reference| !later.iter().any(|job| job.live.oid == reference.table))
            .map(|reference| {
                reference.condition(
                    &alias,
                    reference.table == self.live.oid && self.set.is_none(),
                )
            })
            .collect();
        if conditions.is_empty() {
            "true".to_owned()
        } else {
            conditions.join(" AND ")
        }
    }

    /// The condition that a column of the live row holds nothing but what it got when it was added.
    fn is_empty(&self, column: &Column) -> String {
        let name = quote_identifier(&column.name);
        let missing = self
            .live
            .column(&column.name)
            .and_then(|live| live.missing_value.as_deref());
        match missing {
            Some(value) => format!(
                "(t.{name} IS NULL OR t.{name}::text = {})",
                quote_literal(value)
            ),
            None => format!("t.{name} IS NULL"),
        }
    }

    fn same_key(&self) -> String {
        let conditions: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| {
                let name = quote_identifier(&key.name);
                format!("t.{name} {} s.{name}", key.operator)
            })
            .collect();
        conditions.join(" AND ")
    }

    fn and_site(&self, site_id: &str) -> Result<String> {
        let site = self.live.site_condition("t", &quote_literal(site_id))?;
        Ok(site.replacen(" WHERE ", " AND ", 1))
    }

    /// A row's key as text, for people.
    fn shown_key(&self, alias: &str) -> String {
        if !has_key(self.table, &self.live) {
            return "'(no key)'::text".to_owned();
        }
        let names: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| quote_identifier(&key.name))
            .collect();
        let values: Vec<String> = names.iter().map(|name| format!("{alias}.{name}")).collect();
        format!(
            "({} || ROW({})::text)::text",
            quote_literal(format!("({})=", names.join(", "))),
            values.join(", ")
        )
    }

    fn required_and_unknown(&self, columns: &[&Column]) -> Option<String> {
        let known = |name: &str| columns.iter().any(|column| column.name == name);
        self.live
            .columns
            .iter()
            .find(|c| c.required && !c.generated && !known(&c.column.name))
            .map(|c| c.column.name.clone())
    }

    fn lost(&self, what: &str, keys: &[String]) -> Option<String> {
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

    fn refilled(&self, count: u64, warning: Option<String>) -> TableRefilled {
        TableRefilled {
            table_name: self.table.name.clone(),
            rows_refilled: i64::try_from(count).unwrap_or(i64::MAX),
            warnings: warning.into_iter().collect(),
        }
    }
}

/// The SQL that tells rows that can come back from those that can't.
struct Missing {
    with: String,
    lost: String,
    held: String,
}

fn listed(columns: &[&Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    names.join(", ")
}

fn has_key(table: &Table, live: &LiveTable) -> bool {
    let stored = |name: &str| table.columns.iter().any(|column| column.name == name);
    !live.key.is_empty() && live.key.iter().all(|key| stored(&key.name))
}
