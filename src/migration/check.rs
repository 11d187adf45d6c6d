//! Whether a script can be a migration: it parses, and each of its statements can run in one.

use versioning_core::detail::Described;
use versioning_core::enum_value::{self, UnsafeUse};
use versioning_core::script::{Refusal, RefusalKind, Statement};

use crate::error::{Error, Result};
use crate::pg::parser::{self, SyntaxFault};

/// The statements of a script. `name` is what errors call it (`up_sql`, `down_sql`).
///
/// # Errors
/// What the parser raises (42601, mostly), 2D000 for transaction control, 25001 for a statement that
/// needs to run outside a transaction block, 0A000 for COPY with the client, SELECT INTO and what would
/// outlive the script in the session, 42501 for another role and for changes of this extension, 55P04
/// for a new enum value used at once; each names the statement and its line.
pub fn statements(name: &str, script: &str) -> Result<Vec<Statement>> {
    let statements = parsed(name, script)?;
    for statement in &statements {
        refuse(name, statement)?;
    }
    match enum_value::unsafe_use(&statements) {
        Some(found) => Err(unsafe_use(name, &found)),
        None => Ok(statements),
    }
}

/// Which statement of a script that [`statements`] refuses is the reason, by number and text.
///
/// # Errors
/// Only broken expectations.
pub fn first_refused(script: &str) -> Result<(i32, String)> {
    Ok(match parser::parse(script)? {
        Err(fault) => (fault.statement_number, fault.found),
        Ok(statements) => {
            let too_early = enum_value::unsafe_use(&statements).map(|found| found.used_by);
            statements
                .iter()
                .find(|one| one.refusal.is_some())
                .or_else(|| statements.iter().find(|one| Some(one.number) == too_early))
                .map_or((1, String::new()), |one| (one.number, one.text.clone()))
        }
    })
}

/// The statements of a script, whatever they are.
///
/// # Errors
/// What the parser raises, with the place in the script.
pub fn parsed(name: &str, script: &str) -> Result<Vec<Statement>> {
    parser::parse(script)?.map_err(|fault| syntax_error(name, fault))
}

/// The statements of a script that has been checked when it was registered, with all that their text tells.
///
/// # Errors
/// As [`statements`], but for enum values.
pub fn described(name: &str, script: &str) -> Result<Vec<Described>> {
    let described = parser::describe(script)?.map_err(|fault| syntax_error(name, fault))?;
    for one in &described {
        refuse(name, &one.statement)?;
    }
    Ok(described)
}

fn refuse(name: &str, statement: &Statement) -> Result<()> {
    match &statement.refusal {
        Some(refusal) => Err(refused(name, statement, refusal)),
        None => Ok(()),
    }
}

/// The way out when a new enum value is used too early.
pub const ENUM_VALUE_HINT: &str = "Put the use into a migration of a later version and upgrade in two calls, \
     or recreate the type: CREATE TYPE with all values, ALTER TABLE ... ALTER COLUMN ... TYPE, DROP TYPE.";

fn unsafe_use(name: &str, found: &UnsafeUse) -> Error {
    Error::unsafe_enum_value(format!(
        "{name}, statement {}, line {}: value \"{}\" of enum type \"{}\" is used too early",
        found.used_by, found.line, found.value, found.type_name
    ))
    .detail(format!(
        "Statement {} adds the value, and PostgreSQL lets nobody use it before the upgrade has committed.",
        found.added_by
    ))
    .hint(ENUM_VALUE_HINT)
}

/// Why a statement that reaches into the session is refused.
const SESSION_STATE: &str =
    "It changes the caller's session, and that would outlive the migration even when it fails.";
const SESSION_STATE_HINT: &str = "Remove the statement. Inside a migration, DO blocks and functions prepare and loop by themselves; \
     NOTIFY and transaction-level advisory locks work.";

fn syntax_error(name: &str, fault: SyntaxFault) -> Error {
    let SyntaxFault {
        mut raised,
        statement_number,
        line,
        column,
        found,
    } = fault;
    let words = &mut raised.words;
    words.message = format!(
        "{name}, statement {statement_number}, line {line}: {}",
        words.message
    );
    let place = if found.is_empty() {
        format!("The parser reached the end of the script, line {line}, column {column}.")
    } else {
        format!("The parser stopped at line {line}, column {column}, before: {found}")
    };
    words.detail = Some(match words.detail.take() {
        Some(detail) => format!("{place}\n{detail}"),
        None => place,
    });
    // The parser's own hint, where it has one, knows better.
    words.hint = words
        .hint
        .take()
        .or_else(|| psql_hint(&found).map(ToOwned::to_owned));
    Error::Raised(raised)
}

/// What to say when a script was written for psql: `found` is where the parser stopped.
fn psql_hint(found: &str) -> Option<&'static str> {
    match found.chars().next()? {
        '\\' => Some(
            "Commands that start with a backslash are psql's own; the server doesn't know them. \
             Put the SQL itself into the script.",
        ),
        ':' => Some(
            "Variables such as :name are psql's own; the server doesn't know them. \
             Put the value itself into the script.",
        ),
        _ => None,
    }
}

fn refused(name: &str, statement: &Statement, refusal: &Refusal) -> Error {
    let what = &refusal.what;
    let message = format!(
        "{name}, statement {}, line {}: {what} is not allowed in a migration",
        statement.number, statement.line
    );
    match refusal.kind {
        RefusalKind::TransactionControl => Error::transaction_control(message)
            .detail("A migration runs inside the transaction of the upgrade, which alone begins and ends it.")
            .hint("Remove the statement. A migration that fails is undone as a whole anyway."),
        RefusalKind::NeedsTopLevel => Error::needs_top_level(message)
            .detail(format!("PostgreSQL runs {what} only outside a transaction block, and an upgrade is all or nothing."))
            .hint(if what.ends_with("CONCURRENTLY") {
                "Leave out CONCURRENTLY, or declare the statement with add_post_step, to be run after the upgrade has committed."
            } else if what.starts_with("DISCARD") {
                "Remove the statement: what a script sets is gone when it ends."
            } else {
                "Declare the statement with add_post_step, to be run after the upgrade has committed."
            }),
        RefusalKind::ClientCopy => Error::not_supported(message)
            .detail(format!("{what} moves rows over the client's connection, which a migration doesn't have."))
            .hint("Write the rows as INSERT ... VALUES, or copy from and to a file on the server."),
        RefusalKind::SelectInto => Error::not_supported(message)
            .detail("Statements of a migration run as dynamic SQL, where SELECT INTO means something else.")
            .hint("Write CREATE TABLE ... AS SELECT ... instead."),
        RefusalKind::SessionState => Error::not_supported(message)
            .detail(SESSION_STATE)
            .hint(SESSION_STATE_HINT),
        RefusalKind::RoleChange => Error::not_allowed(message)
            .detail("A migration runs with the rights of the module's owner_role and no others.")
            .hint("Remove the statement, or register the module with another owner_role."),
        RefusalKind::OwnExtension => Error::not_allowed(message)
            .detail("A migration can't change the extension that runs it.")
            .hint("Run the statement by itself, outside the migration."),
    }
}
