//! What versions need of other modules, and what they don't go with: checked when declared and when
//! published.

use std::collections::{HashMap, HashSet};

use npm_semver::{Prerelease, Range, Version};
use pgrx::Uuid;
use versioning_core::dependency::{
    self, Declaration, Dependency, Fault, ModuleKey, Requirement, Shortage,
};

use super::store::version as versions;
use super::{Module, RegisteredVersion, lookup, module, shown, store, unknown_slug};
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

fn entries(declaration: Declaration, value: &serde_json::Value) -> Result<Vec<Dependency>> {
    dependency::read(value).map_err(|dependency::NotAnObject(kind)| {
        Error::invalid_argument(format!("{} are not an object", declaration.name()))
            .detail(format!("They are {kind}."))
            .hint(EXAMPLE)
    })
}

const EXAMPLE: &str =
    "Pass an object of slugs or ids and npm ranges, such as {\"shop\": \"^1.2.0\"}.";

/// The entries of a declaration that was passed as text of type jsonb.
fn parse(declaration: Declaration, text: &str) -> Result<serde_json::Value> {
    // jsonb holds more than this reads: numbers beyond a double, deep nesting. Neither belongs here.
    serde_json::from_str(text).map_err(|_| {
        Error::invalid_argument(format!("{} can't be read", declaration.name()))
            .detail("They nest too deep, or hold a number of unusual size.")
            .hint(EXAMPLE)
    })
}

pub(super) fn find(key: &ModuleKey) -> Result<Option<Module>> {
    match key {
        ModuleKey::Id(id) => store::module_by_id(Uuid::from_bytes(*id)),
        ModuleKey::Slug(slug) => store::module_by_slug(slug),
    }
}

/// Refuses declarations that could never be right.
///
/// # Errors
/// 22023 not an object of texts, or the module itself, or a module twice, or a conflict that leaves nothing
/// of what is needed; 22P02 a bad range; 42704 an unknown module.
pub fn check_declarations(declarer: &Module, dependencies: &str, conflicts: &str) -> Result<()> {
    let needed = check_declaration(declarer, Declaration::Dependencies, dependencies)?;
    let excluded = check_declaration(declarer, Declaration::Conflicts, conflicts)?;
    for (id, (slug, conflict)) in &excluded {
        let Some((_, need)) = needed.get(id) else {
            continue;
        };
        if conflict.forbids_all_of(need) {
            return Err(Error::invalid_argument(format!(
                "module \"{}\" can't both need module \"{slug}\" and conflict with it",
                declarer.slug
            ))
            .detail(format!(
                "Every version in {} conflicts, for it is in {}.",
                shown(&need.text),
                shown(&conflict.text)
            ))
            .hint("Narrow the range of the conflict, or widen that of the dependency."));
        }
    }
    Ok(())
}

/// What a declaration says of each module, by its id: its slug and the range.
type Declared = HashMap<Uuid, (String, Requirement)>;

fn check_declaration(declarer: &Module, declaration: Declaration, text: &str) -> Result<Declared> {
    let verb = declaration.verb();
    let mut declared = Declared::new();
    for entry in entries(declaration, &parse(declaration, text)?)? {
        pgrx::check_for_interrupts!();
        let requirement = match entry.requirement {
            Ok(requirement) => requirement,
            Err(fault) => return Err(bad_requirement(declaration, &entry.key, &fault)),
        };
        let named = match (find(&entry.module)?, &entry.module) {
            (Some(named), _) => named,
            (None, ModuleKey::Slug(slug)) => {
                return Err(unknown_slug("module", slug, &store::module_slugs()?)
                    .detail(format!("Module \"{}\" can't {verb} it.", declarer.slug)));
            }
            (None, ModuleKey::Id(id)) => module(Some(Uuid::from_bytes(*id)))?,
        };
        if named.id == declarer.id {
            return Err(names_itself(declarer, declaration));
        }
        let slug = named.slug.clone();
        if declared
            .insert(named.id, (named.slug, requirement))
            .is_some()
        {
            return Err(Error::invalid_argument(format!(
                "{} name module \"{slug}\" twice",
                declaration.name()
            ))
            .detail("A slug and an id, or two ways to write the id, stand for the same module.")
            .hint("Name it once, by its slug or by its id."));
        }
    }
    Ok(declared)
}

fn names_itself(declarer: &Module, declaration: Declaration) -> Error {
    let (name, verb) = (declaration.name(), declaration.verb());
    Error::invalid_argument(format!("module \"{}\" can't {verb} itself", declarer.slug))
        .detail(format!("Its {name} name it, by its slug or by its id."))
        .hint(format!("Leave the module out of its own {name}."))
}

fn bad_requirement(declaration: Declaration, key: &str, fault: &Fault) -> Error {
    let (entry, key) = (declaration.entry(), shown(key));
    match fault {
        Fault::NotText(kind) => {
            Error::invalid_argument(format!("range of {entry} \"{key}\" is not a text"))
                .detail(format!("It is {kind}."))
                .hint(
                    "Pass an npm range as a string, such as \"^1.2.0\", or \"*\" for any version.",
                )
        }
        Fault::Malformed { text, problem } => Error::invalid_text(format!(
            "invalid version range \"{}\" of {entry} \"{key}\"",
            shown(text)
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
    assess_value(&parse(Declaration::Dependencies, text)?)
}

fn assess_value(declaration: &serde_json::Value) -> Result<Vec<Assessment>> {
    let mut seen = HashSet::new();
    let mut assessments = Vec::new();
    for entry in entries(Declaration::Dependencies, declaration)? {
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
            let fault = bad_requirement(Declaration::Dependencies, &entry.key, fault);
            assessment.reason = Some(fault.to_string());
            return Ok(assessment);
        }
    };
    assessment.range = Some(requirement.range.clone());
    let Some(module) = found else {
        assessment.reason = Some(format!("module \"{}\" does not exist", shown(&entry.key)));
        return Ok(assessment);
    };
    let found = lookup::highest_match(module.id, &requirement.range, Prerelease::Exclude)?;
    assessment.matched = found.map(|(_, version)| version);
    if assessment.matched.is_none() {
        assessment.reason = Some(dependency::unsatisfiable(
            &module.slug,
            &shown(&requirement.text),
            &shortage(module.id, &requirement.text)?,
        ));
    }
    Ok(assessment)
}

/// What there is instead of a published version in the range.
fn shortage(module: Uuid, range: &str) -> Result<Shortage> {
    Ok(Shortage {
        withdrawn: versions::withdrawn(module, range)?,
        prereleases: versions::prereleases(module, range)?,
        highest: versions::highest_published(module)?,
    })
}

/// A sentence for each dependency that no published version satisfies.
///
/// # Errors
/// 22023 when the declaration isn't an object.
pub fn unsatisfied(version: &RegisteredVersion) -> Result<Vec<String>> {
    let mut reasons: Vec<String> = assess_value(&version.dependencies)?
        .into_iter()
        .filter_map(|assessment| assessment.reason)
        .collect();
    reasons.extend(forbidden_needs(version)?);
    Ok(reasons)
}

/// A sentence for each dependency of which every published version is one that the version conflicts with.
fn forbidden_needs(version: &RegisteredVersion) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let conflicts = requirements(Declaration::Conflicts, &version.conflicts)?;
    if conflicts.is_empty() {
        return Ok(reasons);
    }
    for (key, _, need) in requirements(Declaration::Dependencies, &version.dependencies)? {
        let Some(needed) = find(&key)? else {
            continue;
        };
        let Some((_, _, conflict)) = conflicts.iter().find(|(key, _, _)| names(key, &needed))
        else {
            continue;
        };
        let mut fitting = versions::published(needed.id)?
            .into_iter()
            .filter(|(_, version)| need.range.satisfies(version))
            .peekable();
        if fitting.peek().is_some() && fitting.all(|(_, version)| conflict.forbids(&version)) {
            reasons.push(format!(
                "every published version of module \"{}\" that satisfies {} is in {}, which it conflicts with",
                needed.slug, need.text, conflict.text
            ));
        }
    }
    Ok(reasons)
}

/// Whether the key of a declaration names that module.
pub(super) fn names(key: &ModuleKey, module: &Module) -> bool {
    names_either(key, module.id, &module.slug)
}

pub(super) fn names_either(key: &ModuleKey, id: Uuid, slug: &str) -> bool {
    match key {
        ModuleKey::Id(named) => id == Uuid::from_bytes(*named),
        ModuleKey::Slug(named) => slug == *named,
    }
}

/// The well-formed entries of a stored declaration (only such are ever stored), with key and text as sentences
/// show them.
pub(super) fn requirements(
    declaration: Declaration,
    value: &serde_json::Value,
) -> Result<Vec<(ModuleKey, String, Requirement)>> {
    entries(declaration, value)?
        .into_iter()
        .map(|entry| match entry.requirement {
            Ok(Requirement { text, range }) => {
                let text = shown(&text);
                Ok((entry.module, shown(&entry.key), Requirement { text, range }))
            }
            Err(fault) => Err(bad_requirement(declaration, &entry.key, &fault)),
        })
        .collect()
}
