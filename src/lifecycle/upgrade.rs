//! Installing and upgrading: snapshot, migrate, verify, activate, all of it or nothing.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Isolation, Migration, Scope};
use versioning_core::plan;

use super::lock::{self, ModuleLock};
use super::run::{self, Act, Change, Order};
use super::situation::Situation;
use super::store::{self, ChangeRow};
use super::upgrade_plan::{Upgrade, refuse_blocked};
use super::{snapshot, verify};
use crate::error::{Error, Result};
use crate::registry::RegisteredVersion;
use crate::schema;
use crate::snapshot::take::SnapshotKind;

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
}

/// Upgrades an installed module.
///
/// # Errors
/// 55000 when it isn't installed or something stands against it; 55P03 when another session is at it.
pub fn upgrade(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    let (installation, _) = situation.installed()?;
    let site_module_id = installation.site_module_id;
    lock_module(situation, wish)?;
    lock::installation(site_module_id, &situation.name())?;
    let situation = &situation.read_again()?;
    situation.installed()?;
    change(situation, site_module_id, wish)
}

/// Installs a module on a site.
///
/// # Errors
/// 55000 when another version is installed already or something stands against it.
pub fn install(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    let schema = site_schema(situation);
    lock_module(situation, wish)?;
    let (site_module_id, is_new) =
        lock::new_installation(&situation.name(), situation.module.id, || {
            store::ensure_installation(situation.site.id, situation.module.id, &schema)
        })?;
    lock::installation(site_module_id, &situation.name())?;
    let situation = &situation.read_again()?;
    if let Some(current) = situation.current() {
        return already_installed(situation, current, wish);
    }
    let row = change(situation, site_module_id, wish)?;
    // A failed script has been undone; an installation that never came to be goes too.
    if is_new && situation.read_again()?.current().is_none() {
        store::forget_installation(site_module_id)?;
    }
    Ok(row)
}

fn already_installed(
    situation: &Situation,
    current: &Version,
    wish: &Wish<'_>,
) -> Result<ChangeRow> {
    let wanted = wish.target.unwrap_or(current);
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

/// The schema of a new installation: the module's own, or one of the site's.
fn site_schema(situation: &Situation) -> String {
    let module = &situation.module;
    match module.isolation {
        Isolation::Row => module.schema_name.clone(),
        Isolation::Schema => {
            versioning_core::naming::site_schema(&module.schema_name, &situation.site.slug)
        }
    }
}

/// Locks the module as the plan needs it.
fn lock_module(situation: &Situation, wish: &Wish<'_>) -> Result<()> {
    // A target that can't be planned for is refused after locking, when its facts are certain.
    let needed = Upgrade::new(situation, wish.target).map_or(ModuleLock::Beside, |upgrade| {
        lock::for_scopes(upgrade.plan.running().map(|migration| migration.scope))
    });
    lock::module(situation.module.id, &situation.module.slug, needed)
}

fn blocked(situation: &Situation, upgrade: &Upgrade<'_>, wish: &Wish<'_>) -> Result<()> {
    let what = format!(
        "{} of module \"{}\" on site \"{}\" to {}",
        if situation.current().is_some() {
            "upgrade"
        } else {
            "installation"
        },
        situation.module.slug,
        situation.site.slug,
        upgrade.target.version
    );
    refuse_blocked(&what, Direction::Up, &upgrade.plan.blockers, wish.force)
}

fn change(situation: &Situation, site_module_id: Uuid, wish: &Wish<'_>) -> Result<ChangeRow> {
    let upgrade = Upgrade::new(situation, wish.target)?;
    let change = Change {
        direction: Some(Direction::Up),
        from_version: situation.current(),
        to_version: Some(&upgrade.target.version),
    };
    if upgrade.is_noop(situation) {
        return change.noop(situation, &[]);
    }
    blocked(situation, &upgrade, wish)?;
    let migrations: Vec<&Migration> = upgrade.plan.running().collect();
    let mut warnings = upgrade.plan.warnings.clone();
    if wish.force {
        warnings.extend(
            upgrade
                .plan
                .blockers
                .iter()
                .map(|blocker| format!("forced: {}", blocker.text)),
        );
    }
    let order = Order {
        direction: Direction::Up,
        executed_by: wish.executed_by,
    };
    let mut act = UpgradeAct {
        situation,
        site_module_id,
        wish,
        target: upgrade.target,
        migrations: &migrations,
    };
    let outcome = run::all_or_nothing(situation, &migrations, order, &mut act)?;
    change.done(situation, &outcome, warnings)
}

/// What an upgrade does around its scripts.
struct UpgradeAct<'a> {
    situation: &'a Situation,
    site_module_id: Uuid,
    wish: &'a Wish<'a>,
    target: &'a RegisteredVersion,
    migrations: &'a [&'a Migration],
}

impl Act for UpgradeAct<'_> {
    fn prepare(&mut self) -> Result<Option<Uuid>> {
        let situation = self.situation;
        if self
            .migrations
            .iter()
            .any(|migration| migration.scope == Scope::Shared)
        {
            store::touch_module(situation.module.id)?;
        }
        store::touch_installation(self.site_module_id)?;
        self.ensure_schema()?;
        if situation.current().is_none() || !self.wish.create_backup {
            return Ok(None);
        }
        snapshot::take(
            situation,
            SnapshotKind::PreUpgrade,
            None,
            self.wish.executed_by,
        )
        .map(Some)
    }

    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>> {
        store::leave_version(self.site_module_id, "superseded", backup_id)?;
        store::enter_version(self.site_module_id, self.target.id, self.wish.executed_by)?;
        verify::after_change(self.situation, backup_id)?;
        Ok(not_covered(self.situation, self.migrations, backup_id))
    }
}

impl UpgradeAct<'_> {
    /// The schema in which the scripts work. In the schema layout a new one: what somebody else keeps in
    /// a schema of that name would be taken for the site's, and go when the module is uninstalled.
    fn ensure_schema(&self) -> Result<()> {
        let (module, schema) = (&self.situation.module, self.situation.schema());
        let is_new = store::state::ensure_schema(schema, &module.owner_role)?;
        let installing = self.situation.current().is_none();
        if is_new || !installing || module.isolation == Isolation::Row {
            return Ok(());
        }
        if schema::objects(schema)?.is_empty() {
            return Ok(());
        }
        Err(Error::wrong_state(format!(
            "schema \"{schema}\" is there already and not empty"
        ))
        .detail(format!(
            "{} would get it for its tables.",
            self.situation.name()
        ))
        .hint("Rename or drop the schema, or register the module with another schema_name."))
    }
}

/// Shared scripts change other sites' rows too, and those are in no snapshot of this site.
fn not_covered(
    situation: &Situation,
    migrations: &[&Migration],
    backup_id: Option<Uuid>,
) -> Vec<String> {
    let shared = migrations
        .iter()
        .any(|migration| migration.scope == Scope::Shared);
    if !shared || backup_id.is_none() || situation.neighbours.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "the snapshot holds the rows of site \"{}\" only, not those of {}",
        situation.site.slug,
        plan::list(situation.neighbours.iter().map(|site| site.site.clone()))
    )]
}
