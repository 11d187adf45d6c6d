//! The tables that hold a module's data.

use pgrx::{PgRelation, Uuid, pg_sys, spi};
use versioning_core::model::Isolation;

use super::store::table::{self as store, Relation};
use super::{Module, ModuleTable, module, site};
use crate::error::{Error, Result};
use crate::pg::argument::required;
use crate::pg::identity;
use crate::pg::record::{ModuleTables, Record};
use crate::pg::table_owner::as_table_owner;

/// Registers a table, or finds it registered the same way.
///
/// # Errors
/// 22023 no table of its own, or a site column of another type than uuid or text; 42704 no such
/// column; 42501 not the caller's table or module; 23505 registered with another site column.
pub fn register(
    module_id: Option<Uuid>,
    table: Option<PgRelation>,
    site_column: Option<&str>,
) -> Result<Record<ModuleTables>> {
    let caller = identity::current_role();
    identity::as_extension_owner(|| {
        let module = module(module_id)?;
        let table = required(table, "table_name")?;
        let relation = store::relation(table.oid())?.ok_or_else(|| {
            Error::not_found(format!(
                "relation with oid {} does not exist",
                table.oid().to_u32()
            ))
        })?;
        check_kind(&relation)?;
        authorise(caller, &module, &relation)?;
        let column = chosen_column(&module, &relation, table.oid(), site_column)?;
        let name = stored_name(&module, &relation)?;
        store::insert(module.id, &name, column.as_deref())?;
        let registered = store::registered_site_column(module.id, &name)?.flatten();
        if site_column.is_some() && registered != column {
            return Err(other_column(&module, &name, registered.as_deref()));
        }
        store::record(module.id, &name)
    })
}

fn check_kind(relation: &Relation) -> Result<()> {
    let reason = match relation.kind.as_str() {
        _ if relation.is_system => "It belongs to PostgreSQL or to this extension.",
        _ if relation.is_temporary => "It is temporary.",
        "r" | "p" => return Ok(()),
        "v" => "It is a view.",
        "m" => "It is a materialized view.",
        "f" => "It is a foreign table.",
        "S" => "It is a sequence.",
        "i" | "I" => "It is an index.",
        _ => "It is no table.",
    };
    Err(Error::invalid_argument(format!(
        "\"{}.{}\" can't hold a module's data",
        relation.schema, relation.name
    ))
    .detail(reason)
    .hint("Register ordinary or partitioned tables."))
}

/// A registered table is counted, snapshotted and restored: that takes its owner's word, and the
/// module's.
fn authorise(caller: pg_sys::Oid, module: &Module, relation: &Relation) -> Result<()> {
    let role = identity::role_name(caller);
    if !identity::can_act_as(caller, relation.owner) {
        let owner = identity::role_name(relation.owner);
        return Err(Error::not_allowed(format!(
            "role \"{role}\" may not register table \"{}.{}\"",
            relation.schema, relation.name
        ))
        .detail(format!("The table belongs to role \"{owner}\"."))
        .hint(format!(
            "Grant \"{owner}\" to \"{role}\", or let the owner register it."
        )));
    }
    if !identity::can_act_as(caller, identity::role_named(&module.owner_role)?) {
        return Err(Error::not_allowed(format!(
            "role \"{role}\" may not register tables of module \"{}\"",
            module.slug
        ))
        .detail(format!(
            "The module belongs to role \"{}\".",
            module.owner_role
        ))
        .hint(format!(
            "Grant \"{}\" to \"{role}\", or let its owner do it.",
            module.owner_role
        )));
    }
    Ok(())
}

/// The column that tells sites apart: the one given, or the module's where the table has it.
fn chosen_column(
    module: &Module,
    relation: &Relation,
    oid: pg_sys::Oid,
    given: Option<&str>,
) -> Result<Option<String>> {
    if module.isolation == Isolation::Schema {
        // The schema tells sites apart.
        return match given {
            None => Ok(None),
            Some(_) => Err(Error::invalid_argument(format!(
                "tables of module \"{}\" have no site column",
                module.slug
            ))
            .detail("Each site has a schema of its own for this module.")
            .hint("Leave site_column out.")),
        };
    }
    let column = given.unwrap_or(&module.site_column);
    match (store::column_type(oid, column)?, given) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::not_found(format!(
            "column \"{column}\" of table \"{}.{}\" does not exist",
            relation.schema, relation.name
        ))
        .hint(
            "Pass the column that holds the site's id, or none when the rows belong to all sites.",
        )),
        (Some(pg_sys::UUIDOID | pg_sys::TEXTOID | pg_sys::VARCHAROID), _) => {
            Ok(Some(column.to_owned()))
        }
        (Some(other), _) => Err(Error::invalid_argument(format!(
            "column \"{column}\" of table \"{}.{}\" can't hold a site's id",
            relation.schema, relation.name
        ))
        .detail(format!("Its type is {}.", store::type_name(other)?))
        .hint("A site column has type uuid, text or varchar.")),
    }
}

/// The name as a migration of the module would write it.
fn stored_name(module: &Module, relation: &Relation) -> Result<String> {
    let is_home = relation.schema == module.schema_name
        || (module.isolation == Isolation::Schema
            && store::is_site_schema(module.id, &relation.schema)?);
    Ok(if is_home {
        spi::quote_identifier(&relation.name)
    } else {
        spi::quote_qualified_identifier(&relation.schema, &relation.name)
    })
}

fn other_column(module: &Module, name: &str, registered: Option<&str>) -> Error {
    Error::already_exists(format!(
        "table {name} of module \"{}\" is registered already, with another site column",
        module.slug
    ))
    .detail(match registered {
        Some(column) => format!("Its site column is \"{column}\"."),
        None => "It has no site column: its rows belong to all sites.".to_owned(),
    })
    .hint("Register it with the same site column.")
}

/// The registered tables of a module in the row layout.
///
/// # Errors
/// Only XX000.
pub fn tables(module: &Module) -> Result<Vec<ModuleTable>> {
    store::registered(module.id, &module.schema_name)
}

/// The tables of a module with how many rows a site has in each.
///
/// # Errors
/// 22023 and 42704 for module and site; 42501 when a policy would hide rows from the table's owner.
pub fn counted(
    module_id: Option<Uuid>,
    site_id: Option<Uuid>,
) -> Result<Vec<(ModuleTable, Option<i64>)>> {
    identity::as_extension_owner(|| {
        let module = module(module_id)?;
        let site = site_id.map(|id| site(Some(id))).transpose()?;
        let found = match module.isolation {
            Isolation::Row => tables(&module)?,
            Isolation::Schema => store::in_site_schemas(module.id, site_id)?,
        };
        let mut counted = Vec::with_capacity(found.len());
        for table in found {
            pgrx::check_for_interrupts!();
            let rows = match &site {
                Some(site) => count(&table, site.id)?,
                None => None,
            };
            counted.push((table, rows));
        }
        Ok(counted)
    })
}

/// Counts as the table's owner, whose functions may run (a policy's, a view's), and only in a way
/// that can't show fewer rows than there are. Nothing for a table that has gone.
fn count(table: &ModuleTable, site: Uuid) -> Result<Option<i64>> {
    let (Some(oid), Some(owner)) = (table.oid, table.owner) else {
        return Ok(None);
    };
    if table.site_column.is_some() && table.site_column_type.is_none() {
        return Ok(None);
    }
    as_table_owner(oid, owner, || store::count(table, site).map(Some))
}
