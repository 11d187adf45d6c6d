//! Which row is which beyond its key: one that has nothing left of what was under the key may be another, and
//! one that the undoing has put into another table is not gone.

use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::snapshot::refill_job::{Job, Role, Setting};
use crate::snapshot::refill_update::of_column;
use crate::snapshot::source::LiveTable;

/// Why a value doesn't come back to a row that has the key.
pub(super) const ANOTHER: &str =
    "not put back, for nothing in the row beside its key is as it was, and it may be another one";
/// Why a row doesn't come back that has not gone.
pub(super) const ELSEWHERE: &str = "not put back, for another table has the same rows now";

/// How many columns must have had values, for a row to be taken for another when none is as it was.
const COLUMNS_MIN: usize = 2;

/// Tells jobs to which other tables the undoing may have moved rows: by one of its statements, lower case, that
/// inserts and names both.
pub fn link(jobs: &mut [Job<'_>], writing: &[String]) {
    let names =
        |text: &String, live: &LiveTable| text.contains(&live.source.relation.to_lowercase());
    let inserts: Vec<&String> = writing
        .iter()
        .filter(|text| text.contains("insert"))
        .collect();
    let lives: Vec<LiveTable> = jobs.iter().map(|job| job.live.clone()).collect();
    for job in jobs.iter_mut() {
        if matches!(job.role, Role::Written(_)) && job.is_keyed {
            let is_moved = |live: &LiveTable| {
                let mut texts = inserts.iter();
                texts.any(|text| names(text, live) && names(text, &job.live))
            };
            let others = lives.iter().filter(|live| {
                live.oid != job.live.oid && live.owner == job.live.owner && is_moved(live)
            });
            let found = others.filter_map(|live| Some((live.clone(), job.shared_columns(live)?)));
            let mut found: Vec<(LiveTable, Vec<String>)> = found.collect();
            found.dedup_by_key(|(live, _)| live.oid);
            job.elsewhere = found;
        }
    }
}

impl Job<'_> {
    /// The columns beside the key that another table has too; nothing when it hasn't the key, or no other.
    fn shared_columns(&self, other: &LiveTable) -> Option<Vec<String>> {
        let is_in = |name: &str| {
            let (own, other) = (self.live.column(name), other.column(name));
            own.zip(other).is_some_and(|(own, other)| {
                own.column.type_name == other.column.type_name && !other.generated
            })
        };
        let is_key = |name: &str| self.live.key.iter().any(|key| key.name == name);
        if !self.live.key.iter().all(|key| is_in(&key.name)) {
            return None;
        }
        let is_site = |name: &str| self.live.source.site_column.as_deref() == Some(name);
        let columns = self.common_columns().into_iter();
        let shared: Vec<String> = columns
            .filter(|name| !is_key(name) && !is_site(name) && is_in(name))
            .collect();
        (!shared.is_empty()).then_some(shared)
    }

    /// The condition that another table has the same row.
    pub(super) fn is_elsewhere(&self) -> String {
        let row = |alias: &str, names: &[String]| {
            let names: Vec<String> = names
                .iter()
                .map(|name| format!("{alias}.{}", quote_identifier(name)))
                .collect();
            format!("ROW({})::record", names.join(", "))
        };
        let has = |(live, names): &(LiveTable, Vec<String>)| {
            format!(
                "EXISTS (SELECT FROM {} r WHERE {} AND {} *= {})",
                live.table_item(),
                self.key_of("r", "s"),
                row("r", names),
                row("s", names)
            )
        };
        let conditions: Vec<String> = self.elsewhere.iter().map(has).collect();
        if conditions.is_empty() {
            "false".to_owned()
        } else {
            format!("({})", conditions.join(" OR "))
        }
    }

    /// The query for rows that would come back if they weren't in another table.
    pub(super) fn rows_elsewhere(&self) -> Option<String> {
        if self.elsewhere.is_empty() || !self.rows {
            return None;
        }
        Some(format!(
            "SELECT {} FROM {} WHERE {} AND {} AND {}",
            self.shown_key("s"),
            self.rows(),
            self.is_absent(),
            self.is_due(),
            self.is_elsewhere()
        ))
    }

    /// The condition that nothing is left of the row that had the key; nothing where that can't be told.
    pub(super) fn is_another_row(&self) -> Option<String> {
        let compared = self.compared.as_ref().filter(|_| self.is_keyed)?;
        let keys = self.live.key.iter().map(|key| key.name.as_str());
        let site = self.live.source.site_column.as_deref();
        let places = compared.places_but(&keys.chain(site).collect::<Vec<_>>());
        if places.len() < COLUMNS_MIN {
            return None;
        }
        let left: Vec<String> = places
            .iter()
            .map(|place| format!("coalesce(b.h{place} = c.h{place}, false)"))
            .collect();
        let had: Vec<String> = places.iter().map(|place| format!("b.h{place}")).collect();
        Some(format!(
            "(num_nonnulls({}) >= {COLUMNS_MIN} AND NOT ({}))",
            had.join(", "),
            left.join(" OR ")
        ))
    }

    /// The queries for rows that don't get an old value back for that, each with the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn strange_values(&self, site_id: &str) -> Result<Vec<(String, String)>> {
        let Some(another) = self.is_another_row() else {
            return Ok(Vec::new());
        };
        let query = |setting: &Setting<'_>| {
            let name = quote_identifier(&setting.column.name);
            let condition = format!(
                "{} AND {another} AND s.{name} IS NOT NULL AND ROW(t.{name})::record *<> ROW(s.{name})::record",
                self.is_old_free(setting)
            );
            Ok((
                of_column(setting.column),
                self.in_both(site_id, &condition)?,
            ))
        };
        self.set.iter().map(query).collect()
    }
}
