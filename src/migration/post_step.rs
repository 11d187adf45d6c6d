//! Post-steps: statements of a migration that PostgreSQL runs only outside a transaction. They are
//! declared beside the migration, fall due when it has run, and are confirmed from the catalog.

use pgrx::Uuid;
use versioning_core::effect::ObjectName;
use versioning_core::post_step::{self as core, PostStep, Verdict};
use versioning_core::script::{Refusal, RefusalKind, Statement};

use super::registration::{check_caller, lock};
use super::store::post_steps as store;
use super::{check, store as migrations};
use crate::error::{Error, Result};
use crate::pg::record::{PostSteps, Record};
use crate::pg::{identity, parser};

pub use super::store::post_steps::{
    Due, announced, cancel, confirm, due, due_of, dues, fall_due, forget_site, statement,
};

/// Declares a post-step of a migration, or returns the same one declared before.
///
/// # Errors
/// As the comment of the SQL function `add_post_step` lists them.
pub fn add(migration_id: Uuid, statement: &str) -> Result<Option<Record<PostSteps>>> {
    let caller = identity::current_role();
    let owning = identity::as_extension_owner(|| store::owning(migration_id))?;
    let module = identity::as_extension_owner(|| migrations::module(owning.module_id))?;
    check_caller(caller, &module)?;
    let parsed = single(statement)?;
    identity::as_extension_owner(|| {
        lock(&module)?;
        if let Some(id) = store::same(migration_id, &parsed.text)? {
            return store::row(id);
        }
        // Read again under the lock: it may have been published or run meanwhile.
        refuse_settled(&store::owning(migration_id)?)?;
        store::insert(
            migration_id,
            &parsed.text,
            &command(&parsed),
            &identity::role_name(caller),
        )
    })
}

/// The one statement of the text, if it can be a post-step.
fn single(text: &str) -> Result<Statement> {
    let statements = check::parsed("statement", text)?;
    let count = statements.len();
    let Ok([statement]) = <[Statement; 1]>::try_from(statements) else {
        return Err(Error::invalid_argument("a post-step is one statement")
            .detail(format!("There are {count}."))
            .hint("Add a post-step for each statement."));
    };
    match (&statement.refusal, &statement.post_step) {
        (Some(refusal), Some(step)) if refusal.kind == RefusalKind::NeedsTopLevel => {
            check_named(step)?;
            Ok(statement)
        }
        (refusal, _) => Err(unfit(&statement, refusal.as_ref())),
    }
}

/// Only an index with a name can be looked for afterwards.
fn check_named(step: &PostStep) -> Result<()> {
    match step {
        PostStep::CreateIndex { index: None, .. } => Err(Error::invalid_argument(
            "the index of a post-step needs a name",
        )
        .detail("Without a name nobody could tell later whether it was made.")
        .hint("Write CREATE INDEX CONCURRENTLY name ON …")),
        _ => Ok(()),
    }
}

fn unfit(statement: &Statement, refusal: Option<&Refusal>) -> Error {
    let what = refusal.map_or(statement.command.as_str(), |refusal| &refusal.what);
    let message = format!("{what} can't be a post-step");
    match refusal.map(|refusal| refusal.kind) {
        None => Error::invalid_argument(message)
            .detail("It runs in a transaction, where it is undone when the upgrade fails.")
            .hint("Put it into the script of the migration."),
        Some(RefusalKind::TransactionControl) => Error::transaction_control(message)
            .detail("A post-step runs by itself, outside any transaction block.")
            .hint("Leave it out."),
        Some(RefusalKind::NeedsTopLevel) => Error::invalid_argument(message)
            .detail("It concerns more than the module's schema, or more than one object at once.")
            .hint("Post-steps are CREATE, DROP and REINDEX INDEX CONCURRENTLY, REINDEX SCHEMA, VACUUM and ALTER TABLE … DETACH PARTITION … CONCURRENTLY."),
        Some(RefusalKind::ClientCopy | RefusalKind::SelectInto) => Error::not_supported(message)
            .detail("Neither a migration nor a post-step can have it.")
            .hint("Put the rows into the script of the migration as INSERT ... VALUES."),
        Some(RefusalKind::SessionState) => Error::not_supported(message)
            .detail("It changes the session it runs in, and nothing else.")
            .hint("Leave it out."),
        Some(RefusalKind::RoleChange | RefusalKind::OwnExtension) => Error::not_allowed(message)
            .detail("Neither a migration nor a post-step may do that.")
            .hint("Leave it out."),
    }
}

/// What the statement is called.
fn command(statement: &Statement) -> String {
    statement
        .refusal
        .as_ref()
        .map_or_else(|| statement.command.clone(), |refusal| refusal.what.clone())
}

fn refuse_settled(owning: &store::Owning) -> Result<()> {
    let (sequence, version) = (owning.sequence, &owning.to_version);
    let reason = if owning.has_run {
        format!("Migration {sequence} to {version} has run.")
    } else if owning.is_released {
        format!("Version {version} is published.")
    } else {
        return Ok(());
    };
    Err(Error::wrong_state(format!(
        "migration {sequence} to version {version} can't get a post-step any more"
    ))
    .detail(reason)
    .hint("Put the statement into a migration of a new version."))
}

/// What a due statement works on.
///
/// # Errors
/// XX000 when the stored statement is no post-step any more.
pub fn target(due: &Due) -> Result<PostStep> {
    target_of(&due.statement)
}

fn target_of(statement: &str) -> Result<PostStep> {
    let parsed = parser::parse(statement)?.ok().and_then(|mut all| all.pop());
    parsed
        .and_then(|statement| statement.post_step)
        .ok_or_else(|| {
            Error::internal("a post-step does not parse").detail(format!("It is: {statement}"))
        })
}

/// What the post-steps of migrations work on.
///
/// # Errors
/// As [`target`].
pub fn targets(migration_ids: Vec<Uuid>) -> Result<Vec<PostStep>> {
    store::statements(migration_ids)?
        .iter()
        .map(|statement| target_of(statement))
        .collect()
}

/// Whether the catalog shows that a due statement was run.
///
/// # Errors
/// Only broken expectations.
pub fn verdict(due: &Due, target: &PostStep) -> Result<Verdict> {
    let home = due.schema_name.as_str();
    let index_facts = |index: &ObjectName| store::index(core::schema_of(index, home), &index.name);
    Ok(match target {
        PostStep::CreateIndex {
            index,
            table,
            shape,
        } => {
            let index = index.clone().unwrap_or_default();
            let found = store::index(core::schema_of(table, home), &index)?;
            core::created(&index, table, shape, home, found.as_ref())
        }
        PostStep::DropIndex { index } => core::dropped(&index.name, index_facts(index)?.as_ref()),
        PostStep::Reindex { index } => {
            let schema = core::schema_of(index, home);
            let leftovers = store::leftovers(schema, &index.name)?;
            core::rebuilt(&index.name, index_facts(index)?.as_ref(), &leftovers)
        }
        PostStep::DetachPartition { partition, .. } => {
            let (exists, pending) =
                store::partition(core::schema_of(partition, home), &partition.name)?;
            core::detached(&partition.name, exists, pending)
        }
        PostStep::Untraceable => Verdict::Done(format!(
            "{} leaves no trace to be trusted: it is taken on the caller's word.",
            due.command
        )),
    })
}
