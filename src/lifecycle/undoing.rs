//! Gives back, after the scripts of a change have been undone, what they had destroyed: after down scripts
//! what the upgrade had, and after up scripts what the rollback had.
//!
//! The migrations that run are taken in groups: those that one earlier change had run the other way are
//! undone together, for one snapshot was taken before them.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::lineage::TableName;
use versioning_core::model::{Direction, Migration};
use versioning_core::plan::list;
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
    /// The migrations.
    pub migrations: Vec<Uuid>,
    /// What the earlier change did; nothing when nobody kept that.
    pub change: Option<DataChange>,
    /// What the migrations did when they first ran this way, where they run again and that is known.
    pub first_change: Option<DataChange>,
    /// Whether all of that change is undone.
    pub is_complete: bool,
}

/// What is done about what scripts have destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is given back, and what can't be is told.
    GiveBack,
    /// What people had written is told.
    Tell,
    /// The same, when the rows are as they stay: they are put back to what they were after the scripts.
    TellAtEnd,
}

/// What is given back while the migrations of an act run.
pub struct Undoing {
    moment: Moment,
    direction: Direction,
    groups: Vec<Group>,
    purpose: Purpose,
    running: Option<Running>,
    /// Those of which it is told at the end.
    waiting: Vec<Running>,
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
        purpose: Purpose,
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
            purpose,
            running: None,
            waiting: Vec::new(),
            unknown: Vec::new(),
            warnings: Vec::new(),
        };
        if direction == Direction::Up && situation.current().is_some() {
            let is_lost = |id: &Uuid| origin(id).is_some_and(|origin| origin.is_deleted);
            this.warnings.extend(without_snapshot(migrations, is_lost));
        }
        for (index, id) in ids.iter().enumerate() {
            this.add(index, *id, origin(id))?;
        }
        for group in &mut this.groups {
            if let Some(change) = &group.change {
                let of_group = ids.get(group.first..=group.last).unwrap_or_default();
                group.is_complete = origins::is_all(change.backup_id, of_group, direction)?;
                if direction == Direction::Up {
                    let first = origins::first(of_group, situation.site.id, direction)?;
                    group.first_change = first.map(store::change).transpose()?.flatten();
                }
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
            group.migrations.push(id);
            return Ok(());
        }
        self.groups.push(Group {
            first: index,
            last: index,
            migrations: vec![id],
            first_change: None,
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
        match (self.running.take(), self.purpose) {
            (Some(running), Purpose::TellAtEnd) => self.waiting.push(running),
            (Some(running), purpose) => self.warnings.extend(running.finish(purpose)?),
            (None, _) => {}
        }
        Ok(())
    }

    /// When the rows are as they stay: tells what is to be told then, each thing once.
    ///
    /// # Errors
    /// XX001 for a damaged snapshot.
    pub fn end(&mut self) -> Result<()> {
        for running in std::mem::take(&mut self.waiting) {
            for warning in running.finish(self.purpose)? {
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
            }
        }
        Ok(())
    }
}

/// What can't be given back on the way up, for the snapshot from before the rollback has been deleted.
fn without_snapshot(migrations: &[&Migration], is_lost: impl Fn(&Uuid) -> bool) -> Option<String> {
    let lost = migrations
        .iter()
        .filter(|migration| is_lost(&Uuid::from_bytes(migration.id)));
    let versions: BTreeSet<&Version> = lost.map(|migration| &migration.to_version).collect();
    (!versions.is_empty()).then(|| {
        format!(
            "the snapshot from before the rollback below {} has been deleted: what the rollback had destroyed can't be given back",
            list(versions.into_iter().map(ToString::to_string))
        )
    })
}
