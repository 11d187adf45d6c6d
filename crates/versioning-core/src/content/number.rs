//! Numbers as text: what a type of numbers keeps of a number, and how it prints it.

use std::borrow::Cow;

/// The digits that PostgreSQL keeps when it takes a `real` to `numeric`.
const REAL_DIGITS: usize = 6;

/// The digits that PostgreSQL keeps when it takes a `double precision` to `numeric`.
const DOUBLE_DIGITS: usize = 15;

/// The number that a `real` holds, with all its digits: 0.1 is 0.10000000149011612.
pub(super) fn real(text: &str) -> Cow<'_, str> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => plain(f64::from(value)),
        _ => Cow::Borrowed(text),
    }
}

/// The shortest number that a `double precision` takes for the one it holds.
pub(super) fn double(text: &str) -> Cow<'_, str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => plain(value),
        _ => Cow::Borrowed(text),
    }
}

fn plain(value: f64) -> Cow<'static, str> {
    let text = value.to_string();
    let form = decimal(&text).into_owned();
    Cow::Owned(form)
}

/// A printed `real` as `numeric`.
pub(super) fn real_as_decimal(text: &str) -> Cow<'_, str> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => rounded(f64::from(value), REAL_DIGITS),
        _ => Cow::Borrowed(text),
    }
}

/// A printed `double precision` as `numeric`.
pub(super) fn double_as_decimal(text: &str) -> Cow<'_, str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => rounded(value, DOUBLE_DIGITS),
        _ => Cow::Borrowed(text),
    }
}

fn rounded(value: f64, digits: usize) -> Cow<'static, str> {
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    let form = decimal(&text).into_owned();
    Cow::Owned(form)
}

/// A printed `real` or `double precision` as a whole number; one with a fraction as it is.
pub(super) fn whole(form: &str) -> Cow<'_, str> {
    match form.parse::<f64>() {
        // Two to the power of 63: no whole number goes further.
        Ok(value) if value.fract() == 0.0 && value.abs() <= 9.3e18 => {
            let text = format!("{value:.0}");
            let form = decimal(&text).into_owned();
            Cow::Owned(form)
        }
        _ => Cow::Borrowed(form),
    }
}

/// Digits that are shifted further than this aren't written out.
const MOST_ZEROS: i64 = 2_000;

/// A decimal number without exponent, zeros that say nothing and minus zero; other text as it is.
pub(super) fn decimal(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && is_plain(whole.as_bytes())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && !fraction.is_empty()
    {
        return Cow::Borrowed(match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0",
            number => number,
        });
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
