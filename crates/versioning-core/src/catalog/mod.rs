//! A schema as plain data: its model, its canonical text, what differs between two of them and what
//! each difference means for data and for clients of the old version.
//!
//! The model holds no OIDs and no order of creation: equal schemas are equal text wherever and however
//! they were made. Two models of one transaction may carry identities besides, which tell a rename from
//! a drop and an addition; without them nothing is guessed.

pub mod acl;
pub mod apply;
mod bound;
pub mod canonical;
pub mod change;
mod client;
mod condition;
mod data_type;
pub mod diff;
mod lock;
mod loss;
pub mod model;
mod rename;
pub mod several;
mod structure;
mod wording;

#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use canonical::{Malformed, fingerprint, read, text};
pub use change::{Action, Bump, Change, Finding, Level, suggested_bump};
pub use diff::diff;
pub use model::{Identity, Schema};
pub use several::diff_all;
pub use wording::settled;

/// Whether values may be cut, rounded or refused on their way from one type to another, both as the server
/// prints them.
pub fn may_lose_values(old: &str, new: &str) -> bool {
    old != new && data_type::compare(old, new).lossy
}
