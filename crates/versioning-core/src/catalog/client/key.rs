//! Keys: what says which rows may not be equal, whether a constraint or an index says so.

use std::collections::BTreeSet;

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::diff::{Report, Side, WordingOf, column_now};
use super::super::model::{ConstraintKind, Identity, Relation};
use super::constraint::{Sides, fills_itself, is_key};

/// What may not occur twice in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    columns: BTreeSet<String>,
    predicate: Option<String>,
    nulls_not_distinct: bool,
    /// It can't tell ON CONFLICT which row is meant.
    deferrable: bool,
    identity: Option<Identity>,
    object: ObjectRef,
    primary: bool,
}

impl Key {
    fn says_the_same_as(&self, wording: &WordingOf<'_>, other: &Self) -> bool {
        let mut both = self.columns.iter().zip(&other.columns);
        // One index stays what it is, whatever the columns in its expressions are called now.
        (self.identity.is_some() && self.identity == other.identity)
            || (self.columns.len() == other.columns.len()
                && both.all(|(old, new)| is_same_key(wording, old, new))
                && self.is_on_rows_of(wording, other)
                && self.nulls_not_distinct == other.nulls_not_distinct
                // Whether the old one could tell ON CONFLICT, and the new one can.
                && (self.deferrable || !other.deferrable))
    }

    /// Whether rows that are different by this key are different by the other one too.
    fn implies(&self, wording: &WordingOf<'_>, other: &Self) -> bool {
        let has = |old: &String| (other.columns.iter()).any(|new| is_same_key(wording, old, new));
        (self.identity.is_some() && self.identity == other.identity)
            || self.columns.iter().all(has)
                && (self.predicate.is_none() || self.is_on_rows_of(wording, other))
                && (self.nulls_not_distinct || !other.nulls_not_distinct)
                // One that isn't deferrable refuses each row at once.
                && (!self.deferrable || other.deferrable)
    }

    /// Whether ON CONFLICT finds the other one where it found this one: whether two NULLs are one value
    /// doesn't matter to it.
    fn is_found_as(&self, wording: &WordingOf<'_>, other: &Self) -> bool {
        let nulls_not_distinct = other.nulls_not_distinct;
        let key = Self {
            nulls_not_distinct,
            ..self.clone()
        };
        key.says_the_same_as(wording, other)
    }
}

/// Whether a key's column or expression is the same one, its columns under their names of now.
fn is_same_key(wording: &WordingOf<'_>, old: &str, new: &str) -> bool {
    let has_casts = old.contains("::") || new.contains("::");
    old == new || has_casts && wording.same(old, new)
}

impl Key {
    /// Whether it counts for the same rows.
    fn is_on_rows_of(&self, wording: &WordingOf<'_>, other: &Self) -> bool {
        wording.same_or_none(self.predicate.as_ref(), other.predicate.as_ref())
    }
}

/// Whether a key's column or expression is that column or uses it.
fn names(expression: &str, column: &str) -> bool {
    let is_inside = |letter: char| letter.is_alphanumeric() || "_$\"".contains(letter);
    expression == column
        || expression
            .match_indices(&*quoted(column))
            .any(|(place, found)| {
                let before = expression
                    .get(..place)
                    .is_some_and(|text| text.ends_with(is_inside));
                let after = expression.get(place + found.len()..);
                !before && after.is_some_and(|text| !text.starts_with(is_inside))
            })
}

fn keys_of(table: &str, relation: &Relation, rename: impl Fn(&str) -> String) -> Vec<Key> {
    let constraints = relation
        .constraints
        .iter()
        .filter(|(_, constraint)| is_key(constraint.kind));
    let indexes = relation
        .indexes
        .iter()
        .filter(|(_, index)| index.unique && !index.invalid);
    constraints
        .map(|(name, constraint)| Key {
            columns: constraint
                .columns
                .iter()
                .map(|column| rename(column))
                .collect(),
            predicate: None,
            nulls_not_distinct: constraint.definition.contains("NULLS NOT DISTINCT"),
            identity: constraint.identity,
            deferrable: constraint.definition.contains(" DEFERRABLE"),
            primary: constraint.kind == ConstraintKind::PrimaryKey,
            object: ObjectRef::part(Collection::Constraints, table, name),
        })
        .chain(indexes.map(|(name, index)| Key {
            columns: index.columns.iter().map(|column| rename(column)).collect(),
            predicate: index.predicate.clone(),
            nulls_not_distinct: index.nulls_not_distinct,
            identity: index.identity,
            deferrable: false,
            primary: false,
            object: ObjectRef::part(Collection::Indexes, table, name),
        }))
        .collect()
}

/// The keys before, by the columns' names of now, and those of now.
fn both(table: &str, old: &Relation, new: &Relation) -> (Vec<Key>, Vec<Key>) {
    let renamed = |name: &str| {
        let now = old
            .columns
            .get(name)
            .and_then(|was| column_now(name, was, new));
        now.map_or(name, |(now, _)| now).to_owned()
    };
    let before = keys_of(table, old, renamed);
    (before, keys_of(table, new, str::to_owned))
}

pub(super) fn added(report: &mut Report<'_>, sides: &Sides<'_>) {
    let Sides {
        wording,
        table,
        old,
        new,
        is_new_column,
        ..
    } = *sides;
    let (before, after) = both(table, old, new);
    for key in &after {
        let nothing_new = before.iter().any(|was| was.implies(wording, key));
        // An old client leaves a new column at its default: NULLs don't collide, nor do serials.
        let passes = key.columns.iter().any(|column| {
            is_new_column(column)
                && !key.nulls_not_distinct
                && fills_itself(column, ConstraintKind::Unique, new)
        });
        if !nothing_new {
            let level = if passes { Level::Info } else { Level::Breaking };
            report.add(Side::After, &key.object, "unique_added", level);
        }
    }
}

pub(super) fn gone(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
) {
    let (before, after) = both(table, old, new);
    for key in &before {
        // A key goes with its columns, also with those of an expression.
        let mut gone = old
            .columns
            .keys()
            .filter(|column| !new.columns.contains_key(*column));
        let column_gone = gone.any(|gone| key.columns.iter().any(|column| names(column, gone)));
        // Rows are named otherwise from now on: that is more than a column less.
        let is_primary_now = after.iter().any(|is| is.primary);
        let has_moved = key.primary && is_primary_now;
        let still = after.iter().any(|is| key.says_the_same_as(wording, is));
        if still && key.primary && !is_primary_now {
            let words = "GROUP BY on it doesn't stand for the other columns any more, nor does a foreign key find it without naming columns";
            report.explain(
                Side::Before,
                &key.object,
                "unique_dropped",
                Level::Breaking,
                Some(words.to_owned()),
            );
        }
        if !still && (!column_gone || has_moved) {
            // ON CONFLICT (columns) finds no key any more.
            let found = after.iter().any(|is| key.is_found_as(wording, is));
            let level = if found {
                Level::Dangerous
            } else {
                Level::Breaking
            };
            report.add(Side::Before, &key.object, "unique_dropped", level);
        }
        let same_name = new.constraints.contains_key(&key.object.name);
        if key.object.collection == Collection::Constraints && still && !same_name {
            report.add(
                Side::Before,
                &key.object,
                "constraint_renamed",
                Level::Dangerous,
            );
        }
    }
}
