//! What a script may not do, whoever does it for it: the same refusals that registration reads from its
//! text also stand in front of every utility statement and function call while it runs, so a DO block,
//! a trigger or a function hides nothing.
//!
//! The two hooks are in place as soon as the library is loaded and cost a look at a flag while no script
//! runs. A hook function itself has nothing to clean up, for an error of the statement leaves it by
//! PostgreSQL's own long jump: so it arrives in the script's error handler with all its fields.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use versioning_core::script::RefusalKind;

use crate::error::{Error, Result};
use crate::pg::catalog;
use crate::pg::parser::refusal;
use crate::pg::{session_lock, trial};

// Unguarded, unlike pgrx's binding, so that nothing of an error is lost on its way through the hook.
unsafe extern "C-unwind" {
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        query: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

static NEXT_UTILITY: OnceLock<pg_sys::ProcessUtility_hook_type> = OnceLock::new();
static NEXT_ACCESS: OnceLock<pg_sys::object_access_hook_type> = OnceLock::new();

/// A table or other relation by its schema and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationName {
    /// The schema.
    pub schema: String,
    /// The name, unquoted.
    pub name: String,
}

/// What belongs to others while a script runs.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    /// The schema that the script works in.
    pub schema: String,
    /// The caller's open cursors.
    pub cursors: Vec<String>,
}

thread_local! {
    static GUARDING: Cell<bool> = const { Cell::new(false) };
    static DROPPED: RefCell<Vec<RelationName>> = const { RefCell::new(Vec::new()) };
    static PROTECTED: RefCell<Protected> = const {
        RefCell::new(Protected { schema: String::new(), cursors: Vec::new() })
    };
}

/// Puts the hooks in place. Called once, when the library is loaded.
pub fn install() {
    // SAFETY: main thread; hooks are meant to be chained like this.
    unsafe {
        if NEXT_UTILITY.set(pg_sys::ProcessUtility_hook).is_ok() {
            pg_sys::ProcessUtility_hook = Some(on_utility);
        }
        if NEXT_ACCESS.set(pg_sys::object_access_hook).is_ok() {
            pg_sys::object_access_hook = Some(on_access);
        }
    }
}

/// Stops guarding when dropped.
struct Guarding;

impl Drop for Guarding {
    fn drop(&mut self) {
        GUARDING.set(false);
    }
}

/// Runs `body` under guard.
pub fn guarding<R>(protected: Protected, body: impl FnOnce() -> R) -> R {
    PROTECTED.replace(protected);
    DROPPED.take();
    session_lock::forget();
    GUARDING.set(true);
    let end = Guarding;
    let result = body();
    drop(end);
    result
}

/// The tables that were dropped under guard, each with the schema it was in.
pub fn dropped_tables() -> Vec<RelationName> {
    DROPPED.take()
}

/// CREATE EXTENSION runs the script of that extension, which is none of the module's.
fn is_guarding() -> bool {
    // SAFETY: reads a global of the backend's main thread.
    GUARDING.get() && unsafe { !pg_sys::creating_extension }
}

unsafe extern "C-unwind" fn on_utility(
    statement: *mut pg_sys::PlannedStmt,
    query: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: all arguments are those PostgreSQL passed, handed on to whom it would have passed them
    // without this hook. Nothing in this frame needs to be dropped.
    unsafe {
        if is_guarding() {
            check_utility(statement);
            if trial::passes_over((*statement).utilityStmt) {
                return;
            }
        }
        let next = match NEXT_UTILITY.get() {
            Some(Some(next)) => *next,
            _ => standard_ProcessUtility,
        };
        next(
            statement,
            query,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
    }
}

unsafe extern "C-unwind" fn on_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: c_int,
    argument: *mut c_void,
) {
    // SAFETY: as in `on_utility`.
    unsafe {
        if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE && is_guarding() {
            check_function(object);
        }
        let is_relation = class == pg_sys::RelationRelationId && part == 0;
        if access == pg_sys::ObjectAccessType::OAT_DROP && is_relation && is_guarding() {
            note_dropped(object);
        }
        use pg_sys::ObjectAccessType as Access;
        if [
            Access::OAT_POST_CREATE,
            Access::OAT_POST_ALTER,
            Access::OAT_DROP,
        ]
        .contains(&access)
        {
            trial::note_object(object.to_u32(), part);
        }
        if access == pg_sys::ObjectAccessType::OAT_TRUNCATE && is_relation && is_guarding() {
            trial::note_truncated(object.to_u32());
        }
        if let Some(Some(next)) = NEXT_ACCESS.get() {
            next(access, class, object, part, argument);
        }
    }
}

/// # Safety
/// A utility statement that is about to run.
#[pg_guard]
unsafe extern "C-unwind" fn check_utility(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: by the caller's word.
    let checked = unsafe { allow_utility((*statement).utilityStmt) };
    if let Err(error) = checked {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
}

#[pg_guard]
extern "C-unwind" fn check_function(function: pg_sys::Oid) {
    if let Err(error) = allow_function(function) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
}

/// Whose table it was is asked when the script has ended, with the rights of the extension's owner.
#[pg_guard]
extern "C-unwind" fn note_dropped(relation: pg_sys::Oid) {
    if let Some((schema, name)) = catalog::table_name(relation) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(RelationName { schema, name }));
    }
}

/// # Safety
/// A utility statement.
unsafe fn allow_utility(node: *mut pg_sys::Node) -> Result<()> {
    // SAFETY: by the caller's word.
    let (beyond, cursor) = unsafe {
        (
            refusal::beyond_the_script(node),
            refusal::named_cursor(node),
        )
    };
    if let Some(refusal) = beyond {
        let message = format!("{} is not allowed in a migration", refusal.what);
        return Err(match refusal.kind {
            // PostgreSQL refuses it by itself, and knows better why.
            RefusalKind::RoleChange => return Ok(()),
            RefusalKind::OwnExtension => Error::not_allowed(message)
                .detail("A migration can't change the extension that runs it.")
                .hint("Run the statement by itself, outside the migration."),
            _ => Error::not_supported(message)
                .detail("It changes the caller's session, and that would outlive the migration even when it fails.")
                .hint("Remove the statement."),
        });
    }
    // SAFETY: by the caller's word.
    unsafe { trial::allow_utility(node) }?;
    PROTECTED.with_borrow(|protected| {
        if let Some(cursor) = cursor.filter(|name| protected.cursors.contains(name)) {
            return Err(Error::not_allowed(format!(
                "cursor \"{cursor}\" belongs to the caller of the migration"
            ))
            .hint("Declare a cursor of the migration's own."));
        }
        // SAFETY: by the caller's word.
        if unsafe { refusal::removes_schema(node, &protected.schema) } {
            return Err(Error::wrong_state(format!(
                "a migration can't drop or rename schema \"{}\", in which it runs",
                protected.schema
            ))
            .detail("The module's tables live there, and everything that is recorded about it says so.")
            .hint("Drop the module's objects one by one, or take it off the site with uninstall_module."));
        }
        Ok(())
    })
}

/// The functions of session-level advisory locks have adjacent numbers.
fn allow_function(function: pg_sys::Oid) -> Result<()> {
    trial::allow_function(function)?;
    let function = function.to_u32();
    if !(pg_sys::F_PG_ADVISORY_LOCK_INT8..=pg_sys::F_PG_ADVISORY_UNLOCK_ALL).contains(&function) {
        return Ok(());
    }
    if function == pg_sys::F_PG_ADVISORY_UNLOCK_ALL {
        return Err(Error::not_supported("pg_advisory_unlock_all() is not allowed in a migration")
            .detail("It would release the locks of whoever called the upgrade.")
            .hint("Release the script's own locks one by one, or take them with pg_advisory_xact_lock."));
    }
    session_lock::remember();
    Ok(())
}
