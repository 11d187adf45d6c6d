//! What the statements of a script mean for data and for clients, told from their effects alone.
//!
//! What a statement hides (a DO block, a call) can't be told; it is named, so that a reader knows.
//! The kinds are the vocabulary of migration linters: `column_dropped`, `table_renamed` …

use std::collections::HashSet;

use crate::effect::{ConstraintKind, Effect, ObjectKind, ObjectName};

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
        !matches!(
            self.kind,
            "column_type_changed"
                | "not_null_added"
                | "default_dropped"
                | "check_added"
                | "unique_added"
                | "exclusion_added"
                | "fk_added"
        )
    }
}

/// What of these effects breaks clients of the old version; new objects break nobody.
pub fn breaking<'a>(effects: impl Iterator<Item = &'a Effect>) -> Vec<Breaking> {
    let mut found: Vec<Breaking> = Vec::new();
    let mut made = Made::default();
    for effect in effects {
        made.note(effect);
        if let Some(breaking) = breaking_of(effect, &made)
            && !found.contains(&breaking)
        {
            found.push(breaking);
        }
    }
    found
}

fn breaking_of(effect: &Effect, made: &Made) -> Option<Breaking> {
    let of_table = |kind, table: &ObjectName| {
        (!made.has_table(table)).then(|| Breaking {
            kind,
            object: table.to_string(),
        })
    };
    let of_column = |kind, table: &ObjectName, column: &str| {
        (!made.has_table(table) && !made.has_column(table, column)).then(|| Breaking {
            kind,
            object: format!("{table}.{column}"),
        })
    };
    match effect {
        Effect::DropTable { table, .. } => of_table("table_dropped", table),
        Effect::RenameTable { table, .. } | Effect::MoveTable { table, .. } => {
            of_table("table_renamed", table)
        }
        Effect::DropColumn { table, column, .. } => of_column("column_dropped", table, column),
        Effect::RenameColumn { table, column, .. } => of_column("column_renamed", table, column),
        Effect::AlterColumnType { table, column, .. } => {
            of_column("column_type_changed", table, column)
        }
        Effect::SetNotNull { table, column } => of_column("not_null_added", table, column),
        Effect::DropDefault { table, column } => of_column("default_dropped", table, column),
        Effect::AddColumn {
            table,
            column,
            required: true,
            ..
        } if !made.has_table(table) => Some(Breaking {
            kind: "required_column_added",
            object: format!("{table}.{column}"),
        }),
        Effect::AddConstraint { table, kind, .. } => of_table(constraint_added(*kind), table),
        Effect::Drop { kind, name, .. } => dropped(*kind).map(|kind| Breaking {
            kind,
            object: name.to_string(),
        }),
        Effect::Rename {
            kind: ObjectKind::Schema,
            name,
            ..
        } => Some(Breaking {
            kind: "schema_renamed",
            object: name.to_string(),
        }),
        Effect::Rename { kind, name, .. } => dropped(*kind).map(|kind| Breaking {
            kind,
            object: name.to_string(),
        }),
        _ => None,
    }
}

fn constraint_added(kind: ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::NotNull => "not_null_added",
        ConstraintKind::Check => "check_added",
        ConstraintKind::PrimaryKey | ConstraintKind::Unique => "unique_added",
        ConstraintKind::Exclusion => "exclusion_added",
        ConstraintKind::ForeignKey => "fk_added",
    }
}

fn dropped(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::View | ObjectKind::MaterializedView => Some("view_dropped"),
        ObjectKind::Function => Some("function_dropped"),
        ObjectKind::Sequence => Some("sequence_dropped"),
        ObjectKind::Type => Some("type_dropped"),
        ObjectKind::Schema => Some("schema_dropped"),
        ObjectKind::Index | ObjectKind::Extension | ObjectKind::Other => None,
    }
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

    #[test]
    fn dropping_a_column_breaks_clients_but_adding_a_nullable_one_does_not() {
        let add = |required| Effect::AddColumn {
            table: name("notes"),
            column: "tag".into(),
            type_name: "text".into(),
            required,
        };
        assert_eq!(breaking([add(false)].iter()), []);
        assert_eq!(
            breaking([add(true)].iter())[0].kind,
            "required_column_added"
        );
        assert_eq!(
            breaking([drop_column("notes", "body")].iter())[0].object,
            "notes.body"
        );
    }

    #[test]
    fn a_dropped_column_breaks_for_certain_and_a_constraint_perhaps() {
        let constraint = Effect::AddConstraint {
            table: name("notes"),
            name: None,
            kind: ConstraintKind::Check,
        };
        assert!(breaking([drop_column("notes", "body")].iter())[0].is_certain());
        assert!(!breaking([constraint].iter())[0].is_certain());
    }

    #[test]
    fn changes_of_a_new_table_break_nobody() {
        let effects = [
            Effect::CreateTable {
                table: name("notes"),
                temporary: false,
            },
            Effect::SetNotNull {
                table: name("notes"),
                column: "body".into(),
            },
            Effect::AddConstraint {
                table: name("notes"),
                name: None,
                kind: ConstraintKind::ForeignKey,
            },
        ];
        assert_eq!(breaking(effects.iter()), []);
    }
}
