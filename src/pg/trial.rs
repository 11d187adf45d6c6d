//! What is noted, and what is not let through, while a script is only tried: work that undoing the trial
//! would not undo.
//!
//! The script guard calls in here for every utility statement and function call, so that a DO block hides
//! nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::CStr;
use std::rc::Rc;

use pgrx::pg_sys::{self, NodeTag};

use crate::error::{Error, Result};
use crate::pg::parser::tree;

/// What was noted.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// What was not let through, in words.
    pub refused: Option<String>,
    /// Commands that change what all databases of the server share.
    pub cluster_wide: BTreeSet<String>,
    /// Whether tables would have been analyzed.
    pub analyzes: bool,
    /// Settings that the script changed for longer than itself.
    pub settings: BTreeSet<String>,
    /// Columns whose values a USING computed that is more than a cast: by table and name.
    pub computed: BTreeSet<(u32, String)>,
    truncated: BTreeSet<u32>,
    objects: BTreeSet<(u32, i32)>,
}

/// What is done before the first setval().
pub type Shield = Rc<dyn Fn() -> Result<()>>;

thread_local! {
    static NOTES: RefCell<Option<Notes>> = const { RefCell::new(None) };
    static SHIELD: RefCell<Option<Shield>> = const { RefCell::new(None) };
}

/// Stops noting when dropped, also while an error passes through.
struct Trying;

impl Drop for Trying {
    fn drop(&mut self) {
        NOTES.set(None);
        SHIELD.set(None);
    }
}

/// Runs `body` as a trial. `shield` is called before the first setval(), which no rollback takes back: it
/// gives the sequences files of their own.
pub fn trying<R>(shield: Shield, body: impl FnOnce() -> R) -> (R, Notes) {
    SHIELD.set(Some(shield));
    NOTES.set(Some(Notes::default()));
    let end = Trying;
    let result = body();
    let notes = NOTES.take().unwrap_or_default();
    drop(end);
    (result, notes)
}

fn note(write: impl FnOnce(&mut Notes)) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes {
            write(notes);
        }
    });
}

fn is_trying() -> bool {
    NOTES.with_borrow(Option::is_some)
}

/// An object of the catalog, or a part of it, is new, changed or gone.
pub fn note_object(object: u32, part: i32) {
    note(|notes| {
        notes.objects.insert((object, part));
    });
}

/// The objects that became new, changed or gone since the last call.
pub fn take_objects() -> BTreeSet<(u32, i32)> {
    let mut taken = BTreeSet::new();
    note(|notes| taken = std::mem::take(&mut notes.objects));
    taken
}

/// A TRUNCATE is about to empty a table.
pub fn note_truncated(table: u32) {
    note(|notes| {
        notes.truncated.insert(table);
    });
}

/// The tables emptied since the last call.
pub fn take_truncated() -> Vec<u32> {
    let mut taken = Vec::new();
    note(|notes| taken = std::mem::take(&mut notes.truncated).into_iter().collect());
    taken
}

fn refuse(what: String) -> Error {
    note(|notes| notes.refused = Some(what.clone()));
    Error::not_supported(format!("{what} can't be rehearsed"))
        .detail("Undoing the rehearsal would not undo it.")
        .hint("Rehearse the script without it.")
}

/// Whether a utility statement is passed over without a word to the script: ANALYZE writes statistics
/// that stay, and changes nothing else.
///
/// # Safety
/// A utility statement that is about to run.
pub unsafe fn passes_over(node: *mut pg_sys::Node) -> bool {
    // SAFETY: by the caller's word, and the cast follows the tag.
    let is_analyze = unsafe {
        tree::tag(node) == NodeTag::T_VacuumStmt
            && !(*node.cast::<pg_sys::VacuumStmt>()).is_vacuumcmd
    };
    if is_analyze {
        note(|notes| notes.analyzes = true);
    }
    is_analyze && is_trying()
}

/// # Safety
/// A utility statement that is about to run.
///
/// # Errors
/// 0A000 for what can't be undone.
pub unsafe fn allow_utility(node: *mut pg_sys::Node) -> Result<()> {
    if !is_trying() {
        return Ok(());
    }
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let command = || tree::command_tag(node);
        match tree::tag(node) {
            NodeTag::T_CopyStmt => {
                let copy = &*node.cast::<pg_sys::CopyStmt>();
                if !copy.is_from && (copy.is_program || !copy.filename.is_null()) {
                    return Err(refuse("COPY TO a file or program".to_owned()));
                }
                if copy.is_from && copy.is_program {
                    return Err(refuse("COPY FROM a program".to_owned()));
                }
            }
            NodeTag::T_CheckPointStmt => return Err(refuse(command())),
            NodeTag::T_VariableSetStmt => note_setting(&*node.cast()),
            NodeTag::T_AlterTableStmt => note_computed(&*node.cast()),
            NodeTag::T_CreateRoleStmt
            | NodeTag::T_AlterRoleStmt
            | NodeTag::T_AlterRoleSetStmt
            | NodeTag::T_DropRoleStmt
            | NodeTag::T_GrantRoleStmt
            | NodeTag::T_AlterDatabaseStmt
            | NodeTag::T_AlterDatabaseSetStmt
            | NodeTag::T_AlterTableSpaceOptionsStmt => {
                let command = command();
                note(|notes| {
                    notes.cluster_wide.insert(command);
                });
            }
            NodeTag::T_RenameStmt => {
                let rename = &*node.cast::<pg_sys::RenameStmt>();
                use pg_sys::ObjectType as Kind;
                if matches!(
                    rename.renameType,
                    Kind::OBJECT_ROLE | Kind::OBJECT_DATABASE | Kind::OBJECT_TABLESPACE
                ) {
                    let command = command();
                    note(|notes| {
                        notes.cluster_wide.insert(command);
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// # Safety
/// An ALTER TABLE as the parser made it.
unsafe fn note_computed(alter: &pg_sys::AlterTableStmt) {
    // SAFETY: by the caller's word; what `def` is follows from the subtype. Without a lock and with
    // missing_ok the look-up only raises what the statement itself is about to.
    unsafe {
        for node in tree::nodes(alter.cmds) {
            let command = &*node.cast::<pg_sys::AlterTableCmd>();
            if command.subtype != pg_sys::AlterTableType::AT_AlterColumnType {
                continue;
            }
            let Some(column) = tree::text(command.name) else {
                continue;
            };
            let using = (*command.def.cast::<pg_sys::ColumnDef>()).raw_default;
            if using.is_null() || is_cast_of(using, &column) {
                continue;
            }
            let table = pg_sys::RangeVarGetRelidExtended(
                alter.relation,
                pg_sys::NoLock as pg_sys::LOCKMODE,
                pg_sys::RVROption::RVR_MISSING_OK,
                None,
                std::ptr::null_mut(),
            );
            note(|notes| {
                notes.computed.insert((table.to_u32(), column));
            });
        }
    }
}

/// Whether an expression is the column itself, cast any number of times.
///
/// # Safety
/// An expression of a raw parse tree.
unsafe fn is_cast_of(mut node: *mut pg_sys::Node, column: &str) -> bool {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        loop {
            match tree::tag(node) {
                NodeTag::T_TypeCast => node = (*node.cast::<pg_sys::TypeCast>()).arg,
                NodeTag::T_ColumnRef => {
                    let names = tree::strings((*node.cast::<pg_sys::ColumnRef>()).fields);
                    return names.last().is_some_and(|name| name == column);
                }
                _ => return false,
            }
        }
    }
}

/// # Safety
/// A SET or RESET.
unsafe fn note_setting(set: &pg_sys::VariableSetStmt) {
    use pg_sys::VariableSetKind as Kind;
    if set.is_local || set.kind == Kind::VAR_SET_MULTI {
        return;
    }
    // SAFETY: by the caller's word.
    let name = unsafe { tree::text(set.name) }.unwrap_or_else(|| "all settings".to_owned());
    note(|notes| {
        notes.settings.insert(name);
    });
}

/// Functions of the server whose work outlives a rollback.
const LASTING: &[u32] = &[
    pg_sys::F_PG_CREATE_PHYSICAL_REPLICATION_SLOT,
    pg_sys::F_PG_CREATE_LOGICAL_REPLICATION_SLOT,
    pg_sys::F_PG_COPY_PHYSICAL_REPLICATION_SLOT_NAME_NAME,
    pg_sys::F_PG_COPY_PHYSICAL_REPLICATION_SLOT_NAME_NAME_BOOL,
    pg_sys::F_PG_COPY_LOGICAL_REPLICATION_SLOT_NAME_NAME,
    pg_sys::F_PG_COPY_LOGICAL_REPLICATION_SLOT_NAME_NAME_BOOL,
    pg_sys::F_PG_COPY_LOGICAL_REPLICATION_SLOT_NAME_NAME_BOOL_NAME,
    pg_sys::F_PG_DROP_REPLICATION_SLOT,
    pg_sys::F_PG_REPLICATION_SLOT_ADVANCE,
    pg_sys::F_PG_REPLICATION_ORIGIN_SESSION_SETUP,
    pg_sys::F_PG_RELOAD_CONF,
    pg_sys::F_PG_ROTATE_LOGFILE,
    pg_sys::F_PG_SWITCH_WAL,
    pg_sys::F_PG_CREATE_RESTORE_POINT,
    pg_sys::F_PG_TERMINATE_BACKEND,
    pg_sys::F_PG_CANCEL_BACKEND,
    pg_sys::F_PG_STAT_RESET,
    pg_sys::F_PG_STAT_RESET_SHARED,
    pg_sys::F_PG_STAT_RESET_SINGLE_TABLE_COUNTERS,
    pg_sys::F_PG_STAT_RESET_SINGLE_FUNCTION_COUNTERS,
    pg_sys::F_PG_STAT_RESET_SLRU,
    pg_sys::F_LO_EXPORT,
];

/// Names of functions whose work outlives a rollback, for those whose number depends on the version of
/// the server or belongs to an extension that talks to other servers.
const LASTING_NAMES: &[&str] = &["pg_logical_emit_message", "pg_file_write", "pg_file_unlink"];
/// The row of `pg_language` for C.
const C_LANGUAGE: u32 = 13;
const LASTING_PREFIX: &str = "dblink";
/// The same for those of the server itself.
const LASTING_BUILT_IN: &[&str] = &[
    "pg_backup_",
    "pg_promote",
    "pg_replication_origin_",
    "pg_stat_reset",
    "pg_sync_replication_slots",
    "pg_wal_replay_",
];

/// A function is about to be called.
///
/// # Errors
/// 0A000 for one whose work can't be undone.
pub fn allow_function(function: pg_sys::Oid) -> Result<()> {
    if !is_trying() {
        return Ok(());
    }
    let setval = [
        pg_sys::F_SETVAL_REGCLASS_INT8,
        pg_sys::F_SETVAL_REGCLASS_INT8_BOOL,
    ];
    if setval.contains(&function.to_u32()) {
        return SHIELD.take().map_or(Ok(()), |shield| shield());
    }
    // SAFETY: a look-up in the server's cache: NULL or a palloc'd string, copied.
    let name = unsafe {
        let name = pg_sys::get_func_name(function);
        if name.is_null() {
            return Ok(());
        }
        CStr::from_ptr(name).to_string_lossy().into_owned()
    };
    let lasts = LASTING.contains(&function.to_u32())
        || LASTING_NAMES.contains(&name.as_str())
        || function.to_u32() < pg_sys::FirstNormalObjectId
            && LASTING_BUILT_IN.iter().any(|one| name.starts_with(one))
        || (name.starts_with(LASTING_PREFIX) && is_written_in_c(function));
    if lasts {
        Err(refuse(format!("{name}()")))
    } else {
        Ok(())
    }
}

fn is_written_in_c(function: pg_sys::Oid) -> bool {
    // SAFETY: a look-up in the server's cache, released below; the tuple of pg_proc has this struct.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(
            pg_sys::SysCacheIdentifier::PROCOID as i32,
            pg_sys::Datum::from(function),
        );
        if tuple.is_null() {
            return false;
        }
        let form = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_proc>();
        let language = (*form).prolang;
        pg_sys::ReleaseSysCache(tuple);
        language == pg_sys::Oid::from(C_LANGUAGE)
    }
}
