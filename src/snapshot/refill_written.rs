//! What people had written before the undoing and the undoing has destroyed: rows that it removed, and
//! values that it changed, where the first scripts had left the column alone. Where they hadn't, what the
//! undoing makes of a value is the way back and stays; what it may have lost is said.

use pgrx::spi::quote_identifier;
use versioning_core::passage::{Passage, Told};
use versioning_core::rekeying::Rekeying;
use versioning_core::snapshot::manifest::{Encoding, Table};

use crate::error::Result;
use crate::snapshot::decoding::type_named;
use crate::snapshot::refill_job::{Defaults, Job, Role, Setting};
use crate::snapshot::refill_key;
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_rekeyed::Suspicion;
use crate::snapshot::refill_side::Compared;

/// What is known of the rows before the undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// All is people's: the first scripts have left the rows alone.
    All,
    /// What is people's can be told, and all of the first scripts are undone.
    Whole,
    /// The same, and some of them are not.
    Part,
    /// Nothing.
    Nothing,
}

impl Knowledge {
    /// What is known of a passage.
    pub fn of(passage: &Passage, is_complete: bool) -> Self {
        match passage.told {
            Told::Untouched => Self::All,
            Told::Touched if is_complete => Self::Whole,
            Told::Touched => Self::Part,
            Told::Unknown => Self::Nothing,
        }
    }
}

/// The rows of a table before the undoing, called as it is now.
///
/// # Errors
/// None of its own.
pub fn renamed(now: &Table, passage: &Passage, before: Option<&Table>) -> Result<Table> {
    let mut table = now.clone();
    let to = |name: &str| {
        let mut columns = passage.columns.iter();
        let found = columns.find(|column| column.from == name);
        found.map(|column| column.to.clone())
    };
    for column in &mut table.columns {
        let mut gone = format!("{} (gone)", column.name);
        while passage.columns.iter().any(|other| other.to == gone) {
            gone.push('_');
        }
        column.name = to(&column.name).unwrap_or(gone);
        // The text of a value is the best that is left of a type that has gone.
        if column.encoding == Encoding::Binary && type_named(&column.type_name)?.is_none() {
            column.encoding = Encoding::Text;
        }
    }
    table.site_column = now.site_column.as_deref().and_then(to);
    table.schema.clone_from(&passage.to.schema);
    table.relation.clone_from(&passage.to.relation);
    table.name = match before {
        Some(before) if before.relation == table.relation => before.name.clone(),
        _ if now.relation == table.relation => now.name.clone(),
        _ => quote_identifier(&table.relation),
    };
    Ok(table)
}

impl<'a> Job<'a> {
    /// What people had written in a table. `states`: the table before the first scripts, and as those left
    /// it. The inner error is why nothing can be given back, if that needs saying.
    ///
    /// # Errors
    /// As [`Job::idle`].
    pub fn written(
        (table, now): (&'a Table, &'a Table),
        passage: &Passage,
        knowledge: Knowledge,
        states: Option<(&'a Table, &'a Table)>,
        (is_kept, defaults, rekeying): (bool, &Defaults, &Rekeying),
    ) -> Result<std::result::Result<Self, Vec<String>>> {
        let knowledge = match states {
            Some(_) => knowledge,
            None => Knowledge::Nothing,
        };
        let Some(mut job) = Self::idle(table, Role::Written(knowledge))? else {
            return Ok(Err(Vec::new()));
        };
        job.is_kept = is_kept;
        job.rekeyed = Suspicion::of(rekeying, &table.relation);
        let mut compared =
            states
                .filter(|_| knowledge != Knowledge::Nothing)
                .map(|(before, after)| {
                    let mut compared = Compared::passed(passage, before, after, now);
                    if job.is_keyed && knowledge == Knowledge::All {
                        // Before the scripts is as they left it.
                        compared.before = None;
                    }
                    compared
                });
        job.rows = knowledge != Knowledge::Nothing && job.is_more_than_key();
        if !job.is_keyed {
            job.content = match &mut compared {
                Some(compared) => compared.restrict(&job.live),
                None => job.common_columns(),
            };
            job.compared = compared;
            return Ok(Ok(job));
        }
        let is_one = |name: &str| {
            let mut columns = passage.columns.iter();
            columns.any(|column| column.to == name && !(column.was_replaced || column.is_replaced))
        };
        let is_matched = job.match_by(rekeying, |key, live| {
            key.iter().all(|key| is_one(&key.name))
                && match &compared {
                    Some(compared) => refill_key::is_common(key, live, compared),
                    None => refill_key::has(table, key, live),
                }
        })?;
        if !is_matched {
            job.without_key();
            return Ok(Err(job.warnings));
        }
        job.choose_written(passage, compared.as_ref(), defaults);
        job.compared = compared;
        Ok(Ok(job))
    }

    /// Whether a row of the snapshot brings more than its key.
    fn is_more_than_key(&self) -> bool {
        let is_key = |name: &str| self.live.key.iter().any(|key| key.name == name);
        let mut live = self.live.stored_columns();
        self.common_columns().iter().any(|name| !is_key(name))
            || live.all(|column| is_key(&column.name))
    }

    fn choose_written(
        &mut self,
        passage: &Passage,
        compared: Option<&Compared<'a>>,
        defaults: &Defaults,
    ) {
        let was_replaced = |name: &str| {
            let mut columns = passage.columns.iter();
            columns.any(|column| column.to == name && column.was_replaced)
        };
        let is_retyped = |name: &str| {
            let states = compared.map(|compared| compared.retyped(name));
            states.unwrap_or(false)
        };
        let table: &'a Table = self.table;
        self.set = table
            .columns
            .iter()
            .filter(|column| self.may_be_set(column))
            .map(|column| Setting {
                column,
                is_new: false,
                hash: compared.and_then(|compared| compared.place(&column.name)),
                is_converted: was_replaced(&column.name) || is_retyped(&column.name),
            })
            .collect();
        if let Some(compared) = compared {
            let gone = passage.gone.iter().map(|column| &column.from);
            self.set_homeless(gone, compared, defaults.get(&passage.from));
        }
    }
}

impl Ready<'_> {
    /// Gives up where a key that isn't the primary one all the time has more than one row in between.
    ///
    /// # Errors
    /// What comparing raises.
    pub fn refuse_ambiguous(&mut self) -> Result<()> {
        let job = &self.job;
        let is_sure = job
            .compared
            .as_ref()
            .is_none_or(|compared| compared.is_primary(&job.live.key));
        if !job.is_keyed || is_sure {
            return Ok(());
        }
        let keys: Vec<String> = (0..job.live.key.len())
            .map(|place| format!("k{place}"))
            .collect();
        let keys = keys.join(", ");
        let twice = |relation: &str| {
            format!(
                "(SELECT FROM {relation} WHERE ({keys}) IS NOT NULL GROUP BY {keys} HAVING count(*) > 1)"
            )
        };
        let query = format!(
            "SELECT 'twice'::text WHERE EXISTS {} OR EXISTS {}",
            twice("after_rows"),
            twice("now_rows")
        );
        if !self.ask(|session| session.texts(&query))?.is_empty() {
            self.job.without_key();
            self.job.is_given_up = true;
        }
        Ok(())
    }

    /// Finds out which columns the first scripts had changed values of.
    ///
    /// # Errors
    /// What comparing raises.
    pub fn find_converted(&mut self) -> Result<()> {
        let is_told = matches!(
            self.job.role,
            Role::Written(Knowledge::Whole | Knowledge::Part)
        );
        if !is_told || !self.job.is_keyed || self.job.set.is_empty() {
            return Ok(());
        }
        let changed: Vec<String> = self
            .job
            .set
            .iter()
            .map(|setting| match setting.hash {
                Some(hash) => format!(
                    "CASE WHEN coalesce(bool_or(a.h{hash} IS DISTINCT FROM b.h{hash}), false) THEN 'y' ELSE 'n' END"
                ),
                None => "'n'".to_owned(),
            })
            .collect();
        let query = format!(
            "SELECT ({})::text FROM before_rows a JOIN after_rows b ON {}",
            changed.join(" || "),
            self.job.key_of("a", "b")
        );
        let found = self.ask(|session| session.texts(&query))?;
        let found = found.first().map_or("", String::as_str);
        for (setting, is_changed) in self.job.set.iter_mut().zip(found.chars()) {
            setting.is_converted |= is_changed == 'y';
        }
        Ok(())
    }
}
