//! Constraints and unique indexes: what a writer runs into.
//!
//! A constraint that says the same under another name is the same one. A key is what says which rows
//! may not be equal, whether a constraint or an index says so.

use std::collections::BTreeSet;

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::condition::{self, Strictness};
use super::super::diff::{Report, Side, column_now};
use super::super::model::{Constraint, ConstraintKind, Identity, Relation};

pub(super) fn judge(
    report: &mut Report<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    judge_added(report, table, old, new, is_new_column);
    for (name, was) in &old.constraints {
        went(report, table, name, was, new);
    }
    keys_gone(report, table, old, new);
}

/// Only what came: `table` may be called otherwise than before, behind a view of its old name.
pub(super) fn judge_added(
    report: &mut Report<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    for (name, is) in &new.constraints {
        if !is_key(is.kind) {
            came(report, table, name, is, old, new, is_new_column);
        }
    }
    keys_added(report, table, old, new, is_new_column);
}

fn is_key(kind: ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey)
}

/// Whether they are one constraint, or say the same.
fn is_same(one: &Constraint, other: &Constraint) -> bool {
    (one.identity.is_some() && one.identity == other.identity)
        || (one.kind == other.kind && one.definition == other.definition)
}

fn came(
    report: &mut Report<'_>,
    table: &str,
    name: &str,
    is: &Constraint,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    let object = ObjectRef::part(Collection::Constraints, table, name);
    if let Some(was) = old.constraints.values().find(|was| is_same(was, is)) {
        if was.definition != is.definition && deferrability(was) != deferrability(is) {
            report.add(
                Side::After,
                &object,
                "fk_deferrability_changed",
                Level::Dangerous,
            );
        }
        return;
    }
    if let Some(was) = old.constraints.get(name).filter(|was| was.kind == is.kind) {
        let (kind, level) = changed(was, is);
        report.add(Side::After, &object, kind, level);
        return;
    }
    let kind = match is.kind {
        ConstraintKind::ForeignKey => "fk_added",
        ConstraintKind::Exclusion => "exclusion_added",
        _ => "check_added",
    };
    // Rows of an old client have the defaults of columns it doesn't know: mostly NULL, which passes.
    let harmless = !is.columns.is_empty()
        && is
            .columns
            .iter()
            .all(|column| is_new_column(column) && fills_itself(column, is.kind, new));
    let proved = old.columns.iter().any(|(name, column)| {
        column.not_null && is.definition == format!("CHECK ({} IS NOT NULL)", quoted(name))
    });
    let looser = is.kind == ConstraintKind::Check
        && old.constraints.values().any(|was| {
            was.kind == ConstraintKind::Check
                && condition::compare(&was.definition, &is.definition) == Strictness::Looser
        });
    let (kind, level) = match (harmless || proved, looser) {
        (true, _) => (kind, Level::Info),
        (_, true) => ("check_changed", Level::Dangerous),
        _ => (kind, Level::Breaking),
    };
    report.add(Side::After, &object, kind, level);
}

/// Whether the column's default passes a constraint of that kind on it.
fn fills_itself(column: &str, kind: ConstraintKind, table: &Relation) -> bool {
    let Some(column) = table.columns.get(column) else {
        return false;
    };
    match kind {
        // The default was checked on the rows that were there, or will be at the first INSERT: a check
        // that refuses its own column's default would be no use to new clients either.
        ConstraintKind::Check => true,
        ConstraintKind::ForeignKey | ConstraintKind::Exclusion => column.default.is_none(),
        _ => {
            column.identity_kind.is_some()
                || column
                    .default
                    .as_deref()
                    .is_none_or(|default| default.contains("nextval(") || default.contains("uuid"))
        }
    }
}

fn changed(was: &Constraint, is: &Constraint) -> (&'static str, Level) {
    match is.kind {
        ConstraintKind::Check => match condition::compare(&was.definition, &is.definition) {
            Strictness::Looser => ("check_changed", Level::Dangerous),
            Strictness::Stricter => ("check_added", Level::Breaking),
        },
        ConstraintKind::ForeignKey => {
            if without_actions(&was.definition) == without_actions(&is.definition) {
                if deferrability(was) == deferrability(is) {
                    ("fk_action_changed", Level::Dangerous)
                } else {
                    ("fk_deferrability_changed", Level::Dangerous)
                }
            } else {
                ("fk_added", Level::Breaking)
            }
        }
        _ => ("exclusion_added", Level::Breaking),
    }
}

fn deferrability(constraint: &Constraint) -> Option<&str> {
    let start = constraint.definition.find(" DEFERRABLE")?;
    constraint.definition.get(start..)
}

fn without_actions(definition: &str) -> &str {
    let end = [" ON UPDATE ", " ON DELETE ", " DEFERRABLE"]
        .iter()
        .filter_map(|word| definition.find(word))
        .min();
    end.and_then(|end| definition.get(..end))
        .unwrap_or(definition)
}

fn went(report: &mut Report<'_>, table: &str, name: &str, was: &Constraint, new: &Relation) {
    let object = ObjectRef::part(Collection::Constraints, table, name);
    let namesake = new.constraints.get_key_value(name);
    let same = namesake
        .filter(|(_, is)| is_same(was, is))
        .or_else(|| new.constraints.iter().find(|(_, is)| is_same(was, is)));
    match same {
        Some((now, _)) if now != name => {
            report.add(
                Side::Before,
                &object,
                "constraint_renamed",
                Level::Dangerous,
            );
        }
        Some(_) => {}
        None => {
            let replaced = new
                .constraints
                .get(name)
                .is_some_and(|is| is.kind == was.kind);
            let kind = match was.kind {
                ConstraintKind::Check => "check_dropped",
                ConstraintKind::ForeignKey => "fk_dropped",
                ConstraintKind::Exclusion => "exclusion_dropped",
                ConstraintKind::Unique | ConstraintKind::PrimaryKey => return,
            };
            if !replaced {
                report.add(Side::Before, &object, kind, Level::Dangerous);
            }
        }
    }
}

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
}

impl Key {
    fn says_the_same_as(&self, other: &Self) -> bool {
        // One index stays what it is, whatever the columns in its expressions are called now.
        (self.identity.is_some() && self.identity == other.identity)
            || (self.columns == other.columns
                && self.predicate == other.predicate
                && self.nulls_not_distinct == other.nulls_not_distinct
                // Whether the old one could tell ON CONFLICT, and the new one can.
                && (!self.deferrable || other.deferrable))
    }

    /// Whether rows that are different by this key are different by the other one too.
    fn implies(&self, other: &Self) -> bool {
        (self.identity.is_some() && self.identity == other.identity)
            || self.columns.is_subset(&other.columns)
                && (self.predicate.is_none() || self.predicate == other.predicate)
                && (self.nulls_not_distinct || !other.nulls_not_distinct)
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
            object: ObjectRef::part(Collection::Constraints, table, name),
        })
        .chain(indexes.map(|(name, index)| Key {
            columns: index.columns.iter().map(|column| rename(column)).collect(),
            predicate: index.predicate.clone(),
            nulls_not_distinct: index.nulls_not_distinct,
            identity: index.identity,
            deferrable: false,
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

fn keys_added(
    report: &mut Report<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    let (before, after) = both(table, old, new);
    for key in &after {
        let nothing_new = before.iter().any(|was| was.implies(key));
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

fn keys_gone(report: &mut Report<'_>, table: &str, old: &Relation, new: &Relation) {
    let (before, after) = both(table, old, new);
    for key in &before {
        // A key goes with its columns, also with those of an expression.
        let mut gone = old
            .columns
            .keys()
            .filter(|column| !new.columns.contains_key(*column));
        let column_gone = gone.any(|gone| key.columns.iter().any(|column| names(column, gone)));
        if !column_gone && !after.iter().any(|is| is.says_the_same_as(key)) {
            // ON CONFLICT (columns) finds no key any more.
            report.add(Side::Before, &key.object, "unique_dropped", Level::Breaking);
        }
        let same_name = new.constraints.contains_key(&key.object.name);
        let still = after.iter().any(|is| is.says_the_same_as(key));
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
