//! The decisions of `module_versioning`, without a database: plain data in, plain data out.
#![forbid(unsafe_code)]

pub mod addition;
pub mod catalog;
pub mod checksum;
pub mod clause;
pub mod consequence;
pub mod content;
pub mod dependency;
pub mod destruction;
pub mod detail;
pub mod effect;
pub mod enum_value;
pub mod lineage;
pub mod lint;
pub mod lookup;
pub mod model;
pub mod moving;
pub mod naming;
pub mod passage;
pub mod plan;
pub mod plpgsql;
pub mod post_step;
pub mod registration;
pub mod rehearsal;
pub mod rekeying;
pub mod release;
pub mod release_policy;
pub mod rollout;
pub mod schema;
pub mod script;
pub mod slug;
pub mod snapshot;
pub mod solver;
pub mod status;
