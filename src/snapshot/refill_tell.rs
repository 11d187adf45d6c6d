//! What people had written and isn't there any more, where nothing is given back.

use crate::error::Result;
use crate::snapshot::refill_job::{Job, Role};
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_update::HOMELESS;
use crate::snapshot::refill_warning::TableRefilled;
use crate::snapshot::refill_written::Knowledge;

const WRITTEN: &str = "written since, and gone now";
const OLD: &str = "gone now, though nobody had written to them";
const UNDECIDED: &str =
    "gone now, and it can't be told whether people had written them or scripts that are undone";
const OTHERWISE: &str = "written since, and other values are there now";

impl Ready<'_> {
    /// Says what isn't there.
    ///
    /// # Errors
    /// What comparing raises.
    pub fn tell(mut self, site_id: &str) -> Result<TableRefilled> {
        let mut lost = Vec::new();
        if matches!(self.job.role, Role::Destroyed(_)) {
            self.job.warnings.clear();
        }
        if !self.job.is_given_up {
            for (why, query) in self.job.gone_rows() {
                lost.extend(self.warn(why, "", &query)?);
            }
            if self.job.is_keyed {
                for (column, query) in self.job.lost_values(site_id)? {
                    lost.extend(self.warn(OTHERWISE, &column, &query)?);
                }
                for (column, query) in self.job.homeless_values() {
                    lost.extend(self.warn(HOMELESS, &column, &query)?);
                }
            }
        }
        Ok(self.job.refilled(0, lost))
    }
}

impl Job<'_> {
    /// The queries for rows that were there and aren't now, each with what is to be said.
    fn gone_rows(&self) -> Vec<(&'static str, String)> {
        let Role::Written(knowledge) = self.role else {
            return Vec::new();
        };
        if !self.is_keyed {
            let (wanted, key, copies) = (self.wanted(), self.shown_key("s"), self.copies());
            let query = format!("{wanted} SELECT {key} FROM {copies}");
            return vec![(WRITTEN, query)];
        }
        let (key, rows, absent) = (self.shown_key("s"), self.rows(), self.is_absent());
        let query =
            |condition: &str| format!("SELECT {key} FROM {rows} WHERE {absent} AND {condition}");
        let written = "(b.r IS NULL OR b.r <> c.r)";
        match knowledge {
            Knowledge::Nothing => vec![(UNDECIDED, query("true"))],
            Knowledge::All => vec![(WRITTEN, query(written)), (OLD, query("b.r = c.r"))],
            // Rows that the first scripts had added go with them.
            Knowledge::Whole | Knowledge::Part => vec![
                (WRITTEN, query(written)),
                (OLD, query("b.r = c.r AND a.r IS NOT NULL")),
            ],
        }
    }
}
