//! Whether a version is within a range. The range is read once and remembered, for it is nearly
//! always the same one for all rows of a query.

use npm_semver::Prerelease;
use npm_semver::stored::{self, Matcher};

use super::datum::damaged;
use crate::error::Result;
use crate::pg::call::{Call, c_function};

c_function! {
    _semver_contained_by_wrapper => satisfies;
    _semver_satisfies_wrapper => satisfies;
    semver_satisfies_wrapper => satisfies;
}

/// A range as the last call had it, ready to be asked.
struct Known {
    /// Whether it is the range of every call: a constant of the query.
    is_fixed: bool,
    range: Vec<u8>,
    include_prerelease: bool,
    matcher: Matcher,
}

fn satisfies(call: &mut Call<'_>) -> Result<Option<bool>> {
    // What nearly all calls come to.
    if let Some(known) = call.remembered::<Known>()
        && known.is_fixed
        && let Some(version) = call.plain_bytes(0)
    {
        return Ok(Some(known.matcher.matches(version)));
    }
    let (Some(version), Some(range)) = (call.bytes(0), call.bytes(1)) else {
        return Ok(None);
    };
    let include_prerelease = call.boolean(2).unwrap_or(false);
    if let Some(known) = call.remembered::<Known>()
        && known.include_prerelease == include_prerelease
        && *known.range == *range
    {
        return Ok(Some(known.matcher.matches(&version)));
    }
    let mut known = read(&range, include_prerelease)?;
    known.is_fixed = call.are_constant(1..3);
    let matches = known.matcher.matches(&version);
    call.remember(known);
    Ok(Some(matches))
}

fn read(range: &[u8], include_prerelease: bool) -> Result<Known> {
    let decoded =
        stored::decode_range(range).map_err(|problem| damaged("semver_range", problem))?;
    Ok(Known {
        is_fixed: false,
        range: range.to_vec(),
        include_prerelease,
        matcher: Matcher::new(&decoded, Prerelease::from(include_prerelease)),
    })
}
