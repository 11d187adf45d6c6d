//! Everything that is known about a module on a site when a change is planned.

use std::collections::HashSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Id, Isolation, Migration, Scope};
use versioning_core::plan::{Facts, Neighbour};
use versioning_core::status::Status;

use super::store;
use crate::error::{Error, Result};
use crate::migration;
use crate::registry::{self, Installation, Module, RegisteredVersion, Site};

/// The facts behind every plan, read at one moment.
pub struct Situation {
    /// The module.
    pub module: Module,
    /// The site.
    pub site: Site,
    /// The module on the site, if it was ever installed there.
    pub installation: Option<Installation>,
    /// Every registered version, ascending.
    pub versions: Vec<RegisteredVersion>,
    /// Those that an upgrade may pass through.
    passable: Vec<Version>,
    /// Every migration, in run order.
    pub migrations: Vec<Migration>,
    /// Those in force here.
    pub applied: HashSet<Id>,
    /// The other sites on the same tables.
    pub neighbours: Vec<Neighbour>,
}

impl Situation {
    /// Reads the facts.
    ///
    /// # Errors
    /// 22023 for a NULL id, 42704 for an unknown module or site.
    pub fn read(site_id: Option<Uuid>, module_id: Option<Uuid>) -> Result<Self> {
        let site = registry::site(site_id)?;
        let module = registry::module(module_id)?;
        let versions = registry::versions(module.id)?;
        let passable = versions
            .iter()
            .filter(|version| version.status != Status::Draft)
            .map(|version| version.version.clone())
            .collect();
        let neighbours = match module.isolation {
            Isolation::Row => store::plan::neighbours(module.id, site.id)?,
            Isolation::Schema => Vec::new(),
        };
        Ok(Self {
            installation: registry::installation(site.id, module.id)?,
            migrations: migration::registered(module.id)?,
            applied: migration::history::applied(module.id, site.id)?
                .iter()
                .map(|id| *id.as_bytes())
                .collect(),
            passable,
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
        Self::read(Some(self.site.id), Some(self.module.id))
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
            versions: &self.passable,
            neighbours: &self.neighbours,
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
