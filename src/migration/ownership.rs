//! What a script may not touch though its owner's rights reach that far: the tables of the extension, and
//! those of other modules and sites, which one owner role may own all together.

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::migration::execute::RunContext;
use crate::migration::failure::Failure;
use crate::migration::store::session as store;
use crate::pg::{identity, script_guard};

/// Refuses an owner who was given the right to write the extension's tables. (That a superuser has it is
/// for module_versioning.allow_superuser_owner to decide.)
///
/// # Errors
/// 42501.
pub fn check_out_of_reach(owner: pg_sys::Oid) -> Result<()> {
    if identity::is_superuser(owner) {
        return Ok(());
    }
    let name = identity::role_name(owner);
    let writable = identity::as_extension_owner(|| store::extension_table_writable_by(&name))?;
    match writable {
        None => Ok(()),
        Some(table) => Err(Error::not_allowed(format!(
            "migrations may not run as role \"{name}\", which may write the extension's tables"
        ))
        .detail(format!("It has rights on {table}, among others perhaps."))
        .hint(format!(
            "REVOKE ALL ON ALL TABLES IN SCHEMA module_versioning FROM {}, or give the module another owner_role.",
            pgrx::spi::quote_identifier(&name)
        ))),
    }
}

/// The failure of a script that dropped a table of another module, or of another site's schema.
///
/// # Errors
/// Only broken expectations.
pub fn taken(context: &RunContext<'_>) -> Result<Option<Failure>> {
    let dropped = script_guard::dropped_tables();
    if dropped.is_empty() {
        return Ok(None);
    }
    let found = identity::as_extension_owner(|| {
        store::table_of_others(context.site_id, context.module_id, &dropped)
    })?;
    Ok(found.map(|(table, whose)| Failure {
        sqlstate: "42501".to_owned(),
        message: format!("the migration dropped table {table}, which belongs to {whose}"),
        hint: Some(
            "A migration may only change what is its own; uninstall_module takes a module off a site."
                .to_owned(),
        ),
        ..Failure::default()
    }))
}
