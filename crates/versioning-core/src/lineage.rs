//! What scripts made of tables: which table and column is which afterwards, and whether its rows were
//! touched. And from that, what undoing the scripts has to give back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A table's name, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name in the schema.
    pub relation: String,
}

/// A column at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeColumn {
    /// Its number, which stays when it is renamed.
    pub number: i16,
    /// Its name.
    pub name: String,
    /// Its type, without modifier.
    pub kind: u32,
    /// Whether rows that were there when it was added have its default without having it written.
    pub has_default: bool,
}

/// A table at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What tells it from every other, whatever it is called.
    pub id: u32,
    /// What it is called.
    pub name: TableName,
    /// Its columns.
    pub columns: Vec<ShapeColumn>,
    /// Where its rows lie: the same at two moments of a transaction when it hasn't written all rows anew.
    pub files: String,
    /// How many rows the transaction has written: the same at two moments of it when it has written none.
    pub writes: String,
}

impl Shape {
    /// What can still be read of the rows as they were at `earlier`: this table's columns, and what they were
    /// called then. Nothing when the rows were written anew.
    pub fn readable_as_of(&self, earlier: &Self) -> Option<BTreeMap<String, String>> {
        let column = |old: &ShapeColumn| {
            let mut columns = self.columns.iter();
            let now = columns.find(|now| now.number == old.number && now.kind == old.kind)?;
            Some((now.name.clone(), old.name.clone()))
        };
        (self.id == earlier.id && self.files == earlier.files)
            .then(|| earlier.columns.iter().filter_map(column).collect())
    }
}

/// What became of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fate {
    /// What it was called.
    pub before: TableName,
    /// What is called so now, or took its name; nothing when it is gone.
    pub after: Option<TableName>,
    /// What its columns are called now; nothing for those that are gone.
    pub columns: BTreeMap<String, Option<String>>,
    /// Columns that it hadn't.
    pub added: Vec<String>,
    /// Columns, as they were called, of which another took the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// Whether no row was touched, and no value of a column that is still there.
    pub is_same: bool,
    /// Whether it is certain that nobody else wrote to the table between the look before and the change.
    pub is_sure: bool,
}

/// What became of each table.
pub fn fates(before: &[Shape], after: &[Shape]) -> Vec<Fate> {
    let known = |shape: &Shape| before.iter().any(|other| other.id == shape.id);
    before
        .iter()
        .map(|old| {
            let same = after.iter().find(|new| new.id == old.id);
            // One that was made anew under the name is what people work with from then on.
            let heir = || after.iter().find(|new| new.name == old.name && !known(new));
            match same.or_else(heir) {
                Some(new) => fate(old, new),
                None => Fate {
                    before: old.name.clone(),
                    after: None,
                    columns: old
                        .columns
                        .iter()
                        .map(|column| (column.name.clone(), None))
                        .collect(),
                    added: Vec::new(),
                    replaced: Vec::new(),
                    is_same: false,
                    is_sure: true,
                },
            }
        })
        .collect()
}

fn fate(old: &Shape, new: &Shape) -> Fate {
    let is_one = old.id == new.id;
    let mut is_same = is_one && old.files == new.files && old.writes == new.writes;
    let (mut columns, mut replaced) = (BTreeMap::new(), Vec::new());
    for column in &old.columns {
        let by_number = || new.columns.iter().find(|c| c.number == column.number);
        let is_new = |c: &ShapeColumn| !old.columns.iter().any(|o| o.number == c.number);
        let by_name = || {
            new.columns
                .iter()
                .find(|c| c.name == column.name && (!is_one || is_new(c)))
        };
        let found = is_one.then(by_number).flatten();
        let heir = found.or_else(by_name);
        is_same &= match (found, heir) {
            (Some(found), _) => found.kind == column.kind,
            (None, heir) => heir.is_none(),
        };
        if is_one && found.is_none() && heir.is_some() {
            replaced.push(column.name.clone());
        }
        columns.insert(column.name.clone(), heir.map(|heir| heir.name.clone()));
    }
    let is_mapped = |name: &String| columns.values().any(|other| other.as_ref() == Some(name));
    let added = new.columns.iter().map(|column| column.name.clone());
    Fate {
        before: old.name.clone(),
        after: Some(new.name.clone()),
        added: added.filter(|name| !is_mapped(name)).collect(),
        columns,
        replaced,
        is_same,
        is_sure: true,
    }
}

/// A table to be given back what scripts had destroyed, now that others have undone them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The table, called as it was before both.
    pub table: TableName,
    /// Where it is between the two, when it was there.
    pub between: Option<Between>,
    /// Columns to be given back their values, where that is right.
    pub columns: Vec<UndoColumn>,
    /// Whether rows come back too.
    pub rows: bool,
    /// Columns that were there in between only: what was written in them has no place any more.
    pub homeless: Vec<String>,
    /// Whether the undoing made the table anew, so that it is the same by name only.
    pub is_rebuilt: bool,
}

/// A table between the scripts that changed it and those that undid that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// What it is called there.
    pub table: TableName,
    /// Whether its rows were not touched by the first scripts.
    pub is_same: bool,
    /// Whether it is certain that what is told of its rows is the scripts' work and nobody else's.
    pub is_sure: bool,
    /// Columns as they were called before, and as they are called there.
    pub columns: Vec<(String, String)>,
    /// Columns that are there only.
    pub added: Vec<String>,
    /// Columns, as they were called before, of which another had taken the name there.
    pub replaced: Vec<String>,
}

/// A column to be given back its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoColumn {
    /// Its name.
    pub name: String,
    /// Whether the undoing scripts have made it; else it was there all the time.
    pub is_new: bool,
}

/// What is to be given back after scripts have been undone, by what those had made of the tables, and by
/// the tables before and after the undoing. `is_complete`: all of the scripts have been undone; else only
/// what the undoing made anew is told apart from what is still to be undone.
pub fn undo(fates: &[Fate], before: &[Shape], after: &[Shape], is_complete: bool) -> Vec<Undo> {
    fates
        .iter()
        .filter_map(|fate| {
            let live = after.iter().find(|shape| shape.name == fate.before)?;
            let was = before.iter().find(|shape| shape.id == live.id);
            let between = fate
                .after
                .as_ref()
                .and_then(|name| before.iter().find(|shape| shape.name == *name));
            undo_one(fate, live, was, between, is_complete)
        })
        .collect()
}

fn undo_one(
    fate: &Fate,
    live: &Shape,
    was: Option<&Shape>,
    between: Option<&Shape>,
    is_complete: bool,
) -> Option<Undo> {
    let is_kept = |between: &Shape| between.id == live.id;
    // It was there before, and what it is now was given back then.
    if between.is_none() && was.is_some() {
        return None;
    }
    let column = |live: &ShapeColumn| {
        let now = fate.columns.get(&live.name)?;
        let was = was.and_then(|was| was.columns.iter().find(|c| c.number == live.number));
        let is_new = match (now, was) {
            (Some(now), Some(was)) if between.is_some_and(is_kept) && was.name == *now => false,
            (_, Some(_)) => return None,
            (_, None) => true,
        };
        (is_complete || is_new && now.is_none()).then(|| UndoColumn {
            name: live.name.clone(),
            is_new,
        })
    };
    let columns: Vec<UndoColumn> = live.columns.iter().filter_map(column).collect();
    let is_untouched = fate.is_same
        && fate.columns.values().all(Option::is_some)
        && between.is_some_and(is_kept)
        && columns.iter().all(|column| !column.is_new);
    let homeless = between.map_or_else(Vec::new, |between| homeless(fate, between, live));
    let rows = !is_untouched && (is_complete || between.is_none());
    let columns = if is_untouched { Vec::new() } else { columns };
    if !rows && columns.is_empty() && homeless.is_empty() {
        return None;
    }
    Some(Undo {
        table: fate.before.clone(),
        between: between.map(|between| Between {
            table: between.name.clone(),
            is_same: fate.is_same,
            is_sure: fate.is_sure,
            columns: fate
                .columns
                .iter()
                .filter_map(|(old, now)| Some((old.clone(), now.clone()?)))
                .collect(),
            added: fate.added.clone(),
            replaced: fate.replaced.clone(),
        }),
        columns,
        rows,
        homeless,
        is_rebuilt: between.is_none_or(|between| between.id != live.id),
    })
}

/// Columns that the undoing has dropped, of which it can be told what was written.
fn homeless(fate: &Fate, between: &Shape, live: &Shape) -> Vec<String> {
    let older = |name: &String| {
        let mut columns = fate.columns.iter();
        columns.find(|(_, now)| now.as_ref() == Some(name))
    };
    let is_there = |column: &ShapeColumn| {
        let name = older(&column.name).map_or(&column.name, |(old, _)| old);
        let is_same = |other: &ShapeColumn| {
            other.name == *name || between.id == live.id && other.number == column.number
        };
        live.columns.iter().any(is_same)
    };
    let columns = between.columns.iter();
    columns
        .filter(|column| !is_there(column))
        .map(|column| column.name.clone())
        .collect()
}

#[cfg(test)]
#[path = "lineage_tests.rs"]
mod tests;
