#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod coerce;
mod difference;
mod error;
mod increment;
mod precedence;
mod range;
mod satisfying;
mod scan;
pub mod stored;
mod version;

pub use crate::coerce::{clean, coerce};
pub use crate::difference::{Difference, diff};
pub use crate::error::{ParseError, Problem, Subject};
pub use crate::increment::{IdentifierBase, IncrementError, ReleaseKind};
pub use crate::precedence::Identifier;
pub use crate::range::{
    Comparator, ComparatorSet, Interval, Operator, Prerelease, Range, Side, gtr, ltr,
};
pub use crate::satisfying::{max_satisfying, min_satisfying};
pub use crate::version::Version;
