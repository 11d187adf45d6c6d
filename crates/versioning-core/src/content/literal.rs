//! Defaults that are constants: only those may be evaluated, for others have effects or change.

/// Whether an expression, as the server prints it, is one constant, cast or not.
pub fn is_literal(expression: &str) -> bool {
    let bytes = expression.trim().as_bytes();
    let bytes = unwrapped(bytes);
    if let Some(inner) = bytes.strip_prefix(b"(") {
        // `(0)::numeric`
        return after_word(inner)
            .and_then(|rest| rest.strip_prefix(b")"))
            .is_some_and(are_casts);
    }
    let rest = match bytes {
        [b'\'', ..] => after_quoted(bytes),
        _ => after_word(bytes),
    };
    rest.is_some_and(are_casts)
}

/// Without parentheses around the whole.
fn unwrapped(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'(', inner @ .., b')'] if !inner.contains(&b'(') && !inner.contains(&b')') => inner,
        _ => bytes,
    }
}

fn after_quoted(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(1..)?;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\'')?;
        rest = rest.get(end + 1..)?;
        match rest.first() {
            Some(b'\'') => rest = rest.get(1..)?,
            _ => return Some(rest),
        }
    }
}

fn after_word(bytes: &[u8]) -> Option<&[u8]> {
    for word in [b"true".as_slice(), b"false"] {
        if let Some(rest) = bytes.strip_prefix(word) {
            return Some(rest);
        }
    }
    let number = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let end = number
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .unwrap_or(number.len());
    number.get(end..).filter(|_| end > 0)
}

/// `::numeric(10,2)`, `::app."order state"[]`, several of them, or nothing.
fn are_casts(rest: &[u8]) -> bool {
    if rest.is_empty() {
        return true;
    }
    let Some(mut rest) = rest.strip_prefix(b"::") else {
        return false;
    };
    let mut is_quoted = false;
    while let Some((byte, behind)) = rest.split_first() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'_'
            | b'.'
            | b' '
            | b'('
            | b')'
            | b','
            | b'['
            | b']'
            | b'$'
            | b'-' => {}
            b':' => return are_casts(rest),
            0x80.. => {}
            _ => return false,
        }
        rest = behind;
    }
    !is_quoted
}

#[cfg(test)]
mod tests {
    use super::is_literal;

    #[test]
    fn tells_constants_from_calls() {
        for literal in [
            "0",
            "-1",
            "'-1'::integer",
            "0.00",
            "true",
            "'new'::text",
            "'it''s'::character varying(20)",
            "'{}'::jsonb",
            "'a'::app.\"order state\"",
            "'{}'::app.kind[]",
            "'x'::text::app.code",
            "(0)",
            "(0)::numeric(10,2)",
            "'now()'::text",
        ] {
            assert!(is_literal(literal), "{literal}");
        }
        for other in [
            "now()",
            "nextval('app.s'::regclass)",
            "gen_random_uuid()",
            "CURRENT_TIMESTAMP",
            "1 + 1",
            "'a' || 'b'",
            "'a'::text || now()",
            "app.f()",
            "",
            "-",
            "'open",
            "true AND app.f()",
        ] {
            assert!(!is_literal(other), "{other}");
        }
    }
}
