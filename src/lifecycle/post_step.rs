//! Confirming post-steps: the catalog is asked, and what they made becomes the module's.

use pgrx::Uuid;
use versioning_core::post_step::{PostStep, Verdict};
use versioning_core::schema::Objects;

use super::lock::{self, ModuleLock};
use super::store::state;
use crate::error::{Error, Result};
use crate::migration::post_step::{self, Due};
use crate::schema;

/// A post-step that is confirmed, for one site or for all.
pub struct Confirmed {
    /// The site; none when the migration is shared.
    pub site_id: Option<Uuid>,
    /// What it rests on.
    pub detail: String,
}

/// Confirms a post-step wherever it is due, or for one site: all of it or nothing.
///
/// # Errors
/// 42704 for an unknown post-step; 55000 when it isn't due, or the catalog shows that it was not run;
/// 55P03 when another session is at it.
pub fn confirm(
    post_step_id: Uuid,
    site_id: Option<Uuid>,
    confirmed_by: &str,
) -> Result<Vec<Confirmed>> {
    let statement = post_step::statement(post_step_id)?.ok_or_else(|| {
        Error::not_found(format!("post-step {post_step_id} does not exist"))
            .hint("get_post_steps lists those that are due.")
    })?;
    for due in post_step::dues(post_step_id, site_id)? {
        lock(&due)?;
    }
    // Read again: another session may have confirmed or undone it before the lock.
    let dues = post_step::dues(post_step_id, site_id)?;
    if dues.is_empty() {
        return Err(Error::wrong_state("the post-step is not due")
            .detail(format!(
                "Its migration is not in force here. It is: {statement}"
            ))
            .hint("get_post_steps lists those that are due."));
    }
    dues.iter()
        .map(|due| confirm_one(due, confirmed_by))
        .collect()
}

fn lock(due: &Due) -> Result<()> {
    let needed = match due.site_id {
        None => ModuleLock::Alone,
        Some(_) => ModuleLock::Beside,
    };
    lock::module(due.module_id, &due.module, needed)?;
    match due.site_module_id {
        Some(id) => lock::installation(id, &name(due)),
        None => Ok(()),
    }
}

fn name(due: &Due) -> String {
    match &due.site {
        Some(site) => format!("module \"{}\" on site \"{site}\"", due.module),
        None => format!("module \"{}\"", due.module),
    }
}

fn confirm_one(due: &Due, confirmed_by: &str) -> Result<Confirmed> {
    let detail = match (&due.detail, due.is_done) {
        (Some(detail), true) => detail.clone(),
        _ => {
            let target = post_step::target(due)?;
            let detail = match post_step::verdict(due, &target)? {
                Verdict::Done(detail) => detail,
                Verdict::NotDone { why, hint } => {
                    return Err(Error::wrong_state(format!(
                        "{} of {} is not done",
                        due.command,
                        name(due)
                    ))
                    .detail(why)
                    .hint(hint));
                }
            };
            post_step::confirm(due, confirmed_by, &detail)?;
            record(due, &target)?;
            detail
        }
    };
    Ok(Confirmed {
        site_id: due.site_id,
        detail,
    })
}

/// What the statement made, changed or took is recorded as the module's.
fn record(due: &Due, target: &PostStep) -> Result<()> {
    let state_site = due.site_id.filter(|_| due.own_schema);
    let mut state = state::state(due.module_id, state_site)?;
    let live = schema::live(&due.schema_name)?;
    let touched = touched(target);
    let hangs_on = |name: &str| {
        live.get(name)
            .is_some_and(|object| object.table.as_deref() == Some(&touched))
    };
    let mut objects: Objects = state
        .objects
        .into_iter()
        .filter(|(name, _)| live.contains_key(name) || *name != touched)
        .collect();
    // Detaching leaves a constraint behind that says what the partition's bounds said.
    let leaves_more = matches!(target, PostStep::DetachPartition { .. });
    for (name, object) in &live {
        let is_known =
            objects.contains_key(name) || (leaves_more && !state.tenant_objects.contains(name));
        if *name == touched || (is_known && hangs_on(name)) {
            objects.insert(name.clone(), object.definition.clone());
        }
    }
    state
        .tenant_objects
        .retain(|name| !objects.contains_key(name));
    state.objects = objects;
    state::record_state(due.module_id, state_site, &state)
}

/// The object that a statement is about, as `kind name`; nothing that exists for one that is about many.
pub fn touched(target: &PostStep) -> String {
    let quoted = |name: &str| pgrx::spi::quote_identifier(name);
    match target {
        PostStep::CreateIndex { index, .. } => {
            format!("index {}", quoted(index.as_deref().unwrap_or_default()))
        }
        PostStep::DropIndex { index } | PostStep::Reindex { index } => {
            format!("index {}", quoted(&index.name))
        }
        PostStep::DetachPartition { partition, .. } => {
            format!("table {}", quoted(&partition.name))
        }
        PostStep::Untraceable => String::new(),
    }
}
