//! Rights, policies, names that resolve elsewhere, and what reaches beyond the module.

use super::Report;
use super::rule::{self, Severity};
use super::scene::Scene;
use crate::detail::{Column, Described, Detail, PartKind};
use crate::effect::{Effect, ObjectName};

pub(super) fn look(scene: &Scene<'_>, described: &Described, report: &mut Report) {
    for detail in &described.details {
        policy(scene, detail, report);
        rights(scene, detail, report);
        reach(detail, report);
        names(scene, detail, report);
    }
    for effect in &described.statement.effects {
        if let Effect::AlterColumnType { new_type, .. } = effect {
            type_name(scene, new_type, new_type.contains('.'), report);
        }
    }
}

fn policy(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::NewPolicy {
            name,
            table,
            restrictive: true,
        } if !scene.has_table(table) => report.push(
            &rule::POLICY_TIGHTENED,
            format!("{table}.{name}"),
            format!("restrictive policy {name} takes rows of table {table} away from clients"),
        ),
        Detail::AlterPolicy { name, table } if !scene.has_table(table) => report.push_as(
            Severity::Warning,
            &rule::POLICY_TIGHTENED,
            format!("{table}.{name}"),
            format!("whether policy {name} of table {table} lets less through than before can't be told from the text"),
        ),
        Detail::DropPart {
            kind: PartKind::Policy,
            name,
            table,
        } if !scene.has_table(table) => report.push_as(
            Severity::Warning,
            &rule::POLICY_TIGHTENED,
            format!("{table}.{name}"),
            format!("policy {name} of table {table} goes: rows that only it let through are gone for clients"),
        ),
        _ => {}
    }
}

fn rights(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::Revoke { object } if !scene.has_named(object) => report.push(
            &rule::PRIVILEGE_REVOKED,
            object,
            format!("takes rights on {object} away"),
        ),
        Detail::Grant { object, to_public } => {
            let (severity, whom) = match to_public {
                true => (Severity::Warning, " to everybody"),
                false => (Severity::Info, ""),
            };
            let text = format!("gives rights on {object}{whom}");
            report.push_as(severity, &rule::PRIVILEGE_GRANTED, object, text);
        }
        Detail::NewFunction {
            name,
            security_definer: true,
            fixed_search_path: false,
            ..
        } => report.push(
            &rule::SECURITY_DEFINER_SEARCH_PATH,
            name,
            format!("function {name} runs with its owner's rights and its caller's search_path"),
        ),
        Detail::AlterFunction {
            name,
            security_definer: true,
            fixed_search_path,
            ..
        } => {
            if !scene.has_object(name) {
                let text = format!("function {name} runs with its owner's rights from now on");
                report.push(&rule::FUNCTION_SECURITY_CHANGED, name, text);
            }
            if !fixed_search_path {
                let text = format!(
                    "function {name} may run with its owner's rights and its caller's search_path"
                );
                report.push(&rule::SECURITY_DEFINER_SEARCH_PATH, name, text);
            }
        }
        _ => {}
    }
}

fn reach(detail: &Detail, report: &mut Report) {
    match detail {
        Detail::ClusterWide { command } => report.push(
            &rule::CLUSTER_WIDE_CHANGE,
            "",
            format!("{command} changes what belongs to the whole server or database"),
        ),
        Detail::NewEventTrigger { name } => report.push(
            &rule::EVENT_TRIGGER_ADDED,
            name,
            format!("event trigger {name} fires for the whole database"),
        ),
        Detail::Setting { name, .. } if name == "search_path" => report.push(
            &rule::SEARCH_PATH_CHANGED,
            name,
            "the names that follow resolve elsewhere than in the module's schema",
        ),
        Detail::Setting { name, .. } if is_role(name) => report.push(
            &rule::ROLE_CHANGED,
            name,
            format!("sets {name}, which is not allowed in a migration"),
        ),
        Detail::DefaultSetting { command, name } if name == "search_path" => report.push(
            &rule::SEARCH_PATH_CHANGED,
            name,
            format!("{command} changes the search_path with which sessions begin"),
        ),
        Detail::DefaultSetting { command, name } if is_role(name) => report.push(
            &rule::ROLE_CHANGED,
            name,
            format!("{command} changes the role with which sessions begin"),
        ),
        Detail::Setting { name, local: false } => report.push(
            &rule::SESSION_SETTING_LEAK,
            name,
            format!("setting {name} ends with the script, not with the session"),
        ),
        Detail::ServerCopy {
            command,
            writes_outside: true,
        } => report.push(
            &rule::NON_TRANSACTIONAL_EFFECT,
            "",
            format!("{command} leaves something outside the database"),
        ),
        Detail::Calls { functions } => {
            for function in functions {
                outside(function, report);
            }
        }
        _ => {}
    }
}

fn is_role(setting: &str) -> bool {
    matches!(setting, "role" | "session_authorization")
}

/// Whether a function that a statement calls is one whose work is known, and is no change of the schema.
pub(super) fn is_known(function: &str) -> bool {
    let name = function.rsplit('.').next().unwrap_or(function);
    OUTSIDE.contains(&name) || name == "set_config"
}

/// Functions whose work a rollback doesn't undo.
fn outside(function: &ObjectName, report: &mut Report) {
    let name = function.name.as_str();
    if OUTSIDE.contains(&name) || name.starts_with("dblink") {
        report.push(
            &rule::NON_TRANSACTIONAL_EFFECT,
            function,
            format!("what {function}() does is not undone with the transaction"),
        );
    }
    if name == "setval" {
        report.push(
            &rule::SEQUENCE_RESET,
            function,
            "setval() sets a sequence, also when the upgrade fails",
        );
    }
}

const OUTSIDE: &[&str] = &[
    "lo_export",
    "nextval",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_cancel_backend",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_drop_replication_slot",
    "pg_file_write",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_terminate_backend",
    "pg_try_advisory_lock",
    "setval",
];

/// Names that belong to extensions, which a script doesn't find without their schema.
fn names(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::NewTable { columns, .. } => {
            for column in columns {
                column_names(scene, column, report);
            }
        }
        Detail::NewColumn { column, .. } => column_names(scene, column, report),
        Detail::NewDomain { base, .. } => column_names(scene, base, report),
        Detail::AlterColumn {
            change: crate::detail::ColumnChange::DefaultSet(calls),
            ..
        }
        | Detail::Calls { functions: calls } => called(scene, calls, report),
        Detail::NewIndex { classes, .. } => {
            for class in classes {
                unqualified(scene, "operator class", class, OPERATOR_CLASSES, report);
            }
        }
        Detail::NewExtension {
            name,
            has_schema: false,
        } => report.push(
            &rule::UNQUALIFIED_EXTENSION_NAME,
            name,
            format!(
                "extension {name} goes into the module's schema: CREATE EXTENSION without SCHEMA"
            ),
        ),
        _ => {}
    }
}

fn column_names(scene: &Scene<'_>, column: &Column, report: &mut Report) {
    type_name(scene, &column.type_name, column.type_is_qualified, report);
    called(scene, column.default.as_deref().unwrap_or_default(), report);
}

fn type_name(scene: &Scene<'_>, written: &str, is_qualified: bool, report: &mut Report) {
    if !is_qualified {
        let base = written.split(['(', '[']).next().unwrap_or(written);
        unqualified(scene, "type", base, TYPES, report);
    }
}

fn called(scene: &Scene<'_>, calls: &[ObjectName], report: &mut Report) {
    for call in calls.iter().filter(|call| call.schema.is_none()) {
        unqualified(scene, "function", &call.name, FUNCTIONS, report);
    }
}

fn unqualified(
    scene: &Scene<'_>,
    what: &str,
    name: &str,
    known: &[(&str, &str)],
    report: &mut Report,
) {
    let Some((_, extension)) = known.iter().find(|(known, _)| *known == name) else {
        return;
    };
    let own = ObjectName {
        schema: None,
        name: name.to_owned(),
    };
    if scene.has_extension(extension) || scene.has_object(&own) {
        return;
    }
    report.push(
        &rule::UNQUALIFIED_EXTENSION_NAME,
        name,
        format!("{what} {name} belongs to extension {extension}, and its schema is not named"),
    );
}

const TYPES: &[(&str, &str)] = &[
    ("box2d", "postgis"),
    ("box3d", "postgis"),
    ("citext", "citext"),
    ("cube", "cube"),
    ("geography", "postgis"),
    ("geometry", "postgis"),
    ("halfvec", "vector"),
    ("hstore", "hstore"),
    ("lquery", "ltree"),
    ("ltree", "ltree"),
    ("ltxtquery", "ltree"),
    ("raster", "postgis_raster"),
    ("seg", "seg"),
    ("sparsevec", "vector"),
    ("vector", "vector"),
];

const FUNCTIONS: &[(&str, &str)] = &[
    ("armor", "pgcrypto"),
    ("crosstab", "tablefunc"),
    ("crypt", "pgcrypto"),
    ("decrypt", "pgcrypto"),
    ("digest", "pgcrypto"),
    ("dmetaphone", "fuzzystrmatch"),
    ("encrypt", "pgcrypto"),
    ("gen_random_bytes", "pgcrypto"),
    ("gen_salt", "pgcrypto"),
    ("hmac", "pgcrypto"),
    ("levenshtein", "fuzzystrmatch"),
    ("ll_to_earth", "earthdistance"),
    ("metaphone", "fuzzystrmatch"),
    ("pgp_sym_decrypt", "pgcrypto"),
    ("pgp_sym_encrypt", "pgcrypto"),
    ("similarity", "pg_trgm"),
    ("soundex", "fuzzystrmatch"),
    ("st_geomfromtext", "postgis"),
    ("st_makepoint", "postgis"),
    ("st_setsrid", "postgis"),
    ("unaccent", "unaccent"),
    ("uuid_generate_v1", "uuid-ossp"),
    ("uuid_generate_v1mc", "uuid-ossp"),
    ("uuid_generate_v3", "uuid-ossp"),
    ("uuid_generate_v4", "uuid-ossp"),
    ("uuid_generate_v5", "uuid-ossp"),
    ("word_similarity", "pg_trgm"),
];

const OPERATOR_CLASSES: &[(&str, &str)] = &[
    ("gin_trgm_ops", "pg_trgm"),
    ("gist_geometry_ops_2d", "postgis"),
    ("gist_ltree_ops", "ltree"),
    ("gist_trgm_ops", "pg_trgm"),
    ("vector_cosine_ops", "vector"),
    ("vector_ip_ops", "vector"),
    ("vector_l2_ops", "vector"),
];
