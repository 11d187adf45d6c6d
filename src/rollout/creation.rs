//! Creating a rollout: which sites, in which waves.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::rollout::{self, BadWaves};
use versioning_core::status::Status;

use super::store::{self, Candidate};
use crate::error::{Error, Result};
use crate::pg::record::{Record, Rollouts};
use crate::registry;

/// The waves when nobody says otherwise: a canary, a tenth, all.
const DEFAULT_WAVES: [&str; 3] = ["1", "10%", "100%"];

/// What a caller asked for.
pub struct Request<'a> {
    pub module_id: Uuid,
    pub target: Version,
    pub waves: Option<Vec<Option<String>>>,
    pub max_failures: i32,
    pub site_ids: Option<Vec<Option<Uuid>>>,
    pub create_backup: bool,
    pub force: bool,
    pub executed_by: Option<Uuid>,
    pub created_by: &'a str,
}

/// Creates a rollout and gives every site its wave.
///
/// # Errors
/// 22023 for bad arguments, 42704 for what isn't there, 55000 for a version that can't be a target.
pub fn create(request: Request<'_>) -> Result<Option<Record<Rollouts>>> {
    let module = registry::module(Some(request.module_id))?;
    if request.max_failures < 0 {
        return Err(Error::invalid_argument("max_failures must not be negative")
            .detail(format!("It is {}.", request.max_failures))
            .hint("0 halts the rollout at the first failure."));
    }
    refuse_bad_target(&module, &request.target)?;
    let sites = match &request.site_ids {
        None => store::installed_sites(module.id, &request.target)?,
        Some(ids) => named_sites(&module, ids)?,
    };
    let waves = waves(request.waves)?;
    let ends = rollout::wave_ends(&waves, sites.len()).map_err(bad_waves)?;
    let id = store::insert(&store::NewRollout {
        module_id: module.id,
        target: &request.target,
        waves,
        max_failures: request.max_failures,
        all_sites: request.site_ids.is_none(),
        create_backup: request.create_backup,
        force: request.force,
        executed_by: request.executed_by,
        created_by: request.created_by,
    })?;
    let in_waves = sites.into_iter().enumerate().map(|(position, site)| {
        let wave = i32::try_from(rollout::wave_of(&ends, position)).unwrap_or(i32::MAX);
        (site, wave)
    });
    store::insert_sites(id, in_waves)?;
    store::row(id)
}

fn waves(given: Option<Vec<Option<String>>>) -> Result<Vec<String>> {
    let Some(given) = given else {
        return Ok(DEFAULT_WAVES.map(str::to_owned).to_vec());
    };
    given
        .into_iter()
        .map(|wave| wave.ok_or_else(|| Error::invalid_argument("a wave must not be null")))
        .collect()
}

fn bad_waves(problem: BadWaves) -> Error {
    let hint = match &problem {
        BadWaves::Empty | BadWaves::Unreadable { .. } => {
            "A wave is a number of sites such as 5, or a share of all such as 10%."
        }
        BadWaves::Decreasing { .. } => {
            "Each wave includes those before it, so it can't be smaller."
        }
        BadWaves::Short { .. } => {
            "End with 100%, or name the sites that the rollout is for with site_ids."
        }
    };
    Error::invalid_argument(problem.to_string()).hint(hint)
}

fn refuse_bad_target(module: &registry::Module, target: &Version) -> Result<()> {
    let version = registry::versions(module.id)?
        .into_iter()
        .find(|version| version.version == *target)
        .ok_or_else(|| {
            Error::not_found(format!(
                "module \"{}\" has no version {target}",
                module.slug
            ))
            .hint("See get_versions for those it has.")
        })?;
    match version.status {
        Status::Published | Status::Deprecated => Ok(()),
        Status::Draft | Status::Yanked => Err(Error::wrong_state(format!(
            "version {target} of module \"{}\" is {}",
            module.slug,
            version.status.as_str()
        ))
        .hint("Roll out a published version.")),
    }
}

/// The named sites in the order given, each once.
fn named_sites(module: &registry::Module, ids: &[Option<Uuid>]) -> Result<Vec<Candidate>> {
    let mut sites: Vec<Candidate> = Vec::new();
    let mut unique = std::collections::HashSet::new();
    for id in ids {
        let id = id.ok_or_else(|| Error::invalid_argument("site_ids must hold no null"))?;
        if !unique.insert(*id.as_bytes()) {
            continue;
        }
        let site = registry::site(Some(id))?;
        if store::active_version(id, module.id)?.is_none() {
            return Err(Error::wrong_state(format!(
                "module \"{}\" is not installed on site \"{}\"",
                module.slug, site.slug
            ))
            .hint("Install it with install_module, or leave the site out."));
        }
        sites.push(Candidate {
            site_id: id,
            slug: site.slug,
        });
    }
    if sites.is_empty() {
        return Err(Error::invalid_argument("site_ids names no site")
            .hint("Leave it out for every site that has the module."));
    }
    Ok(sites)
}
