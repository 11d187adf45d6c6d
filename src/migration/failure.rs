//! A statement that failed: what PostgreSQL said, and what helps besides.

use versioning_core::script::{self, Statement};

use crate::error::Result;
use crate::migration::boundary::Measures;
use crate::migration::check;
use crate::migration::execute::REPORTED_TEXT;
use crate::migration::limits::Limits;
use crate::pg::lock_wait;
use crate::pg::notice::Notices;
use crate::pg::{identity, interrupt};

/// Everything PostgreSQL said about a statement that failed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Failure {
    /// Its place in the script, from 1.
    pub statement_number: i32,
    /// The start of its text.
    pub text: String,
    /// Its command tag.
    pub command: String,
    /// How long it took to fail.
    pub duration_ms: f64,
    /// The messages it sent before.
    pub notices: Notices,
    /// The five characters, whatever the script raised.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// DETAIL.
    pub detail: Option<String>,
    /// HINT.
    pub hint: Option<String>,
    /// CONTEXT, as far as it belongs to the script.
    pub context: Option<String>,
    /// The schema that the error names.
    pub schema_name: Option<String>,
    /// The table that the error names.
    pub table_name: Option<String>,
    /// The column that the error names.
    pub column_name: Option<String>,
    /// The constraint that the error names.
    pub constraint_name: Option<String>,
}

/// With what was measured until it failed; and when that was for its time limit, in words that say so.
pub(super) fn measured(failure: Failure, measures: &Measures, limits: Limits) -> Failure {
    let measure = measures.failed.clone().unwrap_or_default();
    let failure = Failure {
        duration_ms: measure.duration_ms,
        notices: measure.notices,
        ..failure
    };
    if !measures.timed_out {
        return failure;
    }
    Failure {
        message: "canceling statement due to statement timeout".to_owned(),
        detail: Some(format!(
            "A statement of this migration may run for {} ms.",
            limits.statement
        )),
        hint: Some(
            "Raise module_versioning.statement_timeout, or give the migration a statement_timeout of its own."
                .to_owned(),
        ),
        ..failure
    }
}

/// With what the server doesn't say by itself: who held a lock, and the way round a new enum value.
pub(super) fn explained(failure: Failure, limits: Limits) -> Result<Failure> {
    Ok(match failure.sqlstate.as_str() {
        "55P03" => {
            let holder = interrupt::waited_for()
                .map(|tag| identity::as_extension_owner(|| lock_wait::holder(tag)))
                .transpose()?
                .flatten();
            Failure {
                detail: Some(lock_wait::detail(failure.detail, limits.lock, holder)),
                hint: failure.hint.or_else(|| {
                    Some("Everything was undone. Try again, or raise lock_timeout of the migration or module_versioning.lock_timeout; module_versioning.lock_retries tries again by itself.".to_owned())
                }),
                ..failure
            }
        }
        "55P04" => Failure {
            // The server's own hint only says that the value must be committed first.
            hint: Some(check::ENUM_VALUE_HINT.to_owned()),
            ..failure
        },
        _ => failure,
    })
}

pub(super) fn deferred(failure: Failure) -> Failure {
    let when = "A deferred constraint was checked after the last statement.";
    let detail = match failure.detail {
        Some(detail) => format!("{detail} {when}"),
        None => when.to_owned(),
    };
    Failure {
        detail: Some(detail),
        ..failure
    }
}

pub(super) fn located(failure: Failure, statement: &Statement) -> Failure {
    let text = script::excerpt(&statement.text, REPORTED_TEXT);
    // Where PostgreSQL has no facts to add, the statement itself is the most useful one.
    let detail = failure
        .detail
        .or_else(|| Some(format!("In line {} of the script: {text}", statement.line)));
    Failure {
        statement_number: statement.number,
        text,
        command: statement.command.clone(),
        detail,
        ..failure
    }
}
