//! Values that the undoing has carried over from a table which goes with it, and to which people had written:
//! they count more than old ones.

use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::snapshot::refill_job::{Job, Setting};
use crate::snapshot::refill_update::of_column;

impl Job<'_> {
    /// The condition that the undoing has filled a column, maybe from a table that people had written to;
    /// nothing where there is no such table. A column that was there all the time was empty before.
    pub(super) fn is_carried(&self, setting: &Setting<'_>) -> Option<String> {
        if self.carried.is_empty() {
            return None;
        }
        let empty = self.is_empty(setting.column);
        Some(match (setting.hash, setting.is_new) {
            (Some(hash), false) => format!("(c.h{hash} IS NULL AND NOT {empty})"),
            _ => format!("(b.r = c.r AND NOT {empty})"),
        })
    }

    /// The queries for rows of which the old value stays away for that, each with the reason and the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn carried_values(&self, site_id: &str) -> Result<Vec<(String, String, String)>> {
        if self.compared.is_none() || self.old_wins {
            return Ok(Vec::new());
        }
        let why = format!(
            "the value that the scripts have made is kept, and not the old one, for it may come from table {}, which people had written to",
            self.carried.join(", ")
        );
        let mut queries = Vec::new();
        for setting in &self.set {
            let Some(carried) = self.is_carried(setting) else {
                continue;
            };
            let name = quote_identifier(&setting.column.name);
            let left = match (setting.hash, setting.is_new) {
                (Some(hash), false) => format!("b.h{hash} IS NOT DISTINCT FROM c.h{hash}"),
                _ => "true".to_owned(),
            };
            let condition = format!(
                "{carried} AND {left} AND s.{name} IS NOT NULL
                 AND ROW(t.{name})::record *<> ROW(s.{name})::record"
            );
            let query = self.in_both(site_id, &condition)?;
            queries.push((why.clone(), of_column(setting.column), query));
        }
        Ok(queries)
    }
}
