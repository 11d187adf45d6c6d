//! Whether the sites of one call fit into the server's lock table: a transaction keeps every lock to its end.

use versioning_core::rollout::sites_that_fit;

use super::store::{self, Rollout};
use crate::error::{Error, Result};

/// Counts the locks that a site takes. The first site is none to judge by: it may run what all share.
pub struct Capacity {
    limit: usize,
    held_after_first: Option<i64>,
}

impl Capacity {
    /// For a call that takes on so many sites.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            held_after_first: None,
        }
    }

    /// Call it after each site with the number of those that were tried.
    ///
    /// # Errors
    /// 53400 after the second site, when the rest won't fit.
    pub fn check(&mut self, rollout: &Rollout, tried: usize) -> Result<()> {
        if self.limit <= super::advance::UNCHECKED_SITES {
            return Ok(());
        }
        if tried == 1 {
            self.held_after_first = Some(store::locks()?.held);
        }
        let (2, Some(before)) = (tried, self.held_after_first) else {
            return Ok(());
        };
        let locks = store::locks()?;
        let per_site = locks.held - before;
        let further = i64::try_from(self.limit - tried).unwrap_or(i64::MAX);
        let further = further.min(store::open_sites(rollout.id)?);
        let fitting = sites_that_fit(per_site, locks.used, locks.capacity);
        if further <= fitting {
            return Ok(());
        }
        let sites = further + 2;
        Err(
            Error::beyond_configuration(format!("{sites} sites don't fit into one transaction"))
                .detail(format!(
                    "Each takes about {per_site} locks, {} in all; the server's lock table has {} places, of which {} are free.",
                    per_site.saturating_mul(sites),
                    locks.capacity,
                    (locks.capacity - locks.used).max(0)
                ))
                .hint(format!(
                    "Nothing was changed. Ask for no more than {} sites in a call, or CALL run_rollout, which commits after each site; max_locks_per_transaction makes the table larger.",
                    fitting + 2
                )),
        )
    }
}
