//! Installing and upgrading: snapshot, migrate, verify, activate, all of it or nothing. With what a module
//! needs, that is done for several modules in one act.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Migration};
use versioning_core::plan::Blocker;

use super::members::Members;
use super::obstacle::refuse_blocked;
use super::run::{self, Change, Order, Part};
use super::situation::Situation;
use super::store::{self, ChangeRow};
use super::upgrade_act::UpgradeAct;
use super::upgrade_plan::Upgrade;
use crate::error::{Error, Result};
use crate::registry;

/// What a caller may ask of an upgrade.
pub struct Wish<'a> {
    /// The version; the newest when there is none.
    pub target: Option<&'a Version>,
    /// Whether to take a snapshot first.
    pub create_backup: bool,
    /// Whether to go on against blockers of judgement.
    pub force: bool,
    /// Who asks.
    pub executed_by: Option<Uuid>,
    /// Whether to install and upgrade what it needs, too.
    pub with_dependencies: bool,
}

/// Upgrades an installed module.
///
/// # Errors
/// 55000 when it isn't installed or something stands against it; 55P03 when another session is at it; 22023
/// when nothing fits together, 40001 when that changed meanwhile.
pub fn upgrade(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    situation.installed()?;
    let members = Members::gather(situation, wish)?;
    if let Some(asked) = members.asked() {
        asked.situation.installed()?;
    }
    change(&members, wish)
}

/// Installs a module on a site.
///
/// # Errors
/// 55000 when another version is installed already or something stands against it; else as [`upgrade`].
pub fn install(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    let members = Members::gather_new(situation, wish)?;
    if let Some(asked) = members.asked()
        && let Some(current) = asked.situation.current()
    {
        return already_installed(&asked.situation, current, wish.target);
    }
    let row = change(&members, wish)?;
    // A failed script has been undone; an installation that never came to be goes too.
    for member in members.list.iter().filter(|member| member.is_new) {
        if member.situation.read_again()?.current().is_none() {
            store::forget_installation(member.site_module_id)?;
        }
    }
    Ok(row)
}

pub(super) fn already_installed(
    situation: &Situation,
    current: &Version,
    target: Option<&Version>,
) -> Result<ChangeRow> {
    let wanted = target.unwrap_or(current);
    if wanted == current {
        let change = Change {
            direction: Some(Direction::Up),
            from_version: Some(current),
            to_version: Some(current),
        };
        return change.noop(situation, &[]);
    }
    Err(Error::wrong_state(format!(
        "module \"{}\" is installed on site \"{}\" already",
        situation.module.slug, situation.site.slug
    ))
    .detail(format!("It runs version {current}."))
    .hint("Change its version with upgrade_module or rollback_module."))
}

/// Refuses what something stands against, in any of the modules.
fn refuse(members: &Members, upgrades: &[Upgrade<'_>], wish: &Wish<'_>) -> Result<()> {
    let mut what = String::new();
    let mut blockers: Vec<Blocker> = Vec::new();
    for (at, (member, upgrade)) in members.list.iter().zip(upgrades).enumerate() {
        let (situation, target) = (&member.situation, &upgrade.target.version);
        if at == members.asked {
            let verb = match situation.current() {
                Some(_) => "upgrade",
                None => "installation",
            };
            what = format!("{verb} of {} to {target}", situation.name());
            blockers.extend(upgrade.plan.blockers.iter().cloned());
        } else {
            blockers.extend(upgrade.plan.blockers.iter().map(|blocker| Blocker {
                kind: blocker.kind,
                text: format!("\"{}\" {target}: {}", situation.module.slug, blocker.text),
            }));
        }
    }
    let refused = refuse_blocked(&what, Direction::Up, &blockers, wish.force);
    if refused.is_ok() || wish.with_dependencies || !misses_dependencies(members)? {
        return refused;
    }
    refused.map_err(|error| {
        error.hint(
            "with_dependencies => true installs and upgrades what is needed, too; resolve_dependencies shows what that would be.",
        )
    })
}

/// Whether the site lacks something that the module asked for needs.
fn misses_dependencies(members: &Members) -> Result<bool> {
    let Some(asked) = members.asked() else {
        return Ok(false);
    };
    let target = asked.situation.version(&asked.target)?;
    let unmet = registry::unmet_dependencies(asked.situation.site.id, target)?;
    Ok(!unmet.is_empty())
}

/// What is worth knowing of each module, the one asked for last.
fn warnings(members: &Members, upgrades: &[Upgrade<'_>], wish: &Wish<'_>) -> Vec<String> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (at, (member, upgrade)) in members.list.iter().zip(upgrades).enumerate() {
        let (slug, target) = (&member.situation.module.slug, &upgrade.target.version);
        let mut found = upgrade.plan.warnings.clone();
        if wish.force {
            let blockers = upgrade.plan.blockers.iter();
            found.extend(blockers.map(|blocker| format!("forced: {}", blocker.text)));
        }
        if at == members.asked {
            own = found;
            continue;
        }
        others.push(match member.situation.current() {
            Some(current) => format!("module \"{slug}\" was upgraded from {current} to {target}"),
            None => format!("module \"{slug}\" was installed at {target}"),
        });
        others.extend(
            found
                .into_iter()
                .map(|text| format!("\"{slug}\" {target}: {text}")),
        );
    }
    others.extend(own);
    others
}

fn change(members: &Members, wish: &Wish<'_>) -> Result<ChangeRow> {
    let upgrades = members
        .list
        .iter()
        .map(|member| Upgrade::in_company(&member.situation, Some(&member.target), members.company))
        .collect::<Result<Vec<_>>>()?;
    let (Some(asked), Some(upgrade)) = (members.asked(), upgrades.get(members.asked)) else {
        return Err(Error::internal(
            "the module asked for is not among those that change",
        ));
    };
    let change = Change {
        direction: Some(Direction::Up),
        from_version: asked.situation.current(),
        to_version: Some(&upgrade.target.version),
    };
    let is_noop = |(member, upgrade): (&super::members::Member, &Upgrade<'_>)| {
        upgrade.is_noop(&member.situation)
    };
    if members.list.iter().zip(&upgrades).all(is_noop) {
        return change.noop(&asked.situation, &[]);
    }
    refuse(members, &upgrades, wish)?;
    let warnings = warnings(members, &upgrades, wish);
    let outcome = run_all(members, &upgrades, wish)?;
    let warnings = if outcome.failure.is_some() && members.list.len() > 1 {
        not_changed(members)
    } else {
        warnings
    };
    change.done(&asked.situation, &outcome, warnings)
}

/// After a failure, the modules that would have changed too.
fn not_changed(members: &Members) -> Vec<String> {
    let others = members.list.iter().enumerate();
    others
        .filter(|(at, _)| *at != members.asked)
        .map(|(_, member)| {
            format!(
                "module \"{}\" was not brought to {}",
                member.situation.module.slug, member.target
            )
        })
        .collect()
}

fn run_all(members: &Members, upgrades: &[Upgrade<'_>], wish: &Wish<'_>) -> Result<run::Outcome> {
    let order = Order {
        direction: Direction::Up,
        executed_by: wish.executed_by,
        force: wish.force,
    };
    let migrations: Vec<Vec<&Migration>> = upgrades
        .iter()
        .map(|upgrade| upgrade.plan.running().collect())
        .collect();
    let mut acts: Vec<UpgradeAct<'_>> = members
        .list
        .iter()
        .zip(upgrades)
        .zip(&migrations)
        .map(|((member, upgrade), migrations)| UpgradeAct {
            situation: &member.situation,
            site_module_id: member.site_module_id,
            wish,
            target: upgrade.target,
            plan: &upgrade.plan,
            migrations,
            has_company: members.list.len() > 1,
            keeping: None,
        })
        .collect();
    let mut parts: Vec<Part<'_>> = acts
        .iter_mut()
        .zip(&migrations)
        .map(|(act, migrations)| Part {
            situation: act.situation,
            migrations,
            act,
        })
        .collect();
    run::together(&mut parts, members.asked, order)
}
