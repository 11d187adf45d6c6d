//! Whether a partition takes the rows that it took: only what can be told for certain from its bounds.

/// Whether every row that the old bounds let in is let in by the new ones, both as the server prints them.
pub(super) fn covers(new: &str, old: &str) -> bool {
    if let (Some(new), Some(old)) = (range(new), range(old)) {
        return is_up_to(new.0, old.0) && is_up_to(old.1, new.1);
    }
    match (list(new), list(old)) {
        (Some(new), Some(old)) => old.iter().all(|value| new.contains(value)),
        _ => new == old,
    }
}

/// The ends of `FOR VALUES FROM (…) TO (…)` of one column.
fn range(bound: &str) -> Option<(&str, &str)> {
    let (from, to) = bound
        .strip_prefix("FOR VALUES FROM (")?
        .split_once(") TO (")?;
    let to = to.strip_suffix(')')?;
    let is_one = |end: &str| !end.starts_with('\'') && !end.contains(',') || is_literal(end);
    (is_one(from) && is_one(to)).then_some((from, to))
}

fn is_literal(text: &str) -> bool {
    let inner = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    inner.is_some_and(|inner| !inner.contains('\''))
}

/// Whether the first end doesn't lie behind the second.
fn is_up_to(one: &str, other: &str) -> bool {
    if one == other || one == "MINVALUE" || other == "MAXVALUE" {
        return true;
    }
    let number = |text: &str| text.trim_matches('\'').parse::<f64>().ok();
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return one <= other;
    }
    // Dates and times of one form stand in the order of their text.
    is_moment(one) && is_moment(other) && one.len() == other.len() && one <= other
}

/// `'2024-01-01'`, `'2024-01-01 00:00:00'`, `'2024-01-01 00:00:00+00'`.
fn is_moment(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    matches!(
        shape.as_str(),
        "'0000-00-00'" | "'0000-00-00 00:00:00'" | "'0000-00-00 00:00:00+00'"
    )
}

/// The values of `FOR VALUES IN (…)`.
fn list(bound: &str) -> Option<Vec<&str>> {
    let values = bound.strip_prefix("FOR VALUES IN (")?.strip_suffix(')')?;
    let mut found = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (place, letter) in values.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            ',' if !quoted => {
                found.push(values.get(start..place)?.trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    found.push(values.get(start..)?.trim());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_bounds_cover_narrower_ones() {
        for (new, old) in [
            (
                "FOR VALUES FROM ('2024-01-01') TO ('2026-01-01')",
                "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
            ),
            (
                "FOR VALUES FROM (0) TO (1000)",
                "FOR VALUES FROM (5) TO (100)",
            ),
            (
                "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
                "FOR VALUES FROM ('-5') TO ('7')",
            ),
            ("FOR VALUES IN ('a', 'b,c', NULL)", "FOR VALUES IN ('b,c')"),
        ] {
            assert!(covers(new, old), "{new} covers {old}");
            assert!(!covers(old, new), "{old} covers {new}");
        }
        assert!(covers("DEFAULT", "DEFAULT"));
        for (new, old) in [
            (
                "FOR VALUES FROM ('a') TO ('z')",
                "FOR VALUES FROM ('b') TO ('c')",
            ),
            (
                "FOR VALUES FROM (1, 1) TO (9, 9)",
                "FOR VALUES FROM (2, 2) TO (3, 3)",
            ),
            (
                "FOR VALUES WITH (modulus 2, remainder 0)",
                "FOR VALUES WITH (modulus 4, remainder 0)",
            ),
            ("FOR VALUES IN (1)", "FOR VALUES FROM (1) TO (2)"),
        ] {
            assert!(!covers(new, old), "{new} covers {old}");
        }
    }
}
