//! What a statement leaves behind of anything that is no table, column, index or table constraint: what a
//! down script has to put back.

use crate::effect::ObjectName;

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It is new.
    Made,
    /// It goes.
    Gone,
    /// It stays and is another one.
    Set,
    /// It is switched on.
    On,
    /// It is switched off.
    Off,
    /// It gets this name.
    Renamed(String),
    /// It moves to this schema.
    Moved(String),
}

/// A table, and columns of it, with which something goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The table.
    pub table: ObjectName,
    /// The columns; each of them takes it along.
    pub columns: Vec<String>,
}

/// What a statement leaves of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// What it is, in words: `view`, `comment`, `row level security` …
    pub kind: &'static str,
    /// The object, or the table that it is a part of. `*` stands for all there are.
    pub object: ObjectName,
    /// Its own name as a part of the object: a trigger, an attribute, the role that has rights; of a function the
    /// types of its arguments. `None` when the script doesn't say: any.
    pub part: Option<String>,
    /// What happens.
    pub mark: Mark,
    /// What takes it along when it goes.
    pub holders: Vec<Holder>,
}

impl Trace {
    /// Of an object as a whole.
    pub fn of(kind: &'static str, object: ObjectName, mark: Mark) -> Self {
        Self {
            kind,
            object,
            part: None,
            mark,
            holders: Vec::new(),
        }
    }

    /// Of a part of an object.
    #[must_use]
    pub fn part(mut self, part: impl Into<Option<String>>) -> Self {
        self.part = part.into();
        self
    }

    /// The name that messages use.
    pub fn shown(&self) -> String {
        let has_name = !matches!(
            self.kind,
            "function" | "rights" | "default rights" | "operator class" | "operator family"
        );
        match &self.part {
            Some(part) if has_name && !part.is_empty() => format!("{}.{part}", self.object),
            Some(part) if self.object.name == "*" => part.clone(),
            _ => self.object.to_string(),
        }
    }
}
