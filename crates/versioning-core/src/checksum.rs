//! The checksum of a migration: the same for the same scripts, however they travelled.

use sha2::{Digest, Sha256};

/// The script as it counts for a checksum: no byte order mark, and line ends as LF.
pub fn normalized(script: &str) -> String {
    script
        .strip_prefix('\u{feff}')
        .unwrap_or(script)
        .replace("\r\n", "\n")
}

/// SHA-256, in hex, over both scripts of a migration.
///
/// The length of the up script goes first and a mark tells a missing down script from an empty one,
/// so that no text can move from one script to the other under the same checksum.
pub fn of_scripts(up_sql: &str, down_sql: Option<&str>) -> String {
    let up_sql = normalized(up_sql);
    let mut hasher = Sha256::new();
    hasher.update((up_sql.len() as u64).to_be_bytes());
    hasher.update(up_sql.as_bytes());
    match down_sql {
        None => hasher.update([0]),
        Some(script) => {
            hasher.update([1]);
            hasher.update(normalized(script).as_bytes());
        }
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_byte_order_mark_do_not_count() {
        let unix = of_scripts("SELECT 1;\nSELECT 2;\n", Some("SELECT 3;\n"));
        assert_eq!(
            unix,
            of_scripts("\u{feff}SELECT 1;\r\nSELECT 2;\r\n", Some("SELECT 3;\r\n"))
        );
        assert_eq!(unix.len(), 64);
    }

    #[test]
    fn everything_else_counts() {
        let base = of_scripts("SELECT 1", None);
        for (up_sql, down_sql) in [
            ("SELECT 1 ", None),
            ("SELECT  1", None),
            ("SELECT 1\r", None),
            ("SELECT 1", Some("")),
            ("", Some("SELECT 1")),
            ("SELECT", Some(" 1")),
        ] {
            assert_ne!(
                base,
                of_scripts(up_sql, down_sql),
                "{up_sql:?} {down_sql:?}"
            );
        }
        assert_ne!(of_scripts("a\u{1}b", None), of_scripts("a", Some("b")));
    }
}
