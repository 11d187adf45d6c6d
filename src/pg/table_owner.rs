//! As whom rows of tenants' tables are read and written: as each table's owner, unless that would lend a
//! superuser's rights to a tenant. Domains, checks, defaults, generated columns and index expressions are
//! code of whoever owns the functions in them, and run with the rights of whoever writes the row.

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::identity::{
    Restriction, as_extension_owner, is_superuser, role_name, role_named, run_as,
};
use crate::pg::query;
use crate::pg::scope::with_settings;
use crate::settings;

/// A module that a table belongs to.
struct Claim {
    /// The table, quoted.
    table: String,
    module: String,
    owner_role: String,
}

/// Reads or writes tenants' rows: with the rights of the table's owner in a restricted operation, nothing of
/// theirs found by name, and row-level security an error, never fewer rows.
///
/// # Errors
/// As [`check`], and what `body` returns.
pub fn as_table_owner<R>(
    table: pg_sys::Oid,
    owner: pg_sys::Oid,
    body: impl FnOnce() -> Result<R>,
) -> Result<R> {
    check(table, owner)?;
    let settings = [
        ("search_path", "pg_catalog, pg_temp"),
        ("row_security", "off"),
    ];
    run_as(owner, Restriction::RestrictedOperation, || {
        with_settings(&settings, body)
    })
}

/// Refuses a table that a superuser owns and that belongs to a module whose owner is none, or whose owner is
/// one where `module_versioning.allow_superuser_owner` is off. Tables of no module are nobody's concern here.
///
/// # Errors
/// 42501.
pub fn check(table: pg_sys::Oid, owner: pg_sys::Oid) -> Result<()> {
    if !is_superuser(owner) {
        return Ok(());
    }
    for claim in as_extension_owner(|| claims(table))? {
        // A role that is gone is no superuser.
        let is_trusted = role_named(&claim.owner_role).is_ok_and(is_superuser);
        if !is_trusted || !settings::allow_superuser_owner() {
            return Err(refusal(&claim, owner, is_trusted));
        }
    }
    Ok(())
}

fn refusal(claim: &Claim, owner: pg_sys::Oid, is_trusted: bool) -> Error {
    let Claim {
        table,
        module,
        owner_role,
    } = claim;
    let owner = role_name(owner);
    let error = Error::not_allowed(format!(
        "the rows of table {table} of module \"{module}\" may not be worked on as superuser \"{owner}\""
    ));
    if is_trusted {
        return error
            .detail("Rows are read and written as the table's owner, and module_versioning.allow_superuser_owner is off.")
            .hint(format!("ALTER TABLE {table} OWNER TO a role that is no superuser, and give the module that owner_role."));
    }
    error
        .detail(format!(
            "Rows are read and written as the table's owner: code of role \"{owner_role}\", the module's owner, in domains, checks, defaults and indexes would run with those rights."
        ))
        .hint(format!(
            "ALTER TABLE {table} OWNER TO {};",
            pgrx::spi::quote_identifier(owner_role)
        ))
}

/// The modules that the table is registered with; if there are none, those in whose schema it lies. A schema
/// that belongs to the server's administrators, such as `public`, makes no table in it a module's.
fn claims(table: pg_sys::Oid) -> Result<Vec<Claim>> {
    query::rows(
        "WITH relation AS (
             SELECT n.nspname::text AS schema, c.relname::text AS name,
                    pg_catalog.format('%I.%I', n.nspname, c.relname) AS shown,
                    o.rolsuper OR o.rolname = 'pg_database_owner' AS in_common_schema
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
             WHERE c.oid = $1),
         claim AS (
             SELECT r.shown, m.slug::text, m.owner_role::text,
                    EXISTS (SELECT FROM module_versioning.module_tables t
                            WHERE t.module_id = m.id
                              AND pg_catalog.parse_ident(t.table_name) IN
                                  (ARRAY[r.schema, r.name],
                                   CASE WHEN home.is_own THEN ARRAY[r.name] END)) AS is_registered,
                    home.is_site OR (home.is_own AND NOT r.in_common_schema) AS is_at_home
             FROM relation r CROSS JOIN module_versioning.modules m
             CROSS JOIN LATERAL (
                 SELECT EXISTS (SELECT FROM module_versioning.site_modules i
                                WHERE i.module_id = m.id AND i.schema_name = r.schema
                                  AND m.isolation = 'schema') AS is_site) AS site
             CROSS JOIN LATERAL (
                 SELECT site.is_site, site.is_site OR m.schema_name = r.schema AS is_own) AS home)
         SELECT c.shown, c.slug, c.owner_role FROM claim c
         WHERE c.is_registered
            OR (c.is_at_home AND NOT EXISTS (SELECT FROM claim o WHERE o.is_registered))
         ORDER BY c.slug COLLATE \"C\"",
        &[table.into()],
        |row| {
            Ok(Claim {
                table: row.get(1)?,
                module: row.get(2)?,
                owner_role: row.get(3)?,
            })
        },
    )
}
