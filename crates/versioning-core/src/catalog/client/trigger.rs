//! Triggers and rules. Whether a trigger refuses what a client writes can't be told from its
//! definition.

use super::super::change::{Collection, Level, ObjectRef};
use super::super::diff::{Report, Side};
use super::super::model::{Relation, Trigger};

pub(super) fn judge(report: &mut Report<'_>, relation: &str, old: &Relation, new: &Relation) {
    triggers(report, relation, old, new);
    for (name, is) in &new.rules {
        let object = ObjectRef::part(Collection::Rules, relation, name);
        match old.rules.get(name) {
            None => report.add(Side::After, &object, "rule_added", Level::Dangerous),
            Some(was)
                if !report.same(&was.definition, &is.definition) || was.enabled != is.enabled =>
            {
                report.add(Side::Before, &object, "rule_changed", Level::Dangerous);
            }
            Some(_) => {}
        }
    }
    for name in old
        .rules
        .keys()
        .filter(|name| !new.rules.contains_key(*name))
    {
        let object = ObjectRef::part(Collection::Rules, relation, name);
        report.add(Side::Before, &object, "rule_dropped", Level::Dangerous);
    }
}

fn is_same(one: &Trigger, other: &Trigger) -> bool {
    (one.identity.is_some() && one.identity == other.identity) || one.definition == other.definition
}

fn triggers(report: &mut Report<'_>, relation: &str, old: &Relation, new: &Relation) {
    let disabled = |trigger: &Trigger| trigger.enabled.as_deref() == Some("disabled");
    for (name, was) in &old.triggers {
        let object = ObjectRef::part(Collection::Triggers, relation, name);
        match new.triggers.get(name) {
            Some(is) if !disabled(was) && disabled(is) => {
                report.add(Side::Before, &object, "trigger_disabled", Level::Dangerous);
            }
            Some(is)
                if !report.same(&was.definition, &is.definition) || was.enabled != is.enabled =>
            {
                report.add(Side::Before, &object, "trigger_changed", Level::Dangerous);
            }
            Some(_) => {}
            None if new.triggers.values().any(|is| is_same(was, is)) => {}
            None => report.add(Side::Before, &object, "trigger_dropped", Level::Dangerous),
        }
    }
    for (name, is) in &new.triggers {
        let known =
            old.triggers.contains_key(name) || old.triggers.values().any(|was| is_same(was, is));
        if !known {
            let object = ObjectRef::part(Collection::Triggers, relation, name);
            report.add(Side::After, &object, "trigger_added", Level::Dangerous);
        }
    }
}
