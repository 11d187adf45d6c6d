//! Gives back, after the scripts of a change have been undone, what they had destroyed: after down scripts
//! what the upgrade had, and after up scripts what the rollback had.
//!
//! The migrations that run are taken in groups: those that one earlier change had run the other way are
//! undone together, for one snapshot was taken before them.

use pgrx::Uuid;
use versioning_core::lineage::TableName;
use versioning_core::model::{Direction, Migration};
use versioning_core::snapshot::manifest::Table;

use super::situation::Situation;
use super::store::undoing::{self as origins, Origin};
use super::undoing_group::Running;
use super::undoing_tables::is_whole;
use crate::error::Result;
use crate::pg::view::Moment;
use crate::snapshot::store::{self, DataChange};

/// Migrations that follow one another and that one earlier change had run the other way.
pub struct Group {
    /// The place of the first one in the act.
    pub first: usize,
    /// The place of the last one.
    pub last: usize,
    /// What the earlier change did; nothing when nobody kept that.
    pub change: Option<DataChange>,
    /// Whether all of that change is undone.
    pub is_complete: bool,
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
            if let Some(change) = &group.change {
                let of_group = ids.get(group.first..=group.last).unwrap_or_default();
                group.is_complete = origins::is_all(change.backup_id, of_group, direction)?;
            }
        }
        Ok(this)
    }

    fn add(&mut self, index: usize, id: Uuid, origin: Option<&Origin>) -> Result<()> {
        let backup_id = origin.and_then(|origin| origin.backup_id);
        let change = backup_id.map(store::change).transpose()?.flatten();
        if change.is_none() {
            self.unknown.push(id);
            // On the way up, what the scripts do is what is wanted.
            if self.direction == Direction::Up {
                return Ok(());
            }
        }
        let backup = |change: &Option<DataChange>| change.as_ref().map(|it| it.backup_id);
        if let Some(group) = self.groups.last_mut()
            && backup(&group.change) == backup(&change)
            && group.last + 1 == index
        {
            group.last = index;
            return Ok(());
        }
        self.groups.push(Group {
            first: index,
            last: index,
            is_complete: change.is_none(),
            change,
        });
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
        for change in self.groups.iter().filter_map(|group| group.change.as_ref()) {
            for fate in &change.tables {
                let is_whole = is_whole(change, &fate.before)?;
                found.extend(fate.after.clone().filter(|_| is_whole));
            }
        }
        Ok(found)
    }

    /// Before a migration of that place runs. `backup_id`: the snapshot taken before the act, `known`: its
    /// tables, of all sites where the scripts may destroy rows of others.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn before(
        &mut self,
        situation: &Situation,
        (index, migration): (usize, &Migration),
        (backup_id, known): (Option<Uuid>, Option<&[Table]>),
    ) -> Result<()> {
        if self
            .groups
            .first()
            .is_some_and(|group| group.first == index)
        {
            let group = self.groups.remove(0);
            // Nothing is known of it, nor kept: then there is nothing to tell either.
            if group.change.is_none() && backup_id.is_none() {
                return Ok(());
            }
            let before = (self.moment(), backup_id, known);
            self.running = Some(Running::begin(situation, self.direction, group, before)?);
        }
        match &mut self.running {
            Some(running) => running.before_migration(situation, migration),
            None => Ok(()),
        }
    }

    /// After a migration of that place has run.
    ///
    /// # Errors
    /// XX001 for a damaged snapshot; what writing the rows raises.
    pub fn after(&mut self, index: usize) -> Result<()> {
        let is_last = |running: &Running| running.last() == index;
        if !self.running.as_ref().is_some_and(is_last) {
            return Ok(());
        }
        if let Some(running) = self.running.take() {
            self.warnings.extend(running.finish()?);
        }
        Ok(())
    }
}
