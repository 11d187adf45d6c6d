//! Views, functions, types, sequences, triggers: what clients of the old version trip over besides tables.

use super::Report;
use super::rule::{self, Rule, Severity};
use super::scene::{self, Scene};
use crate::detail::{AttributeChange, Described, Detail, Mark, PartKind, Trace};
use crate::effect::{Effect, ObjectKind, ObjectName};

pub(super) fn look(scene: &Scene<'_>, described: &Described, report: &mut Report) {
    for effect in &described.statement.effects {
        object(scene, effect, report);
        cascade(scene, effect, report);
    }
    for detail in &described.details {
        kind(scene, detail, report);
        other(scene, detail, report);
        part(scene, detail, report);
    }
}

fn object(scene: &Scene<'_>, effect: &Effect, report: &mut Report) {
    match effect {
        Effect::Drop { kind, name, .. } if !scene.has_object(name) => match kind {
            ObjectKind::View | ObjectKind::MaterializedView if scene.makes_view(name) => report
                .push(
                    &rule::VIEW_DEFINITION_CHANGED,
                    name,
                    format!("view {name} is dropped and made again"),
                ),
            ObjectKind::Index if scene.was_unique_index(&name.name) => report.push(
                &rule::UNIQUE_DROPPED,
                name,
                format!("drops unique index {name}: INSERT ... ON CONFLICT on its columns fails"),
            ),
            // The details know its arguments.
            ObjectKind::Function => {}
            kind => {
                if let Some(rule) = dropped(*kind) {
                    report.push(rule, name, format!("drops {} {name}", word(*kind)));
                }
            }
        },
        Effect::Rename { kind, name, .. }
            if scene::is_named_object(*kind) && !scene.has_object(name) =>
        {
            let rule = match kind {
                ObjectKind::Schema => Some(&rule::SCHEMA_RENAMED),
                kind => dropped(*kind),
            };
            if let Some(rule) = rule {
                let text = format!(
                    "{} {name} gets another name: clients that use the old one fail",
                    word(*kind)
                );
                report.push_known(rule.severity, rule, name, text, "squawk renaming-object");
            }
        }
        _ => {}
    }
}

fn dropped(kind: ObjectKind) -> Option<&'static Rule> {
    match kind {
        ObjectKind::View | ObjectKind::MaterializedView => Some(&rule::VIEW_DROPPED),
        ObjectKind::Function => Some(&rule::FUNCTION_DROPPED),
        ObjectKind::Sequence => Some(&rule::SEQUENCE_DROPPED),
        ObjectKind::Type => Some(&rule::TYPE_DROPPED),
        ObjectKind::Schema => Some(&rule::SCHEMA_DROPPED),
        ObjectKind::Extension => Some(&rule::EXTENSION_DROPPED),
        ObjectKind::Index | ObjectKind::Other => None,
    }
}

pub(super) fn word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized view",
        ObjectKind::Function => "function",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Type => "type",
        ObjectKind::Schema => "schema",
        ObjectKind::Index => "index",
        ObjectKind::Extension => "extension",
        ObjectKind::Other => "object",
    }
}

fn cascade(scene: &Scene<'_>, effect: &Effect, report: &mut Report) {
    let name = match effect {
        Effect::DropTable {
            table,
            cascade: true,
        } if !scene.has_table(table) => table.to_string(),
        Effect::DropColumn {
            table,
            column,
            cascade: true,
        } if !scene.has_column(table, column) => format!("{table}.{column}"),
        Effect::DropConstraint {
            table,
            name,
            cascade: true,
        } if !scene.has_table(table) => format!("{table}.{name}"),
        Effect::Drop {
            name,
            cascade: true,
            ..
        } if !scene.has_object(name) => name.to_string(),
        Effect::DropOwned { cascade: true } => String::new(),
        _ => return,
    };
    let text = format!("CASCADE drops whatever depends on {name}, also what is not the module's");
    report.push_known(Severity::Warning, &rule::DROP_CASCADE, name, text, "");
}

/// Types and domains.
fn kind(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::EnumValueAdded { type_name, value } if !scene.has_object(type_name) => report.push(
            &rule::ENUM_VALUE_ADDED,
            type_name,
            format!("enum type {type_name} gets value '{value}'"),
        ),
        Detail::EnumValueRenamed { type_name, value, .. } if !scene.has_object(type_name) => report
            .push(
                &rule::ENUM_VALUE_RENAMED,
                type_name,
                format!("value '{value}' of enum type {type_name} gets another name: clients that use the old one fail"),
            ),
        Detail::Attribute {
            type_name,
            attribute,
            change,
        } if !scene.has_object(type_name) => {
            let (rule, what) = match change {
                AttributeChange::Added => (&rule::COMPOSITE_ATTRIBUTE_ADDED, "is new"),
                AttributeChange::Dropped => (&rule::COMPOSITE_ATTRIBUTE_DROPPED, "is dropped, with its values"),
                AttributeChange::Renamed => (&rule::COMPOSITE_ATTRIBUTE_RENAMED, "gets another name"),
                AttributeChange::TypeChanged => (&rule::COMPOSITE_ATTRIBUTE_TYPE_CHANGED, "gets another type"),
            };
            let object = format!("{type_name}.{attribute}");
            report.push(rule, &object, format!("attribute {object} {what}"));
        }
        Detail::DomainNarrowed { domain, .. } if !scene.has_object(domain) => report.push(
            &rule::DOMAIN_CONSTRAINT_ADDED,
            domain,
            format!("domain {domain} refuses more values"),
        ),
        _ => {}
    }
}

/// Sequences, views, functions.
fn other(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::AlterSequence { sequence, restarts } if !scene.has_object(sequence) => {
            let (rule, what) = match restarts {
                true => (&rule::SEQUENCE_RESET, "is set back"),
                false => (&rule::SEQUENCE_CHANGED, "gives out other numbers"),
            };
            report.push(rule, sequence, format!("sequence {sequence} {what}"));
        }
        Detail::NewView {
            view,
            replaces: true,
            check_option,
            ..
        } => {
            report.push(
                &rule::VIEW_DEFINITION_CHANGED,
                view,
                format!("view {view} is defined anew"),
            );
            if *check_option {
                let text = format!("view {view} has a CHECK OPTION");
                report.push(&rule::VIEW_CHECK_OPTION_ADDED, view, text);
            }
        }
        Detail::Refresh {
            view,
            empties: true,
            ..
        } => report.push(
            &rule::MATVIEW_UNPOPULATED,
            view,
            format!("materialized view {view} is emptied: queries of it fail"),
        ),
        Detail::AlterFunction { name, options, .. } if !scene.has_object(name) => {
            let has = |wanted: &str| options.iter().any(|option| option == wanted);
            if has("volatility") {
                let text = format!("function {name} gets another volatility");
                report.push(&rule::FUNCTION_VOLATILITY_CHANGED, name, text);
            }
            if has("strict") {
                let text = format!("what function {name} does with NULL changes");
                report.push(&rule::FUNCTION_NULL_HANDLING_CHANGED, name, text);
            }
        }
        Detail::DropFunction { name, arguments } if !scene.has_object(name) => {
            dropped_function(scene, name, arguments.as_deref(), report);
        }
        Detail::DropFunction { name, arguments } if !scene.makes_functions(name).is_empty() => {
            dropped_function(scene, name, arguments.as_deref(), report);
        }
        _ => {}
    }
}

fn dropped_function(
    scene: &Scene<'_>,
    name: &ObjectName,
    arguments: Option<&[String]>,
    report: &mut Report,
) {
    let made = scene.makes_functions(name);
    if made.is_empty() {
        let text = format!("drops function {name}: clients that call it fail");
        report.push(&rule::FUNCTION_DROPPED, name, text);
    } else if arguments.is_some_and(|arguments| !made.contains(&arguments)) {
        let text = format!(
            "function {name} takes other arguments: clients that call it as before may fail"
        );
        report.push(&rule::FUNCTION_SIGNATURE_CHANGED, name, text);
    }
}

/// Triggers, rules, operators.
fn part(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::DropPart {
            kind: PartKind::Trigger,
            name,
            table,
        } if !scene.has_table(table) => report.push(
            &rule::TRIGGER_DROPPED,
            format!("{table}.{name}"),
            format!("drops trigger {name} of table {table}"),
        ),
        Detail::NewTrigger { name, table } if !scene.has_table(table) => report.push(
            &rule::TRIGGER_ADDED,
            format!("{table}.{name}"),
            format!("trigger {name} fires on table {table}"),
        ),
        Detail::NewRule { name, table } if !scene.has_table(table) && !scene.has_object(table) => {
            report.push(
                &rule::RULE_ADDED,
                format!("{table}.{name}"),
                format!("rule {name} rewrites statements on {table}"),
            );
        }
        Detail::DropPart {
            kind: PartKind::Rule,
            name,
            table,
        } if !scene.has_table(table) && !scene.has_object(table) => report.push(
            &rule::RULE_DROPPED,
            format!("{table}.{name}"),
            format!("drops rule {name} of table {table}"),
        ),
        Detail::Trace(trace) if trace.mark == Mark::Gone => rarer(scene, trace, report),
        Detail::Trace(trace) if trace.mark == Mark::Set => altered(scene, trace, report),
        Detail::NewDomain { domain, base } if !base.constraints.is_empty() => report.push(
            &rule::DOMAIN_WITH_CONSTRAINT,
            domain,
            format!("domain {domain} has a constraint"),
        ),
        Detail::MovedObject { kind, name } if !scene.has_object(name) => {
            if let Some(rule) = dropped(*kind) {
                let text = format!(
                    "{} {name} gets another schema: clients that use the old one fail",
                    word(*kind)
                );
                report.push_known(rule.severity, rule, name, text, "squawk ban-set-schema");
            }
        }
        Detail::OwnerChanged { object } if !scene.has_named(object) => report.push(
            &rule::OWNER_CHANGED,
            object,
            format!("{object} gets another owner"),
        ),
        _ => {}
    }
}

/// What stays and is another one, of the kinds that no other detail tells of.
fn altered(scene: &Scene<'_>, trace: &Trace, report: &mut Report) {
    let object = &trace.object;
    match trace.kind {
        "view options" if !scene.has_object(object) => report.push(
            &rule::VIEW_OPTIONS_CHANGED,
            object,
            format!("view {object} gets other options or defaults"),
        ),
        "extension" => report.push(
            &rule::EXTENSION_UPDATED,
            object,
            format!("extension {object} gets another version"),
        ),
        _ => {}
    }
}

/// What goes of the kinds that no effect tells of.
fn rarer(scene: &Scene<'_>, trace: &Trace, report: &mut Report) {
    if scene.has_made(trace) {
        return;
    }
    let (rule, what) = match trace.kind {
        "operator" => (&rule::OPERATOR_DROPPED, "statements that use it fail"),
        "operator class" | "operator family" => (
            &rule::OBJECT_DROPPED,
            "indexes can't be built with it any more",
        ),
        "cast" => (&rule::OPERATOR_DROPPED, "statements that rely on it fail"),
        "collation"
        | "text search configuration"
        | "text search dictionary"
        | "text search parser"
        | "text search template" => (&rule::TYPE_DROPPED, "clients that name it fail"),
        "statistics object" => (&rule::STATISTICS_DROPPED, "the planner knows less"),
        "server" | "foreign-data wrapper" | "user mapping" => (
            &rule::OBJECT_DROPPED,
            "foreign tables can't be read without it",
        ),
        "publication" | "subscription" => (
            &rule::OBJECT_DROPPED,
            "others get no changes through it any more",
        ),
        "language" | "transform" | "conversion" | "access method" | "event trigger" => (
            &rule::OBJECT_DROPPED,
            "what relies on it fails, or does without",
        ),
        _ => return,
    };
    let object = match trace.kind {
        "user mapping" => trace.shown(),
        _ => trace.object.to_string(),
    };
    let text = format!("drops {} {object}: {what}", trace.kind);
    report.push(rule, object, text);
}
