//! Rows of tables without a primary key: they are known by what is in them, and counted.

use pgrx::spi::quote_identifier;

use crate::snapshot::refill_job::{Job, Role};

/// Rows that the scripts have added, or made of others.
const UNMATCHED: &str =
    "SELECT FROM after a LEFT JOIN old o ON o.r = a.r WHERE a.n > coalesce(o.n, 0)";
/// Rows that the scripts have taken away, or made others of.
const DESTROYED: &str =
    "SELECT FROM old o LEFT JOIN after a ON a.r = o.r WHERE o.n > coalesce(a.n, 0)";
/// Rows that the undoing has made of others.
const REMADE: &str =
    "SELECT FROM live l LEFT JOIN old o ON o.r = l.r LEFT JOIN before b ON b.r = l.r
                      WHERE l.n > greatest(coalesce(o.n, 0), coalesce(b.n, 0))";

impl Job<'_> {
    /// The query for whether rows were changed that can't be matched, and what to say then; nothing where
    /// they can be.
    pub(super) fn unmatched(&self) -> Option<(&'static str, String)> {
        if self.is_keyed {
            return None;
        }
        let query =
            |condition: &str| format!("{} SELECT 'changed'::text WHERE {condition}", self.wanted());
        match self.role {
            Role::Destroyed(_) => self.compared.is_some().then(|| {
                (
                    "has no primary key and rows of it were changed: none was put back; the snapshot has the old ones",
                    query(&format!("EXISTS ({UNMATCHED}) AND EXISTS ({DESTROYED})")),
                )
            }),
            Role::Written(_) if self.compared.is_none() => Some((
                "has no primary key and the scripts changed or removed rows of it that people may have written: none was put back",
                query("EXISTS (SELECT FROM old o LEFT JOIN live l ON l.r = o.r WHERE o.n > coalesce(l.n, 0))"),
            )),
            Role::Written(_) => Some((
                "has no primary key and the scripts changed rows of it: what people had written since was not put back",
                query(&format!(
                    "EXISTS ({REMADE}) AND EXISTS (
                         SELECT FROM old o LEFT JOIN after a ON a.r = o.r WHERE o.n > coalesce(a.n, 0))"
                )),
            )),
        }
    }

    /// How many copies of a row come back. Of what the scripts had destroyed as many as they had removed, but
    /// for those that the undoing has made already. Where the scripts had changed rows too, a row that was
    /// changed looks like one removed and one added: none comes back. Of what people had written as many as
    /// the undoing has removed, but for those that the scripts had added.
    pub(super) fn wanted(&self) -> String {
        let counted = |name: &str| format!("SELECT r, count(*) AS n FROM {name} GROUP BY r");
        let none = "SELECT 0::bigint AS r, 0::bigint AS n WHERE false".to_owned();
        let known = |name: &str| match &self.compared {
            Some(compared) if name != "before_rows" || compared.before.is_some() => counted(name),
            _ => none.clone(),
        };
        let number = quote_identifier(&self.number);
        let wanted = match self.role {
            Role::Destroyed(_) => format!(
                "SELECT old.r, old.n - coalesce(after.n, 0)
                               - greatest(0, coalesce(live.n, 0) - coalesce(now.n, 0)) AS n
                 FROM old LEFT JOIN after ON after.r = old.r
                 LEFT JOIN now ON now.r = old.r LEFT JOIN live ON live.r = old.r
                 WHERE NOT EXISTS ({UNMATCHED})"
            ),
            Role::Written(_) => format!(
                "SELECT old.r, old.n - coalesce(live.n, 0)
                               - greatest(0, coalesce(after.n, 0) - coalesce(before.n, 0)) AS n
                 FROM old LEFT JOIN after ON after.r = old.r
                 LEFT JOIN before ON before.r = old.r LEFT JOIN live ON live.r = old.r
                 WHERE NOT EXISTS ({REMADE})"
            ),
        };
        format!(
            "WITH old AS (SELECT {number} AS r, count(*) AS n FROM snapshot_rows GROUP BY 1),
                  before AS ({}), after AS ({}), now AS ({}), live AS ({}), wanted AS ({wanted}) ",
            known("before_rows"),
            known("after_rows"),
            known("now_rows"),
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
