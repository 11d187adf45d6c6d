//! What the statements of a script mean for data and for clients, told from their effects alone.
//!
//! What a statement hides (a DO block, a call) can't be told; it is named, so that a reader knows.
//! The kinds are the vocabulary of migration linters: `column_dropped`, `table_renamed` …

use std::collections::HashSet;

use crate::effect::{Effect, ObjectName};

/// Data that a script destroys, to be counted on the live rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A table with all its rows.
    Table(ObjectName),
    /// A column with all its values.
    Column(ObjectName, String),
    /// The rows of a table that stays.
    Rows(ObjectName),
    /// Some rows: how many depends on a condition that only running it evaluates.
    SomeRows(ObjectName),
    /// Values that a new type may not hold.
    Narrowed(ObjectName, String, String),
    /// Values that are overwritten.
    Overwritten(ObjectName, String),
}

impl Loss {
    /// The kind, as it is reported.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "table_dropped",
            Self::Column(..) => "column_dropped",
            Self::Rows(_) => "table_truncated",
            Self::SomeRows(_) => "rows_deleted",
            Self::Narrowed(..) => "column_type_changed",
            Self::Overwritten(..) => "column_overwritten",
        }
    }

    /// The table it is about.
    pub fn table(&self) -> &ObjectName {
        match self {
            Self::Table(table)
            | Self::Column(table, _)
            | Self::Rows(table)
            | Self::SomeRows(table)
            | Self::Narrowed(table, ..)
            | Self::Overwritten(table, _) => table,
        }
    }

    /// The column it is about, if it is about one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column(_, column)
            | Self::Narrowed(_, column, _)
            | Self::Overwritten(_, column) => Some(column),
            Self::Table(_) | Self::Rows(_) | Self::SomeRows(_) => None,
        }
    }
}

/// What scripts destroy, in run order, each thing once; and what can't be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// What they destroy.
    pub known: Vec<Loss>,
    /// Statements whose work is hidden: `DO`, `function cleanup` …
    pub hidden: Vec<String>,
}

/// What the statements with these effects destroy.
///
/// What the same statements have made before is theirs to drop: it doesn't count.
pub fn losses<'a>(effects: impl Iterator<Item = &'a Effect>) -> Losses {
    let mut found = Losses::default();
    let mut made = Made::default();
    for effect in effects {
        made.note(effect);
        match effect {
            Effect::Dynamic { what } if !found.hidden.contains(what) => {
                found.hidden.push(what.clone());
            }
            _ => {}
        }
        for loss in losses_of(effect) {
            let theirs = made.has_table(loss.table())
                || loss
                    .column()
                    .is_some_and(|column| made.has_column(loss.table(), column));
            if !theirs && !found.known.contains(&loss) && !found.covers(&loss) {
                found.known.push(loss);
            }
        }
    }
    found
}

impl Losses {
    /// Whether a loss is part of one found already: a column of a table that goes as a whole.
    fn covers(&self, loss: &Loss) -> bool {
        self.known.iter().any(|known| match known {
            Loss::Table(table) | Loss::Rows(table) => table == loss.table(),
            Loss::Column(table, column) => {
                table == loss.table() && Some(column.as_str()) == loss.column()
            }
            _ => false,
        })
    }
}

fn losses_of(effect: &Effect) -> Vec<Loss> {
    match effect {
        Effect::DropTable { table, .. } => vec![Loss::Table(table.clone())],
        Effect::DropColumn { table, column, .. } => {
            vec![Loss::Column(table.clone(), column.clone())]
        }
        Effect::Truncate { tables, .. } => tables.iter().cloned().map(Loss::Rows).collect(),
        Effect::Delete {
            table,
            has_where: false,
        } => vec![Loss::Rows(table.clone())],
        Effect::Delete {
            table,
            has_where: true,
        } => vec![Loss::SomeRows(table.clone())],
        Effect::AlterColumnType {
            table,
            column,
            new_type,
            ..
        } => {
            vec![Loss::Narrowed(
                table.clone(),
                column.clone(),
                new_type.clone(),
            )]
        }
        Effect::Update { table, columns, .. } => columns
            .iter()
            .map(|column| Loss::Overwritten(table.clone(), column.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// What the statements read so far have made themselves.
#[derive(Debug, Default)]
struct Made {
    tables: HashSet<ObjectName>,
    columns: HashSet<(ObjectName, String)>,
}

impl Made {
    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::CreateTable { table, .. } => {
                self.tables.insert(table.clone());
            }
            Effect::AddColumn { table, column, .. } => {
                self.columns.insert((table.clone(), column.clone()));
            }
            Effect::RenameTable { table, new_name } if self.tables.contains(table) => {
                self.tables.insert(ObjectName {
                    schema: table.schema.clone(),
                    name: new_name.clone(),
                });
            }
            _ => {}
        }
    }

    fn has_table(&self, table: &ObjectName) -> bool {
        self.tables.contains(table)
    }

    fn has_column(&self, table: &ObjectName, column: &str) -> bool {
        self.columns.contains(&(table.clone(), column.to_owned()))
    }
}

/// Something that a client of the old version may trip over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// The kind, as it is reported.
    pub kind: &'static str,
    /// The object, as the script named it: `table` or `table.column`.
    pub object: String,
}

impl Breaking {
    /// Whether a statement of an old client that uses the object is sure to fail. A constraint or a
    /// type may be one that the old clients' values satisfy anyway.
    pub fn is_certain(&self) -> bool {
        is_certain(self.kind)
    }
}

/// The table of a column that a finding names, or the object itself.
pub fn whole(object: &str) -> &str {
    object.split_once('.').map_or(object, |(whole, _)| whole)
}

/// Whether a change of that kind is sure to make a statement of an old client fail that uses the object; else
/// it depends on what is written, or on who asks.
pub fn is_certain(kind: &str) -> bool {
    !matches!(
        kind,
        "column_type_changed"
            | "not_null_added"
            | "default_dropped"
            | "check_added"
            | "unique_added"
            | "exclusion_added"
            | "fk_added"
            | "column_type_narrowed"
            | "unique_dropped"
            | "domain_constraint_added"
            | "identity_always"
            | "policy_tightened"
            | "privilege_revoked"
            | "rls_enabled"
            | "composite_attribute_added"
            | "composite_attribute_type_changed"
            | "inheritance_removed"
            | "partition_detached"
            | "view_check_option_added"
            | "writes_rejected_by_trigger"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: text.into(),
        }
    }

    fn drop_column(table: &str, column: &str) -> Effect {
        Effect::DropColumn {
            table: name(table),
            column: column.into(),
            cascade: false,
        }
    }

    #[test]
    fn a_column_of_a_dropped_table_is_lost_once() {
        let effects = [
            Effect::DropTable {
                table: name("notes"),
                cascade: false,
            },
            drop_column("notes", "body"),
        ];
        assert_eq!(losses(effects.iter()).known, [Loss::Table(name("notes"))]);
    }

    #[test]
    fn what_a_script_made_itself_is_no_loss() {
        let effects = [
            Effect::CreateTable {
                table: name("scratch"),
                temporary: true,
            },
            Effect::DropTable {
                table: name("scratch"),
                cascade: false,
            },
            Effect::AddColumn {
                table: name("notes"),
                column: "draft".into(),
                type_name: "text".into(),
                required: false,
            },
            Effect::Update {
                table: name("notes"),
                columns: vec!["draft".into()],
                has_where: false,
            },
        ];
        assert_eq!(losses(effects.iter()), Losses::default());
    }

    #[test]
    fn hidden_work_is_named_once() {
        let hidden = Effect::Dynamic { what: "DO".into() };
        assert_eq!(losses([hidden.clone(), hidden].iter()).hidden, ["DO"]);
    }
}
