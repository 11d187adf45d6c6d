//! What happens between two statements of a script: its time limit begins and ends, time, rows and
//! messages are noted, and what must be as before is looked at.
//!
//! The plpgsql loop that runs the statements (`_run_statements`) calls in here before and after each of
//! them and when one fails. It shows a number that only it was given: a script that calls these functions
//! by itself gets 42501.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;
use std::time::Instant;

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::notice::{self, Notices};
use crate::pg::{identity, interrupt, subtransaction, timer};
use crate::progress;

/// Somebody who looks on while a script runs.
pub trait Observer {
    /// Before the first statement; again when the script is started over.
    ///
    /// # Errors
    /// They make the script fail.
    fn script_begins(&self) -> Result<()>;

    /// Before a statement, outside its time limit.
    ///
    /// # Errors
    /// They make the statement fail.
    fn statement_begins(&self) -> Result<()>;

    /// After a statement, when its time has been taken; `done` statements had ended before.
    ///
    /// # Errors
    /// They make the statement fail.
    fn statement_ends(&self, done: usize) -> Result<()>;
}

/// What one statement took and said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measure {
    /// How many rows it touched or returned.
    pub rows: i64,
    /// How long it took.
    pub duration_ms: f64,
    /// What it sent meanwhile.
    pub notices: Notices,
}

/// What is known about all of them.
#[derive(Debug, Clone, Default)]
pub struct Measures {
    /// The statements that ran to their end.
    pub done: Vec<Measure>,
    /// The one that failed.
    pub failed: Option<Measure>,
    /// Whether that was for its time limit.
    pub timed_out: bool,
}

struct State {
    token: i64,
    limit_ms: i32,
    started: Instant,
    identity: (pg_sys::Oid, i32),
    depth: i32,
    measures: Measures,
    observer: Option<Rc<dyn Observer>>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Ends the limit when dropped, also while a cancel passes through.
struct Measuring;

impl Drop for Measuring {
    fn drop(&mut self) {
        timer::stop();
        STATE.set(None);
    }
}

/// Runs `body` with the number that the loop has to show; each statement may take `limit_ms`, 0 = for ever.
///
/// # Errors
/// What `body` returns.
pub fn measuring<R>(
    limit_ms: i32,
    observer: Option<Rc<dyn Observer>>,
    body: impl FnOnce(i64) -> Result<R>,
) -> Result<(R, Measures)> {
    // Its keys come from the operating system and never leave it.
    let token = RandomState::new().build_hasher().finish().cast_signed();
    STATE.set(Some(State {
        token,
        limit_ms,
        started: Instant::now(),
        identity: identity::state(),
        depth: 0,
        measures: Measures::default(),
        observer,
    }));
    let end = Measuring;
    let result = body(token)?;
    let measures = STATE.with_borrow_mut(|state| state.take().map(|state| state.measures));
    drop(end);
    Ok((result, measures.unwrap_or_default()))
}

fn with_state<R>(token: Option<i64>, body: impl FnOnce(&mut State) -> Result<R>) -> Result<R> {
    STATE.with_borrow_mut(|state| match state {
        Some(state) if Some(state.token) == token => body(state),
        _ => Err(Error::not_allowed(
            "only the extension itself may call this function",
        )),
    })
}

/// Before a statement.
///
/// # Errors
/// 42501 for anybody but the loop.
pub fn starts(token: Option<i64>) -> Result<()> {
    // Called outside the state, which it may need itself.
    if let Some(observer) = with_state(token, |state| Ok(state.observer.clone()))? {
        observer.statement_begins()?;
    }
    with_state(token, |state| {
        state.identity = identity::state();
        state.depth = subtransaction::depth();
        notice::take();
        interrupt::forget();
        progress::statement(u32::try_from(state.measures.done.len() + 1).unwrap_or(0));
        if state.limit_ms > 0 {
            timer::start(state.limit_ms);
        }
        state.started = Instant::now();
        Ok(())
    })
}

/// After a statement.
///
/// # Errors
/// 57014 when it took too long and hid that; 55000 when it left another role or transaction level.
pub fn ends(token: Option<i64>, rows: Option<i64>) -> Result<()> {
    // A request to stop that came at the last moment counts for this statement.
    pgrx::check_for_interrupts!();
    let (observer, done) = with_state(token, |state| {
        let duration_ms = state.started.elapsed().as_secs_f64() * 1000.0;
        if timer::stop() {
            state.measures.timed_out = true;
            return Err(Error::timed_out("the statement took too long"));
        }
        if state.identity != identity::state() || state.depth != subtransaction::depth() {
            return Err(Error::wrong_state(
                "the statement left another role or transaction level behind",
            ));
        }
        state.measures.done.push(Measure {
            rows: rows.unwrap_or(0),
            duration_ms,
            notices: notice::take(),
        });
        Ok((state.observer.clone(), state.measures.done.len() - 1))
    })?;
    observer.map_or(Ok(()), |observer| observer.statement_ends(done))
}

/// After a statement has failed: whether its error is a real request to stop, which goes on upwards.
///
/// # Errors
/// 42501 for anybody but the loop.
pub fn fails(token: Option<i64>, sqlstate: Option<&str>) -> Result<bool> {
    with_state(token, |state| {
        let is_stop = sqlstate == Some("57014");
        let hit = timer::stop();
        state.measures.timed_out |= is_stop && hit;
        state.measures.failed = Some(Measure {
            rows: 0,
            duration_ms: state.started.elapsed().as_secs_f64() * 1000.0,
            notices: notice::take(),
        });
        Ok(is_stop && interrupt::was_cancelled())
    })
}
