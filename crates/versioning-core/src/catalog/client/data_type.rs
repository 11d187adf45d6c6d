//! Enums, domains and ranges.

use super::super::change::{Collection, Level, ObjectRef};
use super::super::condition::{self, Strictness};
use super::super::data_type::{self, Fit};
use super::super::diff::{Report, SchemaPair, Side};
use super::super::model::{DataType, TypeKind};
use super::access;

pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in &pair.before.types {
        let object = ObjectRef::top(Collection::Types, name);
        match pair.after.types.get(name) {
            Some(new) if new.kind == old.kind => {
                match old.kind {
                    TypeKind::Enum => labels(report, &object, old, new),
                    TypeKind::Domain => domain(report, &object, name, old, new),
                    TypeKind::Range => {
                        if !report.same_or_none(old.definition.as_ref(), new.definition.as_ref()) {
                            report.add(Side::Before, &object, "type_dropped", Level::Breaking);
                        }
                    }
                }
                access::grants(report, &object, &old.grants, &new.grants, &new.owner);
                access::owner(report, &object, &old.owner, &new.owner);
            }
            _ => report.add(Side::Before, &object, "type_dropped", Level::Breaking),
        }
    }
}

/// The name that an enum's value has now, if it is still there.
pub(in super::super) fn label_now<'a>(
    place: usize,
    old: &DataType,
    new: &'a DataType,
) -> Option<&'a str> {
    let label = old.labels.get(place)?;
    let by_identity = old.label_identities.get(place).and_then(|identity| {
        let now = new
            .label_identities
            .iter()
            .position(|other| other == identity)?;
        new.labels.get(now)
    });
    by_identity
        .or_else(|| new.labels.iter().find(|other| *other == label))
        .map(String::as_str)
}

fn labels(report: &mut Report<'_>, object: &ObjectRef, old: &DataType, new: &DataType) {
    for (place, label) in old.labels.iter().enumerate() {
        if new.labels.contains(label) {
            continue;
        }
        let kind = match label_now(place, old, new) {
            Some(_) => "enum_value_renamed",
            None => "enum_value_removed",
        };
        report.explain(
            Side::Before,
            object,
            kind,
            Level::Breaking,
            Some(label.clone()),
        );
    }
    let is_old =
        |label: &str| (0..old.labels.len()).any(|place| label_now(place, old, new) == Some(label));
    for label in new.labels.iter().filter(|label| !is_old(label)) {
        report.explain(
            Side::Before,
            object,
            "enum_value_added",
            Level::Dangerous,
            Some(label.clone()),
        );
    }
    let kept: Vec<&String> = new
        .labels
        .iter()
        .filter(|label| old.labels.contains(label))
        .collect();
    let was: Vec<&String> = old
        .labels
        .iter()
        .filter(|label| new.labels.contains(label))
        .collect();
    if kept != was {
        report.add(Side::Before, object, "enum_order_changed", Level::Dangerous);
    }
}

fn domain(report: &mut Report<'_>, object: &ObjectRef, name: &str, old: &DataType, new: &DataType) {
    let base = |domain: &DataType| domain.base.clone().unwrap_or_default();
    if base(old) != base(new) {
        let (kind, level) = match data_type::compare(&base(old), &base(new)).fit {
            Fit::Widened => ("column_type_widened", Level::Dangerous),
            Fit::Narrowed => ("column_type_narrowed", Level::Breaking),
            Fit::Other => ("column_type_changed", Level::Breaking),
        };
        report.add(Side::Before, object, kind, level);
    }
    let mut add = |is: bool, kind, level| {
        if is {
            report.add(Side::Before, object, kind, level);
        }
    };
    add(
        !old.not_null && new.not_null,
        "domain_constraint_added",
        Level::Breaking,
    );
    add(
        old.not_null && !new.not_null,
        "not_null_dropped",
        Level::Dangerous,
    );
    add(
        old.default != new.default,
        "default_changed",
        Level::Dangerous,
    );
    add(
        old.collation != new.collation,
        "collation_changed",
        Level::Dangerous,
    );
    let wording = report.wording().of_domain(old, new);
    for (check, is) in &new.constraints {
        let part = ObjectRef::part(Collection::Constraints, name, check);
        let same = old
            .constraints
            .values()
            .any(|was| wording.same(&was.definition, &is.definition));
        let looser = old.constraints.values().any(|was| {
            let (was, is) = wording.plain(&was.definition, &is.definition);
            condition::compare(&was, &is) == Strictness::Looser
        });
        if !same && !looser {
            report.add(
                Side::After,
                &part,
                "domain_constraint_added",
                Level::Breaking,
            );
        }
    }
    for (check, was) in &old.constraints {
        let part = ObjectRef::part(Collection::Constraints, name, check);
        if !new
            .constraints
            .values()
            .any(|is| wording.same(&was.definition, &is.definition))
        {
            report.add(Side::Before, &part, "check_dropped", Level::Dangerous);
        }
    }
}
