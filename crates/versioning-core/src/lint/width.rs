//! Whether a type holds every value of another.

use std::cmp::Ordering;

/// What a change of type means for the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// It is the same type.
    Same,
    /// Every value fits. `rewrites` tells whether the table is written anew.
    Wider {
        /// Whether the stored form differs.
        rewrites: bool,
    },
    /// Some values don't fit: they are cut, rounded or refused.
    Narrower,
    /// Types of different families.
    Other,
}

/// A type as written: `numeric(10,2)`, `varchar(20)`, `text[]`.
struct Written<'a> {
    name: &'a str,
    modifiers: Vec<i64>,
    is_array: bool,
}

fn read(text: &str) -> Written<'_> {
    let (base, is_array) = match text.strip_suffix("[]") {
        Some(base) => (base, true),
        None => (text, false),
    };
    let (name, modifiers) = match base.split_once('(') {
        Some((name, rest)) => (
            name,
            rest.trim_end_matches(')')
                .split(',')
                .filter_map(|number| number.trim().parse().ok())
                .collect(),
        ),
        None => (base, Vec::new()),
    };
    Written {
        name: canonical(name),
        modifiers,
        is_array,
    }
}

fn canonical(name: &str) -> &str {
    match name {
        "smallint" | "smallserial" | "serial2" => "int2",
        "integer" | "int" | "serial" | "serial4" => "int4",
        "bigint" | "bigserial" | "serial8" => "int8",
        "decimal" => "numeric",
        "real" => "float4",
        "character varying" => "varchar",
        "char" | "character" => "bpchar",
        "bool" => "boolean",
        other => other,
    }
}

/// What changing a column from one type to the other means for its values.
pub fn width(old: &str, new: &str) -> Width {
    let (old, new) = (read(old), read(new));
    if old.is_array != new.is_array {
        return Width::Other;
    }
    if old.name == new.name && old.modifiers == new.modifiers {
        return Width::Same;
    }
    integers(&old, &new)
        .or_else(|| numbers(&old, &new))
        .or_else(|| strings(&old, &new))
        .or_else(|| times(&old, &new))
        .unwrap_or(Width::Other)
}

fn by_order(order: Ordering, rewrites: bool) -> Width {
    match order {
        Ordering::Less => Width::Wider { rewrites },
        Ordering::Equal => Width::Same,
        Ordering::Greater => Width::Narrower,
    }
}

fn integer_rank(name: &str) -> Option<u8> {
    match name {
        "int2" => Some(1),
        "int4" => Some(2),
        "int8" => Some(3),
        _ => None,
    }
}

fn integers(old: &Written<'_>, new: &Written<'_>) -> Option<Width> {
    let (from, to) = (integer_rank(old.name), integer_rank(new.name));
    match (from, to) {
        (Some(from), Some(to)) => Some(by_order(from.cmp(&to), true)),
        (Some(_), None) if new.name == "numeric" && new.modifiers.is_empty() => {
            Some(Width::Wider { rewrites: true })
        }
        // float8 holds every int4 exactly.
        (Some(from), None) if new.name == "float8" && from < 3 => {
            Some(Width::Wider { rewrites: true })
        }
        (Some(_), None) if matches!(new.name, "numeric" | "float4" | "float8") => {
            Some(Width::Narrower)
        }
        (None, Some(_)) if matches!(old.name, "numeric" | "float4" | "float8") => {
            Some(Width::Narrower)
        }
        _ => None,
    }
}

fn numbers(old: &Written<'_>, new: &Written<'_>) -> Option<Width> {
    match (old.name, new.name) {
        ("float4", "float8") => Some(Width::Wider { rewrites: true }),
        ("float8", "float4")
        | ("numeric", "float4" | "float8")
        | ("float4" | "float8", "numeric") => Some(Width::Narrower),
        ("numeric", "numeric") => {
            Some(match (old.modifiers.as_slice(), new.modifiers.as_slice()) {
                (_, []) => Width::Wider { rewrites: false },
                ([], _) => Width::Narrower,
                (old, new) => scales(old, new),
            })
        }
        _ => None,
    }
}

fn scales(old: &[i64], new: &[i64]) -> Width {
    let parts = |modifiers: &[i64]| {
        let precision = modifiers.first().copied().unwrap_or(0);
        let scale = modifiers.get(1).copied().unwrap_or(0);
        (precision - scale, scale)
    };
    let ((old_whole, old_scale), (new_whole, new_scale)) = (parts(old), parts(new));
    if new_whole >= old_whole && new_scale >= old_scale {
        Width::Wider {
            rewrites: new_scale != old_scale,
        }
    } else {
        Width::Narrower
    }
}

fn length(written: &Written<'_>) -> Option<i64> {
    match (written.name, written.modifiers.first()) {
        ("text", _) | ("varchar", None) => Some(i64::MAX),
        ("bpchar", None) => Some(1),
        ("varchar" | "bpchar", Some(length)) => Some(*length),
        _ => None,
    }
}

fn strings(old: &Written<'_>, new: &Written<'_>) -> Option<Width> {
    let (from, to) = (length(old)?, length(new)?);
    let padded = (old.name == "bpchar") != (new.name == "bpchar");
    Some(if padded && new.name == "bpchar" {
        Width::Narrower
    } else if from <= to {
        Width::Wider {
            rewrites: padded || new.name == "bpchar",
        }
    } else {
        Width::Narrower
    })
}

fn times(old: &Written<'_>, new: &Written<'_>) -> Option<Width> {
    let digits = |written: &Written<'_>| written.modifiers.first().copied().unwrap_or(6);
    match (old.name, new.name) {
        ("timestamp" | "timestamptz", "date" | "time") => Some(Width::Narrower),
        ("date", "timestamp") => Some(Width::Wider { rewrites: true }),
        (from, to) if from == to && matches!(from, "timestamp" | "timestamptz" | "time") => {
            Some(by_order(digits(old).cmp(&digits(new)), false))
        }
        _ => None,
    }
}
