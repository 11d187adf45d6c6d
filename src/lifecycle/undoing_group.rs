//! Migrations that are undone together: what there was before, and what is given back after.

use std::collections::BTreeSet;

use pgrx::Uuid;
use versioning_core::lineage::{self, Shape, TableName, Undo};
use versioning_core::model::{Direction, Migration};
use versioning_core::passage::{self, Passage, Passages, Told};
use versioning_core::rekeying::Rekeying;
use versioning_core::snapshot::manifest::{Manifest, Table};

use super::data_change::source;
use super::race::Race;
use super::situation::Situation;
use super::store::undoing as origins;
use super::touched;
use super::undoing::{Group, Purpose};
use super::undoing_tables::{defaults, is_enough, names, tables_now};
use crate::error::Result;
use crate::pg::view::{HeldView, Moment};
use crate::snapshot::refill::{self, Defaults, Request};
use crate::snapshot::restore::pinned;
use crate::snapshot::source::Lock;
use crate::snapshot::store::{self, DataChange};
use crate::snapshot::{image, verify};

/// A group that is being undone.
pub struct Running {
    group: Group,
    direction: Direction,
    shapes: Vec<Shape>,
    /// The rows before the undoing.
    now: Manifest,
    /// The image that they are in, when one was taken for this alone.
    image: Option<Uuid>,
    /// Whether a snapshot has them that stays.
    is_kept: bool,
    /// What columns hold in it that were added with a default, where nobody has written.
    defaults: Defaults,
    /// Whether scripts write the keys by which rows would be matched.
    rekeying: Rekeying,
    race: Race,
    /// The statements of the undoing that write rows.
    writing: Vec<String>,
}

impl Running {
    /// Looks at the tables before the scripts of a group run. `moment`, `backup_id`, `known`: when the act
    /// began to look, the snapshot taken before it, and its tables.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn begin(
        situation: &Situation,
        direction: Direction,
        group: Group,
        (moment, backup_id, known): (Moment, Option<Uuid>, Option<&[Table]>),
    ) -> Result<Self> {
        if let Some(first) = &group.first_change {
            store::hold_backup(first.backup_id)?;
        }
        let earlier = match &group.change {
            Some(change) => {
                store::hold_backup(change.backup_id)?;
                Some(verify::readable(change.backup_id)?)
            }
            None => None,
        };
        let site_id = earlier
            .as_ref()
            .map_or(situation.site.id, |(backup, _)| backup.site_id);
        let is_at_hand = group.first == 0
            && site_id == situation.site.id
            && is_enough(&group, known.unwrap_or_default())?;
        let (moment, now, image) = match (backup_id, known) {
            (Some(backup_id), Some(known)) if is_at_hand => {
                let manifest = verify::readable(backup_id)?.1;
                let tables = known.to_vec();
                (moment, Manifest { tables, ..manifest }, None)
            }
            _ => {
                let moment = Moment::now();
                let manifest = earlier.as_ref().map(|(_, manifest)| manifest);
                let tables = tables_now(situation, &group, manifest, known)?;
                let id = image::take(site_id, situation.module.id, &tables)?;
                (moment, manifest_of(situation, site_id, id)?, id)
            }
        };
        let shapes = store::shapes(&names(&group, &now), &[])?;
        Ok(Self {
            defaults: defaults(&group, &shapes)?,
            rekeying: rekeying(situation, &group)?,
            writing: Vec::new(),
            shapes,
            race: Race::since(moment, site_id.to_string()),
            group,
            direction,
            now,
            image,
            is_kept: backup_id.is_some(),
        })
    }

    /// The place of the last migration.
    pub fn last(&self) -> usize {
        self.group.last
    }

    /// Before a migration of the group runs.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn before_migration(&mut self, situation: &Situation, migration: &Migration) -> Result<()> {
        self.writing
            .extend(touched::writing_statements(migration, self.direction)?);
        let (tables, shapes) = (&self.now.tables, &self.shapes);
        self.race
            .before_migration(situation, migration, self.direction, tables, shapes)
    }

    /// After the last one has run: gives back, and says what it couldn't; or only says what is lost.
    ///
    /// # Errors
    /// XX001 for a damaged snapshot; what writing the rows raises.
    pub fn finish(mut self, purpose: Purpose) -> Result<Vec<String>> {
        let gives_back = purpose == Purpose::GiveBack;
        let ids: Vec<u32> = self.shapes.iter().map(|shape| shape.id).collect();
        let after = store::shapes(&names(&self.group, &self.now), &ids)?;
        let is_complete = self.group.is_complete;
        let fates = self.group.change.as_ref().map_or(&[][..], |it| &it.tables);
        let mut undo = lineage::undo(fates, &self.shapes, &after, is_complete);
        let mut passed = match self.direction {
            // On the way up, what the scripts do to what people wrote is what is wanted.
            Direction::Up => Passages::default(),
            Direction::Down => {
                let shapes: Vec<Shape> = self.known_shapes();
                passage::passages(fates, &shapes, &after)
            }
        };
        let mut warnings = self.of_tables(&passed.gone, &after, gives_back)?;
        if !undo.is_empty() || !passed.touched.is_empty() {
            lock(&undo, &passed.touched)?;
            let is_raced = self.tell_others(&mut undo, &mut passed.touched, &after)?;
            let refilled = refill::refill(&Request {
                change: self.group.change.as_ref(),
                now: &self.now,
                undo: &undo,
                passages: &passed.touched,
                is_complete,
                is_kept: self.is_kept,
                defaults: &self.defaults,
                rekeying: &self.rekeying,
                gives_back,
                writing: &self.writing,
                carried: self.carried(&passed.gone)?,
                first: self.group.first_change.as_ref(),
                old_wins: self.direction == Direction::Up,
            })?;
            warnings.extend(refilled.into_iter().flat_map(|table| table.warnings));
            if is_raced {
                store::free_chunks()?;
            }
        }
        image::forget(&self.image.into_iter().collect::<Vec<_>>())?;
        Ok(warnings)
    }

    /// The tables that go with the scripts, that people had written to since and that the scripts name where
    /// they write rows: what they fill columns with may come from there.
    fn carried(&self, gone: &[TableName]) -> Result<Vec<String>> {
        let Some(change) = self.group.change.as_ref() else {
            return Ok(Vec::new());
        };
        let after = change.after_image.map(image::readable).transpose()?;
        let is_written = |name: &&TableName| {
            let (schema, relation) = (&name.schema, &name.relation);
            let now = image::table(&self.now, schema, relation);
            let left = after
                .as_ref()
                .and_then(|it| image::table(it, schema, relation));
            let mut fates = change.tables.iter();
            let is_same = fates.any(|fate| fate.after.as_ref() == Some(*name) && fate.is_same);
            let is_left = left.map(|table| &table.hash) == now.map(|table| &table.hash);
            let wanted = name.relation.to_lowercase();
            let is_read = self.writing.iter().any(|text| text.contains(&wanted));
            now.is_some_and(|now| now.rows > 0) && !is_left && !is_same && is_read
        };
        let written = gone.iter().filter(is_written);
        Ok(written.map(|name| name.relation.clone()).collect())
    }

    /// The shapes of the tables whose rows were read.
    fn known_shapes(&self) -> Vec<Shape> {
        let is_known = |shape: &&Shape| {
            image::table(&self.now, &shape.name.schema, &shape.name.relation).is_some()
        };
        self.shapes.iter().filter(is_known).cloned().collect()
    }

    /// What there is to say of whole tables.
    fn of_tables(
        &self,
        gone: &[TableName],
        after: &[Shape],
        gives_back: bool,
    ) -> Result<Vec<String>> {
        if self.direction == Direction::Up {
            return Ok(Vec::new());
        }
        let mut warnings = Vec::new();
        for name in gone {
            let table = image::table(&self.now, &name.schema, &name.relation);
            if let Some(table) = table.filter(|table| table.rows > 0) {
                let place = if self.is_kept {
                    "the snapshot before the rollback has them"
                } else {
                    "no snapshot was taken that has them"
                };
                warnings.push(format!(
                    "table {} goes with the scripts, and {} with it; {place}",
                    table.name,
                    rows(table.rows)
                ));
            }
        }
        if let Some(change) = self.group.change.as_ref().filter(|_| gives_back) {
            warnings.extend(not_made_again(change, self.group.is_complete, after)?);
            warnings.extend(self.half(change));
        }
        Ok(warnings)
    }

    /// Where an upgrade is undone in part only, what it did to rows isn't undone yet.
    fn half(&self, change: &DataChange) -> Option<String> {
        let touched = change.tables.iter().filter(|fate| !fate.is_same);
        let names: Vec<&str> = touched.map(|fate| fate.before.relation.as_str()).collect();
        (!self.group.is_complete && !names.is_empty()).then(|| {
            format!(
                "the upgrade is undone in part only: what it did to rows of table {} comes back when the rest is undone, and until then the snapshot before the upgrade has it",
                names.join(", ")
            )
        })
    }

    /// What others have written to the tables while the scripts ran is theirs, too. Says whether they have.
    fn tell_others(
        &mut self,
        undo: &mut [Undo],
        passages: &mut [Passage],
        after: &[Shape],
    ) -> Result<bool> {
        let between = |undo: &Undo| Some(undo.between.as_ref()?.table.clone());
        let mut wanted: BTreeSet<TableName> = undo.iter().filter_map(between).collect();
        wanted.extend(passages.iter().map(|passage| passage.from.clone()));
        let Self {
            race, now, shapes, ..
        } = self;
        let unsure = race.unsure(&HeldView::now(), &wanted, &now.tables, shapes, after)?;
        for undo in undo {
            if let Some(between) = &mut undo.between
                && unsure.contains(&between.table)
            {
                between.is_sure = false;
                between.is_same = false;
            }
        }
        for passage in passages {
            if unsure.contains(&passage.from) {
                passage.told = Told::Unknown;
            }
        }
        let changed = std::mem::take(&mut race.changed);
        let is_raced = !changed.is_empty();
        for table in changed {
            now.tables.retain(|other| {
                (&other.schema, &other.relation) != (&table.schema, &table.relation)
            });
            now.tables.push(table);
        }
        Ok(is_raced)
    }
}

/// What the scripts write to, of all migrations that the earlier change had run.
fn rekeying(situation: &Situation, group: &Group) -> Result<Rekeying> {
    let mut ids = group.migrations.clone();
    if let Some(change) = &group.change {
        ids.extend(origins::migrations(change.backup_id)?);
    }
    let is_one = |migration: &&Migration| ids.contains(&Uuid::from_bytes(migration.id));
    let all: Vec<&Migration> = situation.migrations.iter().filter(is_one).collect();
    touched::rekeying(&all)
}

fn rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}

/// Tables that the first scripts dropped and the undoing doesn't make again.
fn not_made_again(change: &DataChange, is_complete: bool, after: &[Shape]) -> Result<Vec<String>> {
    let is_there = |name: &TableName| after.iter().any(|shape| shape.name == *name);
    let lost = change
        .tables
        .iter()
        .filter(|fate| is_complete && fate.after.is_none() && !is_there(&fate.before));
    let lost: Vec<&TableName> = lost.map(|fate| &fate.before).collect();
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let backup = verify::readable(change.backup_id)?.1;
    let tables = lost
        .into_iter()
        .filter_map(|name| image::table(&backup, &name.schema, &name.relation))
        .filter(|table| table.rows > 0);
    let said = |table: &Table| {
        format!(
            "the scripts don't make table {} again, which the upgrade had dropped with {}; the snapshot before the upgrade has them",
            table.name,
            rows(table.rows)
        )
    };
    Ok(tables.map(said).collect())
}

/// The manifest of an image, or an empty one.
fn manifest_of(situation: &Situation, site_id: Uuid, id: Option<Uuid>) -> Result<Manifest> {
    match id {
        Some(id) => image::readable(id),
        None => Ok(image::empty(site_id, situation.module.id)),
    }
}

/// From here on nobody else writes to the tables.
fn lock(undo: &[Undo], passages: &[Passage]) -> Result<()> {
    let names: BTreeSet<&TableName> = undo
        .iter()
        .map(|undo| &undo.table)
        .chain(passages.iter().map(|passage| &passage.to))
        .collect();
    pinned(|| {
        for name in names {
            source(name, None).lock(Lock::Write)?;
        }
        Ok(())
    })
}
