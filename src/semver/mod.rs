//! The SQL types `semver` and `semver_range`: text and binary I/O, operators, functions, and how an
//! index answers what is within a range.
//!
//! The rules live in crate `npm-semver`; this room only carries values across. It must not know
//! modules, sites or tables.

mod array;
mod containment;
mod datum;
mod functions;
mod index_support;
mod io;
mod operators;

pub use datum::{Semver, SemverRange};
