//! What up scripts do, told from their parse trees and remembered: a plan is made before and after the
//! lock, and a fleet's sites need the same migrations one after another.
//!
//! What is remembered hangs on the checksum of the very text, so it can't be out of date.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use versioning_core::addition::{Addition, additions};
use versioning_core::consequence::Breaking;
use versioning_core::effect::{Effect, ObjectName};
use versioning_core::lint;
use versioning_core::moving::Moving;

use crate::error::Result;
use crate::migration::check;

/// How many scripts are remembered, and how long the longest of them may be in effects: what a backend
/// keeps is a few megabytes at most.
const SCRIPTS: usize = 4_000;
const EFFECTS: usize = 50;

/// Work that takes the longer the more rows a table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heavy {
    /// The table.
    pub table: ObjectName,
    /// The kind, as a linter names it: `index_build`, `table_rewrite` …
    pub kind: &'static str,
    /// The statement, from 1.
    pub statement_number: i32,
    /// The way out.
    pub hint: &'static str,
}

/// What is known of an up script.
#[derive(Debug)]
pub struct UpScript {
    /// What it does.
    pub effects: Rc<[Effect]>,
    /// What of it breaks clients of the old version.
    pub breaking: Vec<Breaking>,
    /// What of it is new to clients.
    pub added: Vec<Addition>,
    /// What of it works through tables that were there before.
    pub heavy: Vec<Heavy>,
    /// What of it may move values elsewhere.
    pub moving: Moving,
}

thread_local! {
    static KNOWN: RefCell<HashMap<String, Rc<UpScript>>> = RefCell::new(HashMap::new());
}

/// What the up script does of a migration that has that checksum.
///
/// # Errors
/// As [`check::statements`].
pub fn of_up_script(up_sql: &str, checksum: &str) -> Result<Rc<UpScript>> {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(checksum).cloned()) {
        return Ok(known);
    }
    let described = check::described("up_sql", up_sql)?;
    let effects: Rc<[Effect]> = described
        .iter()
        .flat_map(|one| one.statement.effects.iter().cloned())
        .collect();
    let moving = Moving::of(&described);
    let added = additions(&described);
    let findings = lint::lint_up(described, || {
        pgrx::check_for_interrupts!();
    });
    let script = Rc::new(UpScript {
        effects,
        breaking: lint::breaking(&findings),
        added,
        heavy: findings.iter().filter_map(heavy).collect(),
        moving,
    });
    if script.effects.len() <= EFFECTS {
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= SCRIPTS {
                known.clear();
            }
            known.insert(checksum.to_owned(), script.clone());
        });
    }
    Ok(script)
}

fn heavy(finding: &lint::Finding) -> Option<Heavy> {
    finding.rule.is_heavy().then_some(Heavy {
        table: finding.table.clone()?,
        kind: finding.rule.name,
        statement_number: finding.statement_number.unwrap_or_default(),
        hint: finding.rule.hint,
    })
}
