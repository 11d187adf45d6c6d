//! Gives back, after the scripts of a change have been undone, what they had destroyed: after down scripts
//! what the upgrade had, and after up scripts what the rollback had.
//!
//! The migrations that run are taken in groups: those that one earlier change had run the other way are
//! undone together, for one snapshot was taken before them.

use std::collections::BTreeSet;

use pgrx::Uuid;
use versioning_core::lineage::{self, Shape, TableName, Undo};
use versioning_core::model::{Direction, Migration};
use versioning_core::snapshot::manifest::Manifest;

use super::data_change::source;
use super::race::Race;
use super::situation::Situation;
use super::store::undoing::{self as origins, Origin};
use crate::error::Result;
use crate::pg::view::{HeldView, Moment};
use crate::snapshot::refill::{self, Request};
use crate::snapshot::restore::pinned;
use crate::snapshot::source::{Lock, TableSource};
use crate::snapshot::store::{self, DataChange};
use crate::snapshot::{image, verify};

/// Migrations that follow one another and that one earlier change had run the other way.
struct Group {
    first: usize,
    last: usize,
    change: DataChange,
    is_complete: bool,
}

/// A group that is being undone.
struct Running {
    group: Group,
    shapes: Vec<Shape>,
    /// The rows before the undoing.
    now: Manifest,
    /// The image that they are in, when one was taken for this alone.
    image: Option<Uuid>,
    race: Race,
}

/// What is given back while the migrations of an act run.
pub struct Undoing {
    moment: Moment,
    direction: Direction,
    groups: Vec<Group>,
    running: Option<Running>,
    /// Migrations of which no earlier run left a snapshot.
    pub unknown: Vec<Uuid>,
    /// What could not be given back.
    pub warnings: Vec<String>,
}

impl Undoing {
    /// Looks up which earlier changes the migrations undo, before the snapshot of the act is taken.
    ///
    /// # Errors
    /// XX000 when a recorded change doesn't read back.
    pub fn new(
        situation: &Situation,
        migrations: &[&Migration],
        direction: Direction,
    ) -> Result<Self> {
        let ids: Vec<Uuid> = migrations
            .iter()
            .map(|migration| Uuid::from_bytes(migration.id))
            .collect();
        let found = origins::origins(&ids, situation.site.id, direction)?;
        let origin = |id: &Uuid| found.iter().find(|origin| origin.migration_id == *id);
        let mut this = Self {
            moment: Moment::now(),
            direction,
            groups: Vec::new(),
            running: None,
            unknown: Vec::new(),
            warnings: Vec::new(),
        };
        for (index, id) in ids.iter().enumerate() {
            this.add(index, *id, origin(id))?;
        }
        for group in &mut this.groups {
            let of_group = ids.get(group.first..=group.last).unwrap_or_default();
            group.is_complete = origins::is_all(group.change.backup_id, of_group, direction)?;
        }
        Ok(this)
    }

    fn add(&mut self, index: usize, id: Uuid, origin: Option<&Origin>) -> Result<()> {
        let backup_id = origin.and_then(|origin| origin.backup_id);
        if let (Some(group), Some(backup_id)) = (self.groups.last_mut(), backup_id)
            && group.change.backup_id == backup_id
            && group.last + 1 == index
        {
            group.last = index;
            return Ok(());
        }
        let change = backup_id.map(store::change).transpose()?.flatten();
        match change {
            Some(change) => self.groups.push(Group {
                first: index,
                last: index,
                change,
                is_complete: false,
            }),
            None => self.unknown.push(id),
        }
        Ok(())
    }

    /// The moment at which this was made.
    pub fn moment(&self) -> Moment {
        self.moment.clone()
    }

    /// Tables, as they are called now, of which rows of all sites may be given back.
    ///
    /// # Errors
    /// XX001 for a damaged image.
    pub fn whole(&self) -> Result<Vec<TableName>> {
        let mut found = Vec::new();
        for group in &self.groups {
            for fate in &group.change.tables {
                let is_whole = is_whole(&group.change, &fate.before)?;
                found.extend(fate.after.clone().filter(|_| is_whole));
            }
        }
        Ok(found)
    }

    /// Before a migration of that place runs. `backup_id`: the snapshot taken before the act.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn before(
        &mut self,
        situation: &Situation,
        (index, migration): (usize, &Migration),
        backup_id: Option<Uuid>,
    ) -> Result<()> {
        if self
            .groups
            .first()
            .is_some_and(|group| group.first == index)
        {
            let group = self.groups.remove(0);
            self.running = Some(self.begin(situation, group, backup_id)?);
        }
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let Running {
            race, now, shapes, ..
        } = running;
        race.before_migration(situation, migration, self.direction, &now.tables, shapes)
    }

    fn begin(
        &self,
        situation: &Situation,
        group: Group,
        backup_id: Option<Uuid>,
    ) -> Result<Running> {
        let change = &group.change;
        let mut names: BTreeSet<TableName> = BTreeSet::new();
        for fate in &change.tables {
            names.insert(fate.before.clone());
            names.extend(fate.after.clone());
        }
        let names: Vec<TableName> = names.into_iter().collect();
        store::hold_backup(change.backup_id)?;
        let (backup, manifest) = verify::readable(change.backup_id)?;
        let mut is_of_site = backup.site_id == situation.site.id;
        for fate in &change.tables {
            is_of_site &= !is_whole(change, &fate.before)?;
        }
        let (moment, now, image) = match backup_id.filter(|_| is_of_site && group.first == 0) {
            Some(backup_id) => (self.moment(), verify::readable(backup_id)?.1, None),
            None => {
                let moment = Moment::now();
                let tables = tables_now(change, &manifest, &store::shapes(&names, &[])?)?;
                let id = image::take(backup.site_id, backup.module_id, &tables)?;
                let now = match id {
                    Some(id) => image::readable(id)?,
                    None => Manifest {
                        tables: Vec::new(),
                        ..manifest
                    },
                };
                (moment, now, id)
            }
        };
        Ok(Running {
            shapes: store::shapes(&names, &[])?,
            race: Race::since(moment, backup.site_id.to_string()),
            group,
            now,
            image,
        })
    }

    /// After a migration of that place has run.
    ///
    /// # Errors
    /// XX001 for a damaged snapshot; what writing the rows raises.
    pub fn after(&mut self, index: usize) -> Result<()> {
        let is_last = |running: &Running| running.group.last == index;
        if !self.running.as_ref().is_some_and(is_last) {
            return Ok(());
        }
        match self.running.take() {
            Some(running) => self.finish(running),
            None => Ok(()),
        }
    }

    fn finish(&mut self, mut running: Running) -> Result<()> {
        let change = &running.group.change;
        let names: Vec<TableName> = change
            .tables
            .iter()
            .map(|fate| fate.before.clone())
            .collect();
        let ids: Vec<u32> = running.shapes.iter().map(|shape| shape.id).collect();
        let after = store::shapes(&names, &ids)?;
        let is_complete = running.group.is_complete;
        let mut undo = lineage::undo(&change.tables, &running.shapes, &after, is_complete);
        if !undo.is_empty() {
            lock(&undo)?;
            let is_raced = tell_others(&mut running, &mut undo, &after)?;
            let refilled = refill::refill(&Request {
                change: &running.group.change,
                now: &running.now,
                undo: &undo,
                old_wins: self.direction == Direction::Up,
            })?;
            let warnings = refilled.into_iter().flat_map(|table| table.warnings);
            self.warnings.extend(warnings);
            if is_raced {
                store::free_chunks()?;
            }
        }
        image::forget(&running.image.into_iter().collect::<Vec<_>>())
    }
}

/// From here on nobody else writes to the tables.
fn lock(undo: &[Undo]) -> Result<()> {
    pinned(|| {
        for undo in undo {
            source(&undo.table, None).lock(Lock::Write)?;
        }
        Ok(())
    })
}

/// What others have written to the tables while the scripts ran is theirs, too. Says whether they have.
fn tell_others(running: &mut Running, undo: &mut [Undo], after: &[Shape]) -> Result<bool> {
    let between = |undo: &Undo| Some(undo.between.as_ref()?.table.clone());
    let wanted: BTreeSet<TableName> = undo.iter().filter_map(between).collect();
    let Running {
        race, now, shapes, ..
    } = running;
    let unsure = race.unsure(&HeldView::now(), &wanted, &now.tables, shapes, after)?;
    for undo in undo {
        if let Some(between) = &mut undo.between
            && unsure.contains(&between.table)
        {
            between.is_sure = false;
            between.is_same = false;
        }
    }
    let changed = std::mem::take(&mut race.changed);
    let is_raced = !changed.is_empty();
    for table in changed {
        now.tables
            .retain(|other| (&other.schema, &other.relation) != (&table.schema, &table.relation));
        now.tables.push(table);
    }
    Ok(is_raced)
}

/// Whether rows of all sites were kept of a table before a change.
fn is_whole(change: &DataChange, table: &TableName) -> Result<bool> {
    let Some(id) = change.before_image else {
        return Ok(false);
    };
    let image = image::readable(id)?;
    let found = image::table(&image, &table.schema, &table.relation);
    Ok(found.is_some_and(|table| table.site_column.is_none()))
}

/// The tables of a change as they are called now, each with rows of as many sites as were kept of it.
fn tables_now(
    change: &DataChange,
    backup: &Manifest,
    shapes: &[Shape],
) -> Result<Vec<TableSource>> {
    let mut tables = Vec::new();
    for fate in &change.tables {
        let Some(now) = fate
            .after
            .as_ref()
            .filter(|now| shapes.iter().any(|shape| shape.name == **now))
        else {
            continue;
        };
        let (schema, relation) = (&fate.before.schema, &fate.before.relation);
        let is_whole = is_whole(change, &fate.before)?;
        let column = image::table(backup, schema, relation)
            .and_then(|table| table.site_column.clone())
            .filter(|_| !is_whole);
        let site_column = match column {
            Some(column) => match fate.columns.get(&column).cloned().flatten() {
                Some(column) => Some(column),
                None => continue,
            },
            None => None,
        };
        tables.push(source(now, site_column));
    }
    Ok(tables)
}
