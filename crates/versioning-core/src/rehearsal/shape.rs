//! What holds rows, by numbers that no script changes: which tables and columns there are, to tell what
//! came, went or got another type, whatever its name.

use std::collections::{BTreeMap, BTreeSet};

/// A column that holds values of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type with modifiers, as the server prints it.
    pub type_name: String,
    /// What that type is made of: another one of the same name is another type.
    pub type_parts: String,
}

impl Column {
    fn has_type_of(&self, other: &Self) -> bool {
        self.type_name == other.type_name && self.type_parts == other.type_parts
    }
}

/// A table that holds rows of its own: no view, no temporary or foreign one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// As findings name it.
    pub shown: String,
    /// Its columns by number.
    pub columns: BTreeMap<i16, Column>,
}

/// Tables by number.
pub type Tables = BTreeMap<u32, Table>;

/// A table or column that one look has and a later one hasn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// A table with all its columns.
    Table(String),
    /// A column of a table that is still there.
    Column(String, String),
}

/// A column that has another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retyped {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The number of the table.
    pub oid: u32,
    /// Its type before.
    pub old: String,
    /// Its type now.
    pub new: String,
}

/// What was made between `before` and `after` and is gone in `later`: what people would write there
/// meanwhile goes with it.
pub fn made_and_gone(before: &Tables, after: &Tables, later: &Tables) -> Vec<Gone> {
    let mut gone = Vec::new();
    for (oid, table) in after {
        let old = before.get(oid);
        let Some(now) = later.get(oid) else {
            if old.is_none() && !table.columns.is_empty() {
                gone.push(Gone::Table(table.shown.clone()));
            }
            continue;
        };
        for (number, column) in &table.columns {
            let is_new = old.is_none_or(|old| !old.columns.contains_key(number));
            if is_new && !now.columns.contains_key(number) {
                gone.push(Gone::Column(table.shown.clone(), column.name.clone()));
            }
        }
    }
    gone
}

/// The columns of both that have another type in `after`.
pub fn retyped(before: &Tables, after: &Tables) -> Vec<Retyped> {
    let mut found = Vec::new();
    for (oid, table) in before {
        let Some(now) = after.get(oid) else { continue };
        for (number, column) in &table.columns {
            if let Some(new) = now.columns.get(number)
                && !new.has_type_of(column)
            {
                found.push(Retyped {
                    table: table.shown.clone(),
                    column: column.name.clone(),
                    oid: *oid,
                    old: column.type_name.clone(),
                    new: new.type_name.clone(),
                });
            }
        }
    }
    found
}

/// The tables of `before` whose rows or values can't all be there as they were: dropped, or with a column
/// that is gone or of another type.
pub fn reshaped(before: &Tables, after: &Tables) -> BTreeSet<u32> {
    before
        .iter()
        .filter(|(oid, table)| match after.get(oid) {
            None => true,
            Some(now) => table.columns.iter().any(|(number, column)| {
                now.columns
                    .get(number)
                    .is_none_or(|new| !new.has_type_of(column))
            }),
        })
        .map(|(oid, _)| *oid)
        .collect()
}
