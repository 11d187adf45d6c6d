//! Which migrations a version adds to those that its clients know, and on which they build.

use std::collections::HashSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Id, Migration};
use versioning_core::plan::{self, Facts, Release};

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
        })
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
