//! One pass: the scripts there, back, and there again. Whoever calls it undoes it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pgrx::pg_sys;
use versioning_core::catalog::{Schema, canonical};
use versioning_core::content::Carried;
use versioning_core::model::Direction;
use versioning_core::rehearsal::membership::Memberships;
use versioning_core::rehearsal::shape::{self, Tables};
use versioning_core::rehearsal::{Finding, Observation, Relations};

use super::onlooker::Onlooker;
use super::subject::{Script, Subject};
use super::witness::{self, Witness};
use super::{conversion, homecoming, in_between};
use crate::error::{Error, Result};
use crate::migration::execute::{Execution, RunContext};
use crate::migration::failure::Failure;
use crate::migration::trial::{Observer, Trial, Tried, try_script};
use crate::schema::capture::capture_all_but;
use crate::schema::content::{self, Losses};
use crate::schema::watch::{self, UnindexedKey};
use crate::settings;

/// The catalogs at one moment.
pub struct Catalogs {
    /// The tables and columns that hold rows.
    pub tables: Tables,
    /// Every schema, with identities.
    pub schemas: BTreeMap<String, Schema>,
    /// Which roles are members of which others.
    pub memberships: Memberships,
}

impl Catalogs {
    fn capture(subject: &Subject) -> Result<Self> {
        Ok(Self {
            tables: watch::tables(&subject.schema, &subject.unwatched)?,
            schemas: capture_all_but(&subject.unwatched)?,
            memberships: watch::memberships()?,
        })
    }

    /// The same without identities: two of them compare by name alone.
    pub fn by_name(&self) -> BTreeMap<String, Schema> {
        let plain = |(name, schema): (&String, &Schema)| {
            let mut plain = canonical::read(&canonical::text(schema)).unwrap_or_default();
            plain.qualified_as.clone_from(&schema.qualified_as);
            (name.clone(), plain)
        };
        self.schemas.iter().map(plain).collect()
    }
}

/// Scripts that ran one way.
#[derive(Default)]
pub struct Leg {
    /// Each script that ran, the last one perhaps not to its end.
    pub ran: Vec<(Option<i32>, Tried)>,
}

impl Leg {
    /// What failed, and in which migration.
    pub fn failure(&self) -> Option<(Option<i32>, &Failure)> {
        self.ran.iter().find_map(|(migration, tried)| {
            let failure = tried.execution.failure.as_ref()?;
            Some((*migration, failure))
        })
    }

    /// Whether statements were left out.
    pub fn is_incomplete(&self) -> bool {
        self.ran.iter().any(|(_, tried)| !tried.left_out.is_empty())
    }

    /// The runs.
    pub fn executions(&self) -> impl Iterator<Item = (Option<i32>, &Execution)> {
        self.ran
            .iter()
            .map(|(migration, tried)| (*migration, &tried.execution))
    }
}

/// What the first pass found.
pub struct First {
    /// The relations that were there before.
    pub relations: Relations,
    /// What was seen of each statement.
    pub seen: Vec<Observation>,
    /// The rehearsed scripts.
    pub forward: Leg,
    /// The way back, if there is one and the scripts ran.
    pub back: Option<Leg>,
    /// The rehearsed scripts again, if the way back was one.
    pub again: Option<Leg>,
    /// The catalogs before, after the scripts, after the way back, and after the scripts again.
    pub before: Catalogs,
    /// As above.
    pub after: Option<Catalogs>,
    /// As above.
    pub restored: Option<Catalogs>,
    /// As above.
    pub after_again: Option<Catalogs>,
    /// Statements that fail after the scripts.
    pub witnesses: Vec<Witness>,
    /// Event triggers that the scripts made.
    pub event_triggers: BTreeMap<u32, String>,
    /// Whether a sequence stands elsewhere than before, or is gone, at the end of either way; or there are
    /// more or less large objects.
    pub sequences_moved: bool,
    /// What the way back deletes of what is written before it.
    pub in_between: Vec<Finding>,
    /// What the way back carries home of it.
    pub carried: Carried,
    /// Columns that it converts without making two values one, by table and name.
    pub faithful: BTreeSet<(u32, String)>,
    /// Foreign keys without an index that the scripts made.
    pub unindexed: Vec<UnindexedKey>,
    /// The tables that were locked as for an index build.
    pub locked: BTreeSet<u32>,
    /// The tables of before that may have lost something on either way.
    pub endangered: BTreeSet<u32>,
}

/// Runs the scripts of one way.
///
/// # Errors
/// Errors that are not a script's own.
pub fn leg(subject: &Subject, scripts: &[Script], onlooker: Option<&Rc<Onlooker>>) -> Result<Leg> {
    let context = RunContext {
        site_id: subject.site_id,
        module_id: subject.module_id,
        schema: &subject.schema,
        owner: subject.owner,
    };
    let mut trial = Trial {
        observer: onlooker.map(|onlooker| Rc::clone(onlooker) as Rc<dyn Observer>),
        lock_timeout: settings::rehearsal_lock_timeout(),
        statement_timeout: None,
    };
    let mut leg = Leg::default();
    for script in scripts {
        pgrx::check_for_interrupts!();
        if let Some(onlooker) = onlooker {
            onlooker.next_script(script.migration);
        }
        trial.statement_timeout = script.statement_timeout;
        let tried = try_script(script.name, &script.sql, &context, &trial)?;
        if let Some(onlooker) = onlooker {
            let statements = tried.execution.statements.iter();
            onlooker.number(&statements.map(|one| one.number).collect::<Vec<_>>());
        }
        let has_failed = tried.execution.failure.is_some();
        leg.ran.push((script.migration, tried));
        if has_failed {
            break;
        }
    }
    Ok(leg)
}

/// The first pass.
///
/// # Errors
/// Errors that are not a script's own.
pub fn first(subject: &Subject) -> Result<First> {
    let home = subject.schema.as_str();
    let before = Catalogs::capture(subject)?;
    let unindexed = watch::unindexed_keys(home)?;
    let standing = (watch::positions(home)?, watch::large_objects()?);
    let stands = || Ok::<_, Error>((watch::positions(home)?, watch::large_objects()?));
    let event_triggers = watch::event_triggers()?;
    let onlooker = Onlooker::new(home, &subject.unwatched)?;
    let mut first = First {
        relations: Relations::new(),
        seen: Vec::new(),
        forward: leg(subject, &subject.forward, Some(&onlooker))?,
        back: None,
        again: None,
        before,
        after: None,
        restored: None,
        after_again: None,
        witnesses: Vec::new(),
        event_triggers: BTreeMap::new(),
        sequences_moved: false,
        in_between: Vec::new(),
        carried: Carried::default(),
        faithful: BTreeSet::new(),
        unindexed: Vec::new(),
        endangered: BTreeSet::new(),
        locked: BTreeSet::new(),
    };
    if first.forward.failure().is_none() {
        let after = Catalogs::capture(subject)?;
        first.witnesses = witness::failing(subject, &first.before, &after)?;
        first.after = Some(after);
        first.unindexed = new_keys(unindexed, watch::unindexed_keys(home)?);
        first.endangered = onlooker.with_watch(|watch| watch.touched(0));
        first.seen = onlooker.with_watch(|watch| watch.seen.clone());
        first.event_triggers = watch::event_triggers()?
            .into_iter()
            .filter(|(oid, _)| !event_triggers.contains_key(oid))
            .collect();
        first.sequences_moved = stands()? != standing;
        first.carried = homecoming::carried(subject)?;
        first.in_between = in_between::deletions(subject, &first.carried)?;
        first.faithful = conversion::faithful(subject)?;
        way_back(subject, &onlooker, &mut first)?;
        first.sequences_moved |= stands()? != standing;
        let later = [&first.after, &first.restored];
        for catalogs in later.into_iter().flatten() {
            let reshaped = shape::reshaped(&first.before.tables, &catalogs.tables);
            first.endangered.extend(reshaped);
        }
    } else {
        first.seen = onlooker.with_watch(|watch| watch.seen.clone());
    }
    first.relations = onlooker.with_watch(|watch| watch.before.clone());
    first.locked = onlooker.with_watch(|watch| watch.locked.clone());
    Ok(first)
}

fn new_keys(
    before: BTreeMap<u32, UnindexedKey>,
    after: BTreeMap<u32, UnindexedKey>,
) -> Vec<UnindexedKey> {
    after
        .into_iter()
        .filter(|(oid, _)| !before.contains_key(oid))
        .map(|(_, key)| key)
        .collect()
}

fn way_back(subject: &Subject, onlooker: &Rc<Onlooker>, first: &mut First) -> Result<()> {
    let Some(scripts) = &subject.back else {
        return Ok(());
    };
    let back = leg(subject, scripts, Some(onlooker))?;
    let has_failed = back.failure().is_some();
    first.back = Some(back);
    if has_failed {
        return Ok(());
    }
    first.endangered = onlooker.with_watch(|watch| watch.touched(0));
    first.restored = Some(Catalogs::capture(subject)?);
    let again = leg(subject, &subject.forward, None)?;
    if again.failure().is_none() {
        first.after_again = Some(Catalogs::capture(subject)?);
    }
    first.again = Some(again);
    Ok(())
}

/// What the second pass found.
pub struct Second {
    /// What the rehearsed scripts destroyed.
    pub forward: Losses,
    /// What was gone after the way back.
    pub back: Option<Losses>,
}

/// The second pass: the same scripts with images of the tables that may have lost something. Nothing when a
/// script that had run fails now: others may hold its tables, or it says something else each time.
///
/// # Errors
/// Errors that are not a script's own.
pub fn second(subject: &Subject, first: &First) -> Result<Option<Second>> {
    let endangered: Vec<pg_sys::Oid> = first.endangered.iter().map(|oid| (*oid).into()).collect();
    let images = content::keep(&endangered)?;
    if leg(subject, &subject.forward, None)?.failure().is_some() {
        return Ok(None);
    }
    let forward = images.compare()?;
    let back = match &subject.back {
        Some(scripts) if subject.direction == Direction::Up && first.restored.is_some() => {
            let between = images.keep_next(&endangered)?;
            if leg(subject, scripts, None)?.failure().is_some() {
                return Ok(None);
            }
            Some(images.compare_way_back(&between, &first.carried)?)
        }
        _ => None,
    };
    Ok(Some(Second { forward, back }))
}

impl First {
    /// Whether anything can be lost on the way there or back.
    pub fn needs_images(&self) -> bool {
        let made_and_gone = || {
            let (Some(after), Some(restored)) = (&self.after, &self.restored) else {
                return false;
            };
            !shape::made_and_gone(&self.before.tables, &after.tables, &restored.tables).is_empty()
        };
        !self.endangered.is_empty() || self.sequences_moved || made_and_gone()
    }
}
