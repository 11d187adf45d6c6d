//! Values as text, in a form in which equal values of a column stay equal when the column gets another
//! type and is taken back: `v::text` and `v::new::old::text`, without running a cast.
//!
//! Casts may be functions of the tables' owners; what is compared here is only what the types' own output
//! functions print under fixed settings.

use std::borrow::Cow;

/// How values of a type are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Whole numbers.
    Integer,
    /// `numeric`.
    Number,
    /// `real`.
    Real,
    /// `double precision`.
    Double,
    /// `money`.
    Money,
    /// `boolean`.
    Boolean,
    /// Text of any kind, labels of enums.
    Text,
    /// `character(n)`: blanks at the end mean nothing.
    Padded,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
    /// `timestamp with time zone`, printed in UTC.
    Moment,
    /// `json` and `jsonb`.
    Json,
    /// All else: what is printed is compared as it is.
    Other,
}

impl Family {
    /// The family of a type in `pg_catalog`, by the type's name (for a domain: of the type beneath).
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "int2" | "int4" | "int8" | "oid" => Self::Integer,
            "numeric" => Self::Number,
            "float4" => Self::Real,
            "float8" => Self::Double,
            "money" => Self::Money,
            "bool" => Self::Boolean,
            "text" | "varchar" | "name" => Self::Text,
            "bpchar" => Self::Padded,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Moment,
            "json" | "jsonb" => Self::Json,
            _ => Self::Other,
        }
    }

    /// A printed value of this family in the family's own form.
    pub fn own(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Integer | Self::Text | Self::Date | Self::Timestamp | Self::Other => {
                Cow::Borrowed(text)
            }
            Self::Number => decimal(text),
            Self::Real => real(text),
            Self::Double => double(text),
            Self::Money => Cow::Owned(decimal(&plain_money(text)).into_owned()),
            Self::Boolean => Cow::Borrowed(truth(text).unwrap_or(text)),
            Self::Padded => Cow::Borrowed(text.trim_end_matches(' ')),
            Self::Moment => Cow::Borrowed(without_zone(text)),
            Self::Json => super::json::canonical(text),
        }
    }

    /// A printed value of the family `from` in this family's form: what it would be, were its column
    /// given back the type that it had. A value that this family can't be has a form that none of its
    /// values has.
    pub fn back(self, from: Self, text: &str) -> Cow<'_, str> {
        if self == from {
            return self.own(text);
        }
        match self {
            Self::Integer | Self::Number | Self::Double | Self::Money => number(from, text),
            Self::Real => match from {
                Self::Boolean => number(from, text),
                _ => real(text),
            },
            Self::Boolean => match from {
                Self::Integer => Cow::Borrowed(if text == "0" { "false" } else { "true" }),
                _ => Cow::Borrowed(truth(text).unwrap_or(text)),
            },
            Self::Text | Self::Padded | Self::Other => from.as_text(text),
            Self::Date => match from {
                Self::Timestamp | Self::Moment => day(text),
                _ => Cow::Borrowed(text),
            },
            Self::Timestamp | Self::Moment => match from {
                Self::Date => Cow::Owned(at_midnight(text)),
                _ => Cow::Borrowed(without_zone(text)),
            },
            Self::Json => super::json::canonical(text),
        }
    }

    /// What a value of this family is when it is taken to `text`.
    fn as_text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Boolean | Self::Padded => self.own(text),
            _ => Cow::Borrowed(text),
        }
    }
}

fn number(from: Family, text: &str) -> Cow<'_, str> {
    match from {
        Family::Boolean => Cow::Borrowed(match truth(text) {
            Some("true") => "1",
            _ => "0",
        }),
        Family::Real => real(text),
        Family::Double => double(text),
        Family::Money => Family::Money.own(text),
        _ => decimal(text),
    }
}

/// `true` or `false` for what PostgreSQL reads as one of them.
fn truth(text: &str) -> Option<&'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some("true"),
        "f" | "false" | "n" | "no" | "off" | "0" => Some("false"),
        _ => None,
    }
}

fn plain_money(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_digit() || matches!(letter, '-' | '.'))
        .collect()
}

fn real(text: &str) -> Cow<'_, str> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Cow::Owned(decimal(&value.to_string()).into_owned()),
        _ => Cow::Borrowed(text),
    }
}

fn double(text: &str) -> Cow<'_, str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Cow::Owned(decimal(&value.to_string()).into_owned()),
        _ => Cow::Borrowed(text),
    }
}

fn without_zone(text: &str) -> &str {
    text.strip_suffix("+00").unwrap_or(text)
}

fn day(text: &str) -> Cow<'_, str> {
    match text.split_once(' ') {
        Some((day, rest)) if rest.ends_with(" BC") => Cow::Owned(format!("{day} BC")),
        Some((day, _)) => Cow::Borrowed(day),
        None => Cow::Borrowed(text),
    }
}

fn at_midnight(text: &str) -> String {
    match text.strip_suffix(" BC") {
        Some(day) => format!("{day} 00:00:00 BC"),
        None => format!("{text} 00:00:00"),
    }
}

/// Digits that are shifted further than this aren't written out.
const MOST_ZEROS: i64 = 2_000;

/// A decimal number without exponent, zeros that say nothing and minus zero; other text as it is.
pub(super) fn decimal(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    match written_out(text.trim()) {
        Some(number) => Cow::Owned(number),
        None => Cow::Borrowed(text),
    }
}

/// Whether the text is a whole number in its usual form.
fn is_plain(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn written_out(text: &str) -> Option<String> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0
        || !are_digits(whole)
        || !are_digits(fraction)
        || exponent.abs() > MOST_ZEROS
    {
        return None;
    }
    let digits: String = [whole, fraction].concat();
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let (whole, fraction) = split_at_point(&digits, point)?;
    let (whole, fraction) = (
        whole.trim_start_matches('0').to_owned(),
        fraction.trim_end_matches('0').to_owned(),
    );
    let sign = if is_negative && !(whole.is_empty() && fraction.is_empty()) {
        "-"
    } else {
        ""
    };
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    })
}

/// The digits before and behind the decimal point, which stands after so many of them.
fn split_at_point(digits: &str, point: i64) -> Option<(String, String)> {
    let length = i64::try_from(digits.len()).ok()?;
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    Some(if point <= 0 {
        (String::new(), zeros(-point) + digits)
    } else if point >= length {
        (digits.to_owned() + &zeros(point - length), String::new())
    } else {
        let (whole, fraction) = digits.split_at_checked(usize::try_from(point).ok()?)?;
        (whole.to_owned(), fraction.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Old family, text before, new family, text after, whether it is still the same.
    const CASES: &[(Family, &str, Family, &str, bool)] = {
        use Family::*;
        &[
            (Integer, "12", Number, "12.00", true),
            (Integer, "12", Text, "12", true),
            (Integer, "7", Text, "007", true),
            (Integer, "12", Double, "12", true),
            (Integer, "16777217", Real, "1.6777216e+07", false),
            (
                Integer,
                "9007199254740993",
                Double,
                "9.007199254740992e+15",
                false,
            ),
            (Integer, "1", Boolean, "t", true),
            (Integer, "5", Boolean, "t", false),
            (Integer, "0", Boolean, "f", true),
            (Number, "12.50", Number, "12.5000", true),
            (Number, "12.345", Number, "12.35", false),
            (Number, "12.50", Integer, "13", false),
            (Number, "12.00", Integer, "12", true),
            (Number, "12.50", Text, "12.50", true),
            (Number, "12.34", Real, "12.34", true),
            (Number, "-0.00", Integer, "0", true),
            (Number, "12.50", Money, "$12.50", true),
            (Money, "$1,234.50", Number, "1234.50", true),
            (Money, "-$4.00", Number, "-4.00", true),
            (Real, "0.1", Double, "0.10000000149011612", true),
            (Double, "0.1", Real, "0.1", true),
            (Double, "0.123456789", Real, "0.12345679", false),
            (Double, "1e+20", Number, "100000000000000000000", true),
            (Boolean, "t", Integer, "1", true),
            (Boolean, "f", Integer, "0", true),
            (Boolean, "t", Text, "yes", true),
            (Boolean, "t", Text, "active", false),
            (Text, "true", Boolean, "t", true),
            (Text, "active", Boolean, "t", false),
            (Text, "007", Integer, "7", false),
            (Text, "7", Integer, "7", true),
            (Text, "ab", Padded, "ab   ", true),
            (Text, "ab ", Padded, "ab   ", false),
            (Text, "abcdef", Text, "abc", false),
            (Padded, "ab   ", Text, "ab", true),
            (Padded, "ab   ", Padded, "ab ", true),
            (Date, "2026-01-02", Timestamp, "2026-01-02 00:00:00", true),
            (Date, "2026-01-02", Moment, "2026-01-02 00:00:00+00", true),
            (
                Date,
                "0044-03-15 BC",
                Timestamp,
                "0044-03-15 00:00:00 BC",
                true,
            ),
            (Timestamp, "2026-01-02 10:00:00", Date, "2026-01-02", false),
            (Timestamp, "2026-01-02 00:00:00", Date, "2026-01-02", true),
            (
                Timestamp,
                "2026-01-02 10:00:00",
                Moment,
                "2026-01-02 10:00:00+00",
                true,
            ),
            (
                Moment,
                "2026-01-02 10:00:00.5+00",
                Moment,
                "2026-01-02 10:00:01+00",
                false,
            ),
            (
                Moment,
                "2026-01-02 10:00:00+00",
                Timestamp,
                "2026-01-02 10:00:00",
                true,
            ),
            (
                Moment,
                "2026-01-02 10:00:00+00",
                Text,
                "2026-01-02 10:00:00+00",
                true,
            ),
            (Moment, "2026-01-02 10:00:00+00", Date, "2026-01-02", false),
            (
                Json,
                "{\"b\":1,\"a\":2}",
                Json,
                "{\"a\": 2, \"b\": 1}",
                true,
            ),
            (Json, "{\"a\":1,\"a\":2}", Json, "{\"a\": 2}", false),
            (Other, "{1,2}", Other, "{1,2}", true),
            (Other, "{1,2}", Text, "{1,2}", true),
        ]
    };

    #[test]
    fn tells_whether_a_value_survives_a_type_change() {
        for (old, before, new, after, same) in CASES {
            let (kept, taken_back) = (old.own(before), old.back(*new, after));
            assert_eq!(
                kept == taken_back,
                *same,
                "{old:?} {before} {new:?} {after}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_decimal_has_one_form(value in any::<i64>(), scale in 0_u32..6, zeros in 0_usize..4) {
            let digits = format!("{:0>7}", value.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            let sign = if value < 0 { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}{}", "0".repeat(zeros));
            let shifted = format!("{sign}{}e-{scale}", value.unsigned_abs());
            prop_assert_eq!(decimal(&text).into_owned(), decimal(&shifted).into_owned());
        }

        #[test]
        fn whole_numbers_stay_as_they_are(value in any::<i64>()) {
            let text = value.to_string();
            prop_assert_eq!(decimal(&text), text.as_str());
            let widened = format!("{text}.000");
            prop_assert_eq!(Family::Integer.back(Family::Number, &widened), text.as_str());
        }

        #[test]
        fn text_of_any_kind_never_fails(text in ".*") {
            use Family::*;
            for old in [Integer, Number, Real, Double, Money, Boolean, Text, Padded, Date, Timestamp, Moment, Json, Other] {
                let _ = old.own(&text);
                for new in [Integer, Number, Real, Double, Money, Boolean, Text, Padded, Date, Timestamp, Moment, Json, Other] {
                    let _ = old.back(new, &text);
                }
            }
        }

        #[test]
        fn different_whole_numbers_stay_different(one in any::<i64>(), other in any::<i64>()) {
            prop_assume!(one != other);
            prop_assert_ne!(decimal(&one.to_string()).into_owned(), decimal(&other.to_string()).into_owned());
        }
    }
}
