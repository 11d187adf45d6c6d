//! How the planner sees `version <@ range` and `semver_satisfies`: as stretches of the order of
//! versions, which a btree can scan and of which the column's statistics know the share.
//!
//! The stretches hold every version of the range but, without prereleases, more than those: the
//! exact question is always asked too.

use std::ops::Bound;

use npm_semver::{Interval, Prerelease, Range, Version, stored};

use super::datum::{Semver, damaged};
use crate::error::Result;
use crate::pg::call::{Call, Raw, c_function};
use crate::pg::catalog;
use crate::pg::planner::{
    self, Comparison, Comparisons, Estimation, IndexCondition, Node, Request, Selectivity, Simplify,
};

c_function! {
    _semver_range_support_wrapper => support;
    _semver_exact_support_wrapper => exact_support;
    _semver_range_selectivity_wrapper => operator_selectivity;
    _semver_range_lower_wrapper => |call: &mut Call<'_>| limits(call).map(|limits| limits.map(|both| Semver(both.0)));
    _semver_range_upper_wrapper => |call: &mut Call<'_>| limits(call).map(|limits| limits.map(|both| Semver(both.1)));
}

/// A range of more stretches is scanned as one, from its lowest to its highest version.
const MOST_INTERVALS: usize = 32;
/// The share of rows assumed for a range that isn't known yet: PostgreSQL's own assumption for a
/// pair of bounds (`DEFAULT_RANGE_INEQ_SEL`).
const UNKNOWN_SHARE: f64 = 0.005;

/// The question whether a version is within a range, as it stands in a query.
struct Question {
    version: Node,
    range: Node,
    prerelease: Prerelease,
}

impl Question {
    /// `None` when it isn't known whether prereleases are included.
    fn new(arguments: &[Node]) -> Option<Self> {
        let (version, range) = (*arguments.first()?, *arguments.get(1)?);
        let include = match arguments.get(2) {
            Some(argument) => argument.constant_boolean()?.unwrap_or(false),
            None => false,
        };
        Some(Self {
            version,
            range,
            prerelease: include.into(),
        })
    }
}

/// A constant range; `None` when it isn't one, `Some(None)` when it is NULL or damaged, which is
/// left to the execution to find out.
fn constant_range(expression: Node) -> Option<Option<Range>> {
    let bytes = expression.constant_bytes()?;
    Some(bytes.and_then(|bytes| stored::decode_range(&bytes).ok()))
}

fn support(call: &Call<'_>) -> Raw {
    let answer = match call.node(0).and_then(Request::of) {
        Some(Request::IndexCondition(request)) => index_condition(request),
        Some(Request::Selectivity(request)) => function_selectivity(request),
        Some(Request::Simplify(request)) => as_intervals(&request),
        None => None,
    };
    answer.unwrap_or(Raw(pgrx::pg_sys::Datum::null()))
}

/// One scan from the lowest to the highest version of the range.
fn index_condition(request: IndexCondition) -> Option<Raw> {
    let question = Question::new(&request.arguments())?;
    let comparisons = Comparisons::of(question.version);
    if request.indexed_argument() != 0 || !request.is_ordered_by(&comparisons) {
        return None;
    }
    let conditions = match constant_range(question.range) {
        Some(range) => {
            let range = range?;
            conditions(
                &comparisons,
                question.version,
                covering(&range.intervals(question.prerelease)),
            )?
        }
        None if request.is_fixed(question.range) => {
            conditions_at_run_time(&request, &comparisons, &question)?
        }
        None => return None,
    };
    (!conditions.is_empty()).then(|| request.answer(conditions))
}

/// From the start of the first interval to the end of the last.
fn covering<'a>(intervals: &[Interval<'a>]) -> Option<Interval<'a>> {
    Some((intervals.first()?.0, intervals.last()?.1))
}

/// The conditions for a version to be in the interval: none if it is unlimited, and one that never
/// holds if there is no interval.
fn conditions(
    comparisons: &Comparisons,
    version: Node,
    interval: Option<Interval<'_>>,
) -> Option<Vec<Node>> {
    let compare = |comparison, bound: &Version| {
        let constant = comparisons.constant(&stored::encode_version(bound))?;
        comparisons.compare(version, comparison, constant)
    };
    let Some((lower, upper)) = interval else {
        return Some(vec![compare(Comparison::Less, &lowest())?]);
    };
    if let (Bound::Included(lower), Bound::Included(upper)) = (lower, upper)
        && lower == upper
    {
        return Some(vec![compare(Comparison::Equal, lower)?]);
    }
    let lower = match lower {
        Bound::Included(bound) => Some(compare(Comparison::GreaterOrEqual, bound)?),
        Bound::Excluded(bound) => Some(compare(Comparison::Greater, bound)?),
        Bound::Unbounded => None,
    };
    let upper = match upper {
        Bound::Included(bound) => Some(compare(Comparison::LessOrEqual, bound)?),
        Bound::Excluded(bound) => Some(compare(Comparison::Less, bound)?),
        Bound::Unbounded => None,
    };
    Some(lower.into_iter().chain(upper).collect())
}

/// The same when the range is known only when the scan starts: a parameter, or a column of another
/// table in a join.
fn conditions_at_run_time(
    request: &IndexCondition,
    comparisons: &Comparisons,
    question: &Question,
) -> Option<Vec<Node>> {
    let include = planner::boolean(question.prerelease == Prerelease::Include)?;
    let types = [
        catalog::extension_type("semver_range").ok()?,
        pgrx::pg_sys::BOOLOID,
    ];
    let condition = |function, comparison| {
        let function = request.sibling(function, &types)?;
        let limit = planner::call(function, comparisons.kind(), &[question.range, include])?;
        comparisons.compare(question.version, comparison, limit)
    };
    Some(vec![
        condition("_semver_range_lower", Comparison::GreaterOrEqual)?,
        condition("_semver_range_upper", Comparison::LessOrEqual)?,
    ])
}

/// The share of rows within the range, from the statistics of the version's column.
fn share(estimation: Estimation, question: &Question) -> Option<f64> {
    let Some(range) = constant_range(estimation.computed(question.range))? else {
        return Some(0.0);
    };
    let comparisons = Comparisons::of(question.version);
    let intervals = range.intervals(question.prerelease);
    let few = if intervals.len() > MOST_INTERVALS {
        covering(&intervals).into_iter().collect()
    } else {
        intervals
    };
    // Bounds close to each other look alike in a histogram; what is between them isn't nothing.
    let least = estimation.histogram_step(question.version) / 3.0;
    let mut sum = 0.0;
    for interval in few {
        let conditions = conditions(&comparisons, question.version, Some(interval))?;
        let is_between = conditions.len() > 1;
        let share = estimation.selectivity(conditions);
        sum += if is_between { share.max(least) } else { share };
    }
    Some(sum)
}

/// Support of the exact question that stands beside the intervals: those are estimated already.
fn exact_support(call: &Call<'_>) -> Raw {
    match call.node(0).and_then(Request::of) {
        Some(Request::Selectivity(request)) => request.answer(1.0),
        _ => Raw(pgrx::pg_sys::Datum::null()),
    }
}

fn function_selectivity(request: Selectivity) -> Option<Raw> {
    let (estimation, arguments) = request.estimation()?;
    let share = share(estimation, &Question::new(&arguments)?)?;
    Some(request.answer(share))
}

/// The restriction estimator of `<@`: operators have estimators where functions have support.
fn operator_selectivity(call: &Call<'_>) -> f64 {
    let estimate = || {
        let estimation = Estimation::new(call.pointer(0)?, call.integer(3)?);
        share(estimation, &Question::new(&call.node(2)?.members())?)
    };
    estimate().unwrap_or(UNKNOWN_SHARE).clamp(0.0, 1.0)
}

/// A range of several intervals as `exact question AND (in one interval OR in another …)`, which an
/// index answers with one scan per interval. The same is done wherever an expression stands, or a
/// partial index would not be known again in a query.
fn as_intervals(request: &Simplify) -> Option<Raw> {
    let question = Question::new(&request.arguments())?;
    if !question.version.is_column() {
        return None;
    }
    let range = constant_range(question.range)??;
    let intervals = range.intervals(question.prerelease);
    if !(2..=MOST_INTERVALS).contains(&intervals.len()) {
        return None;
    }
    let comparisons = Comparisons::of(question.version);
    let branches: Option<Vec<Node>> = intervals
        .into_iter()
        .map(|interval| {
            planner::all_of(conditions(&comparisons, question.version, Some(interval))?)
        })
        .collect();
    let types = [
        comparisons.kind(),
        catalog::extension_type("semver_range").ok()?,
        pgrx::pg_sys::BOOLOID,
    ];
    let include = planner::boolean(question.prerelease == Prerelease::Include)?;
    // Another function than the one that is replaced, or it would be replaced again and again.
    let exact = planner::call(
        request.sibling("_semver_satisfies", &types)?,
        pgrx::pg_sys::BOOLOID,
        &[question.version, question.range, include],
    )?;
    planner::all_of(vec![exact, planner::any_of(branches?)?]).map(Node::into_raw)
}

/// The lowest and the highest version that can be in a range; crossed when there is none.
fn limits(call: &Call<'_>) -> Result<Option<(Version, Version)>> {
    let (Some(bytes), Some(include)) = (call.bytes(0), call.boolean(1)) else {
        return Ok(None);
    };
    let range = stored::decode_range(&bytes).map_err(|problem| damaged("semver_range", problem))?;
    let Some((lower, upper)) = covering(&range.intervals(include.into())) else {
        return Ok(Some((highest(), lowest())));
    };
    let at = |bound: Bound<&Version>, beyond: fn() -> Version| match bound {
        Bound::Included(version) | Bound::Excluded(version) => version.clone(),
        Bound::Unbounded => beyond(),
    };
    Ok(Some((at(lower, lowest), at(upper, highest))))
}

/// Nothing is below.
fn lowest() -> Version {
    Version::parse("0.0.0-0").unwrap_or_else(|_| Version::new(0, 0, 0))
}

/// Nothing is above.
fn highest() -> Version {
    Version::new(u64::MAX, u64::MAX, u64::MAX)
}
