//! What the columns' types are that a definition names, and what they are on the other side.

use std::collections::{HashMap, HashSet};

use super::super::diff::column_now;
use super::super::model::{DataType, Relation, Schema};
use super::lexeme::unquoted;

/// A column's type on one side and on the other; none where it isn't one and the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Known {
    /// What it is; of a domain, what that narrows.
    pub own: Option<String>,
    /// What it is on the other side, as the server prints it.
    pub other: Option<String>,
}

type Columns = HashMap<String, Known>;

/// The columns that a definition may name.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Types<'a> {
    /// Those of the table that the definition belongs to.
    table: Columns,
    /// Those of all relations of the schema: known where all columns of one name have one type.
    all: Option<&'a AllTypes>,
}

/// What is known about one side as a whole.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct AllTypes {
    columns: Columns,
    /// Functions of the schema of which there are several: which one is meant, the casts say.
    overloaded: HashSet<String>,
}

/// The types on both sides.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct TypePair<'a> {
    pub before: Types<'a>,
    pub after: Types<'a>,
}

impl AllTypes {
    /// Those of a schema, beside another moment of it.
    pub fn of(own: &Schema, other: &Schema) -> Self {
        let mut columns = Columns::new();
        let there: HashMap<_, _> = (other.relations.values())
            .filter_map(|relation| Some((relation.identity?, relation)))
            .collect();
        for (name, relation) in &own.relations {
            let same = relation.identity.and_then(|identity| there.get(&identity));
            let elsewhere = same.copied().or_else(|| other.relations.get(name));
            for (column, known) in of_relation(own, relation, other, elsewhere) {
                columns
                    .entry(column)
                    .and_modify(|had| {
                        if *had != known {
                            *had = Known::default();
                        }
                    })
                    .or_insert(known);
            }
        }
        let mut seen = HashSet::new();
        let functions = own.functions.values();
        let overloaded = functions
            .filter(|function| !seen.insert(function.name.as_str()))
            .map(|function| function.name.clone())
            .collect();
        Self {
            columns,
            overloaded,
        }
    }
}

fn of_relation(
    own: &Schema,
    relation: &Relation,
    other: &Schema,
    elsewhere: Option<&Relation>,
) -> Columns {
    let columns = relation.columns.iter();
    columns
        .map(|(name, column)| {
            let now = elsewhere.and_then(|there| column_now(name, column, there));
            let known = Known {
                own: Some(own.base_of(&column.r#type).to_owned()),
                other: now.map(|(_, column)| other.base_of(&column.r#type).to_owned()),
            };
            (name.clone(), known)
        })
        .collect()
}

impl<'a> Types<'a> {
    /// What the column of that name is: as printed, with its qualifiers.
    pub fn of(&self, chain: &[&str]) -> Option<&Known> {
        let (name, qualifiers) = chain.split_last()?;
        let name = unquoted(name);
        let own_row = matches!(qualifiers, [] | ["new" | "old"]);
        let of_table = self.table.get(&name).filter(|_| own_row);
        of_table.or_else(|| self.all?.columns.get(&name))
    }

    /// Whether a function's casts say which one of several is meant.
    pub fn is_overloaded(&self, function: &str) -> bool {
        self.all
            .is_some_and(|all| all.overloaded.contains(&unquoted(function)))
    }
}

/// Both sides as wholes, of which those of each table are made.
#[derive(Debug, Default)]
pub(in super::super) struct SchemaTypes {
    before: AllTypes,
    after: AllTypes,
}

impl SchemaTypes {
    pub fn of(before: &Schema, after: &Schema) -> Self {
        Self {
            before: AllTypes::of(before, after),
            after: AllTypes::of(after, before),
        }
    }

    /// For what belongs to no table.
    pub fn of_all(&self) -> TypePair<'_> {
        let whole = |all| Types {
            table: Columns::new(),
            all: Some(all),
        };
        TypePair {
            before: whole(&self.before),
            after: whole(&self.after),
        }
    }

    /// For the parts of a relation.
    pub fn of_relation(
        &self,
        (before, old): (&Schema, &Relation),
        (after, new): (&Schema, &Relation),
    ) -> TypePair<'_> {
        TypePair {
            before: Types {
                table: of_relation(before, old, after, Some(new)),
                all: Some(&self.before),
            },
            after: Types {
                table: of_relation(after, new, before, Some(old)),
                all: Some(&self.after),
            },
        }
    }

    /// For the checks of a domain.
    pub fn of_domain(&self, old: &DataType, new: &DataType) -> TypePair<'_> {
        let mut pair = self.of_all();
        let value = |own: &DataType, other: &DataType| {
            let known = Known {
                own: own.base.clone(),
                other: other.base.clone(),
            };
            Columns::from([("VALUE".to_owned(), known)])
        };
        pair.before.table = value(old, new);
        pair.after.table = value(new, old);
        pair
    }

    #[cfg(test)]
    pub fn table(own: &[(&str, &str)], other: &[(&str, &str)]) -> TypePair<'static> {
        let side = |own: &[(&str, &str)], other: &[(&str, &str)]| Types {
            table: own
                .iter()
                .map(|(name, kind)| {
                    let now = other.iter().find(|(there, _)| there == name);
                    let known = Known {
                        own: Some((*kind).to_owned()),
                        other: now.map(|(_, kind)| (*kind).to_owned()),
                    };
                    ((*name).to_owned(), known)
                })
                .collect(),
            all: None,
        };
        TypePair {
            before: side(own, other),
            after: side(other, own),
        }
    }
}
