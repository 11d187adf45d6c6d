//! The SQL functions of the room, thin: they name the arguments and switch to the extension's owner.
//! Their comments are in `sql/install/32_registry_comments.sql`.
//!
//! Functions that return several rows spell `Result` out: the macro doesn't see a set through an alias.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{PgRelation, Uuid};
use versioning_core::release::upgrade_path;

use super::registration::{self, ModuleArguments, SiteArguments};
use super::release::{self, VersionArguments};
use super::{
    dependency, lookup, module, module_named, platform, resolve, site, site_named, store, table,
    version,
};
use crate::error::SqlResult;
use crate::pg::argument::{JsonbText, Name, required};
use crate::pg::identity::as_extension_owner;
use crate::pg::record::{ModuleTables, ModuleVersions, Modules, Record, Sites};
use crate::pg::run_context::refuse_inside_script;
use crate::semver::{Semver, SemverRange};

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn module_id(slug: Option<&str>) -> SqlResult<Uuid> {
    Ok(as_extension_owner(|| module_named(slug))?)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn site_id(slug: Option<&str>) -> SqlResult<Uuid> {
    Ok(as_extension_owner(|| site_named(slug))?)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn _existing_module(module_id: Option<Uuid>) -> SqlResult<Uuid> {
    Ok(as_extension_owner(|| module(module_id))?.id)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn _existing_site(site_id: Option<Uuid>) -> SqlResult<Uuid> {
    Ok(as_extension_owner(|| site(site_id))?.id)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn register_module(
    slug: Option<&str>,
    name: default!(Option<&str>, "NULL"),
    isolation: default!(Option<&str>, "NULL"),
    schema_name: default!(Option<&str>, "NULL"),
    site_column: default!(Option<&str>, "NULL"),
    owner_role: default!(Option<Name>, "NULL"),
) -> SqlResult<Record<Modules>> {
    refuse_inside_script()?;
    let owner_role = owner_role.map(|role| role.0);
    Ok(registration::register_module(&ModuleArguments {
        slug,
        name,
        isolation,
        schema_name,
        site_column,
        owner_role: owner_role.as_deref(),
    })?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn register_site(
    slug: Option<&str>,
    name: default!(Option<&str>, "NULL"),
    platform_version: default!(Option<Semver>, "NULL"),
    id: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Record<Sites>> {
    refuse_inside_script()?;
    let platform_version = platform_version.map(|version| version.0);
    Ok(registration::register_site(&SiteArguments {
        slug,
        name,
        platform_version,
        id,
    })?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn set_platform_version(
    site_id: Option<Uuid>,
    platform_version: Option<Semver>,
) -> SqlResult<Record<Sites>> {
    refuse_inside_script()?;
    let platform_version = platform_version.map(|version| version.0);
    Ok(platform::set(site_id, platform_version)?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn register_module_table(
    module_id: Option<Uuid>,
    table_name: Option<PgRelation>,
    site_column: default!(Option<&str>, "NULL"),
) -> SqlResult<Record<ModuleTables>> {
    refuse_inside_script()?;
    Ok(table::register(module_id, table_name, site_column)?)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn get_module_tables(
    module_id: Option<Uuid>,
    site_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(site_column, Option<String>),
            name!(row_count, Option<i64>),
        ),
    >,
    ErrorReport,
> {
    let counted = table::counted(module_id, site_id)?;
    Ok(TableIterator::new(counted.into_iter().map(
        |(table, rows)| (table.name, table.site_column, rows),
    )))
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an argument of the SQL function"
)]
pub fn create_version(
    module_id: Option<Uuid>,
    version: Option<Semver>,
    bundle_url: default!(Option<String>, "NULL"),
    bundle_hash: default!(Option<String>, "NULL"),
    changelog: default!(Option<String>, "NULL"),
    release_notes: default!(Option<String>, "NULL"),
    min_platform_version: default!(Option<Semver>, "NULL"),
    breaking_changes: default!(Option<bool>, "NULL"),
    breaking_description: default!(Option<String>, "NULL"),
    dependencies: default!(Option<JsonbText>, "NULL"),
    source_url: default!(Option<String>, "NULL"),
    allow_backport: default!(Option<bool>, "false"),
    conflicts: default!(Option<JsonbText>, "NULL"),
) -> SqlResult<Record<ModuleVersions>> {
    refuse_inside_script()?;
    Ok(release::create(VersionArguments {
        module_id,
        version: version.map(|version| version.0),
        bundle_url,
        bundle_hash,
        changelog,
        release_notes,
        min_platform_version: min_platform_version.map(|version| version.0),
        breaking_changes,
        breaking_description,
        dependencies: dependencies.map(|text| text.0),
        source_url,
        allow_backport,
        conflicts: conflicts.map(|text| text.0),
    })?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn deprecate_version(
    version_id: Option<Uuid>,
    reason: default!(Option<&str>, "NULL"),
) -> SqlResult<Record<ModuleVersions>> {
    refuse_inside_script()?;
    Ok(release::deprecate(version_id, reason)?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn yank_version(
    version_id: Option<Uuid>,
    reason: Option<&str>,
) -> SqlResult<Record<ModuleVersions>> {
    refuse_inside_script()?;
    Ok(release::yank(version_id, reason)?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn annotate_version(
    version_id: Option<Uuid>,
    release_notes: default!(Option<&str>, "NULL"),
    status_reason: default!(Option<&str>, "NULL"),
) -> SqlResult<Record<ModuleVersions>> {
    refuse_inside_script()?;
    Ok(release::annotate(version_id, release_notes, status_reason)?)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn get_version(version_id: Option<Uuid>) -> SqlResult<Record<ModuleVersions>> {
    Ok(as_extension_owner(|| {
        store::version::record(version(version_id)?.id)
    })?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn record_download(version_id: Option<Uuid>) -> SqlResult<i64> {
    refuse_inside_script()?;
    Ok(as_extension_owner(|| release::record_download(version_id))?)
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn validate_dependencies(
    dependencies: Option<JsonbText>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(module_id, Option<Uuid>),
            name!(slug, String),
            name!(version_range, Option<SemverRange>),
            name!(matched_version, Option<Semver>),
            name!(satisfied, bool),
            name!(reason, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let assessments =
        as_extension_owner(|| dependency::assess(&required(dependencies, "dependencies")?.0))?;
    Ok(TableIterator::new(assessments.into_iter().map(|found| {
        (
            found.module_id,
            found.slug,
            found.range.map(SemverRange),
            found.matched.map(Semver),
            found.reason.is_none(),
            found.reason,
        )
    })))
}

/// The id of the version that `find_matching_version` returns.
#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn _matching_version(
    module_id: Option<Uuid>,
    version_range: Option<SemverRange>,
    include_prerelease: Option<bool>,
) -> SqlResult<Option<Uuid>> {
    Ok(as_extension_owner(|| {
        let module = module(module_id)?;
        let Some(range) = version_range else {
            return Ok(None);
        };
        let prerelease = include_prerelease.unwrap_or(false).into();
        let found = lookup::highest_match(module.id, &range.0, prerelease)?;
        Ok(found.map(|(id, _)| id))
    })?)
}

/// The ids of the steps of an upgrade, in order; `get_upgrade_path` turns them into rows.
#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn _upgrade_path(
    module_id: Option<Uuid>,
    from_version: Option<Semver>,
    to_version: Option<Semver>,
) -> Result<SetOfIterator<'static, Uuid>, ErrorReport> {
    let published = as_extension_owner(|| store::version::published(module(module_id)?.id))?;
    let (from, to) = (from_version.map(|from| from.0), to_version.map(|to| to.0));
    let path: Vec<Uuid> = upgrade_path(&published, |(_, step)| step, from.as_ref(), to.as_ref())
        .into_iter()
        .map(|(id, _)| *id)
        .collect();
    Ok(SetOfIterator::new(path))
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub fn resolve_dependencies(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    version_range: default!(Option<SemverRange>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(required_module_id, Uuid),
            name!(slug, String),
            name!(installed_version, Option<Semver>),
            name!(version, Semver),
            name!(action, String),
            name!(required_by, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let members = as_extension_owner(|| {
        let (site, module) = (site(site_id)?, module(module_id)?);
        let demand = resolve::demand(version_range.map(|range| range.0));
        resolve(&site, &module, demand)
    })?;
    Ok(TableIterator::new(members.into_iter().map(|member| {
        (
            Uuid::from_bytes(member.module),
            member.slug,
            member.installed.map(Semver),
            Semver(member.version),
            member.action.as_str().to_owned(),
            member.required_by,
        )
    })))
}
