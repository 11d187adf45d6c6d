//! Installing, upgrading, rolling back, verifying: the orchestration of the other rooms.
//!
//! An upgrade of a module on a site is one act: snapshot, migrations, verification, activation. All of it
//! happens or none of it, and a failure leaves a record. This room decides nothing that
//! `versioning_core` can decide, and touches tenants' tables only through the rooms below it.

mod adopt;
mod apply;
mod data_change;
mod equivalent;
mod heavy;
mod hold;
mod intact;
mod keeping;
mod lock;
mod locks;
mod loss;
mod members;
mod obstacle;
mod post_step;
mod publish;
mod race;
mod recorded;
pub mod rehearse;
mod rollback;
mod rollback_plan;
mod run;
mod situation;
mod snapshot;
mod state;
mod store;
mod tenant;
mod touched;
mod undoing;
mod undoing_group;
mod undoing_tables;
mod uninstall;
mod upgrade;
mod upgrade_act;
mod upgrade_path;
mod upgrade_plan;
mod verify;

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use self::rollback_plan::Rollback;
use self::situation::Situation;
pub use self::upgrade::Wish as UpgradeWish;
use self::upgrade_plan::Upgrade;
use crate::error::{Error, Result, SqlResult};
use crate::migration::execute::settle_deferred_constraints;
use crate::pg::argument::required;
use crate::pg::identity::{self, as_extension_owner};
use crate::pg::record::{
    ModuleChange, ModuleMigrationRuns, ModuleVersions, Record, Rehearsal, RollbackPlan, UpgradePlan,
};
use crate::pg::run_context;
use crate::semver::Semver;

/// Runs a change: not from inside a migration script, after what the caller's transaction had deferred was
/// checked, and with the rights of the extension's owner.
fn changing<R>(body: impl FnOnce() -> Result<R>) -> SqlResult<R> {
    run_context::refuse_inside_script()?;
    settle_deferred_constraints()?;
    Ok(as_extension_owner(body)?)
}

/// Upgrades one site of a rollout, which has settled what the caller deferred.
///
/// # Errors
/// As `upgrade_module`.
pub fn upgrade_site(
    site_id: Uuid,
    module_id: Uuid,
    wish: &UpgradeWish<'_>,
) -> Result<Option<Record<ModuleChange>>> {
    upgrade::upgrade(&Situation::read(Some(site_id), Some(module_id))?, wish)
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn publish_version(
    version_id: Option<Uuid>,
    published_by: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Record<ModuleVersions>> {
    run_context::refuse_inside_script()?;
    settle_deferred_constraints()?;
    Ok(publish::publish(version_id, published_by)?)
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn install_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    version: default!(Option<Semver>, "NULL"),
    installed_by: default!(Option<Uuid>, "NULL"),
    with_dependencies: default!(Option<bool>, "false"),
) -> SqlResult<Option<Record<ModuleChange>>> {
    changing(|| {
        let wish = upgrade::Wish {
            target: version.as_ref().map(|version| &version.0),
            // For other modules that go up with it; there is nothing to save of a new one.
            create_backup: true,
            force: false,
            executed_by: installed_by,
            with_dependencies: with_dependencies.unwrap_or(false),
        };
        upgrade::install(&Situation::read_for_upgrade(site_id, module_id)?, &wish)
    })
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn adopt_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    version: Option<Semver>,
    accept_drift: default!(Option<bool>, "false"),
) -> SqlResult<Option<Record<ModuleChange>>> {
    let caller = identity::role_name(identity::current_role());
    changing(|| {
        let wish = adopt::Wish {
            version: version.as_ref().map(|version| &version.0),
            accept_drift: accept_drift.unwrap_or(false),
            confirmed_by: &caller,
        };
        adopt::adopt(&Situation::read(site_id, module_id)?, &wish)
    })
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn confirm_post_step(
    post_step_id: Option<Uuid>,
    site_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(for_site_id, Option<Uuid>),
            name!(status, String),
            name!(detail, String),
        ),
    >,
    ErrorReport,
> {
    let id = post_step_id
        .ok_or_else(|| Error::invalid_argument("argument \"post_step_id\" must not be null"))?;
    let caller = identity::role_name(identity::current_role());
    let confirmed = changing(|| post_step::confirm(id, site_id, &caller))?;
    Ok(TableIterator::new(
        confirmed
            .into_iter()
            .map(|one| (one.site_id, "done".to_owned(), one.detail)),
    ))
}

#[pg_extern(stable, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn plan_upgrade(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: default!(Option<Semver>, "NULL"),
) -> SqlResult<Option<Record<UpgradePlan>>> {
    Ok(as_extension_owner(|| {
        let situation = Situation::read_for_upgrade(site_id, module_id)?;
        Upgrade::new(
            &situation,
            target_version.as_ref().map(|version| &version.0),
        )?
        .row(&situation)
    })?)
}

/// The ids of what an upgrade would run, in run order; `get_pending_migrations` turns them into rows.
#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _pending_migrations(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    to_version: Option<Semver>,
) -> Result<SetOfIterator<'static, Uuid>, ErrorReport> {
    let ids = as_extension_owner(|| {
        let situation = Situation::read_outline(site_id, module_id)?;
        let target = to_version.as_ref().map(|version| &version.0);
        let pending = upgrade_path::pending(&situation, target);
        Ok(pending
            .map(|migration| Uuid::from_bytes(migration.id))
            .collect::<Vec<_>>())
    })?;
    Ok(SetOfIterator::new(ids))
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn upgrade_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: default!(Option<Semver>, "NULL"),
    create_backup: default!(Option<bool>, "true"),
    force: default!(Option<bool>, "false"),
    executed_by: default!(Option<Uuid>, "NULL"),
    with_dependencies: default!(Option<bool>, "false"),
) -> SqlResult<Option<Record<ModuleChange>>> {
    changing(|| {
        let wish = upgrade::Wish {
            target: target_version.as_ref().map(|version| &version.0),
            create_backup: create_backup.unwrap_or(true),
            force: force.unwrap_or(false),
            executed_by,
            with_dependencies: with_dependencies.unwrap_or(false),
        };
        upgrade::upgrade(&Situation::read_for_upgrade(site_id, module_id)?, &wish)
    })
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn apply_module_migration(
    site_id: Option<Uuid>,
    migration_id: Option<Uuid>,
    direction: default!(Option<&str>, "'up'"),
    create_backup: default!(Option<bool>, "true"),
    executed_by: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Option<Record<ModuleMigrationRuns>>> {
    changing(|| {
        let migration_id = required(migration_id, "migration_id")?;
        let wish = apply::Wish {
            migration_id,
            direction: apply::direction(direction)?,
            create_backup: create_backup.unwrap_or(true),
            executed_by,
        };
        let module_id = store::module_of_migration(migration_id)?
            .ok_or_else(|| Error::not_found(format!("migration {migration_id} does not exist")))?;
        let outcome = apply::apply(&Situation::read(site_id, Some(module_id))?, &wish)?;
        // The row of a run has no place for them.
        for warning in &outcome.warnings {
            pgrx::warning!("{warning}");
        }
        match outcome.run_ids.last() {
            Some(run_id) => store::run(*run_id),
            None => Ok(None),
        }
    })
}

#[pg_extern(stable, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn verify_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(passed, bool),
            name!(detail, String),
        ),
    >,
    ErrorReport,
> {
    let checks = as_extension_owner(|| verify::checks(&Situation::read(site_id, module_id)?))?;
    Ok(TableIterator::new(checks.into_iter().map(|check| {
        (check.name.to_owned(), check.passed, check.detail)
    })))
}

#[pg_extern(stable, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn plan_rollback(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: Option<Semver>,
) -> SqlResult<Option<Record<RollbackPlan>>> {
    Ok(as_extension_owner(|| {
        let situation = Situation::read(site_id, module_id)?;
        Rollback::new(
            &situation,
            target_version.as_ref().map(|version| &version.0),
        )?
        .row(&situation)
    })?)
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn rollback_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: Option<Semver>,
    strategy: default!(Option<&str>, "'preserve'"),
    create_backup: default!(Option<bool>, "true"),
    force: default!(Option<bool>, "false"),
    executed_by: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Option<Record<ModuleChange>>> {
    changing(|| {
        let wish = rollback::Wish {
            target: target_version.as_ref().map(|version| &version.0),
            strategy: rollback::Strategy::from_word(strategy)?,
            create_backup: create_backup.unwrap_or(true),
            force: force.unwrap_or(false),
            executed_by,
        };
        rollback::rollback(&Situation::read(site_id, module_id)?, &wish)
    })
}

#[pg_extern(stable, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn get_rollback_points(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(version_id, Uuid),
            name!(version, Semver),
            name!(installed_at, TimestampWithTimeZone),
            name!(has_backup, bool),
            name!(backup_id, Option<Uuid>),
            name!(can_rollback, bool),
            name!(blockers, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let points = as_extension_owner(|| {
        let situation = Situation::read(site_id, module_id)?;
        let (installation, _) = situation.installed()?;
        store::plan::rollback_points(installation.site_module_id)?
            .into_iter()
            .map(|point| {
                let blockers = Rollback::new(&situation, Some(&point.version))?
                    .plan
                    .blockers;
                Ok((
                    point,
                    blockers
                        .into_iter()
                        .map(|blocker| blocker.text)
                        .collect::<Vec<_>>(),
                ))
            })
            .collect::<Result<Vec<_>>>()
    })?;
    Ok(TableIterator::new(points.into_iter().map(
        |(point, blockers)| {
            (
                point.version_id,
                Semver(point.version),
                point.installed_at,
                point.backup_id.is_some(),
                point.backup_id,
                blockers.is_empty(),
                blockers,
            )
        },
    )))
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn uninstall_module(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    create_backup: default!(Option<bool>, "true"),
    force: default!(Option<bool>, "false"),
) -> SqlResult<Option<Record<ModuleChange>>> {
    changing(|| {
        let wish = uninstall::Wish {
            create_backup: create_backup.unwrap_or(true),
            force: force.unwrap_or(false),
        };
        uninstall::uninstall(&Situation::read(site_id, module_id)?, &wish)
    })
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn rehearse_migration(
    module_id: Option<Uuid>,
    up_sql: Option<&str>,
    down_sql: default!(Option<&str>, "NULL"),
    site_id: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Option<Record<Rehearsal>>> {
    run_context::refuse_inside_script()?;
    let up_sql = required(up_sql, "up_sql")?;
    Ok(rehearse::migration(module_id, site_id, up_sql, down_sql)?)
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn rehearse_upgrade(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: default!(Option<Semver>, "NULL"),
) -> SqlResult<Option<Record<Rehearsal>>> {
    run_context::refuse_inside_script()?;
    let target = target_version.as_ref().map(|version| &version.0);
    Ok(rehearse::upgrade(site_id, module_id, target)?)
}

#[pg_extern(volatile, requires = ["results"])]
#[search_path(pg_catalog, pg_temp)]
fn rehearse_rollback(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target_version: Option<Semver>,
) -> SqlResult<Option<Record<Rehearsal>>> {
    run_context::refuse_inside_script()?;
    let target = target_version.as_ref().map(|version| &version.0);
    Ok(rehearse::rollback(site_id, module_id, target)?)
}
