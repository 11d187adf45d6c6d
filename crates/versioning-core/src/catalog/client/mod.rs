//! What a difference means to clients of the old version. They know objects by name, so everything here
//! compares by name; identity only tells whether a name that went was renamed or dropped. A view or
//! function that keeps the old name alive keeps its clients alive.
//!
//! What two catalogs don't show, and is left to running the change:
//! - `function_call_ambiguous`: whether a literal fits two overloads is decided at the call
//!   (`function_overload_added` says that it may);
//! - `function_body_broken`: a body is text until it runs;
//! - `writes_rejected_by_trigger`: what a trigger does is its function's body (`trigger_added`);
//! - `sequence_reset`: where a sequence stands is data;
//! - `event_trigger_added`: event triggers live in no schema;
//! - whether a policy or check that reads otherwise lets more through: unless that is plain from
//!   simple conditions it counts as stricter, `policy_tightened`, `check_added`.

mod access;
mod column;
mod constraint;
mod data_type;
pub(super) use data_type::label_now;
mod function;
mod relation;
mod sequence;
mod trigger;

use super::change::{Collection, Level, ObjectRef};
use super::diff::{Report, SchemaPair, Side};

/// Adds to the report all that clients may notice.
pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    schema(pair, report);
    relation::judge(pair, report);
    function::judge(pair, report);
    data_type::judge(pair, report);
    sequence::judge(pair, report);
    for (name, old) in &pair.before.others {
        let object = ObjectRef::top(Collection::Others, name);
        match pair.after.others.get(name) {
            None => {
                let (kind, level) = match old.kind.as_str() {
                    "operator" => ("operator_dropped", Level::Breaking),
                    "statistics" => ("statistics_dropped", Level::Info),
                    _ => ("type_dropped", Level::Breaking),
                };
                report.add(Side::Before, &object, kind, level);
            }
            Some(new) if !report.same(&old.definition, &new.definition) => {
                report.add(Side::Before, &object, "object_changed", Level::Dangerous);
            }
            Some(_) => {}
        }
    }
}

fn schema(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    let (old, new) = (pair.before, pair.after);
    let object = ObjectRef::top(Collection::Schema, "schema");
    access::grants(report, &object, &old.grants, &new.grants, &new.owner);
    access::owner(report, &object, &old.owner, &new.owner);
}
