//! Which migrations a version adds to those that its clients know, and on which they build.

use std::collections::HashSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Id, Migration};
use versioning_core::plan::{self, Facts, Release};
use versioning_core::status::Status;

use crate::error::Result;
use crate::migration;
use crate::registry::RegisteredVersion;

/// The way of an empty schema to a version.
pub struct Journey {
    /// What runs before: the migrations up to the release before.
    pub base: Vec<Migration>,
    /// What the version adds to that release, those of prereleases on the way too.
    pub steps: Vec<Migration>,
    /// Its own among them.
    pub own: HashSet<Id>,
    /// Lower versions that are drafts, whose migrations are not among them.
    pub drafts: Vec<Version>,
}

impl Journey {
    /// The way to `version` of a module.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn read(
        module_id: Uuid,
        versions: &[RegisteredVersion],
        previous: Option<&Version>,
        version: &Version,
    ) -> Result<Self> {
        let mut registered = migration::outlined(module_id, |_| false)?;
        let own: HashSet<Id> = registered
            .iter()
            .filter(|one| one.to_version == *version)
            .map(|one| one.id)
            .collect();
        // Its own migrations run, and not what does their work for other versions.
        let mut drafts: Vec<Version> = versions
            .iter()
            .filter(|one| one.status == Status::Draft && one.version < *version)
            .map(|one| one.version.clone())
            .filter(|draft| registered.iter().any(|one| one.to_version == *draft))
            .collect();
        drafts.sort();
        let others = equivalents(&registered, &own);
        registered.retain(|one| !others.contains(&one.id));
        let releases: Vec<Release> = versions
            .iter()
            .map(|one| Release {
                version: one.version.clone(),
                status: one.status,
            })
            .collect();
        let none = HashSet::new();
        let facts = Facts {
            current: None,
            migrations: &registered,
            applied: &none,
            covered: &none,
            undone: &none,
            releases: &releases,
            left: &[],
            neighbours: &[],
            allow_out_of_order: true,
        };
        let plan = plan::upgrade(facts, version);
        let is_known = |one: &&Migration| previous.is_some_and(|known| one.to_version <= *known);
        let (base, steps): (Vec<&Migration>, Vec<&Migration>) = plan.running().partition(is_known);
        let base = if steps.is_empty() { Vec::new() } else { base };
        Ok(Self {
            base: migration::with_scripts(&base)?,
            steps: migration::with_scripts(&steps)?,
            own,
            drafts,
        })
    }

    /// That migrations of lower versions are missing, where they are: a sentence.
    pub fn missing(&self) -> Option<String> {
        let (noun, verb, these) = match self.drafts.len() {
            0 => return None,
            1 => ("Version", "is a draft", "its"),
            _ => ("Versions", "are drafts", "their"),
        };
        let names = plan::list(self.drafts.iter().map(ToString::to_string));
        Some(format!(
            "{noun} {names} {verb}, so {these} migrations are not in the copy."
        ))
    }
}

/// The migrations of other versions that are equivalent to one of these, through any number of steps.
fn equivalents(registered: &[Migration], own: &HashSet<Id>) -> HashSet<Id> {
    let mut class = own.clone();
    loop {
        let before = class.len();
        for one in registered {
            let Some(other) = one.equivalent_of else {
                continue;
            };
            if class.contains(&one.id) || class.contains(&other) {
                class.extend([one.id, other]);
            }
        }
        if class.len() == before {
            break;
        }
    }
    &class - own
}
