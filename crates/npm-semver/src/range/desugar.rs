//! From text to comparators: what `^`, `~`, `x` and ` - ` stand for.

use crate::error::{Fault, Problem};
use crate::scan::{MAX_VERSION_LENGTH, Scanner};
use crate::version::Version;

use super::Prerelease;
use super::comparator::{Comparator, ComparatorSet, Operator};
use super::hyphen::Hyphen;
use super::partial::{Partial, Shorthand, Word};
use super::segment::Segment;
use super::union::{Union, simplified_set};

/// Reads a range in one mode. Also tells whether the other mode could read it differently.
pub(super) fn desugar(text: &str, prerelease: Prerelease) -> Result<(Union, bool), Fault> {
    let mut sets = Vec::new();
    let mut depends_on_mode = false;
    let mut start = 0;
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (branch, behind) = split_branch(text);
        let mut segment = Segment::new(branch, start);
        let mut builder = Builder::new(prerelease);
        let set = builder
            .read(&mut segment)
            .map_err(|fault| Fault::new(fault.problem, segment.position(fault.position)))?;
        depends_on_mode |= builder.depends_on_mode;
        // Beside a `*` no other branch counts, so there is no need to collect them.
        if set.is_any() {
            sets.clear();
        }
        if !sets.first().is_some_and(ComparatorSet::is_any) {
            sets.push(set);
        }
        start += branch.len() + 2;
        rest = behind;
    }
    Ok((Union::simplified(sets), depends_on_mode))
}

/// What stands before the first `||`, and what behind it.
fn split_branch(text: &str) -> (&str, Option<&str>) {
    let bars = text.as_bytes().windows(2).position(|bytes| bytes == b"||");
    match bars.and_then(|bars| text.split_at_checked(bars)) {
        Some((branch, behind)) => (branch, behind.get(2..)),
        None => (text, None),
    }
}

/// Collects the comparators of one branch.
struct Builder {
    prerelease: Prerelease,
    comparators: Vec<Comparator>,
    depends_on_mode: bool,
}

impl Builder {
    fn new(prerelease: Prerelease) -> Self {
        Self {
            prerelease,
            comparators: Vec::new(),
            depends_on_mode: false,
        }
    }

    fn read(&mut self, segment: &mut Segment<'_>) -> Result<ComparatorSet, Fault> {
        if let Some(hyphen) = Hyphen::scan(segment.text()) {
            self.hyphen(&hyphen)?;
        } else {
            segment.glue_operators();
            self.words(segment.text())?;
        }
        Ok(simplified_set(std::mem::take(&mut self.comparators)))
    }

    fn words(&mut self, text: &str) -> Result<(), Fault> {
        let mut start = 0;
        for word in text.split(' ') {
            // An empty word has every version.
            if !word.is_empty() {
                self.word(text, start, word)?;
            }
            start += word.len() + 1;
        }
        Ok(())
    }

    fn word(&mut self, text: &str, start: usize, word: &str) -> Result<(), Fault> {
        match Word::scan(&mut Scanner::new(text, start)) {
            Ok(word) => self.expand(&word),
            Err(fault) => self.starred(word, start).unwrap_or(Err(fault)),
        }
    }

    /// npm drops the first `*`, with an operator before it, from a word that it could not read,
    /// and then takes a complete version: `*1.2.3` is `1.2.3`. `None` when there is no `*`.
    fn starred(&mut self, word: &str, start: usize) -> Option<Result<(), Fault>> {
        let (before, after) = word.split_once('*')?;
        let before = before.strip_suffix('=').unwrap_or(before);
        let before = before
            .strip_suffix('<')
            .or_else(|| before.strip_suffix('>'))
            .unwrap_or(before);
        let text = [before, after].concat();
        if text.is_empty() {
            return Some(Ok(()));
        }
        let result = self.complete_text(&text);
        Some(result.map_err(|fault| Fault::new(fault.problem, start)))
    }

    /// An operator and a complete version, which may have build metadata here.
    fn complete_text(&mut self, text: &str) -> Result<(), Fault> {
        let mut scanner = Scanner::new(text, 0);
        let operator = Operator::scan(&mut scanner);
        let start = scanner.position();
        let has_v = scanner.eat(b'v');
        let partial = Partial::scan(&mut scanner)?;
        let has_build = scanner.eat(b'+');
        if has_build {
            scanner.build()?;
        }
        if !(scanner.is_at_end() && partial.is_complete()) {
            return Err(scanner.unexpected(Problem::ExpectedDigit));
        }
        if text.len() - start > MAX_VERSION_LENGTH {
            return Err(Fault::new(Problem::TooLong, start));
        }
        self.compare(operator, partial.version()?, !(has_v || has_build));
        Ok(())
    }

    fn expand(&mut self, word: &Word<'_>) -> Result<(), Fault> {
        let partial = &word.partial;
        match word.shorthand {
            Shorthand::Caret => self.caret(partial),
            Shorthand::Tilde => self.tilde(partial),
            Shorthand::Operator(operator) => {
                if partial.has_number_after_wildcard() {
                    Err(Fault::new(Problem::NumberAfterWildcard, partial.position))
                } else if partial.is_complete() {
                    self.complete(operator, word.prefix, partial)
                } else {
                    self.wildcard(operator, partial)
                }
            }
        }
    }

    fn caret(&mut self, partial: &Partial<'_>) -> Result<(), Fault> {
        if partial.major.is_wildcard() {
            return Ok(());
        }
        self.lower(partial)?;
        if !partial.major.is_zero() || partial.minor.is_wildcard() {
            self.below(partial.major.next()?, 0, 0);
        } else if !partial.minor.is_zero() || partial.patch.is_wildcard() {
            self.below(0, partial.minor.next()?, 0);
        } else {
            self.below(0, 0, partial.patch.next()?);
        }
        Ok(())
    }

    fn tilde(&mut self, partial: &Partial<'_>) -> Result<(), Fault> {
        if partial.major.is_wildcard() {
            return Ok(());
        }
        self.lower(partial)?;
        self.below_next(partial)
    }

    /// A version with a wildcard in it, behind an operator.
    fn wildcard(&mut self, operator: Operator, partial: &Partial<'_>) -> Result<(), Fault> {
        if partial.major.is_wildcard() {
            if matches!(operator, Operator::Less | Operator::Greater) {
                self.below(0, 0, 0);
            }
            return Ok(());
        }
        match operator {
            Operator::Equal => {
                self.lower(partial)?;
                self.below_next(partial)
            }
            Operator::GreaterOrEqual => self.lower(partial),
            Operator::LessOrEqual => self.below_next(partial),
            Operator::Less => {
                self.below(partial.major.value()?, partial.minor.value()?, 0);
                Ok(())
            }
            Operator::Greater => {
                let (major, minor) = if partial.minor.is_wildcard() {
                    (partial.major.next()?, 0)
                } else {
                    (partial.major.value()?, partial.minor.next()?)
                };
                self.lowest(Version::new(major, minor, 0));
                Ok(())
            }
        }
    }

    fn hyphen(&mut self, hyphen: &Hyphen<'_>) -> Result<(), Fault> {
        let (prefix, from) = &hyphen.from;
        if from.is_complete() && from.prerelease.is_empty() {
            let has_v = check_prefix(without_blank(prefix), from)?;
            let version = from.version()?;
            self.lowest_of_text(version, has_v);
        } else if from.is_complete() {
            self.complete(Operator::GreaterOrEqual, without_blank(prefix), from)?;
        } else if !from.major.is_wildcard() {
            // What stands behind the first wildcard is not looked at.
            self.lower(from)?;
        }
        let (prefix, to) = &hyphen.to;
        if to.is_complete() {
            self.highest(without_blank(prefix), to)
        } else if to.major.is_wildcard() {
            Ok(())
        } else {
            self.below_next(to)
        }
    }

    /// The upper end of a hyphen range that is a complete version.
    fn highest(&mut self, prefix: &str, to: &Partial<'_>) -> Result<(), Fault> {
        let version = to.version()?;
        if to.prerelease.is_empty() {
            check_prefix(prefix, to)?;
            self.depends_on_mode = true;
            // Nothing is above the largest patch but below its successor, so where there is no
            // successor the two modes have the same bound.
            if let (Prerelease::Include, Ok(next)) = (self.prerelease, to.patch.next()) {
                self.below(version.major(), version.minor(), next);
                return Ok(());
            }
        }
        self.push(Operator::LessOrEqual, version);
        Ok(())
    }

    /// A complete version behind an operator.
    fn complete(
        &mut self,
        operator: Operator,
        prefix: &str,
        partial: &Partial<'_>,
    ) -> Result<(), Fault> {
        let has_v = check_prefix(prefix, partial)?;
        let version = partial.version()?;
        if has_v && version.text_length() == MAX_VERSION_LENGTH {
            return Err(Fault::new(Problem::TooLong, partial.position));
        }
        self.compare(operator, version, !has_v);
        Ok(())
    }

    /// Adds a comparator, unless npm takes it for `*`: that is `>=0.0.0` (or `>=0.0.0-0` when
    /// prereleases are included), but only if nothing else is in its text.
    fn compare(&mut self, operator: Operator, version: Version, is_plain: bool) {
        let is_lowest = operator == Operator::GreaterOrEqual && version.numbers() == (0, 0, 0);
        if is_plain && is_lowest && matches!(version.prerelease(), "" | "0") {
            self.depends_on_mode = true;
            if version.prerelease() == self.lowest_prerelease() {
                return;
            }
        }
        self.push(operator, version);
    }

    /// `>=` the lowest version of what is given; a prerelease counts only if that is complete.
    fn lower(&mut self, partial: &Partial<'_>) -> Result<(), Fault> {
        if partial.is_complete() {
            return self.complete(Operator::GreaterOrEqual, "", partial);
        }
        let major = partial.major.value()?;
        let minor = if partial.minor.is_wildcard() {
            0
        } else {
            partial.minor.value()?
        };
        self.lowest(Version::new(major, minor, 0));
        Ok(())
    }

    /// `<` the first version with another major, or with another minor where one is given.
    fn below_next(&mut self, partial: &Partial<'_>) -> Result<(), Fault> {
        if partial.minor.is_wildcard() {
            self.below(partial.major.next()?, 0, 0);
        } else {
            self.below(partial.major.value()?, partial.minor.next()?, 0);
        }
        Ok(())
    }

    /// `>=` the version or, when prereleases are included, its lowest prerelease.
    fn lowest(&mut self, version: Version) {
        self.lowest_of_text(version, false);
    }

    fn lowest_of_text(&mut self, version: Version, has_v: bool) {
        self.depends_on_mode = true;
        if has_v || version.numbers() != (0, 0, 0) {
            let version = version.with_prerelease(self.lowest_prerelease());
            self.push(Operator::GreaterOrEqual, version);
        }
    }

    fn lowest_prerelease(&self) -> &'static str {
        match self.prerelease {
            Prerelease::Exclude => "",
            Prerelease::Include => "0",
        }
    }

    /// `<` all prereleases of the given version.
    fn below(&mut self, major: u64, minor: u64, patch: u64) {
        self.push(
            Operator::Less,
            Version::new(major, minor, patch).with_prerelease("0"),
        );
    }

    fn push(&mut self, operator: Operator, version: Version) {
        self.comparators.push(Comparator::new(operator, version));
    }
}

/// A blank behind an operator does not count, and a hyphen range puts an operator there.
fn without_blank(prefix: &str) -> &str {
    prefix.strip_prefix(' ').unwrap_or(prefix)
}

/// A complete version may have one `v` before it. Tells whether it has.
fn check_prefix(prefix: &str, partial: &Partial<'_>) -> Result<bool, Fault> {
    match prefix {
        "" => Ok(false),
        "v" => Ok(true),
        _ => Err(Fault::new(
            Problem::UnexpectedPrefix,
            partial.position - prefix.len(),
        )),
    }
}
