//! Asking the solver what a site can run together.

use npm_semver::Range;
use pgrx::Uuid;
use versioning_core::dependency::{self, ModuleKey, Requirement};
use versioning_core::model::Id;
use versioning_core::solver::{
    self, Declaration, Demand, Explanation, Failure, Member, ModuleFacts, Request, Source,
};

use super::store::solver as store;
use super::{Module, RegisteredVersion, Site};
use crate::error::{Error, Result};
use crate::settings;

/// The registry, as the solver asks it.
struct Registry;

impl Source for Registry {
    type Error = Error;

    fn modules(&self, keys: &[ModuleKey]) -> Result<Vec<ModuleFacts>> {
        let (mut ids, mut slugs) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                ModuleKey::Id(id) => ids.push(Uuid::from_bytes(*id)),
                ModuleKey::Slug(slug) => slugs.push(slug.clone()),
            }
        }
        store::modules(ids, slugs)
    }

    fn declarations(&self, versions: &[Id]) -> Result<Vec<Declaration>> {
        store::declarations(versions.iter().map(|id| Uuid::from_bytes(*id)).collect())
    }

    fn step(&self) -> Result<()> {
        pgrx::check_for_interrupts!();
        Ok(())
    }
}

/// What a range, or none, asks for.
pub fn demand(range: Option<Range>) -> Demand {
    match range {
        None => Demand::Any,
        Some(range) => Demand::Range(Requirement {
            text: format!("{range:#}"),
            range,
        }),
    }
}

/// The versions that the site can run together, in the order in which they have to be installed.
///
/// # Errors
/// 22023 when nothing fits; 54000 when the search takes too long.
pub fn resolve(site: &Site, module: &Module, demand: Demand) -> Result<Vec<Member>> {
    let installed = store::active(site.id)?;
    let step_limit = settings::solver_step_limit();
    let request = Request {
        site: &site.slug,
        platform: site.platform_version.as_ref(),
        installed: &installed,
        module: *module.id.as_bytes(),
        demand,
        step_limit,
    };
    solver::solve(&Registry, &request).map_err(|failure| match failure {
        Failure::Source(error) => error,
        Failure::NoSolution(why) => unsolvable(site, module, why),
        Failure::TooManySteps => Error::limit_exceeded(format!(
            "the search for versions that go with module \"{}\" on site \"{}\" takes too many steps",
            module.slug, site.slug
        ))
        .detail(format!("It was given up after {step_limit} steps."))
        .hint("Ask for a narrower version_range, or raise module_versioning.solver_step_limit."),
    })
}

fn unsolvable(site: &Site, module: &Module, why: Explanation) -> Error {
    let hint = if why.in_the_way.is_empty() {
        "Ask for another version, or publish versions that go together.".to_owned()
    } else {
        let slugs: Vec<String> = why
            .in_the_way
            .iter()
            .map(|slug| format!("\"{slug}\""))
            .collect();
        format!(
            "Ask for another version, publish a version of {} that fits, or uninstall what stands in the way.",
            slugs.join(" or ")
        )
    };
    Error::invalid_argument(format!(
        "no versions fit together that give site \"{}\" module \"{}\"",
        site.slug, module.slug
    ))
    .detail(why.text)
    .hint(hint)
}

/// An installation that a version needs on a site.
pub struct NeededInstallation {
    /// The module.
    pub module_id: Uuid,
    /// Its slug.
    pub slug: String,
    /// The installation.
    pub site_module_id: Uuid,
}

/// What the site has of that which the version needs, whether it fits or not.
///
/// # Errors
/// Only XX000.
pub fn needed_installations(
    site_id: Uuid,
    version: &RegisteredVersion,
) -> Result<Vec<NeededInstallation>> {
    let (mut ids, mut slugs) = (Vec::new(), Vec::new());
    for entry in dependency::read(&version.dependencies).unwrap_or_default() {
        match entry.module {
            ModuleKey::Id(id) => ids.push(Uuid::from_bytes(id)),
            ModuleKey::Slug(slug) => slugs.push(slug),
        }
    }
    if ids.is_empty() && slugs.is_empty() {
        return Ok(Vec::new());
    }
    store::needed_installations(site_id, ids, slugs)
}
