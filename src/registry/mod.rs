//! Modules, sites and versions: what can be published, found, and installed together.
//!
//! This room owns the tables `modules`, `sites`, `module_tables` and `registered_versions`, and reads
//! `site_modules` and `site_module_versions`. It never runs a migration, installs nothing, and doesn't
//! touch tenants' rows except to count them. The rules are in `versioning_core`; readers that need
//! none of them are SQL functions in `sql/install/30_registry_readers.sql`.

mod company;
mod dependency;
mod functions;
mod locking;
mod lookup;
mod platform;
mod registration;
mod release;
mod resolve;
mod store;
mod table;

use npm_semver::Version;
use pgrx::{Uuid, pg_sys};
use versioning_core::model::Isolation;
use versioning_core::script::excerpt;
use versioning_core::slug;
use versioning_core::status::Status;

pub use self::company::{broken_dependents, conflicts, unmet_dependencies};
pub use self::locking::{SiteLock, hold, site as lock_site};
pub use self::platform::unmet_platform;
pub use self::release::{previous_release, publish};
pub use self::resolve::{NeededInstallation, needed_installations, resolve};
pub use self::table::tables;
use crate::error::{Error, Result};
use crate::pg::argument::required;

/// A registered module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its id.
    pub id: Uuid,
    /// Its short name, unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Whether its sites share tables.
    pub isolation: Isolation,
    /// Where its tables live (row), or what its sites' schemas are named after (schema).
    pub schema_name: String,
    /// Which column tells sites apart in shared tables.
    pub site_column: String,
    /// As whom its migrations run.
    pub owner_role: String,
}

/// A registered site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: Uuid,
    /// Its short name, unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The version of the platform it runs on, when that is known.
    pub platform_version: Option<Version>,
}

/// A version in the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredVersion {
    /// Its id.
    pub id: Uuid,
    /// The module it is a version of.
    pub module_id: Uuid,
    /// Its number.
    pub version: Version,
    /// Where it stands.
    pub status: Status,
    /// Whether it breaks clients of the version before.
    pub breaking_changes: bool,
    /// What it breaks.
    pub breaking_description: Option<String>,
    /// The lowest version of the platform it runs on.
    pub min_platform_version: Option<Version>,
    /// Slug or id → range, as it was declared.
    pub dependencies: serde_json::Value,
    /// Slug or id → range that must not be on the same site, as it was declared.
    pub conflicts: serde_json::Value,
}

/// A module on a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its id.
    pub site_module_id: Uuid,
    /// The schema it lives in.
    pub schema_name: String,
    /// The id and number of the version that is active, if one is.
    pub active: Option<(Uuid, Version)>,
}

/// A table that holds a module's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleTable {
    /// As it was registered: quoted where needed, without the schema when that is the module's.
    pub name: String,
    /// Its schema.
    pub schema: String,
    /// Its name in that schema, unquoted.
    pub relation: String,
    /// The column that tells sites apart; none = its rows belong to all sites alike.
    pub site_column: Option<String>,
    /// The type of that column; none when table or column are gone.
    pub site_column_type: Option<pg_sys::Oid>,
    /// Its owner; none when the table is gone.
    pub owner: Option<pg_sys::Oid>,
    /// Its number; none when the table is gone.
    pub oid: Option<pg_sys::Oid>,
}

/// The module with that id.
///
/// # Errors
/// 22023 for NULL, 42704 when there is none.
pub fn module(id: Option<Uuid>) -> Result<Module> {
    let id = required(id, "module_id")?;
    store::module_by_id(id)?.ok_or_else(|| {
        Error::not_found(format!("module {id} does not exist"))
            .detail("No registered module has that id.")
            .hint("Register it with register_module; module_id(slug) tells the id of one that is.")
    })
}

/// The site with that id.
///
/// # Errors
/// 22023 for NULL, 42704 when there is none.
pub fn site(id: Option<Uuid>) -> Result<Site> {
    let id = required(id, "site_id")?;
    store::site_by_id(id)?.ok_or_else(|| {
        Error::not_found(format!("site {id} does not exist"))
            .detail("No registered site has that id.")
            .hint("Register it with register_site; site_id(slug) tells the id of one that is.")
    })
}

/// The version with that id.
///
/// # Errors
/// 22023 for NULL, 42704 when there is none.
pub fn version(id: Option<Uuid>) -> Result<RegisteredVersion> {
    let id = required(id, "version_id")?;
    store::version::by_id(id)?.ok_or_else(|| unknown_version(id))
}

fn unknown_version(id: Uuid) -> Error {
    Error::not_found(format!("version {id} does not exist"))
        .detail("No registered version has that id.")
        .hint("get_versions(module_id) lists the versions of a module with their ids.")
}

/// The installation of a module on a site, when the site has it.
///
/// # Errors
/// Only XX000.
pub fn installation(site_id: Uuid, module_id: Uuid) -> Result<Option<Installation>> {
    store::installation(site_id, module_id)
}

/// All versions of a module, drafts too, ascending by precedence.
///
/// # Errors
/// Only XX000.
pub fn versions(module_id: Uuid) -> Result<Vec<RegisteredVersion>> {
    store::version::of_module(module_id)
}

/// The id of the module with that slug.
fn module_named(name: Option<&str>) -> Result<Uuid> {
    let name = required(name, "slug")?;
    match store::module_by_slug(name)? {
        Some(module) => Ok(module.id),
        None => Err(unknown_slug("module", name, &store::module_slugs()?)),
    }
}

/// The id of the site with that slug.
fn site_named(name: Option<&str>) -> Result<Uuid> {
    let name = required(name, "slug")?;
    match store::site_by_slug(name)? {
        Some(site) => Ok(site.id),
        None => Err(unknown_slug("site", name, &store::site_slugs()?)),
    }
}

/// How much of a caller's text an error repeats, in characters.
const SHOWN: usize = 100;

/// A caller's text as an error shows it: however long it is, the message is not.
fn shown(text: &str) -> String {
    excerpt(text, SHOWN)
}

/// `kind` is `module` or `site`.
fn unknown_slug(kind: &str, name: &str, known: &[String]) -> Error {
    let name = &shown(name);
    let near: Vec<String> = slug::similar(name, known)
        .iter()
        .map(|slug| format!("\"{slug}\""))
        .collect();
    let hint = if near.is_empty() {
        format!("Register it with register_{kind}.")
    } else {
        format!("Perhaps you meant {}.", near.join(" or "))
    };
    Error::not_found(format!("{kind} \"{name}\" does not exist"))
        .detail(format!("No registered {kind} has that slug."))
        .hint(hint)
}
