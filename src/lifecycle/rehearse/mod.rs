//! Rehearsals: scripts run for real, are watched, and are always undone.
//!
//! Everything, also what is read to plan it, happens in one subtransaction that is rolled back: no row, no
//! lock, no message and no setting is left. In it each pass is a subtransaction of its own. The first runs
//! the scripts there, back and there again and looks at locks, files, counters and catalogs; the second is
//! for tables that may have lost something, and compares their rows with images taken before.

mod conversion;
mod homecoming;
mod in_between;
mod judgement;
mod onlooker;
mod pass;
mod permission;
mod report;
mod statements;
mod subject;
mod waiting;
mod witness;
mod words;

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::rehearsal::Finding;
use versioning_core::release_policy::Demand;

use self::judgement::Judgement;
pub use self::pass::{Leg, leg};
pub use self::subject::{Script, Subject};
use crate::error::Result;
use crate::migration::execute::settle_deferred_constraints;
use crate::pg::identity::{self, as_extension_owner};
use crate::pg::record::{Record, Rehearsal};
use crate::pg::relation_lock;
use crate::pg::subtransaction::{undone, with_end};
use crate::schema::watch;

/// What was found out, as plain data.
#[derive(Debug, Default)]
pub struct Rehearsed {
    /// Whether the scripts ran to their end; none when they were not run.
    pub ok: Option<bool>,
    /// What failed: SQLSTATE, message and statement.
    pub failure: Option<(String, String, i32)>,
    /// How long the statements took.
    pub duration_ms: f64,
    /// Each statement.
    pub statements: Vec<serde_json::Value>,
    /// What it does to people who use the tables meanwhile.
    pub locks: Vec<Finding>,
    /// The tables that are written anew.
    pub rewrites: Vec<Finding>,
    /// How the schemas differ afterwards.
    pub schema_changes: Vec<serde_json::Value>,
    /// What of that breaks clients of the old version.
    pub breaking_changes: Vec<serde_json::Value>,
    /// What the scripts destroy.
    pub data_loss: Vec<Finding>,
    /// What the way back destroys.
    pub down_data_loss: Vec<Finding>,
    /// What goes out of the catalogs together with its data, whether there is any or not.
    pub losing: Vec<Finding>,
    /// What the differences of the schemas demand of the version number.
    pub demands: Vec<Demand>,
    /// Whether the way back leads to the old schema; none when it was not tried.
    pub schema_restored: Option<bool>,
    /// Whether the way back is one.
    pub reversibility: &'static str,
    /// The step of the version number that it demands; none when it failed.
    pub suggested_bump: Option<&'static str>,
    /// Tables that were locked as for an index build.
    pub locked: BTreeSet<u32>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

/// Rehearses a script that no row of `module_migrations` holds.
///
/// # Errors
/// 42704 for an unknown module or site, 42501 when the caller can't act as the module's owner.
pub fn migration(
    module_id: Option<Uuid>,
    site_id: Option<Uuid>,
    up_sql: &str,
    down_sql: Option<&str>,
) -> Result<Option<Record<Rehearsal>>> {
    rehearsed(|caller| subject::of_scripts(caller, module_id, site_id, up_sql, down_sql))
}

/// Rehearses what `upgrade_module` or `install_module` would run.
///
/// # Errors
/// As `plan_upgrade`; 42501 when the caller can't act as the module's owner.
pub fn upgrade(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target: Option<&Version>,
) -> Result<Option<Record<Rehearsal>>> {
    rehearsed(|caller| subject::of_upgrade(caller, site_id, module_id, target))
}

/// Rehearses what `rollback_module` would run with strategy `down`.
///
/// # Errors
/// As `plan_rollback`; 42501 when the caller can't act as the module's owner.
pub fn rollback(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target: Option<&Version>,
) -> Result<Option<Record<Rehearsal>>> {
    rehearsed(|caller| subject::of_rollback(caller, site_id, module_id, target))
}

/// Rehearses as the caller of the SQL function that this is.
fn rehearsed(
    subject: impl FnOnce(pgrx::pg_sys::Oid) -> Result<Subject>,
) -> Result<Option<Record<Rehearsal>>> {
    let caller = identity::current_role();
    leaving_nothing(|| {
        settle_deferred_constraints()?;
        as_extension_owner(|| {
            let found = run(&subject(caller)?)?;
            Ok((report::record(&found)?, found.locked))
        })
    })
}

/// Does something that is undone, and says what came of it. `body` returns with it which tables it locked as
/// for an index build, whose sizes in the catalog are put back.
///
/// # Errors
/// Those of `body`.
pub fn leaving_nothing<R>(body: impl FnOnce() -> Result<(R, BTreeSet<u32>)>) -> Result<R> {
    // What only reads is undone too: it locks catalogs until the transaction ends.
    let held = relation_lock::held();
    let statistics = undone(watch::statistics)?;
    let rehearsing = || {
        let (done, locked) = undone(|| waiting::bounded(body))?;
        undone(|| statistics.put_sizes_back(&locked))?;
        Ok(done)
    };
    // After a cancel, too.
    with_end(rehearsing, || {
        statistics.put_counts_back();
        relation_lock::release_lasting(&held);
    })
}

/// Rehearses a subject. Whoever calls it undoes what was done to prepare it; the scripts are undone here.
///
/// # Errors
/// Errors that are not a script's own.
pub fn run(subject: &Subject) -> Result<Rehearsed> {
    subject.prepare()?;
    let mut judgement = Judgement::new(subject);
    if let Some(reason) = subject.too_large()? {
        return judgement.not_run(&reason);
    }
    let positions = watch::positions(&subject.schema)?;
    let mut first = undone(|| pass::first(subject))?;
    let mend = || watch::mend(&positions, &watch::positions(&subject.schema)?);
    // The second pass begins where the first one did.
    mend()?;
    let witnesses = std::mem::take(&mut first.witnesses);
    judgement.first_pass(&first)?;
    judgement.witnesses(&undone(|| witness::credible(subject, witnesses))?);
    if first.forward.failure().is_none() && first.needs_images() {
        match undone(|| pass::second(subject, &first))? {
            Some(second) => judgement.second_pass(&first, &second),
            None => judgement.no_second_pass(),
        }
    }
    mend()?;
    judgement.sequences(&positions, &watch::positions(&subject.schema)?);
    Ok(judgement.end())
}
