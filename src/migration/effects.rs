//! What up scripts do, told from their parse trees and remembered: a plan is made before and after the
//! lock, and a fleet's sites need the same migrations one after another.
//!
//! What is remembered hangs on the checksum of the very text, so it can't be out of date.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use versioning_core::effect::Effect;

use crate::error::Result;
use crate::migration::check::statements;

/// How many scripts are remembered, and how long the longest of them may be in effects: what a backend
/// keeps is a few megabytes at most.
const SCRIPTS: usize = 4_000;
const EFFECTS: usize = 50;

thread_local! {
    static KNOWN: RefCell<HashMap<String, Rc<[Effect]>>> = RefCell::new(HashMap::new());
}

/// The effects of an up script whose migration has that checksum.
///
/// # Errors
/// As [`statements`].
pub fn of_up_script(up_sql: &str, checksum: &str) -> Result<Rc<[Effect]>> {
    if let Some(effects) = KNOWN.with_borrow(|known| known.get(checksum).cloned()) {
        return Ok(effects);
    }
    let parsed = statements("up_sql", up_sql)?;
    let effects: Rc<[Effect]> = parsed
        .into_iter()
        .flat_map(|statement| statement.effects)
        .collect();
    if effects.len() <= EFFECTS {
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= SCRIPTS {
                known.clear();
            }
            known.insert(checksum.to_owned(), effects.clone());
        });
    }
    Ok(effects)
}
