//! The statements that ran, one by one.

use serde_json::{Value, json};

use super::pass::First;
use super::words::{rounded, shown_locks};
use crate::migration::execute::StatementReport;
use crate::migration::failure::Failure;

/// Each statement of the rehearsed scripts with what it took, and how long all of them took.
pub fn shown(first: &First) -> (Vec<Value>, f64) {
    let (mut found, mut duration_ms) = (Vec::new(), 0.0);
    let mut seen = first.seen.iter().peekable();
    for (migration, execution) in first.forward.executions() {
        for report in &execution.statements {
            let (mut locks, mut wal_bytes) = (Vec::new(), 0);
            while let Some(one) =
                seen.next_if(|one| one.number == report.number && one.migration == migration)
            {
                locks.extend(shown_locks(one, &first.relations));
                wal_bytes += one.wal_bytes;
            }
            duration_ms += report.duration_ms;
            found.push(shown_report(report, migration, locks, wal_bytes));
        }
        if let Some(failure) = &execution.failure {
            duration_ms += failure.duration_ms;
            found.push(shown_failure(failure, migration));
        }
    }
    (found, duration_ms)
}

fn shown_report(
    report: &StatementReport,
    migration: Option<i32>,
    locks: Vec<Value>,
    wal_bytes: u64,
) -> Value {
    let notices: Vec<String> = report
        .notices
        .kept
        .iter()
        .map(|notice| format!("{}: {}", notice.severity, notice.message))
        .collect();
    json!({
        "statement_number": report.number,
        "migration_sequence": migration,
        "text": report.text,
        "command": report.command,
        "ms": rounded(report.duration_ms),
        "rows": report.rows,
        "wal_bytes": wal_bytes,
        "locks": locks,
        "notices": notices,
    })
}

fn shown_failure(failure: &Failure, migration: Option<i32>) -> Value {
    json!({
        "statement_number": failure.statement_number,
        "migration_sequence": migration,
        "text": failure.text,
        "command": failure.command,
        "ms": rounded(failure.duration_ms),
        "rows": null,
        "wal_bytes": null,
        "locks": [],
        "sqlstate": failure.sqlstate,
        "error_message": failure.message,
        "error_detail": failure.detail,
        "error_hint": failure.hint,
    })
}
