//! Whether rows got other keys from scripts whose text doesn't show it: a DO block, a function, ON UPDATE CASCADE.
//! Rows then vanish and as many new ones appear, though nothing is deleted.

use pgrx::spi::quote_identifier;
use versioning_core::rekeying::Rekeying;

use crate::error::Result;
use crate::snapshot::refill_job::{Job, Role};
use crate::snapshot::refill_load::Ready;

/// Whether rows of a table may have got other keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Whether the scripts are seen to take rows away, so that keys vanish anyway.
    takes_rows: bool,
    /// Whether a statement hides what it does.
    pub is_hidden: bool,
    /// The key that scripts were found to change.
    pub found: Option<Vec<String>>,
}

impl Suspicion {
    /// What the scripts' text says of a table.
    pub fn of(rekeying: &Rekeying, table: &str) -> Self {
        Self {
            takes_rows: rekeying.takes_rows(table),
            is_hidden: rekeying.is_hidden,
            found: None,
        }
    }
}

impl Ready<'_> {
    /// Gives up where the rows have got other keys.
    ///
    /// # Errors
    /// What comparing raises.
    pub fn refuse_rekeyed(&mut self, site_id: &str) -> Result<()> {
        let job = &self.job;
        if !job.is_keyed || job.is_given_up || job.rekeyed.takes_rows || job.compared.is_none() {
            return Ok(());
        }
        let mut queries: Vec<String> = job.rekeyed_before().into_iter().collect();
        if job.rekeyed.is_hidden {
            queries.push(job.rekeyed_since(site_id)?);
        }
        for query in queries {
            if self.ask(|session| session.texts(&query))?.is_empty() {
                continue;
            }
            let key = self.job.live.key.iter();
            self.job.rekeyed.found = Some(key.map(|key| key.name.clone()).collect());
            self.job.without_key();
            self.job.is_given_up = true;
            return Ok(());
        }
        Ok(())
    }
}

impl Job<'_> {
    /// The query for whether the first scripts have changed keys; nothing where the rows before them aren't
    /// read.
    fn rekeyed_before(&self) -> Option<String> {
        let (relation, alias) = match self.role {
            Role::Destroyed(_) => ("snapshot_rows", "s"),
            Role::Written(_) => {
                self.compared.as_ref()?.before?;
                ("before_rows", "a")
            }
        };
        let same = self.key_of(alias, "b");
        Some(moved(
            &format!("{relation} {alias} WHERE NOT EXISTS (SELECT FROM after_rows b WHERE {same})"),
            &format!("after_rows b WHERE NOT EXISTS (SELECT FROM {relation} {alias} WHERE {same})"),
        ))
    }

    /// The query for whether the undoing has.
    fn rekeyed_since(&self, site_id: &str) -> Result<String> {
        let (table, site) = (self.live.table_item(), self.and_site(site_id)?);
        let same = self.key_of("c", "t");
        let known = self.live.key.iter();
        let known: String = known
            .map(|key| format!(" AND t.{} IS NOT NULL", quote_identifier(&key.name)))
            .collect();
        Ok(moved(
            &format!("now_rows c WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same})"),
            &format!(
                "{table} t WHERE NOT EXISTS (SELECT FROM now_rows c WHERE {same}){known}{site}"
            ),
        ))
    }
}

/// Whether as many rows have come as have gone, and some have.
fn moved(gone: &str, come: &str) -> String {
    format!(
        "SELECT 'moved'::text FROM (SELECT count(*) FROM {gone}) AS gone (rows),
                                   (SELECT count(*) FROM {come}) AS come (rows)
         WHERE gone.rows > 0 AND gone.rows = come.rows"
    )
}
