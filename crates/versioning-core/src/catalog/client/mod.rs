//! What a difference means to clients of the old version. They know objects by name, so everything here
//! compares by name; identity only tells whether a name that went was renamed or dropped. A view or
//! function that keeps the old name alive keeps its clients alive.
//!
//! What two catalogs don't show, and is left to running the change:
//! - `function_call_ambiguous`: whether a literal fits two overloads is decided at the call
//!   (`function_overload_added` says that it may);
//! - whether a function whose body names what has gone still runs (`function_body_broken` says that it
//!   may not): a body is text until it runs;
//! - whether a trigger refuses what clients write, unless its function always does
//!   (`writes_rejected_by_trigger`; else `trigger_added` says that it may);
//! - `sequence_reset`: where a sequence stands is data;
//! - `event_trigger_added`: event triggers live in no schema;
//! - whether a policy or check that reads otherwise lets more through: unless that is plain from
//!   simple conditions it counts as stricter, `policy_tightened`, `check_added`.

mod access;
mod body;
mod column;
mod constraint;
mod data_type;
pub(super) use data_type::label_now;
mod function;
mod key;
mod refresh;
mod relation;
mod sequence;
mod trigger;
mod view;

use super::change::{Collection, Level, ObjectRef};
use super::diff::{Report, SchemaPair, Side};
use super::model::Other;

/// Adds to the report all that clients may notice.
pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    schema(pair, report);
    relation::judge(pair, report);
    function::judge(pair, report);
    body::judge(pair, report);
    data_type::judge(pair, report);
    sequence::judge(pair, report);
    for (name, old) in &pair.before.others {
        other(pair, report, name, old);
    }
}

/// Whether only the planner and those who make indexes know it.
pub(super) fn is_unnoticed(kind: &str) -> bool {
    matches!(kind, "statistics" | "operator class" | "operator family")
}

fn other(pair: &SchemaPair<'_>, report: &mut Report<'_>, name: &str, old: &Other) {
    let object = ObjectRef::top(Collection::Others, name);
    let Some(new) = pair.after.others.get(name) else {
        let mut now = pair.after.others.values();
        if is_unnoticed(&old.kind)
            && now.any(|is| is.identity == old.identity && is.identity.is_some())
        {
            return;
        }
        let (kind, level) = match old.kind.as_str() {
            "operator" | "cast" => ("operator_dropped", Level::Breaking),
            "statistics" => ("statistics_dropped", Level::Info),
            kind if is_unnoticed(kind) => ("object_dropped", Level::Info),
            "conversion" => ("object_dropped", Level::Dangerous),
            _ => ("type_dropped", Level::Breaking),
        };
        report.add(Side::Before, &object, kind, level);
        return;
    };
    if !report.same(&old.definition, &new.definition) {
        let level = if is_unnoticed(&old.kind) {
            Level::Info
        } else {
            Level::Dangerous
        };
        report.add(Side::Before, &object, "object_changed", level);
    }
    if let (Some(was), Some(is)) = (&old.owner, &new.owner)
        && !is_unnoticed(&old.kind)
    {
        access::grants(report, &object, &old.grants, &new.grants, is);
        access::owner(report, &object, was, is);
    }
}

fn schema(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    let (old, new) = (pair.before, pair.after);
    let object = ObjectRef::top(Collection::Schema, "schema");
    access::grants(report, &object, &old.grants, &new.grants, &new.owner);
    access::owner(report, &object, &old.owner, &new.owner);
}
