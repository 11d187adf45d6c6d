//! What is lost, as plain data.

/// What kind of loss it is; the words are the vocabulary of migration linters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A table with its rows.
    TableDropped,
    /// All rows of a table at once.
    TableTruncated,
    /// Rows of a table that stays.
    RowsDeleted,
    /// A column with its values.
    ColumnDropped,
    /// Values that a new type of their column changed.
    ColumnTypeNarrowed,
    /// Values that others have taken the place of.
    ColumnOverwritten,
    /// A sequence that no column owns.
    SequenceDropped,
    /// A sequence that no column owns, and that gives numbers again which it gave before.
    SequenceReset,
    /// Large objects.
    LargeObjectsDeleted,
}

impl Kind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TableDropped => "table_dropped",
            Self::TableTruncated => "table_truncated",
            Self::RowsDeleted => "rows_deleted",
            Self::ColumnDropped => "column_dropped",
            Self::ColumnTypeNarrowed => "column_type_narrowed",
            Self::ColumnOverwritten => "column_overwritten",
            Self::SequenceDropped => "sequence_dropped",
            Self::SequenceReset => "sequence_reset",
            Self::LargeObjectsDeleted => "large_objects_deleted",
        }
    }
}

/// A schema's table or sequence, unquoted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Its schema.
    pub schema: String,
    /// Its name there.
    pub name: String,
}

/// Something that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What kind of loss.
    pub kind: Kind,
    /// The OID of the table or sequence; 0 for large objects.
    pub object: u32,
    /// The table's or sequence's name before.
    pub table: Name,
    /// The column's name before, when it is about one.
    pub column: Option<String>,
    /// The rows concerned.
    pub rows: u64,
    /// The values that are gone, when it is about a column or a sequence.
    pub values: Option<u64>,
    /// Whether it was counted; else the numbers are the most that it can be.
    pub certain: bool,
    /// In words, where there is more to say.
    pub detail: Option<String>,
}
