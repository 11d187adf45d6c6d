//! Whoever looks on while scripts run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::error::Result;
use crate::migration::trial::Observer;
use crate::schema::watch::Watch;

/// Looks on with a [`Watch`].
pub struct Onlooker {
    watch: RefCell<Watch>,
    /// How much had been seen before the script that runs now.
    from: Cell<usize>,
    migration: Cell<Option<i32>>,
}

impl Onlooker {
    /// One that knows what is there before.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn new(home: &str, without: &BTreeSet<String>) -> Result<Rc<Self>> {
        Ok(Rc::new(Self {
            watch: RefCell::new(Watch::new(home, without)?),
            from: Cell::new(0),
            migration: Cell::new(None),
        }))
    }

    /// Another script begins.
    pub fn next_script(&self, migration: Option<i32>) {
        self.from.set(self.watch.borrow().seen.len());
        self.migration.set(migration);
    }

    /// Gives what was seen of the script that ran last the numbers of its statements. What came after the
    /// last of them, when deferred constraints were checked, counts for that one.
    pub fn number(&self, numbers: &[i32]) {
        let mut watch = self.watch.borrow_mut();
        let seen = watch.seen.iter_mut().skip(self.from.get());
        for (index, one) in seen.enumerate() {
            one.number = numbers
                .get(index)
                .or(numbers.last())
                .copied()
                .unwrap_or_default();
        }
    }

    /// What it has seen.
    pub fn with_watch<R>(&self, look: impl FnOnce(&Watch) -> R) -> R {
        look(&self.watch.borrow())
    }
}

impl Observer for Onlooker {
    fn script_begins(&self) -> Result<()> {
        let mut watch = self.watch.borrow_mut();
        watch.seen.truncate(self.from.get());
        watch.script_begins()
    }

    fn statement_begins(&self) -> Result<()> {
        self.watch.borrow_mut().statement_begins();
        Ok(())
    }

    fn statement_ends(&self, _done: usize) -> Result<()> {
        self.watch
            .borrow_mut()
            .statement_ends(0, self.migration.get())
    }
}
