//! `lint_migration`: the rules of `versioning_core` over scripts that the server's parser has read.

use versioning_core::lint::{self, Fault, Finding, Script};

use crate::error::Result;
use crate::pg::parser;

/// What the rules find in the scripts of a migration.
///
/// # Errors
/// XX000 only: a script that doesn't parse is a finding.
pub fn findings(up_sql: &str, down_sql: Option<&str>) -> Result<Vec<Finding>> {
    let up = script(up_sql)?;
    let down = down_sql.map(script).transpose()?;
    Ok(lint::lint(&up, down.as_ref(), || {
        pgrx::check_for_interrupts!();
    }))
}

fn script(text: &str) -> Result<Script> {
    Ok(match parser::describe(text)? {
        Ok(statements) => Script::Parsed(statements),
        Err(fault) => Script::Faulty(Fault {
            message: fault.raised.words.message,
            statement_number: fault.statement_number,
            line: fault.line,
            found: fault.found,
        }),
    })
}
