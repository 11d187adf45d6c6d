//! What the catalog says about a schema: its objects, its tables, its columns.
//!
//! This room only looks. It doesn't know modules or sites, and never runs anything of theirs: all it
//! asks the server for are definitions.

mod store;

pub use store::{
    Column, Dependent, Needing, Table, Wanted, columns, exists, gone, live, needing,
    outside_dependents, owned_by, owner, tables, tables_of,
};
