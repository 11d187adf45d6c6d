//! Who runs what: switching to another role in a way that SQL can't undo.

use std::ffi::CString;

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::catalog;

/// What the code that runs under another role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// `SET ROLE`, `RESET ROLE` and `SET SESSION AUTHORIZATION` fail; all else as usual. For module SQL.
    KeepRole,
    /// As `KeepRole`, and no temporary tables, cursors with hold, LISTEN or deferred triggers: for
    /// work on tables whose defaults, checks and triggers belong to somebody else. An owner sees all
    /// rows of its tables, forced row-level security or not, as foreign key checks do.
    RestrictedOperation,
}

impl Restriction {
    fn flags(self) -> i32 {
        let keep_role = pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32;
        match self {
            Self::KeepRole => keep_role,
            Self::RestrictedOperation => {
                let restricted =
                    pg_sys::SECURITY_RESTRICTED_OPERATION | pg_sys::SECURITY_NOFORCE_RLS;
                keep_role | restricted as i32
            }
        }
    }
}

/// Puts the role back when dropped, also while an error passes through.
struct SavedIdentity {
    role: pg_sys::Oid,
    context: i32,
}

impl Drop for SavedIdentity {
    fn drop(&mut self) {
        // SAFETY: sets two globals of the backend's main thread to values read from them before.
        unsafe { pg_sys::SetUserIdAndSecContext(self.role, self.context) };
    }
}

/// The role whose rights count now (`current_user`).
pub fn current_role() -> pg_sys::Oid {
    // SAFETY: reads a global.
    unsafe { pg_sys::GetUserId() }
}

/// Role and security context as they are now, to compare with later.
pub fn state() -> (pg_sys::Oid, i32) {
    let (mut role, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: the out parameters are valid for the call.
    unsafe { pg_sys::GetUserIdAndSecContext(&mut role, &mut context) };
    (role, context)
}

/// Runs `body` with the rights of `role` and nobody else's.
///
/// # Errors
/// What `body` returns.
pub fn run_as<R>(
    role: pg_sys::Oid,
    restriction: Restriction,
    body: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let mut saved = SavedIdentity {
        role: pg_sys::InvalidOid,
        context: 0,
    };
    // SAFETY: main thread; the out parameters are valid for the call, and `saved` restores on every path.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut saved.role, &mut saved.context);
        pg_sys::SetUserIdAndSecContext(role, saved.context | restriction.flags());
    }
    let result = body();
    drop(saved);
    result
}

/// Runs `body` with the rights of the extension's owner: for the extension's own tables only.
///
/// # Errors
/// What `body` returns.
pub fn as_extension_owner<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    run_as(catalog::extension_owner()?, Restriction::KeepRole, body)
}

/// The role of that name.
///
/// # Errors
/// 42704 when there is none.
pub fn role_named(name: &str) -> Result<pg_sys::Oid> {
    let missing = || {
        Error::not_found(format!("role \"{name}\" does not exist"))
            .hint("Create the role, or give the module another owner_role.")
    };
    let text = CString::new(name).map_err(|_| missing())?;
    // SAFETY: a valid C string; with missing_ok the function returns InvalidOid and doesn't raise.
    let role = unsafe { pg_sys::get_role_oid(text.as_ptr(), true) };
    if role == pg_sys::InvalidOid {
        Err(missing())
    } else {
        Ok(role)
    }
}

/// The name of a role; for one that has gone, its number.
pub fn role_name(role: pg_sys::Oid) -> String {
    // SAFETY: with noerr the function returns NULL for an unknown role, else a palloc'd C string.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() {
            return role.to_u32().to_string();
        }
        std::ffi::CStr::from_ptr(name)
            .to_string_lossy()
            .into_owned()
    }
}

/// Whether the role is a superuser now.
pub fn is_superuser(role: pg_sys::Oid) -> bool {
    // SAFETY: a catalog look-up.
    unsafe { pg_sys::superuser_arg(role) }
}

/// What the server lets roles do with files on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFiles {
    /// `pg_read_server_files`.
    Read,
    /// `pg_write_server_files`.
    Write,
}

impl ServerFiles {
    fn role(self) -> (pg_sys::Oid, &'static str) {
        match self {
            Self::Read => (
                pg_sys::Oid::from(pg_sys::ROLE_PG_READ_SERVER_FILES),
                "pg_read_server_files",
            ),
            Self::Write => (
                pg_sys::Oid::from(pg_sys::ROLE_PG_WRITE_SERVER_FILES),
                "pg_write_server_files",
            ),
        }
    }
}

/// Refuses unless both the role whose rights count now and the one that the session has outside all
/// SECURITY DEFINER functions may do this: neither a tenant's function that an administrator calls nor an
/// administrator's function that a tenant calls opens the server's disk.
///
/// # Errors
/// 42501.
pub fn require_server_files(access: ServerFiles) -> Result<()> {
    let (role, name) = access.role();
    // SAFETY: reads a global and looks up memberships; a superuser has them all.
    let is_allowed = unsafe {
        [pg_sys::GetUserId(), pg_sys::GetOuterUserId()]
            .into_iter()
            .all(|member| pg_sys::has_privs_of_role(member, role))
    };
    if is_allowed {
        return Ok(());
    }
    Err(Error::not_allowed("files on the server are not for this role").detail(
        format!("Only superusers and members of role \"{name}\" may use files on the server's disk."),
    )
    .hint("snapshot_chunks() hands a snapshot's tables to clients without files on the server."))
}

/// Whether `member` could `SET ROLE` to `role`; a superuser always could.
pub fn can_act_as(member: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups. Since PostgreSQL 16 a membership may be granted without SET.
    #[cfg(feature = "pg15")]
    unsafe {
        pg_sys::is_member_of_role(member, role)
    }
    #[cfg(not(feature = "pg15"))]
    unsafe {
        pg_sys::member_can_set_role(member, role)
    }
}
