//! Values to try a conversion with: where no two of them become one, it cuts nothing off.

/// How many units are tried around nothing: neighbours, and those that rounding to tens, hundreds or thousands
/// would bring together.
const UNITS: [i64; 24] = [
    -101, -100, -99, -51, -50, -49, -2, -1, 0, 1, 2, 4, 5, 6, 49, 50, 51, 99, 100, 101, 149, 150,
    999, 1001,
];

/// The values of a type to try, as text: of whole numbers, and of those with a limited number of digits. None
/// for types of which any few values say little.
pub fn probes(type_name: &str) -> Option<Vec<String>> {
    let (digits, scale) = limits(type_name)?;
    let most = 10_i64.checked_pow(digits.min(6)).unwrap_or(i64::MAX);
    let fits = |units: &&i64| units.abs() < most;
    let units = UNITS.iter().filter(fits);
    Some(units.map(|units| decimal(*units, scale)).collect())
}

/// How many digits there are in all, and behind the point.
fn limits(type_name: &str) -> Option<(u32, u32)> {
    match type_name {
        "smallint" => return Some((4, 0)),
        "integer" => return Some((9, 0)),
        "bigint" => return Some((18, 0)),
        _ => {}
    }
    let limits = type_name.strip_prefix("numeric(")?.strip_suffix(')')?;
    let (digits, scale) = limits.split_once(',')?;
    let (digits, scale): (u32, i32) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
    Some((digits, u32::try_from(scale).ok()?))
}

fn decimal(units: i64, scale: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!(
        "{:0width$}",
        units.unsigned_abs(),
        width = scale as usize + 1
    );
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale as usize));
    if scale == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_tried_in_the_finest_units() {
        let tried = probes("numeric(12,2)").unwrap();
        for value in ["0.00", "0.01", "-0.01", "0.99", "1.00", "1.01", "10.01"] {
            assert!(tried.iter().any(|one| one == value), "{value}");
        }
        assert!(probes("integer").unwrap().contains(&"-1".to_owned()));
        assert!(
            probes("numeric(1,0)")
                .unwrap()
                .iter()
                .all(|one| one.len() <= 2)
        );
        for other in ["numeric", "text", "double precision", "date", "app.mood"] {
            assert_eq!(probes(other), None, "{other}");
        }
    }
}
