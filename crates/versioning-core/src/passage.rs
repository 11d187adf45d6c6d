//! What undoing scripts made of the tables as they were just before it, and whether what people had written
//! in them since can have been lost on the way.

use crate::lineage::{self, Fate, Shape, TableName};

/// A table whose rows the undoing touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What it was called before the undoing.
    pub from: TableName,
    /// What it is called now, or what took its place.
    pub to: TableName,
    /// What it was called before the first scripts, when it was there.
    pub was: Option<TableName>,
    /// Columns that are there before the undoing and after it.
    pub columns: Vec<PassedColumn>,
    /// Columns that are gone.
    pub gone: Vec<GoneColumn>,
    /// What is known of what people wrote.
    pub told: Told,
}

/// A column before the undoing and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedColumn {
    /// What it was called before the undoing.
    pub from: String,
    /// What it is called now.
    pub to: String,
    /// What it was called before the first scripts, when it was there.
    pub was: Option<String>,
    /// Whether the first scripts had put another column under its name.
    pub was_replaced: bool,
    /// Whether the undoing has.
    pub is_replaced: bool,
}

/// A column that the undoing took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneColumn {
    /// What it was called before the undoing.
    pub from: String,
    /// What it was called before the first scripts, when it was there.
    pub was: Option<String>,
}

/// What is known of what people wrote between the scripts and their undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The first scripts left the rows alone: what is there before the undoing is nobody's but people's.
    Untouched,
    /// The rows as the scripts left them are kept.
    Touched,
    /// Nothing.
    Unknown,
}

/// What the undoing did to tables.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Passages {
    /// Tables that are still there, whose rows it touched.
    pub touched: Vec<Passage>,
    /// Tables that are gone, and nothing took their place.
    pub gone: Vec<TableName>,
}

/// Follows the tables through the undoing. `fates`: what the first scripts had made of tables; `before` and
/// `after`: the tables before and after the undoing.
pub fn passages(fates: &[Fate], before: &[Shape], after: &[Shape]) -> Passages {
    let mut found = Passages::default();
    for (shape, down) in before.iter().zip(lineage::fates(before, after)) {
        let up = fates
            .iter()
            .find(|fate| fate.after.as_ref() == Some(&shape.name));
        if down.after.is_some() {
            if !down.is_same {
                found.touched.push(passage(shape, &down, up));
            }
            continue;
        }
        let is_known = |table: &Shape| before.iter().any(|other| other.id == table.id);
        let heir = up.and_then(|up| {
            let mut tables = after.iter();
            tables.find(|table| table.name == up.before && !is_known(table))
        });
        match (heir, up) {
            (Some(heir), Some(up)) => {
                found
                    .touched
                    .push(passage(shape, &rebuilt(shape, heir, up), Some(up)))
            }
            _ => found.gone.push(shape.name.clone()),
        }
    }
    found
}

/// What became of a table that was made anew under its older name: columns are called as they were then.
fn rebuilt(shape: &Shape, heir: &Shape, up: &Fate) -> Fate {
    let columns = shape.columns.iter().map(|column| {
        let older = older(up, &column.name).unwrap_or(&column.name);
        let is_there = heir.columns.iter().any(|other| other.name == *older);
        (column.name.clone(), is_there.then(|| older.clone()))
    });
    Fate {
        before: shape.name.clone(),
        after: Some(heir.name.clone()),
        columns: columns.collect(),
        added: Vec::new(),
        replaced: Vec::new(),
        is_same: false,
        is_sure: true,
    }
}

/// What a column was called before the first scripts.
fn older<'a>(up: &'a Fate, name: &str) -> Option<&'a String> {
    let mut columns = up.columns.iter();
    columns
        .find(|(_, now)| now.as_deref() == Some(name))
        .map(|(old, _)| old)
}

fn passage(shape: &Shape, down: &Fate, up: Option<&Fate>) -> Passage {
    let was = |name: &str| older(up?, name).cloned();
    let (mut columns, mut gone) = (Vec::new(), Vec::new());
    for column in &shape.columns {
        let from = column.name.clone();
        match down.columns.get(&from).cloned().flatten() {
            Some(to) => columns.push(PassedColumn {
                was: was(&from),
                was_replaced: up
                    .is_some_and(|up| was(&from).is_some_and(|it| up.replaced.contains(&it))),
                is_replaced: down.replaced.contains(&from),
                from,
                to,
            }),
            None => gone.push(GoneColumn {
                was: was(&from),
                from,
            }),
        }
    }
    let told = match up {
        Some(up) if up.is_same => Told::Untouched,
        Some(up) if up.is_sure => Told::Touched,
        _ => Told::Unknown,
    };
    Passage {
        from: shape.name.clone(),
        to: down.after.clone().unwrap_or_else(|| shape.name.clone()),
        was: up.map(|up| up.before.clone()),
        columns,
        gone,
        told,
    }
}

#[cfg(test)]
#[path = "passage_tests.rs"]
mod tests;
