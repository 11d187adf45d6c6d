//! Which versions of which modules a site can run together, and if none can, why, in words.
//!
//! The search is `pubgrub`'s. Each module is a package whose choices are numbered: 0 stands for "not on the
//! site", the versions that may be chosen follow in ascending order. So a range is exactly the set of
//! choices that npm's rule accepts, prereleases included, and a conflict is the complement of one.
//!
//! The rules: the module asked for takes its newest version (or stays, when it is installed and was asked
//! for without a version); what is installed stays if it can, else goes up, never down and never away;
//! all else takes its newest version, a deprecated one only where nothing better fits; yanked versions
//! and drafts are never chosen, except that an installed version stays although it was yanked.

mod catalogue;
mod choice;
mod explanation;
mod module;
mod order;
mod provider;

use std::fmt;

use npm_semver::Version;
use serde_json::Value;

use self::catalogue::Catalogue;
use self::provider::Provider;
use crate::dependency::{ModuleKey, Requirement};
use crate::model::Id;
use crate::status::Status;

/// Where the solver learns what is registered. It asks for many things at a time, and for none twice.
pub trait Source {
    /// What may go wrong there.
    type Error: std::error::Error + 'static;

    /// The modules of those keys, in any order, without those that don't exist. (Two keys may name one.)
    ///
    /// # Errors
    /// The source's own.
    fn modules(&self, keys: &[ModuleKey]) -> Result<Vec<ModuleFacts>, Self::Error>;

    /// What the versions of those ids declare, in the order of the ids.
    ///
    /// # Errors
    /// The source's own.
    fn declarations(&self, versions: &[Id]) -> Result<Vec<Declaration>, Self::Error>;

    /// Called once per step of the search, to interrupt it.
    ///
    /// # Errors
    /// When it is to end.
    fn step(&self) -> Result<(), Self::Error>;
}

/// A registered module.
#[derive(Debug, Clone)]
pub struct ModuleFacts {
    /// Its id.
    pub id: Id,
    /// Its slug.
    pub slug: String,
    /// Its versions without drafts, ascending.
    pub versions: Vec<VersionFacts>,
}

/// A registered version.
#[derive(Debug, Clone)]
pub struct VersionFacts {
    /// Its id.
    pub id: Id,
    /// Its number.
    pub version: Version,
    /// Where it stands.
    pub status: Status,
    /// The lowest version of the platform it runs on.
    pub min_platform: Option<Version>,
}

/// What a version says of other modules.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Slug or id → the range it needs.
    pub dependencies: Value,
    /// Slug or id → the range it can't run beside.
    pub conflicts: Value,
}

/// Which version of the module is wanted.
#[derive(Debug, Clone)]
pub enum Demand {
    /// Any release; a prerelease only where no release is published. An installed one stays.
    Any,
    /// One in the range.
    Range(Requirement),
    /// This one.
    Exactly(Version),
}

/// A module that the site runs.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The module.
    pub module: Id,
    /// The version that is active.
    pub version: Version,
}

/// A question to the solver.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The slug of the site, for sentences about it.
    pub site: &'a str,
    /// The version of its platform, when that is known.
    pub platform: Option<&'a Version>,
    /// What it runs.
    pub installed: &'a [Installed],
    /// The module asked for.
    pub module: Id,
    /// Which versions of it will do.
    pub demand: Demand,
    /// How many steps the search may take; 0 = as many as it needs.
    pub step_limit: u64,
}

/// What becomes of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It comes to the site.
    Install,
    /// It goes to a higher version.
    Upgrade,
    /// It stays as it is.
    Keep,
}

impl Action {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Keep => "keep",
        }
    }
}

/// One module of a solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The module.
    pub module: Id,
    /// Its slug.
    pub slug: String,
    /// The version that is active now.
    pub installed: Option<Version>,
    /// The version chosen.
    pub version: Version,
    /// The id of the version chosen.
    pub version_id: Id,
    /// What becomes of it.
    pub action: Action,
    /// Who needs it, and in which range, as it was written: `blog >=1, shop ^1.2`.
    pub required_by: Option<String>,
}

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The derivation, in sentences.
    pub text: String,
    /// The slugs of installed modules that stand in the way.
    pub in_the_way: Vec<String>,
}

/// Why the solver returned nothing.
#[derive(Debug)]
pub enum Failure<E> {
    /// There is no solution.
    NoSolution(Explanation),
    /// The search took too many steps.
    TooManySteps,
    /// The source failed, or wanted the search to end.
    Source(E),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Source(error)
    }
}

/// Why the search stopped, as `pubgrub` carries it.
#[derive(Debug)]
enum Stop<E> {
    TooManySteps,
    Source(E),
}

impl<E: fmt::Display> fmt::Display for Stop<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySteps => formatter.write_str("too many steps"),
            Self::Source(error) => error.fmt(formatter),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Stop<E> {}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Source(error)
    }
}

impl<E> From<Stop<E>> for Failure<E> {
    fn from(stop: Stop<E>) -> Self {
        match stop {
            Stop::TooManySteps => Self::TooManySteps,
            Stop::Source(error) => Self::Source(error),
        }
    }
}

/// Finds the versions that the site can run together with the module asked for.
///
/// The members come in the order in which they are to be installed: what is needed before what needs it,
/// cycles broken at the module asked for, else at the slug that comes first. They are the module asked
/// for, what it needs directly or not, and every other module that has to change.
///
/// # Errors
/// When nothing fits, with the reason; when the search was cut short.
pub fn solve<S: Source>(
    source: &S,
    request: &Request<'_>,
) -> Result<Vec<Member>, Failure<S::Error>> {
    let catalogue = Catalogue::open(source, request)?;
    let provider = Provider::new(catalogue, request);
    provider.fetch_likely().map_err(Failure::from)?;
    match provider.search() {
        Ok(selected) => Ok(order::members(&provider.into_catalogue(), &selected)),
        Err(provider::Refusal::Stopped(stop)) => Err(stop.into()),
        Err(provider::Refusal::NoSolution(tree)) => Err(Failure::NoSolution(explanation::explain(
            &provider.into_catalogue(),
            request,
            &tree,
        ))),
    }
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
