//! The hand-written unsafe of the extension, behind safe functions. It knows PostgreSQL, not modules
//! or sites; a decision never lives here.

pub mod argument;
pub mod call;
pub mod catalog;
pub mod copy_in;
pub mod field;
pub mod field_encoder;
pub mod hash;
pub mod helper_thread;
pub mod identity;
pub mod interrupt;
mod jsonb;
pub mod memory;
pub mod message;
pub mod notice;
mod numeric;
pub mod parser;
pub mod planner;
mod prepared;
pub mod publication;
pub mod query;
pub mod record;
pub mod row_set;
pub mod row_stream;
pub mod run_context;
pub mod scope;
pub mod script_guard;
pub mod session_lock;
pub mod setting;
pub mod soft_error;
pub mod sort_support;
pub mod subtransaction;
pub mod timer;
pub mod transaction;
pub mod varlena;
