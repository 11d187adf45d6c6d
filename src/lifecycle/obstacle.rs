//! What stands against a change, and the refusal that says so.

use versioning_core::model::{Direction, Isolation, Migration, Scope};
use versioning_core::plan::{self, Blocker, BlockerKind};
use versioning_core::status::Status;

use super::intact::is_intact;
use super::recorded::{self, Breaks};
use super::situation::Situation;
use super::upgrade_plan::{Company, parse};
use crate::error::{Error, Result};
use crate::migration;
use crate::registry::{self, RegisteredVersion};

/// What stands against an upgrade, with what it breaks of versions on the same tables.
///
/// # Errors
/// None of its own.
pub fn blockers(
    situation: &Situation,
    target: &RegisteredVersion,
    company: Company,
    breaking: &[Breaks<'_>],
) -> Result<Vec<Blocker>> {
    let mut found = match company {
        Company::AsInstalled => misfits(situation, target)?,
        Company::Solved => Vec::from_iter(not_offered(situation, target)),
    };
    found.extend(broken_neighbours(situation, breaking, true).map(Blocker::judgement));
    Ok(found)
}

/// What forbids the target to the site, whichever way it is reached: it is yanked or not published yet, or
/// doesn't go with the site's platform or its other modules.
///
/// # Errors
/// None of its own.
pub fn misfits(situation: &Situation, target: &RegisteredVersion) -> Result<Vec<Blocker>> {
    let site_id = situation.site.id;
    let mut found = Vec::new();
    found.extend(registry::unmet_platform(&situation.site, target));
    found.extend(registry::unmet_dependencies(site_id, target)?);
    found.extend(registry::broken_dependents(
        site_id,
        situation.module.id,
        Some(&target.version),
    )?);
    found.extend(registry::conflicts(site_id, target)?);
    let found = found.into_iter().map(Blocker::correctness);
    Ok(not_offered(situation, target)
        .into_iter()
        .chain(found)
        .collect())
}

/// What stands against taking an existing schema over as the target: nothing runs, so that only what
/// speaks against the target itself counts.
///
/// # Errors
/// None of its own.
pub fn for_adoption(situation: &Situation, target: &RegisteredVersion) -> Result<Vec<Blocker>> {
    let mut found = misfits(situation, target)?;
    found.extend(tables_ahead(situation, target)?);
    Ok(found)
}

/// A version that can't be reached: yanked, which may only be kept, or not published yet.
fn not_offered(situation: &Situation, target: &RegisteredVersion) -> Option<Blocker> {
    let state = match target.status {
        Status::Draft => "a draft and not published yet",
        Status::Yanked => "yanked",
        Status::Published | Status::Deprecated => return None,
    };
    let slug = &situation.module.slug;
    (situation.current() != Some(&target.version)).then(|| {
        Blocker::correctness(format!(
            "version {} of \"{slug}\" is {state}",
            target.version
        ))
    })
}

/// What shared migrations break of versions that other sites on the same tables run: where that is
/// certain a matter of judgement, where it depends on the sites' rows and statements a warning.
pub fn broken_neighbours(
    situation: &Situation,
    breaking: &[Breaks<'_>],
    certain: bool,
) -> Option<String> {
    if situation.module.isolation != Isolation::Row {
        return None;
    }
    let shared: Vec<_> = breaking
        .iter()
        .filter(|one| one.migration.scope == Scope::Shared && one.is_certain == certain)
        .collect();
    let newest = shared.iter().map(|one| &one.migration.to_version).max()?;
    let sites = || {
        situation
            .neighbours
            .iter()
            .filter(|site| site.version < *newest)
    };
    sites().next()?;
    Some(format!(
        "the shared tables change in a way that {} older versions ({}), and these sites run one: {}",
        if certain { "breaks" } else { "may break" },
        plan::list(
            shared
                .iter()
                .map(|one| format!("{} {}", one.kind, one.object))
        ),
        plan::list(sites().map(|site| format!("{} ({})", site.site, site.version)))
    ))
}

/// Shared tables that have gone on to a version above the target, in a way that breaks the target.
pub fn tables_ahead(situation: &Situation, target: &RegisteredVersion) -> Result<Option<Blocker>> {
    let ahead: Vec<&Migration> = situation
        .migrations
        .iter()
        .filter(|migration| {
            migration.scope == Scope::Shared
                && migration.to_version > target.version
                && situation.applied.contains(&migration.id)
        })
        .collect();
    let newest = ahead.iter().map(|migration| &migration.to_version).max();
    let Some(newest) = newest else {
        return Ok(None);
    };
    let ahead = migration::with_scripts(&ahead)?;
    let found = parse(ahead.iter().filter(|migration| is_intact(migration)))?;
    let found = recorded::breaking(&found)?;
    let certain: Vec<_> = found.iter().filter(|one| one.is_certain).collect();
    if certain.is_empty() {
        return Ok(None);
    }
    Ok(Some(Blocker::judgement(format!(
        "the shared tables are at {newest} already, which breaks version {} ({})",
        target.version,
        plan::list(
            certain
                .iter()
                .map(|one| format!("{} {}", one.kind, one.object))
        )
    ))))
}

/// Refuses a change that something stands against.
///
/// # Errors
/// 55000 with every blocker in DETAIL; with `force` only those that it can't override.
pub fn refuse_blocked(
    what: &str,
    direction: Direction,
    blockers: &[Blocker],
    force: bool,
) -> Result<()> {
    let standing: Vec<&Blocker> = blockers
        .iter()
        .filter(|blocker| !force || blocker.kind == BlockerKind::Correctness)
        .collect();
    if standing.is_empty() {
        return Ok(());
    }
    let all_overridable = standing
        .iter()
        .all(|blocker| blocker.kind == BlockerKind::Judgement);
    let hint = match (all_overridable, direction) {
        (true, _) => "If you accept this, call it again with force => true.",
        (false, Direction::Up) => {
            "Resolve these first; plan_upgrade shows them without changing anything."
        }
        (false, Direction::Down) => {
            "Resolve these first; plan_rollback shows them without changing anything."
        }
    };
    let detail = standing
        .iter()
        .map(|blocker| format!("- {}", blocker.text))
        .collect::<Vec<_>>()
        .join("\n");
    Err(Error::wrong_state(format!("{what} is blocked"))
        .detail(detail)
        .hint(hint))
}
