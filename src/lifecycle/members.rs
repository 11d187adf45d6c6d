//! The modules that one change brings to other versions: the one asked for and, if that was asked for too,
//! what it needs. They are chosen, locked, and chosen again: others may have been at work meanwhile.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::plan;
use versioning_core::solver::{Action, Demand};
use versioning_core::status::Status;

use super::lock;
use super::locks::Locks;
use super::situation::Situation;
use super::store;
use super::upgrade::Wish;
use super::upgrade_path::chosen;
use super::upgrade_plan::Company;
use crate::error::{Error, Result};
use crate::registry;

/// A module that changes.
pub struct Member {
    /// What is known of it, read under the locks.
    pub situation: Situation,
    /// The version it goes to.
    pub target: Version,
    /// Its installation.
    pub site_module_id: Uuid,
    /// Whether the installation was made just now.
    pub is_new: bool,
}

/// The modules that change.
pub struct Members {
    /// In the order in which they change.
    pub list: Vec<Member>,
    /// The place of the one asked for.
    pub asked: usize,
    /// Who answers for it that they go together.
    pub company: Company,
}

/// A module and the version chosen for it.
#[derive(Debug, Clone, PartialEq)]
struct Pick {
    module_id: Uuid,
    slug: String,
    version: Version,
    version_id: Uuid,
}

/// The picks in the order in which they change.
#[derive(Debug, Clone, PartialEq)]
struct Picks {
    list: Vec<Pick>,
    company: Company,
}

impl Members {
    /// Those of an upgrade, locked.
    ///
    /// # Errors
    /// 22023 when nothing fits together; 42704 for an unknown version; 55P03 when another session holds one
    /// of them; 40001 when others changed what has to change.
    pub fn gather(situation: &Situation, wish: &Wish<'_>) -> Result<Self> {
        gather(situation, |situation| pick(situation, wish))
    }

    /// Those of an installation. What is installed already needs nothing.
    ///
    /// # Errors
    /// As [`Members::gather`].
    pub fn gather_new(situation: &Situation, wish: &Wish<'_>) -> Result<Self> {
        gather(situation, |situation| {
            if situation.current().is_some() {
                alone(situation, None)
            } else {
                pick(situation, wish)
            }
        })
    }

    /// The one asked for.
    pub fn asked(&self) -> Option<&Member> {
        self.list.get(self.asked)
    }
}

fn gather(situation: &Situation, choose: impl Fn(&Situation) -> Result<Picks>) -> Result<Members> {
    let mut picks = choose(situation)?;
    let locks = needed(situation, &picks)?;
    let locked = locks.take()?;
    loop {
        pgrx::check_for_interrupts!();
        picks.hold()?;
        let fresh = situation.read_again()?;
        let again = choose(&fresh)?;
        if again == picks {
            break;
        }
        if !locks.cover(&needed(&fresh, &again)?) {
            return Err(changed(&picks, &again, situation));
        }
        picks = again;
    }
    for (module_id, one) in &locked {
        // Made to be locked, and not needed any more.
        let is_picked = |pick: &Pick| pick.module_id.as_bytes() == module_id;
        if one.is_new && !picks.list.iter().any(is_picked) {
            store::forget_installation(one.site_module_id)?;
        }
    }
    let mut members = Members {
        list: Vec::with_capacity(picks.list.len()),
        asked: 0,
        company: picks.company,
    };
    for pick in picks.list {
        let Some(locked) = locked.get(pick.module_id.as_bytes()) else {
            return Err(Error::internal(format!(
                "module \"{}\" was not locked",
                pick.slug
            )));
        };
        if pick.module_id == situation.module.id {
            members.asked = members.list.len();
        }
        members.list.push(Member {
            situation: Situation::read(Some(situation.site.id), Some(pick.module_id))?,
            target: pick.version,
            site_module_id: locked.site_module_id,
            is_new: locked.is_new,
        });
    }
    Ok(members)
}

/// The module asked for by itself.
fn alone(situation: &Situation, target: Option<&Version>) -> Result<Picks> {
    let target = chosen(situation, target)?;
    Ok(Picks {
        list: vec![Pick {
            module_id: situation.module.id,
            slug: situation.module.slug.clone(),
            version: target.version.clone(),
            version_id: target.id,
        }],
        company: Company::AsInstalled,
    })
}

/// The module asked for, and with `with_dependencies` every other that has to change.
fn pick(situation: &Situation, wish: &Wish<'_>) -> Result<Picks> {
    let target = chosen(situation, wish.target)?;
    let current = situation.current();
    // What can't be reached at all is refused for that, and not for what it needs.
    let can_be_reached = match target.status {
        Status::Draft => false,
        Status::Yanked => current == Some(&target.version),
        Status::Published | Status::Deprecated => current <= Some(&target.version),
    };
    if !wish.with_dependencies || !can_be_reached {
        return alone(situation, wish.target);
    }
    let demand = Demand::Exactly(target.version.clone());
    let members = registry::resolve(&situation.site, &situation.module, demand)?;
    let asked = *situation.module.id.as_bytes();
    Ok(Picks {
        list: members
            .into_iter()
            .filter(|member| member.action != Action::Keep || member.module == asked)
            .map(|member| Pick {
                module_id: Uuid::from_bytes(member.module),
                slug: member.slug,
                version: member.version,
                version_id: Uuid::from_bytes(member.version_id),
            })
            .collect(),
        company: Company::Solved,
    })
}

/// The locks that the picks need.
fn needed(asked: &Situation, picks: &Picks) -> Result<Locks> {
    let mut locks = Locks::default();
    let mut situations = Vec::new();
    for pick in &picks.list {
        if pick.module_id != asked.module.id {
            situations.push(Situation::read(Some(asked.site.id), Some(pick.module_id))?);
        }
    }
    let mut versions = Vec::new();
    for pick in &picks.list {
        let situation = situations
            .iter()
            .find(|one| one.module.id == pick.module_id)
            .unwrap_or(asked);
        let plan = plan::upgrade(situation.facts(), &pick.version);
        let scopes = plan.running().map(|migration| migration.scope);
        locks.add(situation, lock::for_scopes(scopes));
        versions.push(situation.version(&pick.version)?);
    }
    // Only then, for what changes is not merely kept.
    for version in versions {
        locks.add_needed(asked, version)?;
    }
    Ok(locks)
}

impl Picks {
    /// Holds their versions, so that nobody yanks one.
    fn hold(&self) -> Result<()> {
        let mut picks: Vec<&Pick> = self.list.iter().collect();
        picks.sort_by_key(|pick| *pick.version_id.as_bytes());
        for pick in picks {
            let name = format!("version {} of module \"{}\"", pick.version, pick.slug);
            registry::hold(pick.version_id, &name)?;
        }
        Ok(())
    }

    fn words(&self) -> String {
        plan::list(
            self.list
                .iter()
                .map(|pick| format!("\"{}\" {}", pick.slug, pick.version)),
        )
    }
}

/// The refusal to change what was not locked.
fn changed(before: &Picks, now: &Picks, situation: &Situation) -> Error {
    Error::changed_meanwhile(format!(
        "what has to change with {} changed while it was waited for",
        situation.name()
    ))
    .detail(format!(
        "It was to be {}; now it is {}.",
        before.words(),
        now.words()
    ))
    .hint("Nothing was changed. Try again.")
}
