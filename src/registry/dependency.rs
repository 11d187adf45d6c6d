//! What versions need of other modules: checked when declared, when published, and on a site.

use std::collections::HashSet;

use npm_semver::{Range, Version};
use pgrx::Uuid;
use versioning_core::dependency::{self, Dependency, Fault, ModuleKey, Need, Requirement};

use super::store::version as versions;
use super::{Module, RegisteredVersion, installation, module, site, store, unknown_slug};
use crate::error::{Error, Result};

/// What is found out about one entry of a declaration.
pub struct Assessment {
    pub module_id: Option<Uuid>,
    pub slug: String,
    pub range: Option<Range>,
    pub matched: Option<Version>,
    /// Why it can't be satisfied; nothing when it can.
    pub reason: Option<String>,
}

fn entries(declaration: &serde_json::Value) -> Result<Vec<Dependency>> {
    dependency::read(declaration).map_err(|dependency::NotAnObject(kind)| {
        Error::invalid_argument("dependencies are not an object")
            .detail(format!("They are {kind}."))
            .hint("Pass an object of slugs or ids and npm ranges, such as {\"shop\": \"^1.2.0\"}.")
    })
}

/// The entries of a declaration that was passed as text of type jsonb.
fn parse(text: &str) -> Result<serde_json::Value> {
    // jsonb holds more than this reads: numbers beyond a double, deep nesting. Neither belongs here.
    serde_json::from_str(text).map_err(|_| {
        Error::invalid_argument("dependencies can't be read")
            .detail("They nest too deep, or hold a number of unusual size.")
            .hint("Pass an object of slugs or ids and npm ranges, such as {\"shop\": \"^1.2.0\"}.")
    })
}

fn find(key: &ModuleKey) -> Result<Option<Module>> {
    match key {
        ModuleKey::Id(id) => store::module_by_id(Uuid::from_bytes(*id)),
        ModuleKey::Slug(slug) => store::module_by_slug(slug),
    }
}

/// Refuses a declaration that could never be right.
///
/// # Errors
/// 22023 not an object of texts, or the module itself, or a module twice; 22P02 a bad range; 42704 an
/// unknown module.
pub fn check_declaration(dependent: &Module, text: &str) -> Result<()> {
    let mut seen = HashSet::new();
    for entry in entries(&parse(text)?)? {
        pgrx::check_for_interrupts!();
        if let Err(fault) = &entry.requirement {
            return Err(bad_requirement(&entry.key, fault));
        }
        let needed = match (find(&entry.module)?, &entry.module) {
            (Some(needed), _) => needed,
            (None, ModuleKey::Slug(slug)) => {
                return Err(unknown_slug("module", slug, &store::module_slugs()?)
                    .detail(format!("Module \"{}\" can't depend on it.", dependent.slug)));
            }
            (None, ModuleKey::Id(id)) => return module(Some(Uuid::from_bytes(*id))).map(drop),
        };
        if needed.id == dependent.id {
            return Err(Error::invalid_argument(format!(
                "module \"{}\" can't depend on itself",
                dependent.slug
            ))
            .detail("Its dependencies name it, by its slug or by its id.")
            .hint("Leave the module out of its own dependencies."));
        }
        if !seen.insert(needed.id) {
            return Err(Error::invalid_argument(format!(
                "dependencies name module \"{}\" twice",
                needed.slug
            ))
            .detail("A slug and an id, or two ways to write the id, stand for the same module.")
            .hint("Name it once, by its slug or by its id."));
        }
    }
    Ok(())
}

fn bad_requirement(key: &str, fault: &Fault) -> Error {
    match fault {
        Fault::NotText(kind) => {
            Error::invalid_argument(format!("range of dependency \"{key}\" is not a text"))
                .detail(format!("It is {kind}."))
                .hint(
                    "Pass an npm range as a string, such as \"^1.2.0\", or \"*\" for any version.",
                )
        }
        Fault::Malformed { text, problem } => Error::invalid_text(format!(
            "invalid version range \"{text}\" of dependency \"{key}\""
        ))
        .detail(format!("The range has a fault: {problem}."))
        .hint("Write an npm range, such as ^1.2.0, >=1.2 <3 or 1.x || 2.x."),
    }
}

/// Looks at each entry of a declaration, whatever is wrong with it.
///
/// # Errors
/// 22023 when it isn't an object.
pub fn assess(text: &str) -> Result<Vec<Assessment>> {
    assess_value(&parse(text)?)
}

fn assess_value(declaration: &serde_json::Value) -> Result<Vec<Assessment>> {
    let mut seen = HashSet::new();
    let mut assessments = Vec::new();
    for entry in entries(declaration)? {
        pgrx::check_for_interrupts!();
        let found = find(&entry.module)?;
        let mut assessment = assess_entry(&entry, found.as_ref())?;
        if found.is_some_and(|module| !seen.insert(module.id)) {
            let reason = format!("module \"{}\" is named twice", assessment.slug);
            assessment.reason.get_or_insert(reason);
        }
        assessments.push(assessment);
    }
    Ok(assessments)
}

fn assess_entry(entry: &Dependency, found: Option<&Module>) -> Result<Assessment> {
    let mut assessment = Assessment {
        module_id: found.map(|module| module.id),
        slug: found.map_or_else(|| entry.key.clone(), |module| module.slug.clone()),
        range: None,
        matched: None,
        reason: None,
    };
    let requirement = match &entry.requirement {
        Ok(requirement) => requirement,
        Err(fault) => {
            assessment.reason = Some(bad_requirement(&entry.key, fault).to_string());
            return Ok(assessment);
        }
    };
    assessment.range = Some(requirement.range.clone());
    let Some(module) = found else {
        assessment.reason = Some(format!("module \"{}\" does not exist", entry.key));
        return Ok(assessment);
    };
    assessment.matched = versions::highest_match(module.id, &requirement.text)?;
    if assessment.matched.is_none() {
        let highest = versions::highest_published(module.id)?;
        assessment.reason = Some(dependency::unsatisfiable(
            &module.slug,
            &requirement.text,
            highest.as_ref(),
        ));
    }
    Ok(assessment)
}

/// A sentence for each entry that no published version satisfies.
///
/// # Errors
/// 22023 when the declaration isn't an object.
pub fn unsatisfied(declaration: &serde_json::Value) -> Result<Vec<String>> {
    let assessments = assess_value(declaration)?;
    Ok(assessments
        .into_iter()
        .filter_map(|assessment| assessment.reason)
        .collect())
}

/// The well-formed entries of a stored declaration. (Only such are ever stored.)
fn requirements(declaration: &serde_json::Value) -> Result<Vec<(ModuleKey, String, Requirement)>> {
    entries(declaration)?
        .into_iter()
        .map(|entry| match entry.requirement {
            Ok(requirement) => Ok((entry.module, entry.key, requirement)),
            Err(fault) => Err(bad_requirement(&entry.key, &fault)),
        })
        .collect()
}

/// A sentence for each thing the version needs that the site doesn't have, or has in a version that
/// won't do. Empty: the version can run there.
///
/// # Errors
/// 42704 for an unknown site or module.
pub fn unmet_dependencies(site_id: Uuid, version: &RegisteredVersion) -> Result<Vec<String>> {
    let site = site(Some(site_id))?;
    let dependent = module(Some(version.module_id))?;
    let mut unmet = Vec::new();
    for (key, written, requirement) in requirements(&version.dependencies)? {
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
        for (key, _, requirement) in requirements(&dependent.dependencies)? {
            let concerned = match &key {
                ModuleKey::Id(id) => needed.id == Uuid::from_bytes(*id),
                ModuleKey::Slug(slug) => needed.slug == *slug,
            };
            if !concerned || new_version.is_some_and(|version| requirement.range.satisfies(version))
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
