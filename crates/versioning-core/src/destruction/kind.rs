//! The kinds of destruction.

use crate::clause::{Assignment, Rows};
use crate::effect::{ObjectKind, ObjectName};

/// How a column's values become those of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversion {
    /// As an assignment would.
    Assignment,
    /// By an expression.
    Expression(String),
    /// By one that can't be read from the text alone.
    Unknown,
}

/// One thing that is destroyed, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destruction {
    /// A table goes.
    Table {
        /// The table.
        table: ObjectName,
        /// What depends on it too.
        cascade: bool,
    },
    /// Something else goes that data may hang on.
    Object {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: ObjectName,
        /// What depends on it too.
        cascade: bool,
    },
    /// Everything that roles own goes.
    Owned {
        /// The roles.
        roles: Vec<String>,
    },
    /// A column goes.
    Column {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// What depends on it too.
        cascade: bool,
    },
    /// Tables are emptied.
    Truncated {
        /// The tables.
        tables: Vec<ObjectName>,
        /// Those that refer to them too.
        cascade: bool,
    },
    /// Rows go.
    Deleted {
        /// The table.
        table: ObjectName,
        /// Which; `None` when the text doesn't tell.
        rows: Option<Rows>,
    },
    /// Values are overwritten.
    Overwritten {
        /// The table.
        table: ObjectName,
        /// The columns that were there before.
        columns: Vec<String>,
        /// In which rows and with what; `None` when the text doesn't tell.
        update: Option<(Rows, Vec<Assignment>)>,
    },
    /// A column gets another type.
    Retyped {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// The new type as written.
        new_type: String,
        /// How its values are converted.
        conversion: Conversion,
    },
    /// A column takes no NULL any more: nothing is lost, but it fails where there is one.
    NotNull {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
    },
    /// A sequence is set back.
    SequenceSet {
        /// The sequence.
        sequence: ObjectName,
    },
    /// What is done can't be told.
    Hidden {
        /// What hides it.
        what: String,
    },
}

/// A destruction and where it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is destroyed.
    pub destruction: Destruction,
    /// The statement, from 1.
    pub statement_number: i32,
    /// Whether no statement before has written rows of the table: they are as they are now.
    pub is_untouched: bool,
}
