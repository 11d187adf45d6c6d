//! What a statement says that it will do: facts of its parse tree, before anything runs.
//!
//! A statement that hides its work (a DO block, a call) says [`Effect::Dynamic`]: what it does is
//! known only by running it.

use std::fmt;

/// A name as a script wrote it: with or without a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The schema, when the script named one.
    pub schema: Option<String>,
    /// The name, unquoted.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// The kinds of objects, besides tables, that a script drops or renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A function, procedure or aggregate.
    Function,
    /// A sequence.
    Sequence,
    /// A type or domain.
    Type,
    /// A schema.
    Schema,
    /// An index.
    Index,
    /// An extension.
    Extension,
    /// Any other kind: a trigger, a policy, a role …
    Other,
}

/// The kinds of constraints that a script adds to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConstraintKind {
    /// NOT NULL (as a table constraint, since PostgreSQL 18).
    NotNull,
    /// CHECK.
    Check,
    /// PRIMARY KEY.
    PrimaryKey,
    /// UNIQUE.
    Unique,
    /// EXCLUDE.
    Exclusion,
    /// FOREIGN KEY.
    ForeignKey,
}

/// One thing that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new table.
    CreateTable {
        /// The table.
        table: ObjectName,
        /// Whether it goes away with the session.
        temporary: bool,
    },
    /// A table goes, with its rows.
    DropTable {
        /// The table.
        table: ObjectName,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// A table gets another name.
    RenameTable {
        /// The table.
        table: ObjectName,
        /// Its new name.
        new_name: String,
    },
    /// A table moves to another schema.
    MoveTable {
        /// The table.
        table: ObjectName,
        /// Its new schema.
        new_schema: String,
    },
    /// A table gets a column.
    AddColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// Its type as written.
        type_name: String,
        /// NOT NULL without any default: an INSERT that doesn't name it fails.
        required: bool,
    },
    /// A column goes, with its values.
    DropColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// A column gets another name.
    RenameColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// Its new name.
        new_name: String,
    },
    /// A column gets another type.
    AlterColumnType {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// The new type as written.
        new_type: String,
        /// Whether the script says by USING how values are converted.
        using: bool,
    },
    /// A column takes no NULL any more.
    SetNotNull {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
    },
    /// A column loses its default.
    DropDefault {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
    },
    /// A table gets a constraint.
    AddConstraint {
        /// The table.
        table: ObjectName,
        /// Its name, when the script gave one.
        name: Option<String>,
        /// Its kind.
        kind: ConstraintKind,
    },
    /// A constraint goes.
    DropConstraint {
        /// The table.
        table: ObjectName,
        /// The constraint.
        name: String,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// All rows of tables go.
    Truncate {
        /// The tables.
        tables: Vec<ObjectName>,
        /// Whether tables that refer to them lose their rows too.
        cascade: bool,
    },
    /// Rows go.
    Delete {
        /// The table.
        table: ObjectName,
        /// Whether a condition limits which.
        has_where: bool,
    },
    /// Values are overwritten (by MERGE and ON CONFLICT DO UPDATE too).
    Update {
        /// The table.
        table: ObjectName,
        /// The columns written.
        columns: Vec<String>,
        /// Whether a condition limits which rows.
        has_where: bool,
    },
    /// An object that is no table goes.
    Drop {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: ObjectName,
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// An object that is no table gets another name.
    Rename {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: ObjectName,
        /// Its new name.
        new_name: String,
    },
    /// Everything that roles own goes.
    DropOwned {
        /// Whether what depends on it goes too.
        cascade: bool,
    },
    /// What it does can't be told without running it.
    Dynamic {
        /// What hides it: `DO`, `CALL name`, `EXECUTE name`, `function name`.
        what: String,
    },
}

/// The names of the tables that statements with these effects make.
pub fn tables_made(effects: &[Effect]) -> impl Iterator<Item = String> {
    effects.iter().filter_map(|effect| match effect {
        Effect::CreateTable { table, .. } => Some(table.to_string()),
        _ => None,
    })
}

impl Effect {
    /// The tables that are changed, emptied or dropped, or lose, gain or change rows: all that were there before.
    pub fn changed_tables(&self) -> Vec<&ObjectName> {
        match self {
            Self::Truncate { tables, .. } => tables.iter().collect(),
            Self::DropTable { table, .. }
            | Self::RenameTable { table, .. }
            | Self::MoveTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::AlterColumnType { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::DropDefault { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::Delete { table, .. }
            | Self::Update { table, .. } => vec![table],
            Self::CreateTable { .. }
            | Self::Drop { .. }
            | Self::Rename { .. }
            | Self::DropOwned { .. }
            | Self::Dynamic { .. } => Vec::new(),
        }
    }
}
