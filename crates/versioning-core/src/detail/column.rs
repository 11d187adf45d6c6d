//! Columns and constraints as scripts define them.

use crate::effect::{ConstraintKind, ObjectName};

/// A column as a script defines it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as written.
    pub type_name: String,
    /// Whether the script named the type's schema.
    pub type_is_qualified: bool,
    /// NOT NULL, or part of a primary key.
    pub not_null: bool,
    /// The functions that its default calls; `None` without a default other than NULL.
    pub default: Option<Vec<ObjectName>>,
    /// Whether it is computed from others.
    pub generated: bool,
    /// Whether what is computed isn't stored.
    pub is_virtual: bool,
    /// Whether it is an identity column, and if so whether ALWAYS.
    pub identity: Option<bool>,
    /// The constraints that come with it.
    pub constraints: Vec<Constraint>,
}

impl Column {
    /// Whether an INSERT that doesn't name it fails.
    pub fn is_required(&self) -> bool {
        self.not_null
            && self.default.is_none()
            && self.identity.is_none()
            && !self.generated
            && !self.is_serial()
    }

    /// Whether its type brings a sequence along.
    pub fn is_serial(&self) -> bool {
        SERIAL_TYPES.contains(&self.type_name.as_str())
    }
}

/// Types that bring a sequence and a default along.
pub const SERIAL_TYPES: &[&str] = &[
    "serial",
    "bigserial",
    "smallserial",
    "serial2",
    "serial4",
    "serial8",
];

/// A constraint as a script defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name, when the script gave one.
    pub name: Option<String>,
    /// Its kind.
    pub kind: ConstraintKind,
    /// The columns that it is about, in order.
    pub columns: Vec<String>,
    /// NOT VALID: the rows that are there aren't looked at.
    pub not_valid: bool,
    /// The index that it takes over.
    pub using_index: Option<String>,
    /// The table that a foreign key refers to.
    pub references: Option<ObjectName>,
    /// The column of a `CHECK (column IS NOT NULL)`.
    pub proves_not_null: Option<String>,
}

/// What happens to a column that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    /// A default, and the functions it calls.
    DefaultSet(Vec<ObjectName>),
    /// NULL is taken again.
    NotNullDropped,
    /// It becomes an identity column: ALWAYS, or BY DEFAULT.
    IdentityAdded(bool),
    /// An identity column becomes ALWAYS, or BY DEFAULT.
    IdentitySet(bool),
    /// It is an identity column no more.
    IdentityDropped,
    /// It is computed no more, and keeps its values.
    ExpressionDropped,
    /// It is computed in another way.
    ExpressionSet,
    /// Statistics, storage, options: no client sees it.
    Tuning,
}
