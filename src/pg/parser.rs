//! Scripts read by the server's own parser: what it makes of them, as plain data.
//!
//! The raw parse tree lives only while [`parse`] runs, in a memory context of its own; its walkers
//! (`refusal`, `effects`, `details`) turn it into the types of `versioning_core`.

mod details;
mod effects;
pub(in crate::pg) mod refusal;
#[cfg(any(test, feature = "pg_test"))]
#[allow(clippy::expect_used, reason = "a test may fail that way")]
mod tests;
mod top_level;
pub(in crate::pg) mod tree;

use std::ffi::{CString, c_void};

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use versioning_core::detail::Described;
use versioning_core::script::{self, LineCounter, Statement};

use crate::error::{Error, Raised, Result};
use crate::pg::{scope, subtransaction};

/// A script that the parser doesn't accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxFault {
    /// What the parser raised.
    pub raised: Raised,
    /// The statement it stopped in, from 1.
    pub statement_number: i32,
    /// The line where it stopped, from 1.
    pub line: i32,
    /// The character in that line, from 1.
    pub column: i32,
    /// The text from there to the end of the line.
    pub found: String,
}

/// What became of a script.
pub type Parsed<T = Statement> = std::result::Result<Vec<T>, SyntaxFault>;

/// Makes something of a statement: of its node and of what is known without a closer look.
type Reader<T> = unsafe fn(*mut pg_sys::Node, Statement) -> T;

/// Parses a script as the server does when it runs it, with `standard_conforming_strings` on.
/// A byte order mark at its start is left out.
///
/// # Errors
/// XX000 only: a script that the parser refuses is a value of [`Parsed`].
pub fn parse(text: &str) -> Result<Parsed> {
    read(text, |_, statement| statement)
}

/// As [`parse`], and each statement with all that its text tells.
///
/// # Errors
/// As [`parse`].
pub fn describe(text: &str) -> Result<Parsed<Described>> {
    read(text, |node, statement| Described {
        // SAFETY: `read` calls this with the node of a statement while its tree lives.
        details: unsafe { details::details(node) },
        statement,
    })
}

fn read<T>(text: &str, reader: Reader<T>) -> Result<Parsed<T>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    scope::with_settings(
        &[
            ("standard_conforming_strings", "on"),
            ("backslash_quote", "safe_encoding"),
            ("escape_string_warning", "off"),
        ],
        || match attempt(text, reader) {
            (Ok(statements), _) => Ok(Ok(statements)),
            (Err(Error::Raised(raised)), position) => Ok(Err(fault(text, raised, position))),
            (Err(error), _) => Err(error),
        },
    )
}

/// One run of the parser; beside its result the position, in characters from 1, that an error named.
fn attempt<T>(text: &str, reader: Reader<T>) -> (Result<Vec<T>>, i32) {
    let mut position = 0;
    // The context is older than the subtransaction: it can be deleted after that ended either way.
    let mut context = PgMemoryContexts::new("module_versioning parser");
    let result = subtransaction::in_subtransaction(|| {
        let c_text = CString::new(text).map_err(|_| Error::syntax("script has a NUL byte"))?;
        // SAFETY: switching to a context that lives until the end of this function.
        unsafe { context.switch_to(|_| statements(&c_text, text, reader, &mut position)) }
    });
    (result, position)
}

/// Notes where an error is while the parser raises it, for its report loses that on the way up.
struct PositionWatch {
    previous: *mut pg_sys::ErrorContextCallback,
}

impl Drop for PositionWatch {
    fn drop(&mut self) {
        // SAFETY: puts a global of the backend's main thread back.
        unsafe { pg_sys::error_context_stack = self.previous };
    }
}

unsafe extern "C-unwind" fn note_position(argument: *mut c_void) {
    // SAFETY: the argument is the i32 of `statements`, alive while its callback is on the stack, and
    // PostgreSQL calls this only while it builds a report, when geterrposition may be asked.
    unsafe { *argument.cast::<i32>() = pg_sys::geterrposition() };
}

fn statements<T>(
    c_text: &CString,
    text: &str,
    reader: Reader<T>,
    position: &mut i32,
) -> Result<Vec<T>> {
    // SAFETY: a valid C string; the callback lives on this stack frame and is unhooked by `watch`,
    // also when the parser raises. The list and its nodes lie in the current memory context.
    unsafe {
        let mut callback = pg_sys::ErrorContextCallback {
            previous: pg_sys::error_context_stack,
            callback: Some(note_position),
            arg: (&raw mut *position).cast(),
        };
        let watch = PositionWatch {
            previous: callback.previous,
        };
        pg_sys::error_context_stack = &raw mut callback;
        let list = pg_sys::raw_parser(c_text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        drop(watch);
        let mut lines = LineCounter::new(text);
        let nodes = tree::nodes(list);
        Ok((1..)
            .zip(nodes)
            .map(|(number, node)| {
                let statement = statement(number, node, text, &mut lines);
                reader((*node.cast::<pg_sys::RawStmt>()).stmt, statement)
            })
            .collect())
    }
}

/// # Safety
/// `node` is an element of the list that `raw_parser` made of `text`.
unsafe fn statement(
    number: i32,
    node: *mut pg_sys::Node,
    text: &str,
    lines: &mut LineCounter<'_>,
) -> Statement {
    // SAFETY: the elements of that list are RawStmts, by the contract of raw_parser.
    let raw = unsafe { &*node.cast::<pg_sys::RawStmt>() };
    let offset = |value: i32| usize::try_from(value).unwrap_or(0);
    let from = offset(raw.stmt_location);
    let end = if raw.stmt_len == 0 {
        text.len()
    } else {
        from + offset(raw.stmt_len)
    };
    let start = script::skip_blanks(text, from).min(end);
    pgrx::check_for_interrupts!();
    Statement {
        number,
        line: lines.line_of(start),
        text: text
            .get(start..end)
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        // SAFETY: the statement of a RawStmt is a node of the same tree.
        command: unsafe { tree::command_tag(raw.stmt) },
        // SAFETY: as above.
        refusal: unsafe { refusal::refusal(raw.stmt) },
        // SAFETY: as above.
        effects: unsafe { effects::effects(raw.stmt) },
        // SAFETY: as above.
        post_step: unsafe { top_level::post_step(raw.stmt) },
    }
}

fn fault(text: &str, raised: Raised, position: i32) -> SyntaxFault {
    let characters = usize::try_from(position).unwrap_or(0).saturating_sub(1);
    let offset = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(offset, _)| offset);
    let (line, column) = script::line_and_column(text, offset);
    let rest = text.get(offset..).unwrap_or_default();
    SyntaxFault {
        raised,
        statement_number: statements_before(text, offset).saturating_add(1),
        line,
        column,
        found: script::excerpt(rest.lines().next().unwrap_or_default(), 80),
    }
}

/// How many candidate ends of statements are tried: only the semicolons of a `BEGIN ATOMIC` body end
/// nothing, and few bodies have more statements.
const MOST_ATTEMPTS: usize = 100;

/// The number of statements in the longest part that ends at a semicolon before `offset` and parses.
fn statements_before(text: &str, offset: usize) -> i32 {
    let ends = script::semicolons(text)
        .into_iter()
        .filter(|end| *end <= offset);
    let candidates: Vec<usize> = ends.collect();
    candidates
        .into_iter()
        .rev()
        .take(MOST_ATTEMPTS)
        .find_map(|end| attempt(text.get(..end)?, |_, statement| statement).0.ok())
        .map_or(0, |statements| {
            i32::try_from(statements.len()).unwrap_or(i32::MAX - 1)
        })
}
