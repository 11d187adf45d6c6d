//! The words of the domain: what a module, a migration and an installation are to every decision.

use npm_semver::Version;

/// An id as its sixteen bytes (a `uuid` in the database).
pub type Id = [u8; 16];

/// How the sites of a module share, or don't share, its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Shared tables; each row carries its site in the site column.
    Row,
    /// A schema of its own for each site.
    Schema,
}

impl Isolation {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Schema => "schema",
        }
    }

    /// The isolation of that word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "row" => Some(Self::Row),
            "schema" => Some(Self::Schema),
            _ => None,
        }
    }
}

/// Which way a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the newer version.
    Up,
    /// Back to the older version.
    Down,
}

impl Direction {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a migration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The tables that all sites share: it runs once in the database.
    Shared,
    /// One site: it runs for each.
    Site,
}

impl Scope {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Site => "site",
        }
    }

    /// The scope of that word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "shared" => Some(Self::Shared),
            "site" => Some(Self::Site),
            _ => None,
        }
    }
}

/// A registered migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its id.
    pub id: Id,
    /// The version it starts from, when it was registered with one.
    pub from_version: Option<Version>,
    /// The version it leads to.
    pub to_version: Version,
    /// Its place among the module's migrations.
    pub sequence: i32,
    /// What it changes.
    pub scope: Scope,
    /// The migration that does the same work on another line of versions.
    pub equivalent_of: Option<Id>,
    /// The script that applies it.
    pub up_sql: String,
    /// The script that undoes it, when there is one.
    pub down_sql: Option<String>,
    /// Whether it was registered as one that can be undone.
    pub is_reversible: bool,
    /// Whether it wants the site out of service.
    pub requires_maintenance: bool,
    /// How long it was said to take.
    pub estimated_duration_seconds: Option<i32>,
    /// What it was said to do.
    pub description: Option<String>,
    /// SHA-256 over its scripts, as [`crate::checksum::of_scripts`] computes it.
    pub checksum: String,
}
