//! The locks of a change, all of them taken in the one order that every change keeps: modules by id, then
//! the site's installations by the ids of their modules.
//!
//! Installations that change are locked, those that are needed as they are, are kept.

use std::collections::BTreeMap;

use pgrx::Uuid;
use versioning_core::model::Id;

use super::lock::{self, ModuleLock};
use super::situation::Situation;
use super::store;
use crate::error::{Error, Result};
use crate::registry::{self, RegisteredVersion};

/// How an installation is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// It stays as it is.
    Keep,
    /// It changes.
    Change,
}

/// An installation to lock.
struct Wanted {
    name: String,
    hold: Hold,
    /// None when it has to be made.
    site_module_id: Option<Uuid>,
    site_id: Uuid,
    schema: String,
}

/// What a change locks.
#[derive(Default)]
pub struct Locks {
    modules: BTreeMap<Id, (String, ModuleLock)>,
    installations: BTreeMap<Id, Wanted>,
}

/// An installation that was locked to be changed.
#[derive(Debug, Clone, Copy)]
pub struct Locked {
    /// Its id.
    pub site_module_id: Uuid,
    /// Whether it was made just now.
    pub is_new: bool,
}

impl Locks {
    /// The module and its installation, which is made when there is none.
    pub fn add(&mut self, situation: &Situation, module_lock: ModuleLock) {
        let id = *situation.module.id.as_bytes();
        self.modules
            .insert(id, (situation.module.slug.clone(), module_lock));
        self.installations.insert(
            id,
            Wanted {
                name: situation.name(),
                hold: Hold::Change,
                site_module_id: situation
                    .installation
                    .as_ref()
                    .map(|installation| installation.site_module_id),
                site_id: situation.site.id,
                schema: situation.new_schema(),
            },
        );
    }

    /// What the site has of that which a version needs: it must stay until the change is committed.
    ///
    /// # Errors
    /// None of its own.
    pub fn add_needed(&mut self, situation: &Situation, version: &RegisteredVersion) -> Result<()> {
        for needed in registry::needed_installations(situation.site.id, version)? {
            let name = format!(
                "module \"{}\" on site \"{}\"",
                needed.slug, situation.site.slug
            );
            self.installations
                .entry(*needed.module_id.as_bytes())
                .or_insert_with(|| Wanted {
                    name,
                    hold: Hold::Keep,
                    site_module_id: Some(needed.site_module_id),
                    site_id: situation.site.id,
                    schema: String::new(),
                });
        }
        Ok(())
    }

    /// Whether these locks are all of those.
    pub fn cover(&self, others: &Self) -> bool {
        let modules = others
            .modules
            .iter()
            .all(|(id, (_, wanted))| self.modules.get(id).is_some_and(|(_, held)| held >= wanted));
        modules
            && others.installations.iter().all(|(id, wanted)| {
                let held = self.installations.get(id);
                held.is_some_and(|held| held.hold >= wanted.hold)
            })
    }

    /// Takes them, and tells the installations that change, by their modules.
    ///
    /// # Errors
    /// 55P03 with who holds one of them; 40001 when one changed after this transaction's snapshot.
    pub fn take(&self) -> Result<BTreeMap<Id, Locked>> {
        for (id, (slug, module_lock)) in &self.modules {
            lock::module(Uuid::from_bytes(*id), slug, *module_lock)?;
        }
        let mut locked = BTreeMap::new();
        for (id, wanted) in &self.installations {
            match (wanted.hold, wanted.site_module_id) {
                (Hold::Keep, Some(site_module_id)) => {
                    lock::keep_installation(site_module_id, &wanted.name)?;
                }
                (Hold::Keep, None) => {
                    return Err(Error::internal("what is not there can't be kept"));
                }
                (Hold::Change, _) => {
                    locked.insert(*id, wanted.change(Uuid::from_bytes(*id))?);
                }
            }
        }
        Ok(locked)
    }
}

impl Wanted {
    fn change(&self, module_id: Uuid) -> Result<Locked> {
        let (site_module_id, is_new) = match self.site_module_id {
            Some(site_module_id) => (site_module_id, false),
            None => lock::new_installation(&self.name, module_id, || {
                store::ensure_installation(self.site_id, module_id, &self.schema)
            })?,
        };
        lock::installation(site_module_id, &self.name)?;
        Ok(Locked {
            site_module_id,
            is_new,
        })
    }
}
