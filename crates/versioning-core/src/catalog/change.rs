//! One difference between two schemas and what it means.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

/// Where an object stands in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Collection {
    /// The schema itself.
    Schema,
    /// A table, view or composite type.
    Relations,
    /// A part of a relation.
    Columns,
    /// A part of a relation or a domain.
    Constraints,
    /// A part of a relation.
    Indexes,
    /// A part of a relation.
    Triggers,
    /// A part of a relation.
    Rules,
    /// A part of a relation.
    Policies,
    /// A sequence.
    Sequences,
    /// A function or procedure.
    Functions,
    /// An enum, domain or range.
    Types,
    /// All else.
    Others,
}

impl Collection {
    /// The property of the model that holds them.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "",
            Self::Relations => "relations",
            Self::Columns => "columns",
            Self::Constraints => "constraints",
            Self::Indexes => "indexes",
            Self::Triggers => "triggers",
            Self::Rules => "rules",
            Self::Policies => "policies",
            Self::Sequences => "sequences",
            Self::Functions => "functions",
            Self::Types => "types",
            Self::Others => "others",
        }
    }

    /// What its objects consist of.
    pub fn parts(self) -> &'static [Self] {
        match self {
            Self::Schema => &[
                Self::Relations,
                Self::Sequences,
                Self::Functions,
                Self::Types,
                Self::Others,
            ],
            Self::Relations => &[
                Self::Columns,
                Self::Constraints,
                Self::Indexes,
                Self::Triggers,
                Self::Rules,
                Self::Policies,
            ],
            Self::Types => &[Self::Constraints],
            _ => &[],
        }
    }
}

/// An object by the name it has in its model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Where it stands.
    pub collection: Collection,
    /// What it is a part of: a table's or type's name.
    pub parent: Option<String>,
    /// Its name, unquoted; a function's with its input types.
    pub name: String,
}

impl ObjectRef {
    /// One that is no part of another.
    pub fn top(collection: Collection, name: &str) -> Self {
        Self {
            collection,
            parent: None,
            name: name.to_owned(),
        }
    }

    /// A part of a relation or type.
    pub fn part(collection: Collection, parent: &str, name: &str) -> Self {
        Self {
            collection,
            parent: Some(parent.to_owned()),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.collection {
            // These carry their types, printed by the server, or the words of their kind.
            Collection::Functions | Collection::Others | Collection::Schema => self.name.clone(),
            _ => quoted(&self.name),
        };
        match (&self.parent, self.collection) {
            (Some(parent), collection) if collection != Collection::Indexes => {
                write!(formatter, "{}.{name}", quoted(parent))
            }
            _ => formatter.write_str(&name),
        }
    }
}

/// A name as SQL writes it, quoted where it must be.
pub fn quoted(name: &str) -> String {
    let plain = |place: usize, letter: char| {
        letter.is_ascii_lowercase()
            || letter == '_'
            || (place > 0 && (letter.is_ascii_digit() || letter == '$'))
    };
    if !name.is_empty()
        && name
            .chars()
            .enumerate()
            .all(|(place, letter)| plain(place, letter))
    {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is new; with its parts.
    Added(Value),
    /// It has gone; with its parts.
    Dropped(Value),
    /// Properties of it are others.
    Changed,
    /// It has another name, and perhaps other properties.
    Renamed(String),
    /// It was dropped and made anew under the same name.
    Recreated,
    /// Its columns stand in another order.
    Reordered,
}

impl Action {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Dropped(_) => "dropped",
            Self::Changed => "changed",
            Self::Renamed(_) => "renamed",
            Self::Recreated => "recreated",
            Self::Reordered => "reordered",
        }
    }
}

/// How much a difference matters to clients of the old version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Info,
    /// There is something new to use.
    Addition,
    /// Something behaves otherwise, and no statement fails.
    Dangerous,
    /// A statement fails, or a type that is read is another.
    Breaking,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Addition => "addition",
            Self::Dangerous => "dangerous",
            Self::Breaking => "breaking",
        }
    }
}

/// What a difference means to a client of the old version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind, in the vocabulary of migration linters.
    pub kind: &'static str,
    /// How much it matters.
    pub level: Level,
    /// Which part of the object it is about, or what can't be told about it.
    pub note: Option<String>,
}

/// What making a change costs on a table in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// The strongest lock it takes on the table.
    pub lock: Option<&'static str>,
    /// Whether all rows are written anew; `None` where that can't be told.
    pub rewrite: Option<bool>,
    /// Whether all rows are read.
    pub scan: bool,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub action: Action,
    /// To what: the name it had before, or has now if it is new.
    pub object: ObjectRef,
    /// The schema it is in, where several are compared and it isn't the module's own.
    pub schema: Option<String>,
    /// What it is: `table`, `column`, `function` …
    pub object_type: String,
    /// Where it stands in the model, with what it is a part of under its new name.
    pub path: Vec<String>,
    /// Properties that are others: before and after, `null` where there is none.
    pub properties: BTreeMap<String, (Value, Value)>,
    /// What it means to clients.
    pub findings: Vec<Finding>,
    /// What of people's data goes with it: the kind, in the same vocabulary.
    pub losses: Vec<&'static str>,
    /// What it costs.
    pub cost: Cost,
}

impl Change {
    /// How much it matters.
    pub fn level(&self) -> Level {
        self.findings
            .iter()
            .map(|finding| finding.level)
            .max()
            .unwrap_or(Level::Info)
    }

    /// Whether a statement of an old client fails.
    pub fn is_breaking(&self) -> bool {
        self.level() == Level::Breaking
    }

    /// Whether it destroys people's data.
    pub fn loses_data(&self) -> bool {
        !self.losses.is_empty()
    }

    /// The object as SQL names it.
    pub fn object_name(&self) -> String {
        let name = match self.object.collection {
            Collection::Others => self.without_kind(&self.object.name).to_owned(),
            _ => self.object.to_string(),
        };
        match &self.schema {
            Some(schema) => format!("{}.{name}", quoted(schema)),
            None => name,
        }
    }

    /// A name without the words of the object's kind, which begin those of objects without a model of their
    /// own.
    fn without_kind<'a>(&self, name: &'a str) -> &'a str {
        match name.strip_prefix(self.object_type.as_str()) {
            Some(rest) if self.object.collection == Collection::Others => rest.trim_start(),
            _ => name,
        }
    }

    /// The facts, as JSON.
    pub fn detail(&self) -> Value {
        let mut kinds: Vec<&str> = self.findings.iter().map(|finding| finding.kind).collect();
        for kind in &self.losses {
            if !kinds.contains(kind) {
                kinds.push(kind);
            }
        }
        let mut detail = json!({
            "level": self.level().as_str(),
            "kinds": kinds,
            "lock": self.cost.lock,
            "rewrite": self.cost.rewrite,
        });
        let mut put = |name: &str, value: Value| detail[name] = value;
        if self.cost.scan {
            put("scan", true.into());
        }
        if let Some(parent) = &self.object.parent {
            put("of", parent.as_str().into());
        }
        let notes: Vec<&str> = self
            .findings
            .iter()
            .filter_map(|found| found.note.as_deref())
            .collect();
        if !notes.is_empty() {
            put("notes", notes.into());
        }
        match &self.action {
            Action::Added(object) => put("after", object.clone()),
            Action::Dropped(object) => put("before", object.clone()),
            Action::Renamed(name) => put("new_name", self.without_kind(name).into()),
            Action::Changed | Action::Recreated | Action::Reordered => {}
        }
        if !self.properties.is_empty() {
            let side = |pick: fn(&(Value, Value)) -> &Value| -> Value {
                self.properties
                    .iter()
                    .map(|(name, values)| (name.clone(), pick(values).clone()))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            };
            put("before", side(|values| &values.0));
            put("after", side(|values| &values.1));
        }
        detail
    }
}

/// The step of the version number that a change demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bump {
    /// Nobody has to know.
    Patch,
    /// There is something new, or something behaves otherwise.
    Minor,
    /// Clients of the old version break, or data goes.
    Major,
}

impl Bump {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// What all the changes together demand.
pub fn suggested_bump(changes: &[Change]) -> Bump {
    changes
        .iter()
        .map(|change| match change.level() {
            _ if change.loses_data() => Bump::Major,
            Level::Breaking => Bump::Major,
            Level::Dangerous | Level::Addition => Bump::Minor,
            Level::Info => Bump::Patch,
        })
        .max()
        .unwrap_or(Bump::Patch)
}
