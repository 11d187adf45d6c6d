//! The one error type of the extension, and the only place that turns an error into a PostgreSQL report.
//!
//! Every failure belongs to a family; the family decides the SQLSTATE. The message names the thing in
//! lower case without a period, DETAIL and HINT are full sentences.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::PgSqlErrorCode;

/// What every function inside the extension returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What every `#[pg_extern]` returns: the error is already a report with SQLSTATE, DETAIL and HINT.
pub type SqlResult<T> = std::result::Result<T, ErrorReport>;

/// The words of an error: message, and where they help, DETAIL and HINT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Lower case, no period, names quoted.
    pub message: String,
    /// Full sentences with the facts.
    pub detail: Option<String>,
    /// Full sentences with the way out.
    pub hint: Option<String>,
}

/// An error that PostgreSQL raised while it worked for us, kept as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The code as pgrx knows it; an unknown one is already `ERRCODE_INTERNAL_ERROR` here.
    pub code: PgSqlErrorCode,
    /// Message, DETAIL and HINT of the original report.
    pub words: Words,
}

/// What kind of failure it is; it decides the SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Text that is no version or range: 22P02.
    InvalidText,
    /// An argument outside what the function takes: 22023.
    InvalidArgument,
    /// A script that the server's parser refuses: 42601.
    Syntax,
    /// A row or object that is not there: 42704.
    NotFound,
    /// A row or object that is there already: 23505.
    AlreadyExists,
    /// The right thing at the wrong moment: 55000.
    WrongState,
    /// Others depend on it: 2BP01.
    StillNeeded,
    /// Somebody else holds the lock: 55P03.
    Busy,
    /// The caller may not do this: 42501.
    NotAllowed,
    /// A statement that PostgreSQL runs only outside a transaction block: 25001.
    NeedsTopLevel,
    /// A change in a transaction that may only read: 25006.
    ReadOnly,
    /// Transaction control in a script: 2D000.
    TransactionControl,
    /// Something PostgreSQL or this extension does not do: 0A000.
    NotSupported,
    /// A search that would take too long: 54000.
    LimitExceeded,
    /// Others changed what was decided upon: 40001.
    ChangedMeanwhile,
    /// A new enum value used before the transaction that added it has committed: 55P04.
    UnsafeEnumValue,
    /// Something that took longer than it may: 57014.
    TimedOut,
    /// A snapshot whose bytes are not what was written: XX001.
    DamagedSnapshot,
    /// More than the server is configured for: 53400.
    BeyondConfiguration,
    /// The operating system refuses to read or write a file: 58030.
    InputOutput,
    /// A broken expectation of this extension about itself: XX000.
    Internal,
}

impl Family {
    /// The SQLSTATE.
    pub fn code(self) -> PgSqlErrorCode {
        match self {
            Self::InvalidText => PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            Self::InvalidArgument => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            Self::Syntax => PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
            Self::NotFound => PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            Self::AlreadyExists => PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION,
            Self::WrongState => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Self::StillNeeded => PgSqlErrorCode::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
            Self::Busy => PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
            Self::NotAllowed => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Self::NeedsTopLevel => PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
            Self::ReadOnly => PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
            Self::TransactionControl => PgSqlErrorCode::ERRCODE_INVALID_TRANSACTION_TERMINATION,
            Self::NotSupported => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            Self::LimitExceeded => PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            Self::ChangedMeanwhile => PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            Self::UnsafeEnumValue => PgSqlErrorCode::ERRCODE_UNSAFE_NEW_ENUM_VALUE_USAGE,
            Self::TimedOut => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
            Self::DamagedSnapshot => PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
            Self::BeyondConfiguration => PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            Self::InputOutput => PgSqlErrorCode::ERRCODE_IO_ERROR,
            Self::Internal => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
        }
    }
}

/// A failure. Its message is the `Display` text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// One that this extension found.
    #[error("{}", .words.message)]
    Found {
        /// What kind it is.
        family: Family,
        /// What it says.
        words: Words,
    },
    /// One that PostgreSQL raised, passed on as it was.
    #[error("{}", .0.words.message)]
    Raised(Raised),
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $function:ident => $family:ident;)*) => {
        impl Error {
            $($(#[$doc])* pub fn $function(message: impl Into<String>) -> Self {
                let words = Words { message: message.into(), detail: None, hint: None };
                Self::Found { family: Family::$family, words }
            })*
        }
    };
}

constructors! {
    /// 22P02.
    invalid_text => InvalidText;
    /// 22023.
    invalid_argument => InvalidArgument;
    /// 42601.
    syntax => Syntax;
    /// 42704.
    not_found => NotFound;
    /// 23505.
    already_exists => AlreadyExists;
    /// 55000.
    wrong_state => WrongState;
    /// 2BP01.
    still_needed => StillNeeded;
    /// 55P03.
    busy => Busy;
    /// 42501.
    not_allowed => NotAllowed;
    /// 25001.
    needs_top_level => NeedsTopLevel;
    /// 25006.
    read_only => ReadOnly;
    /// 2D000.
    transaction_control => TransactionControl;
    /// 0A000.
    not_supported => NotSupported;
    /// 54000.
    limit_exceeded => LimitExceeded;
    /// 40001.
    changed_meanwhile => ChangedMeanwhile;
    /// 55P04.
    unsafe_enum_value => UnsafeEnumValue;
    /// 57014.
    timed_out => TimedOut;
    /// XX001.
    damaged_snapshot => DamagedSnapshot;
    /// 53400.
    beyond_configuration => BeyondConfiguration;
    /// 58030.
    input_output => InputOutput;
    /// XX000.
    internal => Internal;
}

impl Error {
    /// The same error with a DETAIL.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.words_mut().detail = Some(detail.into());
        self
    }

    /// The same error with a HINT.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.words_mut().hint = Some(hint.into());
        self
    }

    /// Message, DETAIL and HINT.
    pub fn words(&self) -> &Words {
        match self {
            Self::Found { words, .. } => words,
            Self::Raised(raised) => &raised.words,
        }
    }

    fn words_mut(&mut self) -> &mut Words {
        match self {
            Self::Found { words, .. } => words,
            Self::Raised(raised) => &mut raised.words,
        }
    }

    /// The SQLSTATE.
    pub fn code(&self) -> PgSqlErrorCode {
        match self {
            Self::Found { family, .. } => family.code(),
            Self::Raised(raised) => raised.code,
        }
    }

    /// Whether a constraint of a table refused something (class 23).
    pub fn is_constraint(&self) -> bool {
        self.sqlstate().starts_with("23")
    }

    /// Whether a value was refused: by a constraint, or by its type, or by what a check or a generated column
    /// computes from it (classes 23, 22 and P0).
    pub fn is_refusal(&self) -> bool {
        let state = self.sqlstate();
        ["22", "23", "P0"]
            .iter()
            .any(|class| state.starts_with(class))
    }

    /// The SQLSTATE as its five characters.
    pub fn sqlstate(&self) -> String {
        sqlstate_text(self.code())
    }
}

/// The five characters of an error code (`MAKE_SQLSTATE` of PostgreSQL's `elog.h`, read backwards).
pub fn sqlstate_text(code: PgSqlErrorCode) -> String {
    let packed = code as i32;
    (0..5)
        .map(|place| char::from((((packed >> (6 * place)) & 0x3f) as u8).wrapping_add(b'0')))
        .collect()
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let words = error.words();
        let mut report = ErrorReport::new(error.code(), words.message.clone(), "");
        if let Some(detail) = &words.detail {
            report = report.set_detail(detail.clone());
        }
        if let Some(hint) = &words.hint {
            report = report.set_hint(hint.clone());
        }
        report
    }
}
