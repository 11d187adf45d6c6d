//! Who held the lock that somebody waited for in vain.

use crate::error::Result;
use crate::migration::store::wait as store;
use crate::pg::interrupt::LockTag;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id of the backend.
    pub pid: i32,
    /// Its role.
    pub role: String,
    /// Its application_name.
    pub application: String,
    /// When its current query began.
    pub query_start: String,
    /// What is locked, in words.
    pub object: Option<String>,
}

impl Holder {
    /// A sentence about it.
    pub fn sentence(&self) -> String {
        let object = self
            .object
            .as_ref()
            .map_or_else(|| "It".to_owned(), |object| capitalized(object));
        format!(
            "{object} is locked by process {} (role {}, application \"{}\"), whose current query began at {}.",
            self.pid, self.role, self.application, self.query_start
        )
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// Who holds that lock now, the strongest mode first; nobody when it was released meanwhile.
///
/// # Errors
/// Only broken expectations.
pub fn holder(tag: LockTag) -> Result<Option<Holder>> {
    store::holder(tag)
}

/// DETAIL of a failed statement: what PostgreSQL said, how long it waited, and for whom.
pub fn detail(said: Option<String>, timeout_ms: i32, holder: Option<Holder>) -> String {
    let waited = match holder {
        Some(holder) => format!(
            "The lock was not free within {timeout_ms} ms. {}",
            holder.sentence()
        ),
        None => "Who holds the lock can't be told any more.".to_owned(),
    };
    match said {
        Some(said) => format!("{said}\n{waited}"),
        None => waited,
    }
}
