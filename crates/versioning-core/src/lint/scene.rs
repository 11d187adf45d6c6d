//! What is known while a script is read: what it has made so far, and what both scripts tell of the
//! schema that they work on.

use std::collections::{HashMap, HashSet};

use crate::detail::{Column, Constraint, Described, Detail, Mark, TableChange, Trace};
use crate::effect::{ConstraintKind, Effect, ObjectKind, ObjectName};
use crate::model::Direction;

/// What a script defines, to be looked up at each statement of the script that leads back.
#[derive(Default)]
struct Others<'a> {
    tables: HashSet<&'a ObjectName>,
    columns: HashSet<(&'a ObjectName, &'a str)>,
}

impl<'a> Others<'a> {
    fn of(direction: Direction, other: &'a [Described]) -> Self {
        if direction == Direction::Up {
            return Self::default();
        }
        let tables = details(other).filter_map(|(_, detail)| match detail {
            Detail::NewTable { table, .. } => Some(table),
            _ => None,
        });
        Self {
            tables: tables.collect(),
            columns: columns(other)
                .map(|(table, column)| (table, column.name.as_str()))
                .collect(),
        }
    }
}

/// The scene of one script.
pub struct Scene<'a> {
    script: &'a [Described],
    other: &'a [Described],
    /// The tables and columns that the other script makes.
    others: Others<'a>,
    tables: HashSet<ObjectName>,
    columns: HashSet<(ObjectName, String)>,
    objects: HashSet<ObjectName>,
    extensions: HashSet<String>,
    /// Columns that a CHECK proves not to be NULL.
    proven: HashSet<(ObjectName, String)>,
    /// Tables that were there before and nobody can read any more, with the statement that locked them.
    pub locked: Vec<(ObjectName, i32)>,
    /// How many ALTER TABLE statements a table that was there before has got.
    pub alters: HashMap<ObjectName, i32>,
}

impl<'a> Scene<'a> {
    /// The scene of `script` before its first statement; `other` is the script that leads back.
    pub fn new(direction: Direction, script: &'a [Described], other: &'a [Described]) -> Self {
        Self {
            script,
            other,
            others: Others::of(direction, other),
            tables: HashSet::new(),
            columns: HashSet::new(),
            objects: HashSet::new(),
            extensions: HashSet::new(),
            proven: HashSet::new(),
            locked: Vec::new(),
            alters: HashMap::new(),
        }
    }

    /// Takes in what a statement makes.
    pub fn note(&mut self, described: &Described) {
        for effect in &described.statement.effects {
            self.note_effect(effect);
        }
        for detail in &described.details {
            self.note_detail(detail);
        }
    }

    fn note_effect(&mut self, effect: &Effect) {
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
            Effect::RenameColumn {
                table,
                column,
                new_name,
            } if self.has_column(table, column) => {
                self.columns.insert((table.clone(), new_name.clone()));
            }
            Effect::DropTable { table, .. } => {
                // A table made again has nothing of the old one, but the finding is the drop's.
                self.objects.remove(table);
            }
            _ => {}
        }
    }

    fn note_detail(&mut self, detail: &Detail) {
        match detail {
            Detail::NewTable { table, .. } => {
                self.tables.insert(table.clone());
            }
            Detail::NewView {
                view,
                replaces: false,
                materialized,
                ..
            } => {
                self.objects.insert(view.clone());
                // Its indexes and rows are the script's own.
                if *materialized {
                    self.tables.insert(view.clone());
                }
            }
            Detail::NewFunction {
                name,
                replaces: false,
                ..
            }
            | Detail::NewObject { name, .. }
            | Detail::NewDomain { domain: name, .. } => {
                self.objects.insert(name.clone());
            }
            Detail::NewExtension {
                name,
                has_schema: false,
            } => {
                self.extensions.insert(name.clone());
            }
            Detail::NewConstraint { table, constraint } => {
                if let Some(column) = &constraint.proves_not_null {
                    self.proven.insert((table.clone(), column.clone()));
                }
            }
            _ => {}
        }
    }

    /// Whether the script has made the table.
    pub fn has_table(&self, table: &ObjectName) -> bool {
        self.tables.contains(table)
    }

    /// Whether the script has made the column, or its table.
    pub fn has_column(&self, table: &ObjectName, column: &str) -> bool {
        self.has_table(table) || self.columns.contains(&(table.clone(), column.to_owned()))
    }

    /// Whether the script has made the view, function, type, sequence or schema.
    pub fn has_object(&self, name: &ObjectName) -> bool {
        self.objects.contains(name)
    }

    /// Whether the script has made what goes by that name, with its schema where it has one.
    pub fn has_named(&self, shown: &str) -> bool {
        let mut made = self.tables.iter().chain(&self.objects);
        made.any(|name| name.to_string() == shown)
    }

    /// Whether a CHECK of the script may prove that the rows of a table fit into a partition.
    pub fn is_checked(&self, wanted: &ObjectName) -> bool {
        details(self.script).any(|(_, detail)| match detail {
            Detail::NewConstraint { table, constraint } => {
                table == wanted && constraint.kind == ConstraintKind::Check
            }
            Detail::AlterTable {
                table,
                change: TableChange::ConstraintValidated(_),
            } => table == wanted,
            _ => false,
        })
    }

    /// Whether the script validates a constraint of the table.
    pub fn validates(&self, wanted: &ObjectName) -> bool {
        details(self.script).any(|(_, detail)| {
            matches!(detail, Detail::AlterTable { table, change: TableChange::ConstraintValidated(_) } if table == wanted)
        })
    }

    /// Whether the script has installed the extension where it finds its names.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.contains(name)
    }

    /// Whether the script makes the same thing, before or afterwards.
    pub fn has_made(&self, wanted: &Trace) -> bool {
        details(self.script).any(|(_, detail)| {
            matches!(detail, Detail::Trace(trace) if trace.mark == Mark::Made
                && trace.kind == wanted.kind && trace.object == wanted.object)
        })
    }

    /// Whether a CHECK of the script proves that the column is not NULL.
    pub fn is_proven(&self, table: &ObjectName, column: &str) -> bool {
        self.proven.contains(&(table.clone(), column.to_owned()))
    }

    /// Whether the script makes a view of that name somewhere.
    pub fn makes_view(&self, name: &ObjectName) -> bool {
        details(self.script)
            .any(|(_, detail)| matches!(detail, Detail::NewView { view, .. } if view == name))
    }

    /// The arguments of the functions of that name that the script makes.
    pub fn makes_functions(&self, wanted: &ObjectName) -> Vec<&'a [String]> {
        details(self.script)
            .filter_map(|(_, detail)| match detail {
                Detail::NewFunction {
                    name, arguments, ..
                } if name == wanted => Some(arguments.as_slice()),
                _ => None,
            })
            .collect()
    }

    /// The kind of the constraint that the script adds under that name.
    pub fn adds_constraint(&self, table: &ObjectName, name: &str) -> Option<ConstraintKind> {
        constraint(self.script, table, name).map(|constraint| constraint.kind)
    }

    /// Whether the script drops a constraint of that name.
    pub fn drops_constraint(&self, wanted: &ObjectName, wanted_name: &str) -> bool {
        effects(self.script).any(|(_, effect)| {
            matches!(effect, Effect::DropConstraint { table, name, .. } if table == wanted && name == wanted_name)
        })
    }

    /// The kind of a constraint: as the other script defines it, or as PostgreSQL names such.
    pub fn constraint_kind(&self, table: &ObjectName, name: &str) -> Option<ConstraintKind> {
        constraint(self.other, table, name)
            .map(|constraint| constraint.kind)
            .or_else(|| kind_by_name(name))
    }

    /// Whether the other script makes a unique index of that name.
    pub fn was_unique_index(&self, wanted: &str) -> bool {
        details(self.other).any(|(_, detail)| {
            matches!(detail, Detail::NewIndex { name: Some(name), unique: true, .. } if name == wanted)
        })
    }

    /// The type that a column has before the script, as far as the other script tells.
    pub fn old_type(&self, wanted: &ObjectName, wanted_column: &str) -> Option<&'a str> {
        let changed = effects(self.other).find_map(|(_, effect)| match effect {
            Effect::AlterColumnType {
                table,
                column,
                new_type,
                ..
            } if table == wanted && column == wanted_column => Some(new_type.as_str()),
            _ => None,
        });
        changed.or_else(|| {
            columns(self.other)
                .find(|(table, column)| *table == wanted && column.name == wanted_column)
                .map(|(_, column)| column.type_name.as_str())
        })
    }

    /// Whether this is a down script that takes back what its up script makes.
    pub fn takes_back(&self, wanted: &ObjectName, wanted_column: Option<&str>) -> bool {
        match wanted_column {
            Some(column) => self.others.columns.contains(&(wanted, column)),
            None => self.others.tables.contains(wanted),
        }
    }

    /// The columns with which an index or key of the script begins, for that table.
    pub fn indexed(&self, wanted: &ObjectName) -> Vec<Vec<&'a str>> {
        let mut found = Vec::new();
        for (_, detail) in details(self.script) {
            match detail {
                Detail::NewIndex { table, columns, .. } if table == wanted => {
                    found.push(columns.iter().map_while(|one| one.as_deref()).collect());
                }
                Detail::NewTable {
                    table, constraints, ..
                } if table == wanted => found.extend(constraints.iter().filter_map(key)),
                Detail::NewConstraint { table, constraint } if table == wanted => {
                    found.extend(key(constraint));
                }
                Detail::NewColumn { table, column } if table == wanted => {
                    found.extend(column.constraints.iter().filter_map(key));
                }
                _ => {}
            }
        }
        found
    }
}

/// The columns of a constraint that has an index.
fn key(constraint: &Constraint) -> Option<Vec<&str>> {
    matches!(
        constraint.kind,
        ConstraintKind::PrimaryKey | ConstraintKind::Unique
    )
    .then(|| constraint.columns.iter().map(String::as_str).collect())
}

/// The effects of a script with their statements.
pub fn effects(script: &[Described]) -> impl Iterator<Item = (&Described, &Effect)> {
    script.iter().flat_map(|one| {
        one.statement
            .effects
            .iter()
            .map(move |effect| (one, effect))
    })
}

/// The details of a script with their statements.
pub fn details(script: &[Described]) -> impl Iterator<Item = (&Described, &Detail)> {
    script
        .iter()
        .flat_map(|one| one.details.iter().map(move |detail| (one, detail)))
}

/// The columns that a script defines, in new tables too.
pub fn columns(script: &[Described]) -> impl Iterator<Item = (&ObjectName, &Column)> {
    details(script).flat_map(|(_, detail)| {
        let (table, columns) = match detail {
            Detail::NewTable { table, columns, .. } => (Some(table), columns.as_slice()),
            Detail::NewColumn { table, column } => (Some(table), std::slice::from_ref(column)),
            _ => (None, [].as_slice()),
        };
        columns
            .iter()
            .filter_map(move |column| table.map(|table| (table, column)))
    })
}

/// The constraints that a script defines, with those of columns and new tables.
pub fn constraints(script: &[Described]) -> impl Iterator<Item = (&ObjectName, &Constraint)> {
    details(script).flat_map(|(_, detail)| {
        let (table, constraints) = match detail {
            Detail::NewTable {
                table, constraints, ..
            } => (Some(table), constraints.as_slice()),
            Detail::NewColumn { table, column } => (Some(table), column.constraints.as_slice()),
            Detail::NewConstraint { table, constraint } => {
                (Some(table), std::slice::from_ref(constraint))
            }
            _ => (None, [].as_slice()),
        };
        constraints
            .iter()
            .filter_map(move |constraint| table.map(|table| (table, constraint)))
    })
}

fn constraint<'a>(
    script: &'a [Described],
    wanted: &ObjectName,
    name: &str,
) -> Option<&'a Constraint> {
    constraints(script)
        .find(|(table, constraint)| *table == wanted && constraint.name.as_deref() == Some(name))
        .map(|(_, constraint)| constraint)
}

/// The kind of constraint that PostgreSQL would have given that name.
fn kind_by_name(name: &str) -> Option<ConstraintKind> {
    let kinds = [
        ("_pkey", ConstraintKind::PrimaryKey),
        ("_fkey", ConstraintKind::ForeignKey),
        ("_key", ConstraintKind::Unique),
        ("_check", ConstraintKind::Check),
        ("_excl", ConstraintKind::Exclusion),
        ("_not_null", ConstraintKind::NotNull),
    ];
    let plain = name.trim_end_matches(|character: char| character.is_ascii_digit());
    kinds
        .into_iter()
        .find(|(suffix, _)| plain.ends_with(suffix))
        .map(|(_, kind)| kind)
}

/// Whether that kind of object goes by a name that the script may have made itself.
pub fn is_named_object(kind: ObjectKind) -> bool {
    !matches!(
        kind,
        ObjectKind::Index | ObjectKind::Extension | ObjectKind::Other
    )
}
