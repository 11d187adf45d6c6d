//! Whether a query does nothing but read tables and compute: asked before text that a script brought is
//! run to count something.

use std::ffi::{CStr, CString, c_void};

use pgrx::pg_guard;
use pgrx::pg_sys::{self, CmdType, NodeTag, RTEKind};

use crate::error::{Error, Result};
use crate::pg::tree_walk;

/// The schema whose `current_…` functions a script may call.
const OWN_SCHEMA: &CStr = c"module_versioning";

/// Whether the query reads ordinary tables only and calls nothing but built-in functions that compute.
/// Its parameters have the types `types`.
///
/// # Errors
/// XX000 for a NUL byte. What PostgreSQL says against the query it raises.
pub fn only_computes(query: &str, types: &[pg_sys::Oid]) -> Result<bool> {
    let text = CString::new(query).map_err(|_| Error::internal("a query has a NUL byte"))?;
    let count = i32::try_from(types.len())
        .map_err(|_| Error::internal("a query has too many parameters"))?;
    // SAFETY: a valid C string and an array of `count` types, all alive during the calls; the trees lie in
    // the current memory context. Analysis writes into the raw tree, which is ours alone.
    unsafe {
        let list = pg_sys::raw_parser(text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        let statements = pgrx::PgList::<pg_sys::RawStmt>::from_pg(list);
        let (Some(statement), 1) = (statements.get_ptr(0), statements.len()) else {
            return Ok(false);
        };
        let analyzed = pg_sys::parse_analyze_fixedparams(
            statement,
            text.as_ptr(),
            types.as_ptr(),
            count,
            std::ptr::null_mut(),
        );
        Ok(!tree_walk::walk(
            analyzed.cast(),
            visit,
            std::ptr::null_mut(),
        ))
    }
}

/// True, which ends the walk, for a node that does more.
#[pg_guard]
unsafe extern "C-unwind" fn visit(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: called with nodes of an analyzed tree; each cast follows the tag.
    unsafe {
        if node.is_null() {
            return false;
        }
        match (*node).type_ {
            NodeTag::T_Query => {
                let query = node.cast::<pg_sys::Query>();
                if (*query).commandType != CmdType::CMD_SELECT
                    || (*query).hasModifyingCTE
                    || !(*query).rowMarks.is_null()
                    || !(*query).utilityStmt.is_null()
                {
                    return true;
                }
                let flags = pg_sys::QTW_EXAMINE_RTES_BEFORE as i32;
                tree_walk::below_query(query, visit, context, flags)
            }
            // The walk itself goes on into its parts.
            NodeTag::T_RangeTblEntry => !is_plain(&*node.cast()),
            NodeTag::T_CoerceToDomain | NodeTag::T_NextValueExpr => true,
            _ => {
                pg_sys::check_functions_in_node(node, Some(is_more), context)
                    || tree_walk::below(node, visit, context)
            }
        }
    }
}

/// Whether what a FROM item reads is a table, or made of the query's own parts.
unsafe fn is_plain(entry: &pg_sys::RangeTblEntry) -> bool {
    match entry.rtekind {
        RTEKind::RTE_RELATION => matches!(
            entry.relkind as u8,
            pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE
        ),
        RTEKind::RTE_TABLEFUNC | RTEKind::RTE_NAMEDTUPLESTORE => false,
        _ => true,
    }
}

/// Whether a function is more than a built-in one that computes.
#[pg_guard]
unsafe extern "C-unwind" fn is_more(function: pg_sys::Oid, _context: *mut c_void) -> bool {
    // SAFETY: look-ups in the server's caches by a function's number.
    unsafe {
        if function.to_u32() < pg_sys::FirstNormalObjectId {
            return pg_sys::func_volatile(function) as u8 == pg_sys::PROVOLATILE_VOLATILE;
        }
        let schema = pg_sys::get_namespace_oid(OWN_SCHEMA.as_ptr(), true);
        let name = pg_sys::get_func_name(function);
        let is_own = pg_sys::get_func_namespace(function) == schema
            && !name.is_null()
            && CStr::from_ptr(name).to_bytes().starts_with(b"current_");
        !is_own
    }
}
