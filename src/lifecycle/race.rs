//! Others may write to a table after it was read and before the scripts of a change keep them out. What they
//! write must not be taken for the scripts' work: this tells the two apart, or says that it can't.

use std::collections::BTreeSet;

use versioning_core::lineage::{Shape, TableName};
use versioning_core::model::{Direction, Migration};
use versioning_core::snapshot::manifest::Table;

use super::data_change::source;
use super::situation::Situation;
use super::touched;
use crate::error::{Error, Result};
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::pg::view::{HeldView, Moment};
use crate::settings;
use crate::snapshot::image::{self, Earlier};
use crate::snapshot::source::Lock;
use crate::snapshot::{contents, store};

/// How long a lock is waited for that a script will need in a moment, in milliseconds. Without it the
/// script is run all the same.
const WAIT_MAX: i32 = 1_000;

/// SQLSTATEs of a lock that isn't to be had.
const NOT_TO_BE_HAD: [&str; 2] = ["55P03", "40P01"];

/// What others may write while tables that were read are changed.
pub struct Race {
    moment: Moment,
    site_id: String,
    /// Tables that nobody else can write to any more.
    settled: BTreeSet<TableName>,
    /// Tables that others have written to since they were read, as they were before the scripts.
    pub changed: Vec<Table>,
}

impl Race {
    /// Begins at a moment before tables were read with rows of that site.
    pub fn since(moment: Moment, site_id: String) -> Self {
        Self {
            moment,
            site_id,
            settled: BTreeSet::new(),
            changed: Vec::new(),
        }
    }

    /// Whether nobody has committed anything since.
    pub fn is_quiet(&self) -> bool {
        !self.moment.others_committed()
    }

    /// Before a migration runs: tables whose rows it writes anew or takes away, so that they can't be read
    /// afterwards, are locked as its statements do, and read again if anybody has committed anything.
    /// `known`: the tables as they were read, `then`: their shapes at that time.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn before_migration(
        &mut self,
        situation: &Situation,
        migration: &Migration,
        direction: Direction,
        known: &[Table],
        then: &[Shape],
    ) -> Result<()> {
        let names = touched::written_anew(situation, migration, direction)?;
        if names.is_empty() {
            return Ok(());
        }
        for now in store::shapes(&names, &[])? {
            let Some((was, table)) = found(&now, known, then) else {
                continue;
            };
            if self.settled.contains(&was.name) || !lock(&now.name, table)? {
                continue;
            }
            self.settled.insert(was.name.clone());
            if !self.is_quiet() {
                self.read(&HeldView::now(), &now, was, table)?;
            }
        }
        Ok(())
    }

    /// After the scripts, with the view in which what they left is read: reads tables again whose rows
    /// still lie where they lay. Returns the names, as of then, of those of which it stays unknown what
    /// others have written.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn unsure(
        &mut self,
        view: &HeldView,
        wanted: &BTreeSet<TableName>,
        known: &[Table],
        then: &[Shape],
        now: &[Shape],
    ) -> Result<BTreeSet<TableName>> {
        let mut unsure = BTreeSet::new();
        if self.is_quiet() {
            return Ok(unsure);
        }
        for name in wanted {
            if self.settled.contains(name) {
                continue;
            }
            let was = then.iter().find(|shape| shape.name == *name);
            let found = was.and_then(|was| {
                let now = now.iter().find(|shape| shape.id == was.id)?;
                Some((now, was, found(now, known, then)?.1))
            });
            let is_read = match found {
                Some((now, was, table)) => self.read(view, now, was, table)?,
                None => false,
            };
            if !is_read {
                unsure.insert(name.clone());
            }
        }
        Ok(unsure)
    }

    /// Reads a table as it was before the scripts; false when that can't be.
    fn read(&mut self, view: &HeldView, now: &Shape, was: &Shape, table: &Table) -> Result<bool> {
        let Some(columns) = now.readable_as_of(was) else {
            return Ok(false);
        };
        let site_column = match &table.site_column {
            Some(column) => match columns.iter().find(|(_, old)| *old == column) {
                Some((now, _)) => Some(now.clone()),
                None => return Ok(false),
            },
            None => None,
        };
        let is_whole = columns.len() == table.columns.len();
        let earlier = Earlier {
            source: source(&now.name, site_column),
            table,
            columns,
        };
        let Some(read) = image::read_earlier(view, &self.moment, &self.site_id, &earlier)? else {
            return Ok(true);
        };
        if is_whole {
            self.changed.push(read);
            return Ok(true);
        }
        // Of columns that are gone only the earlier values are known: they fit if nobody has written.
        contents::are_same(table, &read)
    }
}

/// The table that a shape is of, as it was then.
fn found<'a>(now: &Shape, known: &'a [Table], then: &'a [Shape]) -> Option<(&'a Shape, &'a Table)> {
    let was = then.iter().find(|shape| shape.id == now.id)?;
    let (schema, relation) = (&was.name.schema, &was.name.relation);
    let table = known
        .iter()
        .find(|table| table.schema == *schema && table.relation == *relation)?;
    Some((was, table))
}

/// Locks a table as a script will in a moment; false when the lock isn't to be had.
fn lock(name: &TableName, table: &Table) -> Result<bool> {
    let timeout = match settings::lock_timeout() {
        0 => WAIT_MAX,
        timeout => timeout.min(WAIT_MAX),
    };
    let tried = in_subtransaction(|| {
        with_settings(&[("lock_timeout", &timeout.to_string())], || {
            source(name, table.site_column.clone()).lock(Lock::Exclusive)
        })
    });
    match tried {
        Ok(locked) => Ok(locked.is_some()),
        Err(Error::Raised(raised))
            if NOT_TO_BE_HAD.contains(&crate::error::sqlstate_text(raised.code).as_str()) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
