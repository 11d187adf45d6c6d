//! Who may rehearse: those who could run the scripts themselves.

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::identity;
use crate::registry::Module;

/// The role as which the module's scripts run, if the caller could become it.
///
/// # Errors
/// 42501 when it couldn't, 42704 when the role has gone.
pub fn owner_for(caller: pg_sys::Oid, module: &Module) -> Result<pg_sys::Oid> {
    let owner = identity::role_named(&module.owner_role)?;
    if identity::can_act_as(caller, owner) {
        return Ok(owner);
    }
    let (slug, owner) = (&module.slug, &module.owner_role);
    Err(Error::not_allowed(format!(
        "permission denied to rehearse migrations of module \"{slug}\""
    ))
    .detail(format!(
        "They run as role \"{owner}\", and role \"{}\" can't act as that role.",
        identity::role_name(caller)
    ))
    .hint(format!("Call as a member of role \"{owner}\".")))
}
