//! An empty copy of a module's schema. Whoever makes one undoes it.

use std::collections::BTreeSet;

use pgrx::{Uuid, pg_sys};
use versioning_core::model::{Direction, Isolation, Migration};

use crate::error::Result;
use crate::lifecycle::rehearse::{Leg, Script, Subject, leg};
use crate::lifecycle::store;
use crate::lifecycle::store::publish::{new_id, put_aside, schemas_of_modules};
use crate::migration::limits;
use crate::pg::identity;
use crate::pg::scope::with_settings;
use crate::registry::Module;
use crate::settings;

/// A schema in which the migrations of a module run for a site that doesn't exist.
pub struct EmptyCopy<'a> {
    module: &'a Module,
    owner: pg_sys::Oid,
    site_id: Uuid,
    schema: String,
    /// What belongs to sites and other modules: a platform has thousands of these schemas.
    unwatched: BTreeSet<String>,
}

impl<'a> EmptyCopy<'a> {
    /// Makes it. In the row layout it has the name of the module's schema, which is put aside meanwhile: a
    /// script that says the schema doesn't get at its tables.
    ///
    /// # Errors
    /// 42704 when the owner has gone; PostgreSQL raises what else stands against it.
    pub fn make(module: &'a Module) -> Result<Self> {
        let owner = identity::role_named(&module.owner_role)?;
        let (site_id, unique) = (new_id()?, new_id()?.to_string().replace('-', ""));
        let mut unwatched = schemas_of_modules()?;
        let schema = match module.isolation {
            Isolation::Row => {
                let aside = format!("mv_aside_{unique}");
                // Somebody may be changing the schema, and not yet have committed it.
                let limit = settings::lock_timeout().to_string();
                with_settings(&[("lock_timeout", &limit)], || {
                    put_aside(&module.schema_name, &aside)
                })?;
                unwatched.insert(aside);
                module.schema_name.clone()
            }
            Isolation::Schema => format!("mv_copy_{unique}"),
        };
        unwatched.remove(&schema);
        store::state::ensure_schema(&schema, &module.owner_role)?;
        Ok(Self {
            unwatched,
            module,
            owner,
            site_id,
            schema,
        })
    }

    /// Migrations to rehearse in it; `back` says whether the way back is tried, too.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn subject(&self, migrations: &[&Migration], back: bool) -> Result<Subject> {
        let mut forward = Vec::new();
        let mut downs = Some(Vec::new());
        for migration in migrations {
            let limit = Some(time_limit(migration)?);
            let script = |name, sql: &str| Script {
                name,
                sql: sql.to_owned(),
                migration: Some(migration.sequence),
                statement_timeout: limit,
            };
            forward.push(script("up_sql", &migration.up_sql));
            let down_sql = migration.down_sql.as_deref();
            downs = downs.zip(down_sql).map(|(mut downs, sql)| {
                downs.insert(0, script("down_sql", sql));
                downs
            });
        }
        Ok(Subject {
            site_id: self.site_id,
            module_id: self.module.id,
            schema: self.schema.clone(),
            owner: self.owner,
            owner_role: self.module.owner_role.clone(),
            direction: Direction::Up,
            forward,
            back: downs.filter(|_| back),
            warnings: Vec::new(),
            unwatched: self.unwatched.clone(),
        })
    }

    /// A text without the name of the copy, where it is one that nobody knows.
    pub fn unnamed(&self, text: &str) -> String {
        match self.module.isolation {
            Isolation::Row => text.to_owned(),
            Isolation::Schema => text.replace(&format!("{}.", self.schema), ""),
        }
    }

    /// Runs migrations in it, and says why if they don't.
    ///
    /// # Errors
    /// Errors that are not a script's own.
    pub fn run(&self, migrations: &[&Migration]) -> Result<Option<String>> {
        let subject = self.subject(migrations, false)?;
        let ran: Leg = leg(&subject, &subject.forward, None)?;
        Ok(ran.failure().map(|(sequence, failure)| {
            does_not_run(
                sequence,
                failure.statement_number,
                &failure.message,
                &failure.sqlstate,
            )
        }))
    }
}

/// How long a statement of a migration may run where the tables are empty, in milliseconds: as long as
/// anywhere, but no longer than what nobody would wait for.
fn time_limit(migration: &Migration) -> Result<i32> {
    const LONGEST: i32 = 5_000;
    let (_, own) = limits::limits(migration)?;
    let limit = own.unwrap_or_else(settings::statement_timeout);
    Ok(if limit == 0 {
        LONGEST
    } else {
        limit.min(LONGEST)
    })
}

/// A migration that doesn't run where the tables hold no rows and nothing else is in the schema.
pub fn does_not_run(
    sequence: Option<i32>,
    statement: i32,
    message: &str,
    sqlstate: &str,
) -> String {
    let migration = sequence.map_or_else(
        || "A migration".to_owned(),
        |sequence| format!("Migration {sequence}"),
    );
    format!(
        "{migration} does not run in an empty copy of the schema, at statement {statement}: {message} (SQLSTATE {sqlstate})."
    )
}
