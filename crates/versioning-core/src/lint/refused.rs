//! What `add_migration` refuses.

use super::rule::{self, Rule};
use super::{Fault, Report};
use crate::detail::Described;
use crate::enum_value;
use crate::script::{RefusalKind, Statement};

/// A script that doesn't parse.
pub(super) fn fault(fault: &Fault, report: &mut Report) {
    report.at = Some((fault.statement_number, fault.line));
    let is_psql = matches!(fault.found.chars().next(), Some('\\' | ':'));
    let rule = if is_psql {
        &rule::PSQL_META
    } else {
        &rule::SYNTAX
    };
    let place = if fault.found.is_empty() {
        "at the end of the script".to_owned()
    } else {
        format!("before: {}", fault.found)
    };
    report.push(rule, "", format!("{}, {place}", fault.message));
}

/// A statement that a migration can't have: then nothing else is worth saying of it.
pub(super) fn look(described: &Described, report: &mut Report) -> bool {
    let Some(refusal) = &described.statement.refusal else {
        return false;
    };
    let rule = match refusal.kind {
        RefusalKind::TransactionControl => &rule::TRANSACTION_CONTROL,
        RefusalKind::NeedsTopLevel => &rule::FORBIDDEN_IN_TRANSACTION,
        RefusalKind::ClientCopy => &rule::COPY_CLIENT,
        RefusalKind::SelectInto
        | RefusalKind::SessionState
        | RefusalKind::RoleChange
        | RefusalKind::OwnExtension => &rule::OTHER,
    };
    let text = format!("{} is not allowed in a migration", refusal.what);
    report.push_known(rule.severity, rule, "", text, known_as(rule, &refusal.what));
    true
}

/// What other tools call it that the statement is there.
fn known_as(rule: &Rule, what: &str) -> &'static str {
    match what {
        "CREATE INDEX CONCURRENTLY" | "DROP INDEX CONCURRENTLY" | "REINDEX CONCURRENTLY" => {
            "Atlas TX101, PG103, squawk ban-concurrent-index-creation-in-transaction"
        }
        "DROP DATABASE" => "Atlas TX101, squawk ban-drop-database",
        "ALTER SYSTEM" => "Atlas TX101, squawk ban-alter-system-options",
        "VACUUM" => "Atlas TX101, squawk prefer-repack",
        _ => rule.known_as,
    }
}

/// A new enum value that the same script uses.
pub(super) fn enum_values(statements: &[Described], report: &mut Report) {
    let plain: Vec<Statement> = statements
        .iter()
        .map(|described| described.statement.clone())
        .collect();
    if let Some(found) = enum_value::unsafe_use(&plain) {
        report.at = Some((found.used_by, found.line));
        report.push(
            &rule::ENUM_VALUE_USE,
            &found.type_name,
            format!(
                "value \"{}\" of enum type \"{}\" is used before the upgrade has committed; statement {} adds it",
                found.value, found.type_name, found.added_by
            ),
        );
    }
}
