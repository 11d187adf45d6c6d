//! What is given back to one table: which rows and columns, and how it is told.

use std::collections::BTreeMap;

use versioning_core::lineage::{Between, TableName, Undo};
use versioning_core::rekeying::Rekeying;
use versioning_core::snapshot::manifest::{Column, Table};

use crate::error::Result;
use crate::snapshot::reference::{Reference, references};
use crate::snapshot::refill_again::Base;
use crate::snapshot::refill_check::Check;
use crate::snapshot::refill_evidence::Evidence;
use crate::snapshot::refill_key;
use crate::snapshot::refill_parent::Parent;
use crate::snapshot::refill_rekeyed::Suspicion;
use crate::snapshot::refill_side::{Compared, short};
use crate::snapshot::refill_written::Knowledge;
use crate::snapshot::restore::source;
use crate::snapshot::source::{KeyColumn, LiveTable, Lock};

/// What columns in between hold that were added with a default, where nobody has written: by table and column.
pub type Defaults = BTreeMap<TableName, BTreeMap<String, Vec<u8>>>;

/// What is known of a table between the scripts and their undoing.
pub enum Told<'a> {
    /// It wasn't there: nobody can have written anything.
    New,
    /// Its rows as the scripts left them, and as they were before the undoing.
    Known {
        /// Where it was.
        between: &'a Between,
        /// As the scripts left it.
        after: &'a Table,
        /// Before the undoing.
        now: &'a Table,
    },
    /// It was there, and what was in it isn't known.
    Unknown,
}

/// A column to be set.
pub struct Setting<'a> {
    /// The column.
    pub column: &'a Column,
    /// Whether the undoing has made it.
    pub is_new: bool,
    /// Which hash of the sides is the column's.
    pub hash: Option<usize>,
    /// Whether the first scripts had changed values of it, so that what the undoing made of them counts.
    pub is_converted: bool,
}

/// Whose rows and values are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Those that the first scripts had destroyed.
    Destroyed(Follower),
    /// Those that people had written and the undoing has destroyed.
    Written(Knowledge),
}

/// Whether another job looks after what people had written in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follower {
    /// None does.
    None,
    /// One does, and brings no rows.
    Values,
    /// One does.
    Rows,
}

/// A column that has gone.
pub struct Homeless {
    /// What it was called.
    pub name: String,
    /// Which hash is its.
    pub hash: usize,
    /// The hash of what was in it without anybody writing it.
    pub default: Option<i64>,
}

/// One table's refilling.
pub struct Job<'a> {
    /// The table in the snapshot.
    pub table: &'a Table,
    /// The live one, locked.
    pub live: LiveTable,
    /// What its rows refer to.
    pub references: Vec<Reference>,
    /// The columns to set.
    pub set: Vec<Setting<'a>>,
    /// The primary key, which is never set.
    primary: Vec<String>,
    /// Whether rows are inserted.
    pub rows: bool,
    /// Columns that have gone.
    pub homeless: Vec<Homeless>,
    /// Old values of columns that the first scripts had changed.
    pub(super) evidence: Option<Evidence>,
    /// How the rows in between are read, where they are known.
    pub compared: Option<Compared<'a>>,
    /// Whether rows are matched by a key.
    pub is_keyed: bool,
    /// Where they aren't: the columns that rows are known by.
    pub content: Vec<String>,
    /// What the column of `snapshot_rows` is called that numbers the rows; no column's name begins so.
    pub number: String,
    /// Whether an old value counts more than what the undoing has put into a column that it made, also in
    /// rows that people have changed since.
    pub old_wins: bool,
    /// What the scripts had made of the rows the first time, when they run again.
    pub(super) base: Option<Base<'a>>,
    /// Tables that people had written to and from which the undoing may have filled columns.
    pub(super) carried: Vec<String>,
    /// Tables to which the undoing may have moved rows, and the columns that tell.
    pub(super) elsewhere: Vec<(LiveTable, Vec<String>)>,
    /// Tables made anew that its rows refer to.
    pub(super) parents: Vec<Parent<'a>>,
    /// Whose rows.
    pub role: Role,
    /// Whether warnings may say that a snapshot has what isn't given back.
    pub is_kept: bool,
    /// What the table asks of its rows and some don't meet.
    pub checks: Vec<Check>,
    /// Whether rows may have got other keys without the scripts' text showing it.
    pub rekeyed: Suspicion,
    /// Whether it has turned out that nothing can be given back.
    pub is_given_up: bool,
    /// What can't be given back is said here.
    pub warnings: Vec<String>,
}

impl<'a> Job<'a> {
    /// One without anything to do. Nothing when the table isn't there any more.
    ///
    /// # Errors
    /// 0A000 when it is no table any more; 55P03 when the lock isn't to be had in time.
    pub fn idle(table: &'a Table, role: Role) -> Result<Option<Self>> {
        let Some(live) = source(table).lock(Lock::Write)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            references: references(live.oid)?,
            set: Vec::new(),
            rows: false,
            homeless: Vec::new(),
            evidence: None,
            compared: None,
            is_keyed: !live.key.is_empty(),
            primary: live.key.iter().map(|key| key.name.clone()).collect(),
            number: free_name(table),
            content: Vec::new(),
            old_wins: false,
            base: None,
            parents: Vec::new(),
            elsewhere: Vec::new(),
            carried: Vec::new(),
            role,
            is_kept: true,
            checks: Vec::new(),
            rekeyed: Suspicion::default(),
            is_given_up: false,
            warnings: Vec::new(),
            table,
            live,
        }))
    }

    /// What the first scripts had destroyed. The inner error is why nothing can be given back, if that needs
    /// saying.
    ///
    /// # Errors
    /// As [`Job::idle`].
    pub fn new(
        table: &'a Table,
        undo: &Undo,
        told: Told<'a>,
        (old_wins, follower): (bool, Follower),
        (defaults, rekeying): (&Defaults, &Rekeying),
    ) -> Result<std::result::Result<Self, Vec<String>>> {
        let Some(mut job) = Self::idle(table, Role::Destroyed(follower))? else {
            return Ok(Err(Vec::new()));
        };
        job.old_wins = old_wins;
        job.rows = undo.rows;
        job.rekeyed = Suspicion::of(rekeying, &job.table.relation);
        job.choose(undo, told, (defaults, rekeying))?;
        if job.set.is_empty() && !job.rows && job.homeless.is_empty() {
            return Ok(Err(job.warnings));
        }
        Ok(Ok(job))
    }

    /// Chooses by what is told what can be given back.
    fn choose(
        &mut self,
        undo: &Undo,
        told: Told<'a>,
        (defaults, rekeying): (&Defaults, &Rekeying),
    ) -> Result<()> {
        if !self.is_keyed {
            self.content = self.common_columns();
        }
        match told {
            // All rows that come are whole, and those the scripts made are theirs.
            Told::New => {
                self.is_keyed = refill_key::has(self.table, &self.live.key, &self.live);
                self.content = self.common_columns();
                self.is_keyed &= !self.live.key.is_empty();
            }
            Told::Known {
                between,
                after,
                now,
            } => {
                let mut compared = Compared::new(self.table, between, after, now);
                if !self.is_keyed {
                    self.refuse_columns(&self.settable(undo));
                    self.content = compared.restrict(&self.live);
                    self.compared = Some(compared);
                } else if self.match_by(rekeying, |key, live| {
                    is_kept(undo, key) && refill_key::is_common(key, live, &compared)
                })? {
                    self.choose_columns(undo, &compared);
                    let gone = undo.homeless.iter();
                    self.set_homeless(gone, &compared, defaults.get(&between.table));
                    self.compared = Some(compared);
                } else {
                    self.without_key();
                }
            }
            Told::Unknown => self.without_knowledge(undo, rekeying)?,
        }
        Ok(())
    }

    fn choose_columns(&mut self, undo: &Undo, compared: &Compared<'a>) {
        self.set = self.settable(undo);
        for setting in &mut self.set {
            let name = &setting.column.name;
            setting.hash = compared.place(name);
            // In a table that was copied it is the same column, whose values can be compared one by one.
            let was_replaced = undo
                .between
                .as_ref()
                .is_none_or(|it| it.replaced.contains(name));
            setting.is_new &= !undo.is_rebuilt || was_replaced || setting.hash.is_none();
        }
        self.set
            .retain(|setting| setting.is_new || setting.hash.is_some());
    }

    /// Columns that have gone; `defaults`: what was in them without anybody writing it.
    pub(super) fn set_homeless<'b>(
        &mut self,
        names: impl Iterator<Item = &'b String>,
        compared: &Compared<'_>,
        defaults: Option<&BTreeMap<String, Vec<u8>>>,
    ) {
        let default = |name: &String| Some(short(defaults?.get(name)?));
        let homeless = |name: &String| {
            Some(Homeless {
                name: name.clone(),
                hash: compared.place_of_gone(name)?,
                default: default(name),
            })
        };
        self.homeless = names.filter_map(homeless).collect();
    }

    /// Takes the first key of the table that will do and that scripts don't write, and says whether there is
    /// one.
    pub(super) fn match_by(
        &mut self,
        rekeying: &Rekeying,
        will_do: impl Fn(&[KeyColumn], &LiveTable) -> bool,
    ) -> Result<bool> {
        let keys = refill_key::keys(self.live.oid)?;
        let (written, kept): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .filter(|key| will_do(key, &self.live))
            .partition(|key| refill_key::is_written(rekeying, &self.table.relation, key));
        if let Some(key) = kept.into_iter().next() {
            self.live.key = key;
            return Ok(true);
        }
        if let Some(key) = written.into_iter().next() {
            self.rekeyed.found = Some(key.iter().map(|key| key.name.clone()).collect());
        }
        Ok(false)
    }

    /// Rows can't be matched, for no key leads from one state to the next.
    pub(super) fn without_key(&mut self) {
        (self.rows, self.set, self.homeless) = (false, Vec::new(), Vec::new());
        self.warnings.push(format!(
            "the rows of table {} can't be matched, for {}: {}; {}",
            self.table.name,
            match &self.rekeyed.found {
                Some(columns) => format!("the scripts change the key ({})", columns.join(", ")),
                None => "no key is the same before and after the scripts".to_owned(),
            },
            match self.role {
                Role::Destroyed(_) => "what the first ones had destroyed is not given back",
                Role::Written(_) =>
                    "what people had written since is not put back where they removed or changed it",
            },
            self.where_it_is()
        ));
    }

    /// Without knowing what people wrote, only columns in which nothing is are filled.
    fn without_knowledge(&mut self, undo: &Undo, rekeying: &Rekeying) -> Result<()> {
        self.rows = false;
        self.warnings.push(format!(
            "what people wrote to table {} can't be told from what the scripts did: only columns made anew are filled; the snapshot has the rest",
            self.table.name
        ));
        let wanted = self.settable(undo);
        if !self.is_keyed {
            self.refuse_columns(&wanted);
            return Ok(());
        }
        let table = self.table;
        let matched = self.match_by(rekeying, |key, live| {
            is_kept(undo, key) && refill_key::has(table, key, live)
        })?;
        if matched {
            self.set = wanted;
            self.set.retain(|setting| setting.is_new);
        }
        Ok(())
    }

    fn refuse_columns(&mut self, wanted: &[Setting<'a>]) {
        let new: Vec<&Column> = wanted
            .iter()
            .filter(|setting| setting.is_new)
            .map(|setting| setting.column)
            .collect();
        if !new.is_empty() {
            self.warnings.push(format!(
                "table {} has no primary key: columns {} keep the values that the scripts gave them; the old ones are in the snapshot",
                self.table.name,
                listed(&new)
            ));
        }
    }

    fn settable(&self, undo: &Undo) -> Vec<Setting<'a>> {
        let found = |column: &&Column| undo.columns.iter().find(|it| it.name == column.name);
        let table: &'a Table = self.table;
        table
            .columns
            .iter()
            .filter(|column| self.may_be_set(column))
            .filter_map(|column| {
                Some(Setting {
                    column,
                    is_new: found(&column)?.is_new,
                    hash: None,
                    is_converted: false,
                })
            })
            .collect()
    }

    /// Whether a column may be set: not one of a key, nor one that the server alone sets.
    pub(super) fn may_be_set(&self, column: &Column) -> bool {
        let is_key = self.primary.contains(&column.name)
            || self.live.key.iter().any(|key| key.name == column.name);
        let is_site = self.live.source.site_column.as_ref() == Some(&column.name);
        let live = self.live.column(&column.name);
        !is_key
            && !is_site
            && live.is_some_and(|live| !live.generated && live.column.identity != "a")
    }

    /// The columns that the snapshot and the live table both have.
    pub(super) fn common_columns(&self) -> Vec<String> {
        let is_live = |column: &&Column| self.live.stored_columns().any(|c| c.name == column.name);
        let columns = self.table.columns.iter().filter(is_live);
        columns.map(|column| column.name.clone()).collect()
    }

    /// The columns that are decoded: those to be set and the key, or all that are there.
    pub(super) fn columns(&self) -> Vec<&'a Column> {
        let is_key = |column: &Column| self.live.key.iter().any(|key| key.name == column.name);
        let is_live = |column: &Column| self.live.stored_columns().any(|c| c.name == column.name);
        let is_set = |column: &Column| {
            let names = |setting: &Setting<'_>| setting.column.name == column.name;
            self.set.iter().any(names)
        };
        let is_wanted =
            |column: &&Column| is_live(column) && (self.rows || is_key(column) || is_set(column));
        let table: &'a Table = self.table;
        table.columns.iter().filter(is_wanted).collect()
    }
}

/// Whether the columns of a key were the same columns all the time: one made anew has other values.
fn is_kept(undo: &Undo, key: &[KeyColumn]) -> bool {
    let is_new = |key: &KeyColumn| {
        let mut columns = undo.columns.iter();
        columns.any(|column| column.name == key.name && column.is_new)
    };
    let is_there = |key: &KeyColumn| {
        undo.between.as_ref().is_none_or(|between| {
            let mut columns = between.columns.iter();
            columns.any(|(old, _)| *old == key.name) && !between.replaced.contains(&key.name)
        })
    };
    key.iter()
        .all(|key| (undo.is_rebuilt || !is_new(key)) && is_there(key))
}

/// A name with which no column's begins.
fn free_name(table: &Table) -> String {
    let mut name = "row".to_owned();
    while table
        .columns
        .iter()
        .any(|column| column.name.starts_with(&name))
    {
        name.push('_');
    }
    name
}

pub(super) fn listed(columns: &[&Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    names.join(", ")
}
