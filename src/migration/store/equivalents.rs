//! The SQL of migrations that do the same work.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::Scope;

use super::version;
use crate::error::{Error, Result};
use crate::pg::query;

/// A migration that does the same work as another one.
pub struct Equivalent {
    /// Its module.
    pub module_id: Uuid,
    /// Its place in the order.
    pub sequence: i32,
    /// The version it leads to.
    pub to_version: Version,
    /// What it changes.
    pub scope: Scope,
}

/// A migration and all that are equivalent to it, itself first; none when there is no such migration.
///
/// # Errors
/// Only broken expectations.
pub fn of(id: Uuid) -> Result<Vec<Equivalent>> {
    query::rows(
        "WITH RECURSIVE class (id) AS (
             SELECT m.id FROM module_versioning.module_migrations m WHERE m.id = $1
             UNION
             SELECT CASE WHEN m.id = c.id THEN m.equivalent_of ELSE m.id END
               FROM class c
               JOIN module_versioning.module_migrations m
                 ON m.equivalent_of = c.id OR m.id = c.id AND m.equivalent_of IS NOT NULL
         )
         SELECT m.module_id, m.sequence, m.to_version::text, m.scope
           FROM class c JOIN module_versioning.module_migrations m ON m.id = c.id
          ORDER BY m.id <> $1, m.sequence",
        &[id.into()],
        |row| {
            let scope: String = row.get(4)?;
            Ok(Equivalent {
                module_id: row.get(1)?,
                sequence: row.get(2)?,
                to_version: version(&row.get::<String>(3)?)?,
                scope: Scope::from_word(&scope)
                    .ok_or_else(|| Error::internal(format!("scope \"{scope}\" is unknown")))?,
            })
        },
    )
}
