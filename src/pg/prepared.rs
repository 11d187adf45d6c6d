//! Plans of the extension's own queries, kept by the backend: parsing and planning a query anew costs
//! more than running most of them.
//!
//! Those that were not used for longest go when there are too many, for some name a tenant's table.
//! PostgreSQL itself notices when a plan is out of date.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_int};

use pgrx::pg_sys;

/// How many plans a backend keeps.
const PLANS: usize = 200;

/// A kept plan.
struct Plan {
    plan: pg_sys::SPIPlanPtr,
    /// When it was last used, in uses of any plan.
    last_use: u64,
    /// How often it is running now: it must not be freed then.
    running: u32,
}

/// The text and the types of its parameters.
type Query = (Box<CStr>, Box<[pg_sys::Oid]>);

#[derive(Default)]
struct Cache {
    plans: HashMap<Query, Plan>,
    uses: u64,
}

thread_local! {
    // A backend has one thread.
    static CACHE: RefCell<Cache> = RefCell::new(Cache::default());
}

/// A plan that is being used; it stays until this is dropped.
pub struct Prepared {
    query: Query,
    plan: pg_sys::SPIPlanPtr,
}

impl Prepared {
    /// For `SPI_execute_plan`.
    pub fn plan(&self) -> pg_sys::SPIPlanPtr {
        self.plan
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        CACHE.with_borrow_mut(|cache| {
            if let Some(plan) = cache.plans.get_mut(&self.query) {
                plan.running = plan.running.saturating_sub(1);
            }
        });
    }
}

/// The plan of a query, if it is worth one. Call it while connected to SPI.
pub fn prepared(text: &CStr, types: &[pg_sys::Oid]) -> Option<Prepared> {
    let query: Query = (text.into(), types.into());
    if let Some(plan) = kept(&query) {
        return Some(Prepared { query, plan });
    }
    let plan = prepare(text, types)?;
    CACHE.with_borrow_mut(|cache| {
        let last_use = cache.uses;
        cache.plans.insert(
            (text.into(), types.into()),
            Plan {
                plan,
                last_use,
                running: 1,
            },
        );
        cache.make_room();
    });
    Some(Prepared { query, plan })
}

fn kept(query: &Query) -> Option<pg_sys::SPIPlanPtr> {
    CACHE.with_borrow_mut(|cache| {
        cache.uses += 1;
        let uses = cache.uses;
        let plan = cache.plans.get_mut(query)?;
        plan.last_use = uses;
        plan.running += 1;
        Some(plan.plan)
    })
}

fn prepare(text: &CStr, types: &[pg_sys::Oid]) -> Option<pg_sys::SPIPlanPtr> {
    let count = c_int::try_from(types.len()).ok()?;
    let mut types = types.to_vec();
    // SAFETY: connected to SPI; the array has `count` elements and PostgreSQL copies text and array. A
    // plan that is kept belongs to the backend and not to the connection.
    unsafe {
        let plan = pg_sys::SPI_prepare_cursor(
            text.as_ptr(),
            count,
            types.as_mut_ptr(),
            pg_sys::CURSOR_OPT_PARALLEL_OK as c_int,
        );
        (!plan.is_null() && pg_sys::SPI_keepplan(plan) == 0).then_some(plan)
    }
}

impl Cache {
    /// Frees the plan that was not used for longest, when there are too many.
    fn make_room(&mut self) {
        if self.plans.len() <= PLANS {
            return;
        }
        let idle = self.plans.iter().filter(|(_, plan)| plan.running == 0);
        let oldest = idle
            .min_by_key(|(_, plan)| plan.last_use)
            .map(|(query, _)| query.clone());
        if let Some(plan) = oldest.and_then(|query| self.plans.remove(&query)) {
            // SAFETY: a kept plan that nobody runs, freed once.
            unsafe { pg_sys::SPI_freeplan(plan.plan) };
        }
    }
}
