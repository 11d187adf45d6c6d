//! What tables hold, before and after scripts have run, and which of it is gone.
//!
//! An image of a table keeps a hash of every value, by row. Tables and columns are known by OID and number,
//! rows by key or else by content, so that a new name is no loss; values are compared in the form of the
//! type that they had, so that another type is none either where it holds them; and what is gone from its
//! place is searched for where scripts put things before they drop them.

mod comparison;
mod elsewhere;
mod family;
mod image;
mod json;
mod label;
mod literal;
mod loss;
mod matching;
mod multimap;
mod number;
mod structure;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use comparison::{Kept, Live, Moments, Reference, Standing, losses};
pub use elsewhere::{is_table_copy, share_held};
pub use family::Family;
pub use image::{Column, Image, NULL, Number, Parts, Summary, TypeId, Value};
pub use json::parts;
pub use label::{items, relabelled};
pub use literal::is_literal;
pub use loss::{Kind, Loss, Name};
pub use structure::{Carried, IN_BETWEEN, Structure, Structures, on_the_way_back, removed};
