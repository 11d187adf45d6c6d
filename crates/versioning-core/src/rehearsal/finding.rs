//! One thing found out, as a rehearsal reports it.

use serde_json::{Map, Value};

/// One thing found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which kind, in the vocabulary of migration linters.
    pub kind: String,
    /// What it is about.
    pub object: String,
    /// Which statement did it, if one alone did.
    pub statement_number: Option<i32>,
    /// The sequence of its migration, where there are several.
    pub migration: Option<i32>,
    /// A sentence with the facts.
    pub detail: String,
    /// The facts one by one.
    pub facts: Map<String, Value>,
}

impl Finding {
    /// A finding without further facts.
    pub fn new(kind: &str, object: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            object: object.to_owned(),
            statement_number: None,
            migration: None,
            detail: detail.into(),
            facts: Map::new(),
        }
    }

    /// The same, done by that statement.
    #[must_use]
    pub fn by(mut self, statement_number: i32, migration: Option<i32>) -> Self {
        self.statement_number = Some(statement_number);
        self.migration = migration;
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// As the object that a rehearsal lists.
    pub fn json(&self) -> Value {
        let mut object = self.facts.clone();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("kind", self.kind.as_str().into());
        put("object", self.object.as_str().into());
        put("statement_number", self.statement_number.into());
        put("detail", self.detail.as_str().into());
        if self.migration.is_some() {
            put("migration_sequence", self.migration.into());
        }
        Value::Object(object)
    }
}
