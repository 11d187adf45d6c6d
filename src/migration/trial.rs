//! Trying a script, which the caller undoes: what undoing wouldn't undo is left out.

use std::rc::Rc;

use pgrx::datum::clock_timestamp;
use versioning_core::script;

use crate::error::{Error, Result};
pub use crate::migration::boundary::Observer;
use crate::migration::execute::{Execution, REPORTED_TEXT, RunContext, run_parsed};
use crate::migration::failure::Failure;
use crate::migration::limits::Limits;
use crate::migration::{check, store};
use crate::pg::trial::{self, Notes};
use crate::settings;

/// How a script is only tried.
pub struct Trial {
    /// Who looks on, if anybody does.
    pub observer: Option<Rc<dyn Observer>>,
    /// How long each statement may wait for a lock, in milliseconds; 0 = for ever.
    pub lock_timeout: i32,
    /// How long each statement may run, in milliseconds, in place of the setting; 0 = for ever.
    pub statement_timeout: Option<i32>,
}

/// What became of a script that was only tried.
pub struct Tried {
    /// The run without what was left out.
    pub execution: Execution,
    /// The statements that were left out, each with what it would have done that can't be undone.
    pub left_out: Vec<(i32, String)>,
    /// What else was noted.
    pub notes: Notes,
}

/// Runs a script to see what it does; the caller undoes it. Statements whose work couldn't be undone are
/// left out.
///
/// # Errors
/// As [`super::execute::run_migration`], but what [`check::statements`] refuses is a failure.
pub fn try_script(
    name: &str,
    script: &str,
    context: &RunContext<'_>,
    trial: &Trial,
) -> Result<Tried> {
    let mut statements = match check::statements(name, script) {
        Ok(statements) => statements,
        Err(error) => {
            let execution = refused(check::first_refused(script)?, error);
            return Ok(Tried {
                execution,
                left_out: Vec::new(),
                notes: Notes::default(),
            });
        }
    };
    let limits = Limits {
        lock: trial.lock_timeout,
        statement: (trial.statement_timeout).unwrap_or_else(settings::statement_timeout),
    };
    let mut left_out = Vec::new();
    loop {
        pgrx::check_for_interrupts!();
        let schema = context.schema.to_owned();
        let shield = Rc::new(move || store::session::shield_sequences(&schema));
        let (execution, notes) = trial::trying(shield, || {
            run_parsed(&statements, context, limits, trial.observer.as_ref())
        });
        let execution = execution?;
        let failed = execution
            .failure
            .as_ref()
            .map(|failure| failure.statement_number);
        match (failed, &notes.refused) {
            (Some(number), Some(what)) if statements.iter().any(|one| one.number == number) => {
                left_out.push((number, what.clone()));
                statements.retain(|statement| statement.number != number);
            }
            _ => {
                return Ok(Tried {
                    execution,
                    left_out,
                    notes,
                });
            }
        }
    }
}

/// A script of which nothing ran.
fn refused((number, text): (i32, String), error: Error) -> Execution {
    let now = clock_timestamp();
    let words = error.words().clone();
    Execution {
        started_at: now,
        completed_at: now,
        statements: Vec::new(),
        rows_affected: 0,
        duration_ms: 0,
        failure: Some(Failure {
            statement_number: number,
            text: script::excerpt(&text, REPORTED_TEXT),
            sqlstate: error.sqlstate(),
            message: words.message,
            detail: words.detail,
            hint: words.hint,
            ..Failure::default()
        }),
    }
}
