//! The decisions of `module_versioning`, without a database: plain data in, plain data out.
#![forbid(unsafe_code)]

pub mod checksum;
pub mod consequence;
pub mod dependency;
pub mod effect;
pub mod enum_value;
pub mod lookup;
pub mod model;
pub mod naming;
pub mod plan;
pub mod post_step;
pub mod registration;
pub mod release;
pub mod rollout;
pub mod schema;
pub mod script;
pub mod slug;
pub mod snapshot;
pub mod solver;
pub mod status;
