//! Text and binary input and output of both types.

use std::ffi::{CStr, CString};
use std::fmt::Display;

use npm_semver::{Range, Version, stored};

use super::datum::damaged;
use super::{Semver, SemverRange};
use crate::error::{Error, Result};
use crate::pg::call::{Call, c_function};
use crate::pg::message::Message;
use crate::pg::soft_error;
use crate::pg::varlena::Bytes;

/// What the first byte of the binary format says: text follows.
const TEXT_FORMAT: u8 = 1;
/// A range as it is stored follows.
const STORED_FORMAT: u8 = 2;
/// The longest text that is read as a range, in bytes.
const LONGEST_RANGE: usize = 1 << 20;

/// Text as a version.
///
/// # Errors
/// 22P02 that says where the text goes wrong.
pub fn parse_version(text: &str) -> Result<Version> {
    Version::parse(text).map_err(|problem| {
        Error::invalid_text(format!("invalid semantic version: {}", excerpt(text)))
            .detail(sentence(&problem))
            .hint("A version looks like 1.4.0 or 2.0.0-rc.1: three numbers, then optionally a prerelease and build metadata.")
    })
}

/// Text as a range.
///
/// # Errors
/// 22P02 that says where the text goes wrong.
pub fn parse_range(text: &str) -> Result<Range> {
    let invalid = || Error::invalid_text(format!("invalid version range: {}", excerpt(text)));
    if text.len() > LONGEST_RANGE {
        return Err(invalid().detail(too_long("It", text.len())));
    }
    let range = Range::parse(text).map_err(|problem| {
        invalid()
            .detail(sentence(&problem))
            .hint("A range looks like ^1.2.0, ~1.2, 1.x, >=1.2.0 <2.0.0, 1.0.0 - 2.0.0, or several of these joined by ||.")
    })?;
    // What is printed must be read again: of a dump, for instance.
    match printed_length(&range) {
        length if length > LONGEST_RANGE => {
            Err(invalid().detail(too_long("Its canonical text", length)))
        }
        _ => Ok(range),
    }
}

fn too_long(what: &str, length: usize) -> String {
    format!("{what} has {length} bytes; a range has at most {LONGEST_RANGE}.")
}

fn printed_length(range: &Range) -> usize {
    range.to_string().len()
}

/// The text in quotes, cut where it gets too long for a message.
fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

/// A problem as a full sentence, for DETAIL.
pub fn sentence(problem: &impl Display) -> String {
    let text = problem.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

fn utf8(input: &CStr) -> Result<&str> {
    input
        .to_str()
        .map_err(|_| Error::invalid_text("invalid semantic version: not UTF-8"))
}

c_function! {
    _semver_in_wrapper => |call: &mut Call<'_>| soft(call, text_input(call, parse_version)).map(|value| value.map(Semver));
    _semver_out_wrapper => |call: &mut Call<'_>| text_output(version(call)?);
    _semver_recv_wrapper => version_received;
    _semver_send_wrapper => |call: &mut Call<'_>| Ok(version(call)?.map(|value| sent_text(&value.to_string())));
    _semver_range_in_wrapper => |call: &mut Call<'_>| soft(call, text_input(call, parse_range)).map(|value| value.map(SemverRange));
    _semver_range_out_wrapper => |call: &mut Call<'_>| text_output(range(call)?);
    _semver_range_recv_wrapper => range_received;
    _semver_range_send_wrapper => |call: &mut Call<'_>| Ok(range(call)?.map(|value| sent_range(&value)));
}

fn text_input<T>(call: &Call<'_>, parse: fn(&str) -> Result<T>) -> Result<Option<T>> {
    call.c_string(0).map(|text| parse(utf8(text)?)).transpose()
}

/// Leaves an error to the caller of the input function if it wants to know it instead of fail.
fn soft<T>(call: &Call<'_>, parsed: Result<Option<T>>) -> Result<Option<T>> {
    parsed.or_else(|error| {
        if soft_error::save(call.context(), &error) {
            Ok(None)
        } else {
            Err(error)
        }
    })
}

fn text_output(value: Option<impl Display>) -> Result<Option<CString>> {
    let text = |value| {
        CString::new(format!("{value}"))
            .map_err(|_| Error::internal("a printed version has a NUL byte"))
    };
    value.map(text).transpose()
}

fn version(call: &Call<'_>) -> Result<Option<Version>> {
    let decode = |bytes: Bytes<'_>| {
        stored::decode_version(&bytes).map_err(|problem| damaged("semver", problem))
    };
    call.bytes(0).map(decode).transpose()
}

fn range(call: &Call<'_>) -> Result<Option<Range>> {
    let decode = |bytes: Bytes<'_>| {
        stored::decode_range(&bytes).map_err(|problem| damaged("semver_range", problem))
    };
    call.bytes(0).map(decode).transpose()
}

fn sent_text(text: &str) -> Vec<u8> {
    [&[TEXT_FORMAT], text.as_bytes()].concat()
}

/// A range whose bounds move when prereleases are included has no text that says so: it is sent as
/// it is stored.
fn sent_range(range: &Range) -> Vec<u8> {
    let text = range.to_string();
    if parse_range(&text).as_ref() == Ok(range) {
        sent_text(&text)
    } else {
        [&[STORED_FORMAT], stored::encode_range(range).as_slice()].concat()
    }
}

fn unknown_format(format: i32, what: &str) -> Error {
    Error::invalid_argument(format!("unknown binary format {format} of a {what}"))
        .hint("This server reads format 1: one byte 0x01, then the text.")
}

fn version_received(call: &Call<'_>) -> Result<Semver> {
    let mut message = Message::of(call)?;
    match message.byte() {
        format if format == i32::from(TEXT_FORMAT) => parse_version(&message.text()).map(Semver),
        format => Err(unknown_format(format, "semantic version")),
    }
}

fn range_received(call: &Call<'_>) -> Result<SemverRange> {
    let mut message = Message::of(call)?;
    match message.byte() {
        format if format == i32::from(TEXT_FORMAT) => parse_range(&message.text()).map(SemverRange),
        format if format == i32::from(STORED_FORMAT) => stored_range(message.bytes()),
        format => Err(unknown_format(format, "version range")),
    }
}

fn stored_range(bytes: &[u8]) -> Result<SemverRange> {
    let invalid = |problem: &dyn Display| {
        Error::invalid_text(format!("invalid binary version range: {problem}"))
    };
    let range = stored::decode_range(bytes).map_err(|problem| invalid(&problem))?;
    match printed_length(&range) {
        length if length > LONGEST_RANGE => {
            Err(invalid(&"it is too long").detail(too_long("Its canonical text", length)))
        }
        _ => Ok(SemverRange(range)),
    }
}
