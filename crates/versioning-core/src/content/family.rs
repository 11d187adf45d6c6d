//! Values as text, in a form in which equal values of a column stay equal when the column gets another
//! type and is taken back: `v::text` and `v::new::old::text`, without running a cast.
//!
//! Casts may be functions of the tables' owners; what is compared here is only what the types' own output
//! functions print under fixed settings.

use std::borrow::Cow;

use super::number::{self, decimal};

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
    /// `time`.
    Time,
    /// `time with time zone`.
    ZonedTime,
    /// `timestamp`.
    Timestamp,
    /// `timestamp with time zone`, printed in UTC.
    Moment,
    /// `json` and `jsonb`.
    Json,
    /// `inet` and `cidr`.
    Network,
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
            "time" => Self::Time,
            "timetz" => Self::ZonedTime,
            "json" | "jsonb" => Self::Json,
            "inet" | "cidr" => Self::Network,
            _ => Self::Other,
        }
    }

    /// A printed value of this family in the family's own form.
    pub fn own(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Integer
            | Self::Text
            | Self::Date
            | Self::Time
            | Self::ZonedTime
            | Self::Timestamp
            | Self::Other => Cow::Borrowed(text),
            Self::Number => decimal(text),
            Self::Real => number::real(text),
            Self::Double => number::double(text),
            Self::Money => Cow::Owned(decimal(&plain_money(text)).into_owned()),
            Self::Boolean => Cow::Borrowed(truth(text).unwrap_or(text)),
            Self::Padded => Cow::Borrowed(text.trim_end_matches(' ')),
            Self::Moment => Cow::Borrowed(without_zone(text)),
            Self::Json => super::json::canonical(text),
            Self::Network => Cow::Borrowed(address(text)),
        }
    }

    /// Whether values are numbers that other types of numbers may not hold as they are.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Integer | Self::Number | Self::Real | Self::Double
        )
    }

    /// Whether values may be written otherwise than their own form is.
    pub fn has_own_form(self) -> bool {
        !matches!(self, Self::Integer | Self::Text | Self::Other)
    }

    /// A printed value of the family `from` in this family's form: what it would be, were its column
    /// given back the type that it had. A value that this family can't be has a form that none of its
    /// values has.
    pub fn back(self, from: Self, text: &str) -> Cow<'_, str> {
        if self == from {
            return self.own(text);
        }
        match self {
            Self::Integer => whole_number(from, text),
            Self::Number => decimal_number(from, text),
            Self::Double | Self::Money => number(from, text),
            Self::Real => match from {
                Self::Boolean => number(from, text),
                _ => number::real(text),
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
            Self::Time => Cow::Borrowed(match from {
                Self::ZonedTime => without_offset(text),
                _ => text,
            }),
            Self::ZonedTime => match from {
                Self::Time => Cow::Owned(format!("{text}+00")),
                _ => Cow::Borrowed(text),
            },
            Self::Timestamp | Self::Moment => match from {
                Self::Date => Cow::Owned(at_midnight(text)),
                _ => Cow::Borrowed(without_zone(text)),
            },
            Self::Json => super::json::canonical(text),
            Self::Network => Cow::Borrowed(address(text)),
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
        Family::Real => number::real(text),
        Family::Double => number::double(text),
        Family::Money => Family::Money.own(text),
        _ => decimal(text),
    }
}

/// What a column of whole numbers would hold again.
fn whole_number(from: Family, text: &str) -> Cow<'_, str> {
    match (from, number(from, text)) {
        (Family::Real | Family::Double, form) => Cow::Owned(number::whole(&form).into_owned()),
        (_, form) => form,
    }
}

/// What a column of type `numeric` would hold again: not all digits of a float go there.
fn decimal_number(from: Family, text: &str) -> Cow<'_, str> {
    match from {
        Family::Real => number::real_as_decimal(text),
        Family::Double => number::double_as_decimal(text),
        _ => number(from, text),
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

/// The address of one host, which `inet` prints without its length and `cidr` with it.
fn address(text: &str) -> &str {
    let length = if text.contains(':') { "/128" } else { "/32" };
    text.strip_suffix(length).unwrap_or(text)
}

/// A time without its distance from UTC.
fn without_offset(text: &str) -> &str {
    text.rfind(['+', '-'])
        .and_then(|sign| text.get(..sign))
        .unwrap_or(text)
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
            (Integer, "123456792", Real, "1.2345679e+08", true),
            (Integer, "12", Real, "12.5", false),
            (
                Integer,
                "1152921504606846976",
                Double,
                "1.152921504606847e+18",
                true,
            ),
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
            (Double, "0.1", Real, "0.1", false),
            (Double, "0.5", Real, "0.5", true),
            (Double, "NaN", Real, "NaN", true),
            (Real, "0.1", Number, "0.1", true),
            (Real, "0.1234567", Number, "0.123457", false),
            (Number, "1.2345678", Real, "1.2345678", false),
            (Number, "123456", Real, "123456", true),
            (
                Number,
                "0.123456789012345",
                Double,
                "0.123456789012345",
                true,
            ),
            (
                Number,
                "0.1234567890123456",
                Double,
                "0.1234567890123456",
                false,
            ),
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
            (ZonedTime, "10:00:00+00", Time, "10:00:00", true),
            (ZonedTime, "10:00:00+02", Time, "10:00:00", false),
            (Time, "10:00:00", ZonedTime, "10:00:00+00", true),
            (Network, "10.0.0.1", Network, "10.0.0.1/32", true),
            (Network, "10.0.0.1/24", Network, "10.0.0.0/24", false),
            (Network, "::1/128", Network, "::1", true),
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
            for old in [Integer, Number, Real, Double, Money, Boolean, Text, Padded, Date, Time, ZonedTime, Timestamp, Moment, Json, Network, Other] {
                let _ = old.own(&text);
                for new in [Integer, Number, Real, Double, Money, Boolean, Text, Padded, Date, Time, ZonedTime, Timestamp, Moment, Json, Network, Other] {
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
