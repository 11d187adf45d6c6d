//! What an upgrade or installation does around its scripts: snapshot, schema, activation, verification.

use pgrx::Uuid;
use versioning_core::model::{Direction, Isolation, Migration, Scope};
use versioning_core::plan::{self, Plan};

use super::keeping::Keeping;
use super::situation::Situation;
use super::undoing::Purpose;
use super::upgrade::Wish;
use super::{equivalent, run::Act, snapshot, store, verify};
use crate::error::{Error, Result};
use crate::registry::{self, RegisteredVersion, SiteLock};
use crate::schema;
use crate::snapshot::store as snapshots;
use crate::snapshot::take::SnapshotKind;

/// What an upgrade does around its scripts.
pub struct UpgradeAct<'a> {
    /// The installation.
    pub situation: &'a Situation,
    /// Its id.
    pub site_module_id: Uuid,
    /// What was asked for.
    pub wish: &'a Wish<'a>,
    /// The version that is activated.
    pub target: &'a RegisteredVersion,
    /// The plan that leads to it.
    pub plan: &'a Plan<'a>,
    /// The migrations that run.
    pub migrations: &'a [&'a Migration],
    /// Whether other modules change in the same act.
    pub has_company: bool,
    /// What the scripts do to rows, and what is given back that a rollback had destroyed.
    pub keeping: Option<Keeping>,
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
        let ran = (self.migrations, Direction::Up);
        let keeping = self
            .keeping
            .insert(Keeping::new(situation, ran, Purpose::GiveBack)?);
        if situation.current().is_none() || !self.wish.create_backup {
            return Ok(None);
        }
        let backup_id = snapshot::take(
            situation,
            SnapshotKind::PreUpgrade,
            None,
            self.wish.executed_by,
        )?;
        keeping.watch(situation, ran, backup_id)?;
        Ok(Some(backup_id))
    }

    fn before_migration(&mut self, index: usize, backup_id: Option<Uuid>) -> Result<()> {
        match (&mut self.keeping, self.migrations.get(index)) {
            (Some(keeping), Some(migration)) => {
                keeping.before(self.situation, (index, migration), backup_id)
            }
            _ => Ok(()),
        }
    }

    fn after_migration(&mut self, index: usize) -> Result<()> {
        self.keeping
            .as_mut()
            .map_or(Ok(()), |keeping| keeping.after(index))
    }

    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>> {
        equivalent::after_upgrade(self.situation, self.plan)?;
        store::leave_version(self.site_module_id, "superseded", backup_id)?;
        snapshots::hold_needed(self.site_module_id)?;
        store::enter_version(self.site_module_id, self.target.id, self.wish.executed_by)?;
        let mut keeping = self.keeping.take();
        let undoing = keeping.as_mut().and_then(|keeping| keeping.undoing.take());
        let mut warnings = undoing.map_or_else(Vec::new, |undoing| undoing.warnings);
        warnings.extend(not_covered(self.situation, self.migrations, backup_id));
        if let Some(keeping) = keeping {
            keeping.end(self.situation)?;
        }
        Ok(warnings)
    }

    fn verify(&mut self, backup_id: Option<Uuid>) -> Result<()> {
        if self.has_company {
            // At once as strong as any of the modules that change together needs it.
            registry::lock_site(&self.situation.site, SiteLock::Alone)?;
        }
        verify::after_change(self.situation, backup_id)
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
        if schema::live(schema)?.is_empty() {
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
