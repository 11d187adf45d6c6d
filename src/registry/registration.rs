//! Registering modules and sites: once, or again with the same properties.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::Isolation;
use versioning_core::slug;

use super::{Module, Site, shown, store};
use crate::error::{Error, Result};
use crate::pg::argument::required;
use crate::pg::identity;
use crate::pg::record::{Modules, Record, Sites};

/// The longest identifier, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 63;

/// The arguments of `register_module`; what is `None` was not given.
pub struct ModuleArguments<'a> {
    pub slug: Option<&'a str>,
    pub name: Option<&'a str>,
    pub isolation: Option<&'a str>,
    pub schema_name: Option<&'a str>,
    pub site_column: Option<&'a str>,
    pub owner_role: Option<&'a str>,
}

/// Registers a module, or finds the same one registered before.
///
/// # Errors
/// 22023 bad argument, 42704 unknown role, 42501 the caller can't act as the owner, 23505 the slug is
/// registered with other properties.
pub fn register_module(arguments: &ModuleArguments<'_>) -> Result<Record<Modules>> {
    let caller = identity::current_role();
    let wanted = wanted_module(arguments, &identity::role_name(caller))?;
    identity::as_extension_owner(|| {
        if store::module_by_slug(&wanted.slug)?.is_none() {
            let owner = identity::role_named(&wanted.owner_role)?;
            if !identity::can_act_as(caller, owner) {
                return Err(cannot_give_to(
                    &identity::role_name(caller),
                    &wanted.owner_role,
                ));
            }
            store::insert_module(&Module {
                id: store::new_id()?,
                ..wanted.clone()
            })?;
        }
        let found = store::module_by_slug(&wanted.slug)?.ok_or_else(|| {
            Error::internal(format!(
                "module \"{}\" has gone while it was registered",
                wanted.slug
            ))
        })?;
        let differences = module_differences(arguments, &found);
        if differences.is_empty() {
            store::module_record(found.id)
        } else {
            Err(registered_otherwise("module", &found.slug, &differences))
        }
    })
}

fn wanted_module(arguments: &ModuleArguments<'_>, caller: &str) -> Result<Module> {
    let slug = checked_slug("module", arguments.slug)?;
    let isolation = arguments.isolation.unwrap_or(Isolation::Row.as_str());
    let isolation = Isolation::from_word(isolation).ok_or_else(|| {
        Error::invalid_argument(format!("isolation \"{}\" is unknown", shown(isolation)))
            .detail("It is row (sites share tables) or schema (each site has its own).")
            .hint("Pass isolation => 'row' or isolation => 'schema'.")
    })?;
    let schema_name = arguments.schema_name.unwrap_or(slug);
    check_identifier("schema_name", schema_name)?;
    check_schema_name(schema_name)?;
    let site_column = arguments.site_column.unwrap_or("site_id");
    check_identifier("site_column", site_column)?;
    check_site_column(site_column)?;
    Ok(Module {
        id: Uuid::from_bytes([0; 16]),
        slug: slug.to_owned(),
        name: arguments.name.unwrap_or(slug).to_owned(),
        isolation,
        schema_name: schema_name.to_owned(),
        site_column: site_column.to_owned(),
        owner_role: arguments.owner_role.unwrap_or(caller).to_owned(),
    })
}

fn checked_slug<'a>(kind: &str, slug: Option<&'a str>) -> Result<&'a str> {
    let text = required(slug, "slug")?;
    match slug::check(text) {
        Ok(()) => Ok(text),
        Err(problem) => Err(Error::invalid_argument(format!(
            "\"{}\" can't be the slug of a {kind}: {problem}",
            shown(text).escape_debug()
        ))
        .detail("A slug has 1 to 63 bytes, no control characters, no blanks around it, and isn't a uuid.")
        .hint("Choose a short name such as my-shop.")),
    }
}

fn check_identifier(argument: &str, name: &str) -> Result<()> {
    if (1..=MAX_IDENTIFIER_BYTES).contains(&name.len()) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!(
        "{argument} \"{}\" can't be a name in PostgreSQL",
        shown(name)
    ))
    .detail(format!(
        "It has {} bytes; names have 1 to {MAX_IDENTIFIER_BYTES}.",
        name.len()
    ))
    .hint(format!("Pass another {argument}.")))
}

fn check_schema_name(name: &str) -> Result<()> {
    let reserved = name.starts_with("pg_")
        || [
            "information_schema",
            "module_versioning",
            "module_versioning_data",
        ]
        .contains(&name);
    if !reserved {
        return Ok(());
    }
    Err(
        Error::invalid_argument(format!("schema \"{name}\" can't hold a module's tables"))
            .detail("It belongs to PostgreSQL or to this extension.")
            .hint("Pass another schema_name."),
    )
}

/// Every table has these, and none of them tells a site.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

fn check_site_column(name: &str) -> Result<()> {
    if !SYSTEM_COLUMNS.contains(&name) {
        return Ok(());
    }
    Err(
        Error::invalid_argument(format!("column \"{name}\" can't tell sites apart"))
            .detail("It is a system column, which every table has.")
            .hint("Pass the column that holds the site's id."),
    )
}

fn cannot_give_to(caller: &str, owner: &str) -> Error {
    Error::not_allowed(format!("role \"{caller}\" may not register a module for role \"{owner}\""))
        .detail(format!("Migrations of the module would run as \"{owner}\", and \"{caller}\" can't act as that role."))
        .hint(format!("Grant \"{owner}\" to \"{caller}\", or pass an owner_role that \"{caller}\" is a member of."))
}

fn registered_otherwise(kind: &str, slug: &str, differences: &[String]) -> Error {
    Error::already_exists(format!(
        "{kind} \"{slug}\" is registered already, with other properties"
    ))
    .detail(differences.join(" "))
    .hint(format!(
        "Call register_{kind} with the same properties, or choose another slug."
    ))
}

/// One sentence when a property was given and is not what was registered.
fn difference(property: &str, given: Option<&str>, registered: &str) -> Option<String> {
    let given = given.filter(|given| *given != registered)?;
    Some(format!(
        "Its {property} is \"{}\", not \"{}\".",
        shown(registered),
        shown(given)
    ))
}

fn module_differences(arguments: &ModuleArguments<'_>, found: &Module) -> Vec<String> {
    [
        difference("name", arguments.name, &found.name),
        difference("isolation", arguments.isolation, found.isolation.as_str()),
        difference("schema_name", arguments.schema_name, &found.schema_name),
        difference("site_column", arguments.site_column, &found.site_column),
        difference("owner_role", arguments.owner_role, &found.owner_role),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The arguments of `register_site`; what is `None` was not given.
pub struct SiteArguments<'a> {
    pub slug: Option<&'a str>,
    pub name: Option<&'a str>,
    pub platform_version: Option<Version>,
    pub id: Option<Uuid>,
}

/// Registers a site, or finds the same one registered before.
///
/// # Errors
/// 22023 bad argument, 23505 the slug is registered with other properties, or the id is taken.
pub fn register_site(arguments: &SiteArguments<'_>) -> Result<Record<Sites>> {
    let slug = checked_slug("site", arguments.slug)?;
    identity::as_extension_owner(|| {
        if store::site_by_slug(slug)?.is_none() {
            store::insert_site(&Site {
                id: arguments.id.map_or_else(store::new_id, Ok)?,
                slug: slug.to_owned(),
                name: arguments.name.unwrap_or(slug).to_owned(),
                platform_version: arguments.platform_version.clone(),
            })?;
        }
        let Some(found) = store::site_by_slug(slug)? else {
            return Err(id_taken(slug, arguments.id)?);
        };
        let differences = site_differences(arguments, &found);
        if differences.is_empty() {
            store::site_record(found.id)
        } else {
            Err(registered_otherwise("site", &found.slug, &differences))
        }
    })
}

/// The insertion did nothing although the slug is free: another site has the id.
fn id_taken(slug: &str, id: Option<Uuid>) -> Result<Error> {
    let other = id.map(store::site_by_id).transpose()?.flatten();
    Ok(match other {
        Some(other) => {
            Error::already_exists(format!("site \"{slug}\" can't have the id {}", other.id))
                .detail(format!("Site \"{}\" has that id.", other.slug))
                .hint("Pass another id, or none.")
        }
        None => Error::internal(format!("site \"{slug}\" has gone while it was registered")),
    })
}

fn site_differences(arguments: &SiteArguments<'_>, found: &Site) -> Vec<String> {
    let platform = found
        .platform_version
        .as_ref()
        .map_or("unknown".to_owned(), ToString::to_string);
    let given_platform = arguments.platform_version.as_ref().map(ToString::to_string);
    let given_id = arguments.id.map(|id| id.to_string());
    [
        difference("name", arguments.name, &found.name),
        difference("platform_version", given_platform.as_deref(), &platform),
        difference("id", given_id.as_deref(), &found.id.to_string()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
