//! The images and what is there now, with the other tables in which values may stand.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::pg_sys;
use versioning_core::content::{
    self, Kept, Live, Loss, Moments, Number, Reference, Standing, Structures,
};

use super::form::{Form, Forms, Labels};
use super::reading::Reader;
use super::{Images, MOST_VALUES, Unread, number, originals, unknown};
use crate::error::Result;
use crate::schema::store::content::{self as store, Table};

/// How many tables that didn't change are searched for copies.
const MOST_UNCHANGED: usize = 16;

/// The images and what is there now.
pub struct Comparison<'a> {
    images: &'a Images,
    structures: Structures,
    labels: Labels,
    live: Vec<Live>,
    rewritten: BTreeSet<u32>,
    existing: BTreeSet<u32>,
    references: BTreeSet<Reference>,
    written_only: bool,
    /// Tables that couldn't be read.
    pub unread: Vec<Unread>,
    /// Tables that couldn't be read again: nothing is said about them.
    skipped: BTreeSet<u32>,
    room: usize,
}

impl<'a> Comparison<'a> {
    /// Reads what is there of the kept tables. `written_only`: see [`Moments`].
    ///
    /// # Errors
    /// As [`super::keep`].
    pub fn begin(images: &'a Images, written_only: bool) -> Result<Self> {
        let structures = store::structures()?;
        let mut comparison = Self {
            images,
            labels: Labels::new(&images.labels, &store::labels()?),
            live: Vec::new(),
            rewritten: BTreeSet::new(),
            existing: structures.keys().copied().collect(),
            structures,
            references: BTreeSet::new(),
            written_only,
            unread: Vec::new(),
            skipped: BTreeSet::new(),
            room: MOST_VALUES,
        };
        let kept: Vec<pg_sys::Oid> = images.tables.iter().map(|kept| kept.oid.into()).collect();
        for table in store::tables(&kept)? {
            for part in &table.parts {
                let file = images.files.get(&number(part.oid));
                if file.is_some_and(|file| *file != number(part.file)) {
                    comparison.rewritten.insert(number(part.oid));
                }
            }
            comparison.add_kept(&table, false)?;
        }
        Ok(comparison)
    }

    fn add_kept(&mut self, table: &Table, with_parts: bool) -> Result<()> {
        let forms = self.images.forms.get(&number(table.oid)).cloned();
        let forms = Forms::ByNumber(forms.unwrap_or_default());
        self.add(table, Standing::Kept, &forms, with_parts)
    }

    fn add(
        &mut self,
        table: &Table,
        standing: Standing,
        forms: &Forms,
        with_parts: bool,
    ) -> Result<()> {
        let oid = number(table.oid);
        let mut reader = Reader {
            secret: &self.images.secret,
            labels: &self.labels,
            room: &mut self.room,
            with_parts,
            most_rows: None,
        };
        match reader.read_somehow(table, forms) {
            Ok(read) => self.live.push(Live {
                oid,
                name: table.name.clone(),
                image: read.image,
                standing,
            }),
            Err(error) => {
                self.skipped.insert(oid);
                self.unread.push(Unread {
                    table: table.name.clone(),
                    reason: error.to_string(),
                });
            }
        }
        Ok(())
    }

    /// What is gone, as far as the tables tell that were read so far.
    pub fn losses(&self) -> Vec<Loss> {
        let mut losses = content::losses(Moments {
            before: &self.images.tables,
            after: &self.live,
            rewritten: &self.rewritten,
            existing: &self.existing,
            references: &self.references,
            written_only: self.written_only,
            pause: || {
                pgrx::check_for_interrupts!();
            },
        });
        losses.retain(|loss| !self.skipped.contains(&loss.object));
        losses
    }

    /// Adds the tables in which values may be that are gone from their place: new ones, former partitions,
    /// tables of the same shape, tables that foreign keys lead to.
    ///
    /// # Errors
    /// As [`super::keep`].
    pub fn add_others(&mut self, losses: &[Loss]) -> Result<()> {
        let known = &self.images.structures;
        let kept: BTreeSet<u32> = self.images.tables.iter().map(|kept| kept.oid).collect();
        let mut new: BTreeSet<u32> = unknown(&self.structures, known)
            .map(number)
            .filter(|oid| {
                let root = self
                    .structures
                    .get(oid)
                    .and_then(|structure| structure.root);
                root.is_none_or(|root| !kept.contains(&root))
            })
            .collect();
        for table in &self.images.tables {
            new.extend(table.parts.keys().filter(|part| {
                let now = self.structures.get(part);
                **part != table.oid && now.is_some_and(|now| now.root != Some(table.oid))
            }));
        }
        let forms = Forms::ByName(self.forms_by_name(losses));
        let mut unchanged = BTreeSet::new();
        for loss in losses {
            unchanged.extend(self.related(loss, &forms)?);
        }
        unchanged.retain(|oid| !kept.contains(oid) && !new.contains(oid));
        let oids = |set: &BTreeSet<u32>| set.iter().map(|oid| (*oid).into()).collect::<Vec<_>>();
        for table in store::tables(&oids(&new))? {
            self.add(&table, Standing::New, &forms, true)?;
        }
        for table in store::tables(&oids(&unchanged))?
            .iter()
            .take(MOST_UNCHANGED)
        {
            self.add(table, Standing::Unchanged, &forms, false)?;
        }
        self.read_parts(losses)
    }

    /// Reads those tables again that lose values and may hold them inside of others, or that compute them.
    fn read_parts(&mut self, losses: &[Loss]) -> Result<()> {
        let mut again = Vec::new();
        for live in self
            .live
            .iter()
            .filter(|live| live.standing == Standing::Kept)
        {
            let loses = |loss: &Loss| loss.object == live.oid && loss.column.is_some();
            if live.image.has_values()
                && losses.iter().any(loses)
                && store::has_parts(live.oid.into(), self.known_columns(live.oid))?
            {
                again.push(live.oid.into());
            }
        }
        for table in store::tables(&again)? {
            let old = self
                .live
                .iter()
                .position(|live| live.oid == number(table.oid));
            if let Some(old) = old {
                self.room += self.live.remove(old).image.kept_values();
            }
            self.add_kept(&table, true)?;
        }
        Ok(())
    }

    fn known_columns(&self, table: u32) -> Vec<Number> {
        let forms = self.images.forms.get(&table);
        forms
            .map(|forms| forms.keys().copied().collect())
            .unwrap_or_default()
    }

    /// How the columns of the tables that lose something are written.
    fn forms_by_name(&self, losses: &[Loss]) -> BTreeMap<String, Form> {
        let mut forms = BTreeMap::new();
        for loss in losses {
            let Some(kept) = self.kept(loss) else {
                continue;
            };
            let Some(own) = self.images.forms.get(&kept.oid) else {
                continue;
            };
            for column in &kept.image.columns {
                if let Some(form) = own.get(&column.number) {
                    forms
                        .entry(column.name.clone())
                        .or_insert_with(|| form.clone());
                }
            }
        }
        forms
    }

    /// The image of the table that loses something, also of one whose partition does.
    fn kept(&self, loss: &Loss) -> Option<&Kept> {
        let is_it = |kept: &&Kept| kept.oid == loss.object || kept.parts.contains_key(&loss.object);
        self.images.tables.iter().find(is_it)
    }

    /// The tables besides that may hold what is lost: those that foreign keys lead to, those of which the
    /// rows may be copies.
    fn related(&mut self, loss: &Loss, forms: &Forms) -> Result<Vec<u32>> {
        if loss.column.is_some() {
            let found = store::references_of(loss.object.into())?;
            self.references.extend(found.iter().copied());
            return Ok(found.iter().map(|reference| reference.other).collect());
        }
        match self.kept(loss) {
            Some(kept) if !self.written_only => {
                originals::of(kept, self.images, &self.labels, forms)
            }
            _ => Ok(Vec::new()),
        }
    }
}
