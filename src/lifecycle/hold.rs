//! What a change keeps as it is until its transaction ends, beside what it changes: the version that it leads
//! to, so that nobody yanks it meanwhile, and the site's other modules and platform, as far as the change is
//! right only because of them.

use super::situation::Situation;
use crate::error::Result;
use crate::registry::{self, RegisteredVersion, SiteLock};

/// Holds the version that `choose` names. When its status changed while that was waited for, everything is
/// read again and `choose` decides anew.
///
/// # Errors
/// What `choose` returns; 55P03 when somebody else is changing the version; 40001 when it changed after this
/// transaction's snapshot.
pub fn target(
    mut situation: Situation,
    choose: impl Fn(&Situation) -> Result<&RegisteredVersion>,
) -> Result<Situation> {
    loop {
        pgrx::check_for_interrupts!();
        let target = choose(&situation)?;
        let name = format!(
            "version {} of module \"{}\"",
            target.version, situation.module.slug
        );
        if registry::hold(target.id, &name)?.status == target.status {
            return Ok(situation);
        }
        situation = situation.read_again()?;
    }
}

/// Keeps out changes of the site that this one can't go beside, now that `active` runs there: where one of
/// two changes says something about other modules, one of them has to see what the other did. A change of
/// the site's platform goes beside no other.
///
/// # Errors
/// 55P03 when another session is at it too long.
pub fn company(situation: &Situation, active: Option<&RegisteredVersion>) -> Result<()> {
    let is_silent =
        |value: &serde_json::Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    let says_something = active
        .is_some_and(|version| !is_silent(&version.dependencies) || !is_silent(&version.conflicts));
    let lock = if says_something {
        SiteLock::Alone
    } else {
        SiteLock::Beside
    };
    registry::lock_site(&situation.site, lock)
}
