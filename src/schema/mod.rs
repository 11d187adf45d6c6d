//! What the catalog says about a schema: its objects, its tables, its columns.
//!
//! This room only looks. It doesn't know modules or sites, and never runs anything of theirs: all it
//! asks the server for are definitions.

pub mod capture;
pub mod content;
mod functions;
mod store;
pub mod watch;

pub use store::{
    Dependent, Needing, Table, Wanted, exists, gone, live, needing, outside_dependents, owned_by,
    owner, tables, tables_of,
};
