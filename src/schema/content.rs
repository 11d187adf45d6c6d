//! What tables hold before scripts run, and what of it is gone afterwards.
//!
//! An image lives in this backend's memory only: scripts can neither see nor spoil it, and nothing of it is
//! left when the transaction that they ran in is undone. Take it before the scripts, compare it after them,
//! all in one transaction: tables are known by OID.

mod aside;
mod comparison;
mod form;
mod originals;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use pgrx::pg_sys;
use versioning_core::content::{self, Carried, Kept, Loss, Name, Number, Structures};

use crate::error::Result;
use crate::schema::store::content::{self as store, Table};
use aside::Aside;
use comparison::Comparison;
use form::{Form, Forms, Labels};
use reading::{Reader, Secret};

/// How many values are kept at one moment, in all tables: eight bytes each.
const MOST_VALUES: usize = 24_000_000;

/// A table that couldn't be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The table.
    pub table: Name,
    /// The message of the error.
    pub reason: String,
}

/// What tables held at one moment.
pub struct Images {
    secret: Secret,
    tables: Vec<Kept>,
    forms: BTreeMap<u32, BTreeMap<Number, Form>>,
    files: BTreeMap<u32, u32>,
    labels: BTreeMap<u32, String>,
    structures: Structures,
    aside: Aside,
    unread: Vec<Unread>,
}

/// What is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// What was found.
    pub losses: Vec<Loss>,
    /// Tables that nothing can be told about.
    pub unread: Vec<Unread>,
}

fn number(oid: pg_sys::Oid) -> u32 {
    oid.to_u32()
}

/// Keeps what these tables hold; of a partition, what the whole table does. Others may be named too:
/// what is no table is passed over.
///
/// # Errors
/// None of its own. PostgreSQL's own are raised; a table that can't be read is told in the end.
pub fn keep(touched: &[pg_sys::Oid]) -> Result<Images> {
    keep_also(touched, Secret::new(), None)
}

/// Keeps what these tables hold, and those that are not among the known ones.
fn keep_also(
    touched: &[pg_sys::Oid],
    secret: Secret,
    known: Option<&Structures>,
) -> Result<Images> {
    let structures = store::structures()?;
    let mut wanted = touched.to_vec();
    if let Some(known) = known {
        wanted.extend(unknown(&structures, known));
    }
    let labels = store::labels()?;
    let mut images = Images {
        secret,
        tables: Vec::new(),
        forms: BTreeMap::new(),
        files: BTreeMap::new(),
        labels: labels
            .into_iter()
            .map(|(value, _, label)| (value, label))
            .collect(),
        structures,
        aside: Aside::look()?,
        unread: Vec::new(),
    };
    let mut room = MOST_VALUES;
    for table in store::tables(&store::roots(&wanted)?)? {
        images.keep_table(&table, &mut room)?;
    }
    Ok(images)
}

/// Tables that weren't known: new roots, and new partitions of what isn't new.
fn unknown<'a>(
    now: &'a Structures,
    known: &'a Structures,
) -> impl Iterator<Item = pg_sys::Oid> + 'a {
    now.iter()
        .filter(|(oid, structure)| {
            !known.contains_key(oid) && structure.root.is_none_or(|root| known.contains_key(&root))
        })
        .map(|(oid, _)| pg_sys::Oid::from(*oid))
}

impl Images {
    fn keep_table(&mut self, table: &Table, room: &mut usize) -> Result<()> {
        let labels = Labels::default();
        let mut reader = Reader {
            secret: &self.secret,
            labels: &labels,
            room,
            with_parts: false,
            most_rows: None,
        };
        let forms = Forms::ByNumber(BTreeMap::new());
        let read = match reader.read_somehow(table, &forms) {
            Ok(read) => read,
            Err(error) => {
                self.unread.push(Unread {
                    table: table.name.clone(),
                    reason: error.to_string(),
                });
                return Ok(());
            }
        };
        self.files.extend(
            table
                .parts
                .iter()
                .map(|part| (number(part.oid), number(part.file))),
        );
        self.forms.insert(number(table.oid), read.forms);
        self.tables.push(Kept {
            oid: number(table.oid),
            name: table.name.clone(),
            image: read.image,
            parts: table
                .parts
                .iter()
                .map(|part| (number(part.oid), part.name.clone()))
                .collect(),
            unimportant: BTreeSet::new(),
        });
        Ok(())
    }

    /// What is gone of what was there when the images were taken.
    ///
    /// # Errors
    /// As [`keep`].
    pub fn compare(&self) -> Result<Losses> {
        let mut found = self.compare_tables(false)?;
        found.losses.extend(self.aside.losses(&Aside::look()?));
        Ok(found)
    }

    fn compare_tables(&self, written_only: bool) -> Result<Losses> {
        let mut comparison = Comparison::begin(self, written_only)?;
        let mut losses = comparison.losses();
        if !losses.is_empty() {
            // Now it is worth looking for it elsewhere.
            comparison.add_others(&losses)?;
            losses = comparison.losses();
        }
        Ok(Losses {
            losses,
            unread: [self.unread.as_slice(), &comparison.unread].concat(),
        })
    }

    /// Images of now: of these tables, and of those that weren't there when these images were taken.
    ///
    /// # Errors
    /// As [`keep`].
    pub fn keep_next(&self, touched: &[pg_sys::Oid]) -> Result<Images> {
        let mut next = keep_also(touched, self.secret.clone(), Some(&self.structures))?;
        let new = |kept: &&mut Kept| !self.structures.contains_key(&kept.oid);
        for kept in next.tables.iter_mut().filter(new) {
            kept.forget_news(&self.tables);
        }
        Ok(next)
    }

    /// What a way back destroys: what was there before the way forth (these images) and isn't now, and the
    /// tables and columns that were there in between and aren't now — unless they were filled in between,
    /// and the way back wrote all that they held to other places, or does so by what its text says.
    ///
    /// # Errors
    /// As [`keep`].
    pub fn compare_way_back(&self, between: &Images, carried: &Carried) -> Result<Losses> {
        let mut found = self.compare()?;
        let mut removed = content::removed(&between.structures, &store::structures()?);
        let sequences = between.aside.removed(&Aside::look()?);
        if removed.is_empty() && sequences.is_empty() {
            return Ok(found);
        }
        let lost_between = between.compare_tables(true)?;
        removed.extend(sequences);
        found.losses = content::on_the_way_back(found.losses, removed, carried, |loss| {
            between.held(loss) > lost_between.rows_beside(loss) && !lost_between.tells(loss)
        });
        Ok(found)
    }

    /// How many rows the table of a loss had, or values that aren't the default the column.
    fn held(&self, loss: &Loss) -> u64 {
        let kept = self.tables.iter().find(|kept| kept.oid == loss.object);
        kept.map_or(0, |kept| match &loss.column {
            None => kept.image.count as u64,
            Some(name) => (kept.image.place_of_name(name))
                .and_then(|place| kept.image.summaries.get(place))
                .map_or(0, |summary| summary.own_values),
        })
    }
}

impl Losses {
    /// The rows that went from the table of a lost column: of their values nothing shows where they went.
    fn rows_beside(&self, loss: &Loss) -> u64 {
        let is_beside = |told: &&Loss| {
            loss.column.is_some() && told.object == loss.object && told.column.is_none()
        };
        self.losses
            .iter()
            .filter(is_beside)
            .map(|told| told.rows)
            .sum()
    }

    /// Whether the same thing is lost.
    fn tells(&self, loss: &Loss) -> bool {
        self.losses.iter().any(|told| {
            told.kind == loss.kind && told.object == loss.object && told.column == loss.column
        })
    }
}
