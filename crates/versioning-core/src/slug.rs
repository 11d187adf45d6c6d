//! Names of modules and sites: what a slug may be, how it differs from an id, which slug was meant.

use crate::model::Id;

/// The longest slug, in bytes: a slug can then name a schema.
pub const MAX_BYTES: usize = 63;

/// How many similar slugs a hint lists.
const MAX_SUGGESTIONS: usize = 3;

/// Why a text is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlugProblem {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// It has more than [`MAX_BYTES`] bytes.
    #[error("it is longer than 63 bytes")]
    TooLong,
    /// It has a newline, tab or other control character.
    #[error("it has a control character")]
    ControlCharacter,
    /// It starts or ends with a blank.
    #[error("it starts or ends with a blank")]
    SurroundingBlank,
    /// It reads as a uuid, so that it could be taken for an id.
    #[error("it looks like an id")]
    LooksLikeId,
}

/// Whether the text may be a slug.
///
/// # Errors
/// Says what is wrong with it.
pub fn check(text: &str) -> Result<(), SlugProblem> {
    if text.is_empty() {
        return Err(SlugProblem::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(SlugProblem::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(SlugProblem::ControlCharacter);
    }
    if text.trim() != text {
        return Err(SlugProblem::SurroundingBlank);
    }
    if parse_id(text).is_some() {
        return Err(SlugProblem::LooksLikeId);
    }
    Ok(())
}

/// The id that PostgreSQL would read from the text: 32 hexadecimal digits, perhaps in braces,
/// perhaps with a hyphen behind any group of four.
pub fn parse_id(text: &str) -> Option<Id> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut id = Id::default();
    let mut digits = inner.bytes().peekable();
    for (index, byte) in id.iter_mut().enumerate() {
        *byte = hex_digit(digits.next()?)? << 4 | hex_digit(digits.next()?)?;
        if index % 2 == 1 && index < 15 {
            digits.next_if_eq(&b'-');
        }
    }
    digits.next().is_none().then_some(id)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// An id as PostgreSQL prints it.
pub fn format_id(id: &Id) -> String {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let (a, rest) = id.split_at(4);
    let (b, rest) = rest.split_at(2);
    let (c, rest) = rest.split_at(2);
    let (d, e) = rest.split_at(2);
    [hex(a), hex(b), hex(c), hex(d), hex(e)].join("-")
}

/// The slugs that somebody who wrote `text` may have meant, the nearest first.
pub fn similar<'a>(text: &str, slugs: &'a [String]) -> Vec<&'a str> {
    let tolerance = (text.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = slugs
        .iter()
        .map(|slug| {
            (
                edit_distance(&text.to_lowercase(), &slug.to_lowercase()),
                slug.as_str(),
            )
        })
        .filter(|(distance, _)| *distance <= tolerance)
        .collect();
    near.sort_unstable();
    near.into_iter()
        .take(MAX_SUGGESTIONS)
        .map(|(_, slug)| slug)
        .collect()
}

/// How many characters have to be inserted, deleted or replaced to make one text the other
/// (Levenshtein).
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *cell;
            before = replaced.min(before + 1).min(*cell + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_people_use() {
        for slug in [
            "shop",
            "my-shop_2",
            "größer",
            "we\"ird 'table'",
            "a",
            &"x".repeat(63),
        ] {
            assert_eq!(check(slug), Ok(()), "{slug}");
        }
    }

    #[test]
    fn refuses_what_could_be_mistaken() {
        assert_eq!(check(""), Err(SlugProblem::Empty));
        assert_eq!(check(&"x".repeat(64)), Err(SlugProblem::TooLong));
        assert_eq!(check("a\nb"), Err(SlugProblem::ControlCharacter));
        assert_eq!(check(" shop"), Err(SlugProblem::SurroundingBlank));
        assert_eq!(check("shop\u{a0}"), Err(SlugProblem::SurroundingBlank));
        assert_eq!(
            check("0E984725-C51C-4BF4-9960-E1C80E27ABA0"),
            Err(SlugProblem::LooksLikeId)
        );
    }

    #[test]
    fn reads_ids_as_postgresql_does() {
        let id = parse_id("00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(
            id,
            Some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        );
        assert_eq!(parse_id("000102030405060708090A0B0C0D0E0F"), id);
        assert_eq!(parse_id("{0001-0203-0405-0607-0809-0a0b-0c0d-0e0f}"), id);
        for text in [
            "",
            "shop",
            "{000102030405060708090A0B0C0D0E0F",
            "000102030405060708090A0B0C0D0E0F}",
            "00-0102030405060708090A0B0C0D0E0F",
            "000102030405060708090A0B0C0D0E0F-",
            "000102030405060708090A0B0C0D0E",
            "000102030405060708090A0B0C0D0E0F00",
        ] {
            assert_eq!(parse_id(text), None, "{text}");
        }
    }

    #[test]
    fn suggests_the_nearest_first() {
        let slugs = ["shop", "shops", "blog", "Shop-2"].map(str::to_owned);
        assert_eq!(similar("shpo", &slugs), Vec::<&str>::new());
        assert_eq!(similar("sho", &slugs), ["shop"]);
        assert_eq!(similar("SHOP", &slugs), ["shop", "shops"]);
        assert_eq!(similar("", &slugs), Vec::<&str>::new());
    }

    #[test]
    fn measures_edits() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
    }
}
