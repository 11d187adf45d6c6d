//! Running one script: as the module's owner, with settings of its own, statement by statement.

use std::rc::Rc;
use std::time::Instant;

use pgrx::datum::{TimestampWithTimeZone, clock_timestamp};
use pgrx::{Uuid, pg_sys};
use versioning_core::checksum;
use versioning_core::model::{Direction, Migration};
use versioning_core::script::{self, Statement};

use crate::error::{Error, Result};
use crate::migration::boundary::{self, Measure, Observer};
use crate::migration::failure::{Failure, deferred, explained, located, measured};
use crate::migration::leftover::Before;
use crate::migration::limits::Limits;
use crate::migration::{check, ownership, store};
use crate::pg::identity::{self, Restriction};
use crate::pg::notice::{self, Notices};
use crate::pg::run_context::{self, Running};
use crate::pg::{interrupt, scope, transaction};
use crate::progress;
use crate::settings;

/// How much of a statement's text a report keeps, in characters.
pub(super) const REPORTED_TEXT: usize = 200;

/// Settings that would give a script another meaning in another session. `search_path` and
/// `lock_timeout` come on top; all else is the caller's (memory, planner, timeouts, messages).
pub const FIXED_SETTINGS: &[(&str, &str)] = &[
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
    ("check_function_bodies", "on"),
    ("row_security", "on"),
    ("session_replication_role", "origin"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("xmloption", "content"),
    ("default_tablespace", ""),
];

/// For whom and as whom a script runs.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The site that it runs for.
    pub site_id: Uuid,
    /// The module.
    pub module_id: Uuid,
    /// Where unqualified names are looked up and created.
    pub schema: &'a str,
    /// The role whose rights it has.
    pub owner: pg_sys::Oid,
}

/// What one statement did.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementReport {
    /// Its place in the script, from 1.
    pub number: i32,
    /// The start of its text.
    pub text: String,
    /// Its command tag.
    pub command: String,
    /// How many rows it touched or returned.
    pub rows: i64,
    /// How long it took.
    pub duration_ms: f64,
    /// The messages it sent.
    pub notices: Notices,
}

/// What became of a script.
#[derive(Debug, Clone)]
pub struct Execution {
    /// When it began.
    pub started_at: TimestampWithTimeZone,
    /// When it ended.
    pub completed_at: TimestampWithTimeZone,
    /// The statements that ran, without the one that failed.
    pub statements: Vec<StatementReport>,
    /// The rows of all of them.
    pub rows_affected: i64,
    /// How long all of it took.
    pub duration_ms: i64,
    /// Why it stopped, if it did. Then everything it did is undone.
    pub failure: Option<Failure>,
}

/// Runs a migration one way, after making sure that it is the one that was registered.
///
/// # Errors
/// 55000 when its scripts are not those of its checksum, or when it has no down script; else as
/// [`run_script`].
pub fn run_migration(
    migration: &Migration,
    direction: Direction,
    context: &RunContext<'_>,
) -> Result<Execution> {
    let (sequence, to_version) = (migration.sequence, &migration.to_version);
    let down_sql = migration.down_sql.as_deref();
    if checksum::of_scripts(&migration.up_sql, down_sql) != migration.checksum {
        return Err(Error::wrong_state(format!(
            "migration {sequence} to version {to_version} was changed in the table"
        ))
        .detail("Its scripts don't match the checksum that was taken when it was registered.")
        .hint("Put the registered scripts back."));
    }
    let limits = Limits::of(migration)?;
    match direction {
        Direction::Up => run_named("up_sql", &migration.up_sql, context, limits),
        Direction::Down => {
            let script = down_sql.ok_or_else(|| {
                Error::wrong_state(format!(
                    "migration {sequence} to version {to_version} has no down script"
                ))
                .hint("Restore a snapshot taken before the migration.")
            })?;
            run_named("down_sql", script, context, limits)
        }
    }
}

/// Runs a script that no row of `module_migrations` holds.
///
/// When there is a `failure` the work of the whole script is undone. What other scripts did before is
/// the caller's to undo.
///
/// # Errors
/// 42501 when the owner is a superuser and may not be; what [`check::statements`] refuses. An error of
/// a statement is no error here but the `failure`. A query cancel goes on upwards.
#[cfg(any(test, feature = "pg_test"))]
pub fn run_script(script: &str, context: &RunContext<'_>) -> Result<Execution> {
    run_named("script", script, context, Limits::of_settings())
}

/// Checks now, as the caller, what the caller's own transaction had deferred before.
///
/// Otherwise the end of the first script would: its failure would be laid to the migration, and the
/// caller's constraint triggers would run as the module's owner. Call it before anything is switched.
///
/// # Errors
/// PostgreSQL raises the violation.
pub fn settle_deferred_constraints() -> Result<()> {
    // Only what writes a row can leave a check for later.
    if !transaction::has_written() {
        return Ok(());
    }
    store::constraints_immediate()?;
    identity::as_extension_owner(store::constraints_to_default)
}

fn run_named(
    name: &str,
    script: &str,
    context: &RunContext<'_>,
    limits: Limits,
) -> Result<Execution> {
    let statements = check::statements(name, script)?;
    run_parsed(&statements, context, limits, None)
}

pub(super) fn run_parsed(
    statements: &[Statement],
    context: &RunContext<'_>,
    limits: Limits,
    observer: Option<&Rc<dyn Observer>>,
) -> Result<Execution> {
    check_owner(context.owner)?;
    ownership::check_out_of_reach(context.owner)?;
    let (started_at, clock) = (clock_timestamp(), Instant::now());
    let (reports, failure) = interrupt::watching(|| {
        let (reports, failure) = notice::collecting(|| {
            as_owner(context, limits, || {
                attempt(statements, context, limits, observer)
            })
        })?;
        let failure = failure
            .map(|failure| explained(failure, limits))
            .transpose()?;
        let taken = ownership::taken(context)?.zip(statements.last());
        let failure = failure.or_else(|| taken.map(|(failure, last)| located(failure, last)));
        Ok::<Outcome, Error>((reports, failure))
    })?;
    if failure.is_none() && !statements.is_empty() {
        identity::as_extension_owner(store::constraints_to_default)?;
    }
    Ok(Execution {
        started_at,
        completed_at: clock_timestamp(),
        rows_affected: reports.iter().map(|report| report.rows).sum(),
        statements: reports,
        duration_ms: i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX),
        failure,
    })
}

/// Runs `body` with the rights of the module's owner and the settings of a script.
fn as_owner<R>(
    context: &RunContext<'_>,
    limits: Limits,
    body: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let search_path = format!("{}, pg_temp", pgrx::spi::quote_identifier(context.schema));
    let lock_timeout = limits.lock.to_string();
    let mut settings = FIXED_SETTINGS.to_vec();
    settings.extend([
        notice::LOG_LEVEL,
        ("search_path", search_path.as_str()),
        ("lock_timeout", &lock_timeout),
    ]);
    let running = Running {
        site_id: context.site_id,
        module_id: context.module_id,
    };
    scope::with_settings(&settings, || {
        identity::run_as(context.owner, Restriction::KeepRole, || {
            run_context::while_running(running, body)
        })
    })
}

fn attempt(
    statements: &[Statement],
    context: &RunContext<'_>,
    limits: Limits,
    observer: Option<&Rc<dyn Observer>>,
) -> Result<Outcome> {
    let before = Before::read(context.schema)?;
    let (reports, failure) = run_statements(statements, &before, limits, observer)?;
    // What it did to its caller counts as the failure of its last statement.
    let taken = before.clear()?.zip(statements.last());
    let failure = failure.or_else(|| taken.map(|(failure, last)| located(failure, last)));
    Ok((reports, failure))
}

fn check_owner(owner: pg_sys::Oid) -> Result<()> {
    if settings::allow_superuser_owner() || !identity::is_superuser(owner) {
        return Ok(());
    }
    let name = identity::role_name(owner);
    Err(
        Error::not_allowed(format!("migrations may not run as superuser \"{name}\""))
            .detail("module_versioning.allow_superuser_owner is off.")
            .hint("Give the module an owner_role that is no superuser."),
    )
}

type Outcome = (Vec<StatementReport>, Option<Failure>);

fn run_statements(
    statements: &[Statement],
    before: &Before,
    limits: Limits,
    observer: Option<&Rc<dyn Observer>>,
) -> Result<Outcome> {
    let Some(last) = statements.last() else {
        return Ok((Vec::new(), None));
    };
    let identity_before = identity::state();
    progress::statements(statements.len());
    let mut texts: Vec<&str> = statements.iter().map(|each| each.text.as_str()).collect();
    // What was deferred is checked now and as the owner, not at COMMIT and as whoever that is.
    texts.push(store::CONSTRAINTS_IMMEDIATE);
    if let Some(observer) = observer {
        observer.script_begins()?;
    }
    let (failure, measures) = boundary::measuring(limits.statement, observer.cloned(), |token| {
        before.guarding(|| store::run_statements(texts, token))
    })?;
    check_identity(identity_before)?;
    let failure = failure.map(|failure| {
        let failure = measured(failure, &measures, limits);
        match statements.get(measures.done.len()) {
            Some(statement) => located(failure, statement),
            None => located(deferred(failure), last),
        }
    });
    let reports = statements
        .iter()
        .zip(measures.done)
        .map(|(statement, measure)| report(statement, measure));
    Ok((reports.collect(), failure))
}

fn report(statement: &Statement, measure: Measure) -> StatementReport {
    StatementReport {
        number: statement.number,
        text: script::excerpt(&statement.text, REPORTED_TEXT),
        command: statement.command.clone(),
        rows: measure.rows,
        duration_ms: measure.duration_ms,
        notices: measure.notices,
    }
}

fn check_identity(before: (pg_sys::Oid, i32)) -> Result<()> {
    if identity::state() == before {
        return Ok(());
    }
    Err(
        Error::internal("a migration script left another role behind")
            .detail("Role and security context after a statement must be those before it."),
    )
}
