//! Triggers and rules. Whether a trigger refuses what a client writes can be told only where its function
//! always does.

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::diff::{Report, SchemaPair, Side, WordingOf};
use super::super::model::{Function, Relation, Rule, Schema, Trigger};
use crate::plpgsql::{Raising, raising};

pub(super) fn judge(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    let wording = report.wording().of_relation(pair, old, new);
    triggers(report, &wording, pair.after, relation, old, new);
    refusals(pair, report, relation, old, new);
    rules(report, &wording, relation, old, new);
}

fn rules(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    let is_same = |was: &Rule, is: &Rule| {
        (was.identity.is_some() && was.identity == is.identity)
            || wording.same(&was.definition, &is.definition)
    };
    let fires_the_same =
        |was: &Rule, is: &Rule| fires(was.enabled.as_deref()) == fires(is.enabled.as_deref());
    for (name, was) in &old.rules {
        let object = ObjectRef::part(Collection::Rules, relation, name);
        match new.rules.get(name) {
            Some(is)
                if !wording.same(&was.definition, &is.definition) || !fires_the_same(was, is) =>
            {
                let level = if redirects(old, was) {
                    Level::Dangerous
                } else {
                    rule_level(old, is)
                };
                report.add(Side::Before, &object, "rule_changed", level);
            }
            Some(_) => {}
            // Nobody names a rule.
            None if new.rules.values().any(|is| is_same(was, is)) => {}
            None => report.add(Side::Before, &object, "rule_dropped", Level::Dangerous),
        }
    }
    for (name, is) in &new.rules {
        let known = old.rules.contains_key(name) || old.rules.values().any(|was| is_same(was, is));
        if !known {
            let object = ObjectRef::part(Collection::Rules, relation, name);
            report.add(Side::After, &object, "rule_added", rule_level(old, is));
        }
    }
}

/// Whether a rule does something else in the place of what clients write into a table: RETURNING and ON
/// CONFLICT fail then.
fn redirects(relation: &Relation, rule: &Rule) -> bool {
    let mut unquoted = rule.definition.split('\'').step_by(2);
    relation.kind.is_table()
        && fires(rule.enabled.as_deref())
        && unquoted.any(|text| text.contains(" DO INSTEAD "))
}

fn rule_level(relation: &Relation, rule: &Rule) -> Level {
    if redirects(relation, rule) {
        Level::Breaking
    } else {
        Level::Dangerous
    }
}

/// The function of a trigger, as its definition names it, with parentheses.
fn function_of<'a>(schema: &'a Schema, trigger: &Trigger) -> Option<(&'a str, &'a Function)> {
    const CALL: &str = " EXECUTE FUNCTION ";
    schema
        .functions
        .iter()
        .find(|(name, _)| {
            let Some(bare) = name.strip_suffix("()") else {
                return false;
            };
            let called = match &schema.qualified_as {
                Some(own) => format!("{CALL}{}.{bare}(", quoted(own)),
                None => format!("{CALL}{bare}("),
            };
            trigger.definition.contains(&called)
        })
        .map(|(name, function)| (name.as_str(), function))
}

/// Whether a trigger of that relation runs the function.
pub(super) fn runs(schema: &Schema, relation: &Relation, function: &str) -> bool {
    let mut triggers = relation.triggers.values();
    triggers.any(|trigger| function_of(schema, trigger).is_some_and(|(name, _)| name == function))
}

/// Whether a trigger refuses the writes that it is for.
fn refuses(schema: &Schema, trigger: &Trigger) -> Raising {
    let (Some((_, function)), true) = (
        function_of(schema, trigger),
        matches!(trigger.enabled.as_deref(), None | Some("always")),
    ) else {
        return Raising::Never;
    };
    if function.language != "plpgsql" {
        return Raising::Never;
    }
    let found = raising(&function.body);
    // Some rows only, or some columns.
    let is_for_some = [" WHEN (", " UPDATE OF "]
        .iter()
        .any(|word| trigger.definition.contains(word));
    if is_for_some {
        found.min(Raising::Perhaps)
    } else {
        found
    }
}

/// Triggers that refuse what they, or those before them, let through.
fn refusals(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    for (name, is) in &new.triggers {
        let now = refuses(pair.after, is);
        let was = old
            .triggers
            .values()
            .find(|was| was.identity.is_some() && was.identity == is.identity);
        let was = was.or_else(|| old.triggers.get(name));
        let body =
            |schema, trigger| function_of(schema, trigger).map(|(_, function)| &function.body);
        let before = was.map_or(Raising::Never, |was| refuses(pair.before, was));
        let same_body = was.is_some_and(|was| body(pair.before, was) == body(pair.after, is));
        let object = ObjectRef::part(Collection::Triggers, relation, name);
        let finding = match now {
            Raising::Always if before < Raising::Always => {
                ("writes_rejected_by_trigger", Level::Breaking, ALWAYS)
            }
            Raising::Perhaps if was.is_none() => ("trigger_added", Level::Dangerous, PERHAPS),
            Raising::Perhaps if before == Raising::Never => {
                ("trigger_changed", Level::Dangerous, PERHAPS)
            }
            // It had conditions before, perhaps the same ones.
            Raising::Perhaps if !same_body => ("trigger_changed", Level::Info, PERHAPS),
            _ => continue,
        };
        let (kind, level, note) = finding;
        report.explain(Side::After, &object, kind, level, Some(note.to_owned()));
    }
}

const ALWAYS: &str = "its function raises an exception whatever is written";
const PERHAPS: &str = "whether it refuses what clients write can't be told: its function raises exceptions under a condition";

fn is_same(wording: &WordingOf<'_>, old: &Trigger, new: &Trigger) -> bool {
    (old.identity.is_some() && old.identity == new.identity)
        || wording.same(&old.definition, &new.definition)
}

/// Whether it fires for what clients do, and not only where changes of another server are applied.
fn fires(enabled: Option<&str>) -> bool {
    !matches!(enabled, Some("disabled" | "replica"))
}

fn triggers(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    after: &Schema,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    let disabled = |trigger: &Trigger| !fires(trigger.enabled.as_deref());
    for (name, was) in &old.triggers {
        let object = ObjectRef::part(Collection::Triggers, relation, name);
        match new.triggers.get(name) {
            Some(is) if !disabled(was) && disabled(is) => {
                report.add(Side::Before, &object, "trigger_disabled", Level::Dangerous);
            }
            Some(is)
                if !wording.same(&was.definition, &is.definition)
                    || disabled(was) != disabled(is) =>
            {
                report.add(Side::Before, &object, "trigger_changed", Level::Dangerous);
            }
            Some(_) => {}
            None if new.triggers.values().any(|is| is_same(wording, was, is)) => {}
            None => report.add(Side::Before, &object, "trigger_dropped", Level::Dangerous),
        }
    }
    for (name, is) in &new.triggers {
        let known = old.triggers.contains_key(name)
            || old.triggers.values().any(|was| is_same(wording, was, is));
        // What may be refused is told with it.
        if !known && refuses(after, is) != Raising::Perhaps {
            let object = ObjectRef::part(Collection::Triggers, relation, name);
            report.add(Side::After, &object, "trigger_added", Level::Dangerous);
        }
    }
}
