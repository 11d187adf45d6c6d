//! Witnesses: statements of a client of the old version that work before the scripts and fail after them,
//! where no difference of the catalogs tells. They are tried after the scripts, and those that fail there
//! are tried before them, too.

mod access;
mod call;
mod write;

use pgrx::spi;

use self::access::Use;
use super::pass::Catalogs;
use super::subject::Subject;
use crate::error::Result;

/// A statement that fails after the scripts.
pub struct Witness {
    /// What it bears witness of.
    pub kind: &'static str,
    /// The function or table, with its schema where that isn't the module's own.
    pub object: String,
    /// The statement.
    pub statement: String,
    /// How it fails.
    pub sqlstate: String,
    /// Who uses which view by it, where it is about that.
    pub usage: Option<Use>,
}

/// The statements that fail now, after the scripts.
///
/// # Errors
/// Errors that are not a statement's own.
pub fn failing(subject: &Subject, before: &Catalogs, after: &Catalogs) -> Result<Vec<Witness>> {
    let mut found = Vec::new();
    for (schema, model) in &after.schemas {
        let old = before.schemas.get(schema);
        call::failing(&subject.schema, schema, old, model, &mut found)?;
    }
    write::failing(subject, before, after, &mut found)?;
    access::failing(subject, before, after, &mut found)?;
    Ok(found)
}

/// Those of them that work now, before the scripts.
///
/// # Errors
/// As [`failing`].
pub fn credible(subject: &Subject, witnesses: Vec<Witness>) -> Result<Vec<Witness>> {
    let mut credible: Vec<Witness> = Vec::new();
    for witness in witnesses {
        let same = |one: &Witness| {
            let role = |witness: &Witness| witness.usage.as_ref().map(|usage| usage.role.clone());
            one.kind == witness.kind && one.object == witness.object && role(one) == role(&witness)
        };
        if credible.iter().any(same) {
            continue;
        }
        let worked = match (&witness.usage, witness.kind) {
            (Some(usage), _) => !usage.fails()?,
            (None, "function_call_ambiguous") => {
                call::analyzed(&witness.statement).as_ref() != Some(&witness.sqlstate)
            }
            (None, _) => write::worked(subject, &witness)?,
        };
        if worked {
            credible.push(witness);
        }
    }
    Ok(credible)
}

fn shown(home: &str, schema: &str, name: &str) -> String {
    if schema == home {
        name.to_owned()
    } else {
        format!("{}.{name}", spi::quote_identifier(schema))
    }
}
