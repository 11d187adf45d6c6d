//! Constraints: what a writer runs into. One that says the same under another name is the same one.

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::condition::{self, Strictness};
use super::super::diff::{Report, SchemaPair, Side, WordingOf};
use super::super::model::{Constraint, ConstraintKind, Relation};
use super::key;

pub(super) fn judge(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    judge_added(pair, report, table, old, new, is_new_column);
    let wording = report.wording().of_relation(pair, old, new);
    for (name, was) in &old.constraints {
        went(report, &wording, table, name, was, new);
    }
    key::gone(report, &wording, table, old, new);
}

/// Only what came: `table` may be called otherwise than before, behind a view of its old name.
pub(super) fn judge_added(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
    is_new_column: &dyn Fn(&str) -> bool,
) {
    let wording = report.wording().of_relation(pair, old, new);
    let printed = pair.after.printed_name(table);
    let mut others = pair.after.relations.values();
    let sides = Sides {
        has_heirs: others.any(|other| other.inherits.contains(&printed)),
        wording: &wording,
        table,
        old,
        new,
        is_new_column,
    };
    for (name, is) in &new.constraints {
        if !is_key(is.kind) {
            came(report, &sides, name, is);
        }
    }
    key::added(report, &sides);
}

/// What ends a check that tables which inherit don't have.
const NO_INHERIT: &str = " NO INHERIT";

/// A table before and after.
pub(super) struct Sides<'a> {
    pub wording: &'a WordingOf<'a>,
    pub table: &'a str,
    pub old: &'a Relation,
    pub new: &'a Relation,
    pub is_new_column: &'a dyn Fn(&str) -> bool,
    /// Other tables inherit from it.
    pub has_heirs: bool,
}

pub(super) fn is_key(kind: ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey)
}

/// Whether they are one constraint, or say the same.
fn is_same(wording: &WordingOf<'_>, old: &Constraint, new: &Constraint) -> bool {
    (old.identity.is_some() && old.identity == new.identity)
        || (old.kind == new.kind && wording.same(&old.definition, &new.definition))
}

fn came(report: &mut Report<'_>, sides: &Sides<'_>, name: &str, is: &Constraint) {
    let Sides {
        wording,
        table,
        old,
        new,
        is_new_column,
        ..
    } = *sides;
    let object = ObjectRef::part(Collection::Constraints, table, name);
    if let Some(was) = old
        .constraints
        .values()
        .find(|was| is_same(wording, was, is))
    {
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
        let (kind, level) = changed(sides, was, is);
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
            was.kind == ConstraintKind::Check && compared(sides, was, is) == Strictness::Looser
        });
    let (kind, level) = match (harmless || proved, looser) {
        (true, _) => (kind, Level::Info),
        (_, true) => ("check_changed", Level::Dangerous),
        _ => (kind, Level::Breaking),
    };
    report.add(Side::After, &object, kind, level);
}

/// Whether the column's default passes a constraint of that kind on it.
pub(super) fn fills_itself(column: &str, kind: ConstraintKind, table: &Relation) -> bool {
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

fn changed(sides: &Sides<'_>, was: &Constraint, is: &Constraint) -> (&'static str, Level) {
    match is.kind {
        ConstraintKind::Check => match compared(sides, was, is) {
            Strictness::Looser if is_for_heirs_alone(sides, was, is) => {
                ("check_changed", Level::Info)
            }
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

/// Whether only tables that inherit would know the one from the other, and there are none.
fn is_for_heirs_alone(sides: &Sides<'_>, was: &Constraint, is: &Constraint) -> bool {
    let (was, is) = (sides.wording).plain(&was.definition, &is.definition);
    let own = |definition: &str| definition.replace(NO_INHERIT, "");
    !sides.has_heirs && own(&was) == own(&is)
}

/// How a check relates to another, casts that say nothing apart.
fn compared(sides: &Sides<'_>, was: &Constraint, is: &Constraint) -> Strictness {
    let (was, is) = (sides.wording).plain(&was.definition, &is.definition);
    let own = |definition: &str| definition.strip_suffix(NO_INHERIT).map(str::to_owned);
    match (own(&was), own(&is)) {
        // Now the rows of tables that inherit are checked too.
        (Some(_), None) if sides.has_heirs => Strictness::Stricter,
        (was_own, is_own) => condition::compare(&was_own.unwrap_or(was), &is_own.unwrap_or(is)),
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

fn went(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    table: &str,
    name: &str,
    was: &Constraint,
    new: &Relation,
) {
    let object = ObjectRef::part(Collection::Constraints, table, name);
    let namesake = new.constraints.get_key_value(name);
    let same = namesake
        .filter(|(_, is)| is_same(wording, was, is))
        .or_else(|| {
            new.constraints
                .iter()
                .find(|(_, is)| is_same(wording, was, is))
        });
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
