//! Migrations that never ran because an equivalent had done their work: keeping true what counts as in
//! force.

use pgrx::Uuid;
use versioning_core::plan::{Action, Plan, Step};

use super::situation::Situation;
use crate::error::Result;
use crate::migration::history::{mark_covered, unmark_covered};

/// After an upgrade: what others did the work of counts as in force.
///
/// # Errors
/// None of its own.
pub fn after_upgrade(situation: &Situation, plan: &Plan<'_>) -> Result<()> {
    for (step, by) in with_action(plan, Action::Equivalent) {
        mark_covered(
            Uuid::from_bytes(step.migration.id),
            situation.applied_site(step.migration),
            Uuid::from_bytes(by),
        )?;
    }
    Ok(())
}

/// After a rollback: what lies above the target counts as in force no longer; what belongs to the
/// target and stays by way of an equivalent does.
///
/// # Errors
/// None of its own.
pub fn after_rollback(situation: &Situation, plan: &Plan<'_>) -> Result<()> {
    for (step, _) in with_action(plan, Action::Equivalent) {
        unmark_covered(
            Uuid::from_bytes(step.migration.id),
            situation.applied_site(step.migration),
        )?;
    }
    for (step, kept_for) in with_action(plan, Action::KeptForEquivalent) {
        mark_covered(
            Uuid::from_bytes(kept_for),
            situation.applied_site(step.migration),
            Uuid::from_bytes(step.migration.id),
        )?;
    }
    Ok(())
}

/// The steps with that action, each with the equivalent that it speaks of.
fn with_action<'p, 'a>(
    plan: &'p Plan<'a>,
    action: Action,
) -> impl Iterator<Item = (&'p Step<'a>, versioning_core::model::Id)> {
    plan.steps
        .iter()
        .filter(move |step| step.action == action)
        .filter_map(|step| Some((step, step.equivalent?.id)))
}
