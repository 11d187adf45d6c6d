//! How a version goes with the other modules of a site: what it needs, what needs it, what it conflicts with.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::dependency::{Clash, Declaration, Need};

use super::dependency::{find, names, names_either, requirements};
use super::store::version as versions;
use super::{Module, RegisteredVersion, installation, module, site};
use crate::error::Result;

/// A sentence for each thing the version needs that the site doesn't have, or has in a version that
/// won't do. Empty: the version can run there.
///
/// # Errors
/// 42704 for an unknown site or module.
pub fn unmet_dependencies(site_id: Uuid, version: &RegisteredVersion) -> Result<Vec<String>> {
    let site = site(Some(site_id))?;
    let dependent = module(Some(version.module_id))?;
    let mut unmet = Vec::new();
    for (key, written, requirement) in
        requirements(Declaration::Dependencies, &version.dependencies)?
    {
        pgrx::check_for_interrupts!();
        let needed = find(&key)?;
        let active = match &needed {
            Some(needed) => installation(site.id, needed.id)?.and_then(|found| found.active),
            None => None,
        };
        let found = active.map(|(_, version)| version);
        if found
            .as_ref()
            .is_some_and(|found| requirement.range.satisfies(found))
        {
            continue;
        }
        let need = Need {
            dependent: &dependent.slug,
            version: &version.version,
            required: needed.as_ref().map_or(&written, |needed| &needed.slug),
            range: &requirement.text,
        };
        unmet.push(need.unmet_on(&site.slug, found.as_ref()));
    }
    Ok(unmet)
}

/// A sentence for each other module on the site whose active version needs the given module and
/// would be left broken by `new_version` (or, without one, by its removal).
///
/// # Errors
/// 42704 for an unknown module.
pub fn broken_dependents(
    site_id: Uuid,
    module_id: Uuid,
    new_version: Option<&Version>,
) -> Result<Vec<String>> {
    let needed = module(Some(module_id))?;
    let mut broken = Vec::new();
    for dependent in versions::active_beside(site_id, module_id)? {
        pgrx::check_for_interrupts!();
        for (key, _, requirement) in
            requirements(Declaration::Dependencies, &dependent.dependencies)?
        {
            if !names(&key, &needed)
                || new_version.is_some_and(|version| requirement.range.satisfies(version))
            {
                continue;
            }
            let need = Need {
                dependent: &dependent.slug,
                version: &dependent.version,
                required: &needed.slug,
                range: &requirement.text,
            };
            broken.push(need.broken_by(new_version));
        }
    }
    Ok(broken)
}

/// A sentence for each module on the site that doesn't go with the version: because the version conflicts
/// with what is active there, or what is active there conflicts with the version.
///
/// # Errors
/// 42704 for an unknown site or module.
pub fn conflicts(site_id: Uuid, version: &RegisteredVersion) -> Result<Vec<String>> {
    let site = site(Some(site_id))?;
    let module = module(Some(version.module_id))?;
    let others = versions::active_beside(site.id, module.id)?;
    let mut clashes = declared_clashes(&module, version, &others, &site.slug)?;
    for other in &others {
        pgrx::check_for_interrupts!();
        for (key, _, requirement) in requirements(Declaration::Conflicts, &other.conflicts)? {
            if names(&key, &module) && requirement.forbids(&version.version) {
                let clash = Clash {
                    declarer: &other.slug,
                    version: &other.version,
                    other: &module.slug,
                    range: &requirement.text,
                };
                clashes.push(clash.caused_by(&version.version));
            }
        }
    }
    Ok(clashes)
}

/// The conflicts that the version itself declares and that are active on the site.
fn declared_clashes(
    module: &Module,
    version: &RegisteredVersion,
    others: &[versions::InstalledVersion],
    site: &str,
) -> Result<Vec<String>> {
    let mut clashes = Vec::new();
    for (key, _, requirement) in requirements(Declaration::Conflicts, &version.conflicts)? {
        pgrx::check_for_interrupts!();
        let clash = |other: &versions::InstalledVersion| {
            let clash = Clash {
                declarer: &module.slug,
                version: &version.version,
                other: &other.slug,
                range: &requirement.text,
            };
            clash.met_on(site, &other.version)
        };
        let met = others.iter().filter(|other| {
            names_either(&key, other.module_id, &other.slug) && requirement.forbids(&other.version)
        });
        clashes.extend(met.map(clash));
    }
    Ok(clashes)
}
