//! The platform that a site runs on, and what versions need of it.

use npm_semver::Version;
use pgrx::Uuid;

use super::locking::{self, SiteLock};
use super::{RegisteredVersion, Site, site, store};
use crate::error::{Error, Result};
use crate::pg::argument::required;
use crate::pg::identity;
use crate::pg::record::{Record, Sites};

/// A sentence when the platform of the site is too old for the version, or not known.
pub fn unmet_platform(site: &Site, version: &RegisteredVersion) -> Option<String> {
    let needed = version.min_platform_version.as_ref()?;
    let (number, slug) = (&version.version, &site.slug);
    match &site.platform_version {
        Some(platform) if platform >= needed => None,
        Some(platform) => Some(format!(
            "version {number} needs platform {needed}, but site \"{slug}\" runs platform {platform}"
        )),
        None => Some(format!(
            "version {number} needs platform {needed}, but the platform version of site \"{slug}\" is not known"
        )),
    }
}

/// Writes down that a site runs on another platform now.
///
/// # Errors
/// 22023, 42704; 55000 when an active version needs more, or for an older platform under REPEATABLE READ and
/// SERIALIZABLE.
pub fn set(site_id: Option<Uuid>, platform_version: Option<Version>) -> Result<Record<Sites>> {
    identity::as_extension_owner(|| {
        let site = site(site_id)?;
        let platform = required(platform_version, "platform_version")?;
        // An older view of the database may miss an installation that has been committed since.
        let goes_down = site
            .platform_version
            .as_ref()
            .is_some_and(|now| platform < *now);
        if goes_down && store::has_frozen_view()? {
            return Err(Error::wrong_state(format!(
                "the platform of site \"{}\" can't be set back to {platform} in this transaction",
                site.slug
            ))
            .detail("Under REPEATABLE READ and SERIALIZABLE it can't be seen whether something that needs more was installed meanwhile.")
            .hint("Call it in a transaction of isolation level READ COMMITTED."));
        }
        // Keeps installations out that would be right only on the platform as it was.
        locking::site(&site, SiteLock::Alone)?;
        let left_behind: Vec<String> = store::platform_needs(site.id)?
            .into_iter()
            .filter(|need| need.platform > platform)
            .map(|need| {
                format!(
                    "module \"{}\" {} needs platform {}",
                    need.slug, need.version, need.platform
                )
            })
            .collect();
        if !left_behind.is_empty() {
            return Err(Error::wrong_state(format!(
                "platform {platform} is too old for what site \"{}\" runs",
                site.slug
            ))
            .detail(left_behind.join("\n"))
            .hint("Roll these modules back to versions that need less, or uninstall them."));
        }
        store::set_platform(site.id, &platform)?;
        store::site_record(site.id)
    })
}
