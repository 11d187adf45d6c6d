//! The history: every attempt to run a migration, and which ones are in force.

use pgrx::Uuid;
use serde_json::{Value, json};
use versioning_core::model::Direction;

use crate::migration::execute::Execution;
use crate::migration::failure::Failure;
use crate::pg::notice::Notices;

pub use super::store::runs::{
    Applied, applied, mark_applied, mark_covered, ran_before, record_run, uncover, unmark_applied,
    unmark_covered,
};

/// What became of a run in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// It did its work, and that stayed.
    Success,
    /// One of its statements failed.
    Failed,
    /// It had done its work, which was undone because a later run of the same call failed.
    RolledBack,
}

impl RunStatus {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// A run, ready to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// For which site.
    pub site_id: Uuid,
    /// Of which module.
    pub module_id: Uuid,
    /// Which migration.
    pub migration_id: Uuid,
    /// Which way.
    pub direction: Direction,
    /// What became of it.
    pub status: RunStatus,
    /// What happened.
    pub execution: &'a Execution,
    /// The snapshot taken before.
    pub backup_id: Option<Uuid>,
    /// On whose behalf, as the caller said.
    pub executed_by: Option<Uuid>,
    /// The role whose rights it had.
    pub run_as: &'a str,
}

/// How many statements of a run are kept: a script of a hundred thousand INSERTs is no history.
const RECORDED_STATEMENTS: usize = 1_000;

/// The statements of a run as they are kept: an array of objects, the first ones, and at the end the
/// one that failed.
pub(in crate::migration) fn statements_json(execution: &Execution) -> Value {
    let ran = execution
        .statements
        .iter()
        .take(RECORDED_STATEMENTS)
        .map(|report| {
            json!({
                "statement_number": report.number,
                "text": report.text,
                "command": report.command,
                "rows": report.rows,
                "duration_ms": to_microseconds(report.duration_ms),
                "notices": notices_json(&report.notices),
            })
        });
    ran.chain(execution.failure.iter().map(failure_json))
        .collect()
}

fn to_microseconds(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

/// The messages of a statement, `NOTICE: text`; at the end how many more there were.
fn notices_json(notices: &Notices) -> Value {
    let kept = notices
        .kept
        .iter()
        .map(|notice| format!("{}: {}", notice.severity, notice.message));
    let omitted = (notices.omitted > 0).then(|| format!("... and {} more", notices.omitted));
    kept.chain(omitted).collect()
}

fn failure_json(failure: &Failure) -> Value {
    json!({
        "statement_number": failure.statement_number,
        "text": failure.text,
        "command": failure.command,
        "duration_ms": to_microseconds(failure.duration_ms),
        "notices": notices_json(&failure.notices),
        "sqlstate": failure.sqlstate,
        "message": failure.message,
        "schema_name": failure.schema_name,
        "table_name": failure.table_name,
        "column_name": failure.column_name,
        "constraint_name": failure.constraint_name,
    })
}
