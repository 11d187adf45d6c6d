//! A rehearsal as its row.

use serde_json::Value;
use versioning_core::rehearsal::Finding;

use super::Rehearsed;
use crate::error::Result;
use crate::lifecycle::store::rehearse as store;
use crate::pg::record::{Record, Rehearsal};

/// What the row consists of.
pub type Row = store::RehearsalRow;

/// The row.
///
/// # Errors
/// None of its own.
pub fn record(found: &Rehearsed) -> Result<Option<Record<Rehearsal>>> {
    let failure = found.failure.as_ref();
    store::rehearsal(&Row {
        ok: found.ok,
        sqlstate: failure.map(|(sqlstate, _, _)| sqlstate.clone()),
        error_message: failure.map(|(_, message, _)| message.clone()),
        statement_number: failure.map(|(_, _, number)| *number),
        duration_ms: found.ok.map(|_| found.duration_ms),
        statements: Value::Array(found.statements.clone()),
        locks: list(&found.locks),
        rewrites: list(&found.rewrites),
        schema_changes: Value::Array(found.schema_changes.clone()),
        breaking_changes: Value::Array(found.breaking_changes.clone()),
        data_loss: list(&found.data_loss),
        down_data_loss: list(&found.down_data_loss),
        schema_restored: found.schema_restored,
        reversibility: found.reversibility,
        suggested_bump: found.suggested_bump,
        warnings: found.warnings.clone(),
    })
}

fn list(findings: &[Finding]) -> Value {
    Value::Array(findings.iter().map(Finding::json).collect())
}
