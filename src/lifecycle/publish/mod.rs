//! Publishing a version: its migrations are run in an empty copy of the module's schema, what that shows is
//! recorded with them, and the step of the version number is compared with what they do.
//!
//! A publication never fails because nothing could be run: then it is said that nothing is known, and only
//! what the scripts' text tells counts.

mod assessment;
mod copy;
mod gone;
mod journey;
mod told;

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use versioning_core::release_policy::{self, Policy, TooSmall};
use versioning_core::status::Status;

use self::journey::Journey;
use super::store::publish as store;
use crate::error::{Error, Result};
use crate::pg::record::{ModuleVersions, Record};
use crate::registry::{self, Module, RegisteredVersion};
use crate::settings;

/// Publishes a draft.
///
/// # Errors
/// As `registry::publish`; 55000 when the policy refuses it.
pub fn publish(id: Option<Uuid>, published_by: Option<Uuid>) -> Result<Record<ModuleVersions>> {
    registry::publish(id, published_by, judge)
}

/// Runs a version's migrations, records what they do and compares it with the version's number.
fn judge(module: &Module, version: &RegisteredVersion) -> Result<()> {
    let previous = registry::previous_release(module, &version.version)?;
    if !store::has_migrations(module.id, previous.as_ref(), &version.version)? {
        return Ok(());
    }
    let versions = registry::versions(module.id)?;
    let journey = Journey::read(module.id, &versions, previous.as_ref(), &version.version)?;
    if journey.steps.is_empty() {
        return Ok(());
    }
    let found = assessment::assess(module, &journey);
    for record in &found.records {
        store::record(record)?;
    }
    let policy = settings::version_policy();
    if policy == Policy::Off {
        return Ok(());
    }
    if let Some(reason) = &found.not_run {
        let missing = journey.missing();
        let is_too_early = missing.is_some_and(|missing| reason.ends_with(&missing));
        warn(not_rehearsed(module, version, reason, is_too_early));
    }
    let published: Vec<Version> = versions
        .iter()
        .filter(|other| other.status != Status::Draft && !other.version.is_prerelease())
        .map(|other| other.version.clone())
        .collect();
    let too_small = release_policy::judge(
        previous.as_ref(),
        &version.version,
        &found.demands,
        &published,
    );
    match (too_small, previous) {
        (Some(found), Some(previous)) => {
            let error = refusal(module, version, &previous, &found);
            if policy == Policy::Enforce {
                return Err(error);
            }
            warn(error);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Tells the client without refusing anything.
fn warn(error: Error) {
    ErrorReport::from(error).report(PgLogLevel::WARNING);
}

fn not_rehearsed(
    module: &Module,
    version: &RegisteredVersion,
    reason: &str,
    is_too_early: bool,
) -> Error {
    let hint = if is_too_early {
        "It is published all the same. Publish the lowest version first, and each version finds out about its migrations."
    } else {
        "It is published all the same; rehearse_upgrade tells on a site that runs the module."
    };
    Error::wrong_state(format!(
        "what the migrations to version {} of module \"{}\" do could not be found out",
        version.version, module.slug
    ))
    .detail(reason)
    .hint(hint)
}

fn refusal(
    module: &Module,
    version: &RegisteredVersion,
    previous: &Version,
    found: &TooSmall<'_>,
) -> Error {
    /// How many changes a message lists.
    const MOST: usize = 50;
    let mut lines = vec![format!("Compared with {previous}:")];
    let changes = found.because.iter().take(MOST);
    lines.extend(changes.map(|demand| format!("- {demand}")));
    if found.because.len() > MOST {
        lines.push(format!("and {} more", found.because.len() - MOST));
    }
    Error::wrong_state(format!(
        "version {} of module \"{}\" is a {} step, and its migrations demand a {} one",
        version.version,
        module.slug,
        found.made.as_str(),
        found.needed.as_str()
    ))
    .detail(lines.join("\n"))
    .hint(format!(
        "The lowest version that may do this is {}.",
        found.lowest
    ))
}
