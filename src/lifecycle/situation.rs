//! Everything that is known about a module on a site when a change is planned.

use std::collections::HashSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Id, Isolation, Migration, Scope};
use versioning_core::plan::{Facts, Neighbour, Release};
use versioning_core::status::Status;

use super::store;
use crate::error::{Error, Result};
use crate::migration;
use crate::migration::history::{self, Applied};
use crate::registry::{self, Installation, Module, RegisteredVersion, Site};
use crate::settings;

/// Of which migrations the scripts are read.
#[derive(Debug, Clone, Copy)]
enum Scripts {
    All,
    OfWhatIsToCome,
    None,
}

/// The facts behind every plan, read at one moment.
pub struct Situation {
    scripts: Scripts,
    /// The module.
    pub module: Module,
    /// The site.
    pub site: Site,
    /// The module on the site, if it was ever installed there.
    pub installation: Option<Installation>,
    /// Every registered version, ascending.
    pub versions: Vec<RegisteredVersion>,
    /// The same, as the planner takes them.
    releases: Vec<Release>,
    /// Every migration, in run order.
    pub migrations: Vec<Migration>,
    /// Those in force here.
    pub applied: HashSet<Id>,
    /// Those of them that never ran, because an equivalent had done their work.
    pub covered: HashSet<Id>,
    /// Those that ran here once and are not in force any more.
    undone: HashSet<Id>,
    /// The versions that the site has left by an upgrade.
    left: Vec<Version>,
    /// The other sites on the same tables.
    pub neighbours: Vec<Neighbour>,
}

impl Situation {
    /// Reads the facts.
    ///
    /// # Errors
    /// 22023 for a NULL id, 42704 for an unknown module or site.
    pub fn read(site_id: Option<Uuid>, module_id: Option<Uuid>) -> Result<Self> {
        Self::with(site_id, module_id, Scripts::All)
    }

    /// Reads the facts of an upgrade: the scripts of what is in force already are left out.
    ///
    /// # Errors
    /// As [`Situation::read`].
    pub fn read_for_upgrade(site_id: Option<Uuid>, module_id: Option<Uuid>) -> Result<Self> {
        Self::with(site_id, module_id, Scripts::OfWhatIsToCome)
    }

    /// Reads the facts without any script.
    ///
    /// # Errors
    /// As [`Situation::read`].
    pub fn read_outline(site_id: Option<Uuid>, module_id: Option<Uuid>) -> Result<Self> {
        Self::with(site_id, module_id, Scripts::None)
    }

    fn with(site_id: Option<Uuid>, module_id: Option<Uuid>, scripts: Scripts) -> Result<Self> {
        let site = registry::site(site_id)?;
        let module = registry::module(module_id)?;
        let versions = registry::versions(module.id)?;
        let releases = versions
            .iter()
            .map(|version| Release {
                version: version.version.clone(),
                status: version.status,
            })
            .collect();
        let neighbours = match module.isolation {
            Isolation::Row => store::plan::neighbours(module.id, site.id, &versions)?,
            Isolation::Schema => Vec::new(),
        };
        let installation = registry::installation(site.id, module.id)?;
        let in_force = history::applied(module.id, site.id)?;
        let ids = |in_force: &mut dyn Iterator<Item = &Applied>| -> HashSet<Id> {
            in_force.map(|one| *one.migration_id.as_bytes()).collect()
        };
        let applied = ids(&mut in_force.iter());
        let covered = ids(&mut in_force.iter().filter(|one| one.is_covered));
        let current = installation.as_ref().and_then(|one| one.active.as_ref());
        let current = current.map(|(_, version)| version);
        let migrations = match scripts {
            Scripts::All => migration::registered(module.id)?,
            Scripts::OfWhatIsToCome => {
                migration::outlined(module.id, |one| !applied.contains(&one.id))?
            }
            Scripts::None => migration::outlined(module.id, |_| false)?,
        };
        Ok(Self {
            scripts,
            undone: undone(site.id, current, &migrations, &applied)?,
            left: left(installation.as_ref(), &migrations)?,
            installation,
            migrations,
            applied,
            covered,
            releases,
            versions,
            neighbours,
            module,
            site,
        })
    }

    /// The same facts, read again: after a lock, for what was read before it may be stale.
    ///
    /// # Errors
    /// As [`Situation::read`].
    pub fn read_again(&self) -> Result<Self> {
        Self::with(Some(self.site.id), Some(self.module.id), self.scripts)
    }

    /// The version that runs, if one does.
    pub fn current(&self) -> Option<&Version> {
        self.installation
            .as_ref()?
            .active
            .as_ref()
            .map(|(_, version)| version)
    }

    /// The installation and the version that runs.
    ///
    /// # Errors
    /// 55000 when the module isn't installed on the site.
    pub fn installed(&self) -> Result<(&Installation, &Version)> {
        self.installation
            .as_ref()
            .zip(self.current())
            .ok_or_else(|| {
                Error::wrong_state(format!(
                    "module \"{}\" is not installed on site \"{}\"",
                    self.module.slug, self.site.slug
                ))
                .hint("Install it with install_module.")
            })
    }

    /// The facts as the planner takes them.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            current: self.current(),
            migrations: &self.migrations,
            applied: &self.applied,
            covered: &self.covered,
            undone: &self.undone,
            releases: &self.releases,
            left: &self.left,
            neighbours: &self.neighbours,
            allow_out_of_order: settings::allow_out_of_order(),
        }
    }

    /// The registered version of that number.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn version(&self, version: &Version) -> Result<&RegisteredVersion> {
        self.versions
            .iter()
            .find(|registered| registered.version == *version)
            .ok_or_else(|| {
                Error::not_found(format!(
                    "module \"{}\" has no version {version}",
                    self.module.slug
                ))
                .hint("See get_versions for those it has.")
            })
    }

    /// The version that an unnamed target means: the newest published one that is no prerelease.
    ///
    /// # Errors
    /// 42704 when no version is published.
    pub fn latest(&self) -> Result<&Version> {
        let mut published = self
            .versions
            .iter()
            .rev()
            .filter(|version| version.status == Status::Published);
        published
            .clone()
            .find(|version| !version.version.is_prerelease())
            .or_else(|| published.next())
            .map(|version| &version.version)
            .ok_or_else(|| {
                Error::not_found(format!(
                    "module \"{}\" has no published version",
                    self.module.slug
                ))
                .hint("Publish one with publish_version, or name a version.")
            })
    }

    /// The installation in words.
    pub fn name(&self) -> String {
        format!(
            "module \"{}\" on site \"{}\"",
            self.module.slug, self.site.slug
        )
    }

    /// The schema in which the module's unqualified names resolve on this site.
    pub fn schema(&self) -> &str {
        match (&self.installation, self.module.isolation) {
            (Some(installation), Isolation::Schema) => &installation.schema_name,
            _ => &self.module.schema_name,
        }
    }

    /// The schema of a new installation: the module's own, or one of the site's.
    pub fn new_schema(&self) -> String {
        match self.module.isolation {
            Isolation::Row => self.module.schema_name.clone(),
            Isolation::Schema => {
                versioning_core::naming::site_schema(&self.module.schema_name, &self.site.slug)
            }
        }
    }

    /// Whose row of `schema_states` describes a migration's schema: no site for the shared one.
    pub fn state_site(&self) -> Option<Uuid> {
        match self.module.isolation {
            Isolation::Row => None,
            Isolation::Schema => Some(self.site.id),
        }
    }

    /// For which site a migration counts as applied: for none in particular when it is shared.
    pub fn applied_site(&self, migration: &Migration) -> Option<Uuid> {
        match migration.scope {
            Scope::Shared => None,
            Scope::Site => Some(self.site.id),
        }
    }
}

/// The migrations that ran here and are not in force any more. It is asked only of those that the
/// planner may otherwise take for late: of versions that the site, or shared tables, may be past.
fn undone(
    site_id: Uuid,
    current: Option<&Version>,
    migrations: &[Migration],
    applied: &HashSet<Id>,
) -> Result<HashSet<Id>> {
    let newest_shared = migrations
        .iter()
        .filter(|one| one.scope == Scope::Shared && applied.contains(&one.id))
        .map(|one| &one.to_version)
        .max();
    let may_be_late: Vec<Uuid> = migrations
        .iter()
        .filter(|one| !applied.contains(&one.id))
        .filter(|one| {
            let passed = match one.scope {
                Scope::Shared => current.max(newest_shared),
                Scope::Site => current,
            };
            passed.is_some_and(|passed| one.to_version <= *passed)
        })
        .map(|one| Uuid::from_bytes(one.id))
        .collect();
    if may_be_late.is_empty() {
        return Ok(HashSet::new());
    }
    let ran = history::ran_before(may_be_late, site_id)?;
    Ok(ran.iter().map(|id| *id.as_bytes()).collect())
}

/// The versions that the site has left by an upgrade. Only equivalents make a difference of it.
fn left(installation: Option<&Installation>, migrations: &[Migration]) -> Result<Vec<Version>> {
    match installation {
        Some(installation) if migrations.iter().any(|one| one.equivalent_of.is_some()) => {
            store::plan::left_versions(installation.site_module_id)
        }
        _ => Ok(Vec::new()),
    }
}
