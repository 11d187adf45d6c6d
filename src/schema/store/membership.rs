//! Which roles are members of which others.

use versioning_core::rehearsal::membership::{Membership, Memberships};

use crate::error::Result;
use crate::pg::query;

/// All memberships, but for those of superusers. Whether a member has the group's rights without asking is
/// a matter of the membership from version 16 on, and of the member before.
///
/// # Errors
/// None of its own.
pub fn memberships() -> Result<Memberships> {
    let found = query::rows(
        "SELECT m.rolname::text, g.rolname::text,
                coalesce((pg_catalog.to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit)
         FROM pg_catalog.pg_auth_members a
         JOIN pg_catalog.pg_roles m ON m.oid = a.member
         JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
         WHERE NOT m.rolsuper",
        &[],
        |row| {
            Ok(Membership {
                member: row.get(1)?,
                group: row.get(2)?,
                inherits: row.get(3)?,
            })
        },
    )?;
    Ok(found.into_iter().collect())
}
