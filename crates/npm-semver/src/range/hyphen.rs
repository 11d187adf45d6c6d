//! Hyphen ranges: `1.2 - 3.4`.

use crate::error::Fault;
use crate::scan::Scanner;

use super::partial::Partial;
use super::segment::is_prefix;

/// Both ends of a hyphen range, each with the text of its prefix.
#[derive(Debug)]
pub(super) struct Hyphen<'a> {
    pub(super) from: (&'a str, Partial<'a>),
    pub(super) to: (&'a str, Partial<'a>),
}

impl<'a> Hyphen<'a> {
    /// Reads a whole branch, with single blanks, as a hyphen range. `None` when it is none: then
    /// its words must make sense one by one, which a lone `-` does not.
    pub(super) fn scan(text: &'a str) -> Option<Self> {
        // For so short a pattern, looking at each place is faster than a searcher.
        let hyphen = (text.as_bytes().windows(3)).position(|bytes| bytes == b" - ")?;
        let mut from = Scanner::new(text.get(..hyphen)?, 0);
        // A blank is left at either end where build metadata stood alone.
        from.eat(b' ');
        let mut to = Scanner::new(text, hyphen + 3);
        let ends = Self {
            from: scan_end(&mut from).ok()?,
            to: scan_end(&mut to).ok()?,
        };
        to.eat(b' ');
        (from.is_at_end() && to.is_at_end()).then_some(ends)
    }
}

fn scan_end<'a>(scanner: &mut Scanner<'a>) -> Result<(&'a str, Partial<'a>), Fault> {
    let prefix = scanner.run(is_prefix);
    Ok((prefix, Partial::scan(scanner)?))
}
