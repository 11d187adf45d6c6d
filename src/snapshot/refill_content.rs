//! Rows of tables without a primary key: they are known by what is in them, and counted.

use pgrx::spi::quote_identifier;

use crate::snapshot::refill_job::Job;

/// Rows of a table without a key that the scripts have added, or made of others.
const UNMATCHED: &str =
    "SELECT FROM after a LEFT JOIN old o ON o.r = a.r WHERE a.n > coalesce(o.n, 0)";

impl Job<'_> {
    /// The query for whether rows were changed that can't be matched; nothing where they can be.
    pub(super) fn unmatched(&self) -> Option<String> {
        (!self.is_keyed && self.compared.is_some()).then(|| {
            format!(
                "{} SELECT 'changed'::text WHERE EXISTS ({UNMATCHED})",
                self.wanted()
            )
        })
    }

    /// Without a key: how many copies of a row come back. As many as the scripts had removed, but for those
    /// that the undoing has made already. Where the scripts had changed rows too, a row that was changed
    /// looks like one removed and one added: none comes back.
    pub(super) fn wanted(&self) -> String {
        let counted = |name: &str| format!("SELECT r, count(*) AS n FROM {name} GROUP BY r");
        let none = "SELECT 0::bigint AS r, 0::bigint AS n WHERE false".to_owned();
        let (after, now) = if self.compared.is_some() {
            (counted("after_rows"), counted("now_rows"))
        } else {
            (none.clone(), none)
        };
        let number = quote_identifier(&self.number);
        format!(
            "WITH old AS (SELECT {number} AS r, count(*) AS n FROM snapshot_rows GROUP BY 1),
                  after AS ({after}), now AS ({now}), live AS ({}),
                  wanted AS (
                      SELECT old.r, old.n - coalesce(after.n, 0)
                                    - greatest(0, coalesce(live.n, 0) - coalesce(now.n, 0)) AS n
                      FROM old LEFT JOIN after ON after.r = old.r
                      LEFT JOIN now ON now.r = old.r LEFT JOIN live ON live.r = old.r
                      WHERE NOT EXISTS ({UNMATCHED})) ",
            counted("live_contents")
        )
    }

    /// The rows of the snapshot that come back by content.
    pub(super) fn copies(&self) -> String {
        let number = quote_identifier(&self.number);
        format!(
            "(SELECT *, row_number() OVER (PARTITION BY {number}) AS \"{0}copy\" FROM snapshot_rows) s
             JOIN wanted ON wanted.r = s.{number} AND s.\"{0}copy\" <= wanted.n",
            self.number
        )
    }
}
