//! Whether a script can be a migration: it parses, and each of its statements can run in one.

use versioning_core::script::{Refusal, RefusalKind, Statement};

use crate::error::{Error, Result};
use crate::pg::parser::{self, SyntaxFault};

/// The statements of a script. `name` is what errors call it (`up_sql`, `down_sql`).
///
/// # Errors
/// What the parser raises (42601, mostly), 2D000 for transaction control, 25001 for a statement that
/// needs to run outside a transaction block, 0A000 for COPY with the client and SELECT INTO; each
/// names the statement and its line.
pub fn statements(name: &str, script: &str) -> Result<Vec<Statement>> {
    let statements = parser::parse(script)?.map_err(|fault| syntax_error(name, fault))?;
    for statement in &statements {
        if let Some(refusal) = &statement.refusal {
            return Err(refused(name, statement, refusal));
        }
    }
    Ok(statements)
}

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
                "Leave out CONCURRENTLY, or run the statement by itself, outside the migration."
            } else {
                "Run the statement by itself, outside the migration."
            }),
        RefusalKind::ClientCopy => Error::not_supported(message)
            .detail(format!("{what} moves rows over the client's connection, which a migration doesn't have."))
            .hint("Write the rows as INSERT ... VALUES, or copy from and to a file on the server."),
        RefusalKind::SelectInto => Error::not_supported(message)
            .detail("Statements of a migration run as dynamic SQL, where SELECT INTO means something else.")
            .hint("Write CREATE TABLE ... AS SELECT ... instead."),
    }
}
