//! What is said of rows and values that can't be given back: how many, and the first keys.

use crate::error::{Error, Result};
use crate::pg::row_set::Session;
use crate::snapshot::refill_job::{Job, Role};
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_sql::Range;

/// How many keys a warning lists.
const KEYS_SHOWN: u64 = 20;

/// What refilling did to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRefilled {
    /// The table.
    pub table_name: String,
    /// Rows that got values back, or came back.
    pub rows_refilled: i64,
    /// What could not be given back, and why.
    pub warnings: Vec<String>,
}

/// Rows that a warning speaks of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Keys {
    /// How many.
    pub count: u64,
    /// The first ones, as text.
    pub shown: Vec<String>,
}

impl Keys {
    /// Those that a query for keys finds.
    ///
    /// # Errors
    /// As [`Session::texts`].
    pub fn read(session: &Session, query: &str) -> Result<Self> {
        let texts = session.texts(&format!(
            "SELECT (count(*) OVER ())::text || ' ' || q.k FROM ({query}) AS q (k)
             ORDER BY length(q.k), q.k COLLATE \"C\" LIMIT {KEYS_SHOWN}"
        ))?;
        let mut keys = Self::default();
        for text in texts {
            let (count, key) = text
                .split_once(' ')
                .ok_or_else(|| Error::internal("a key has no count"))?;
            keys.count = count.parse().unwrap_or(0);
            keys.shown.push(key.to_owned());
        }
        Ok(keys)
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        let room = usize::try_from(KEYS_SHOWN).unwrap_or(0);
        let room = room.saturating_sub(self.shown.len());
        self.shown.extend(other.shown.into_iter().take(room));
    }
}

impl Job<'_> {
    /// Where that is which isn't given back.
    pub(super) fn where_it_is(&self) -> &'static str {
        match self.role {
            Role::Destroyed(_) => "the snapshot has it",
            Role::Written(_) if self.is_kept => "the snapshot before the rollback has it",
            Role::Written(_) => "no snapshot was taken that has it",
        }
    }

    /// A warning about rows that were not given back, for a reason; none when there is no such row.
    pub(super) fn lost(&self, why: &str, what: &str, keys: &Keys) -> Option<String> {
        let more = if keys.count > keys.shown.len() as u64 {
            ", …"
        } else {
            ""
        };
        let rows = match keys.count {
            0 => return None,
            1 => "1 row".to_owned(),
            count => format!("{count} rows"),
        };
        let place = match self.role {
            Role::Destroyed(_) => "the snapshot has them",
            Role::Written(_) if self.is_kept => "the snapshot before the rollback has them",
            Role::Written(_) => "no snapshot was taken that has them",
        };
        Some(format!(
            "{why}: {what}{rows} of table {}: {}{more}; {place}",
            self.table.name,
            keys.shown.join(", ")
        ))
    }

    pub(super) fn refilled(&self, count: u64, warnings: Vec<String>) -> TableRefilled {
        let mut all = self.warnings.clone();
        all.extend(warnings);
        TableRefilled {
            table_name: self.table.name.clone(),
            rows_refilled: i64::try_from(count).unwrap_or(i64::MAX),
            warnings: all,
        }
    }
}

impl Ready<'_> {
    /// The rows that a query for keys finds.
    ///
    /// # Errors
    /// As [`Session::texts`].
    pub(super) fn keys(&mut self, query: &str) -> Result<Keys> {
        self.ask(|session| Keys::read(session, query))
    }

    /// A warning about the rows that a query finds.
    ///
    /// # Errors
    /// As [`Session::texts`].
    pub(super) fn warn(&mut self, why: &str, what: &str, query: &str) -> Result<Option<String>> {
        let keys = self.keys(query)?;
        Ok(self.job.lost(why, what, &keys))
    }

    /// A warning about rows that a constraint refused.
    ///
    /// # Errors
    /// As [`Session::texts`].
    pub(super) fn refused(&mut self, ranges: &[Range], error: &Error) -> Result<Option<String>> {
        let mut keys = Keys::default();
        for range in ranges {
            let query = self.job.keys_in(*range);
            keys.add(self.keys(&query)?);
        }
        let why = if error.is_constraint() {
            format!("not put back, for a constraint refuses it ({error})")
        } else {
            format!("not put back, for the table refuses it ({error})")
        };
        Ok(self.job.lost(&why, "", &keys))
    }
}
