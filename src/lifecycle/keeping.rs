//! What an act keeps of what its scripts do to rows, so that it can be undone, and what it gives back of
//! what the scripts that it undoes had done.

use pgrx::Uuid;
use versioning_core::lineage::TableName;
use versioning_core::model::{Direction, Migration};

use super::data_change::{Watch, Watched};
use super::situation::Situation;
use super::undoing::{Purpose, Undoing};
use crate::error::Result;
use crate::pg::view::Moment;

/// Both, while an act runs.
pub struct Keeping {
    /// When the act began to look: "before the scripts" is then.
    moment: Moment,
    /// Tables of which rows of all sites are kept.
    whole: Vec<TableName>,
    watch: Option<Watch>,
    /// What is given back, or told to be lost.
    pub undoing: Option<Undoing>,
}

impl Keeping {
    /// Before the snapshot is taken of an act that runs these migrations that way.
    ///
    /// # Errors
    /// As [`Undoing::new`].
    pub fn new(
        situation: &Situation,
        (migrations, direction): (&[&Migration], Direction),
        purpose: Purpose,
    ) -> Result<Self> {
        let undoing = Undoing::new(situation, migrations, direction, purpose)?;
        Ok(Self {
            moment: undoing.moment(),
            whole: undoing.whole()?,
            watch: None,
            undoing: Some(undoing),
        })
    }

    /// Begins to keep, beside the snapshot.
    ///
    /// # Errors
    /// As [`Watch::begin`].
    pub fn watch(
        &mut self,
        situation: &Situation,
        (migrations, direction): (&[&Migration], Direction),
        backup_id: Uuid,
    ) -> Result<()> {
        let watched = Watched {
            situation,
            migrations,
            direction,
            whole: &self.whole,
        };
        self.watch = Watch::begin(&watched, backup_id, self.moment.clone())?;
        Ok(())
    }

    /// Before a migration, by its place in the act.
    ///
    /// # Errors
    /// As [`Undoing::before`] and [`Watch::before_migration`].
    pub fn before(
        &mut self,
        situation: &Situation,
        (index, migration): (usize, &Migration),
        backup_id: Option<Uuid>,
    ) -> Result<()> {
        if let Some(undoing) = &mut self.undoing {
            let known = self.watch.as_ref().map(Watch::known);
            undoing.before(situation, (index, migration), (backup_id, known))?;
        }
        match &mut self.watch {
            Some(watch) => watch.before_migration(situation, migration),
            None => Ok(()),
        }
    }

    /// After a migration, by its place in the act.
    ///
    /// # Errors
    /// As [`Undoing::after`].
    pub fn after(&mut self, index: usize) -> Result<()> {
        match &mut self.undoing {
            Some(undoing) => undoing.after(index),
            None => Ok(()),
        }
    }

    /// When the act is complete.
    ///
    /// # Errors
    /// As [`Watch::end`].
    pub fn end(self, situation: &Situation) -> Result<()> {
        match self.watch {
            Some(watch) => watch.end(situation),
            None => Ok(()),
        }
    }
}
