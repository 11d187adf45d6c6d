//! Names made from other names.

use sha2::{Digest, Sha256};

use crate::schema::hex;

/// The longest name PostgreSQL keeps, in bytes (`NAMEDATALEN - 1`).
pub const LONGEST_NAME: usize = 63;

/// The schema of a site in the schema layout: `module_site`, and where that is too long, its beginning
/// with a hash of the whole, so that two long names stay two names.
pub fn site_schema(module_schema: &str, site_slug: &str) -> String {
    shortened(&format!("{module_schema}_{site_slug}"))
}

/// The name itself, or as much of it as fits before a hash of the whole.
pub fn shortened(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let hash = hex(&Sha256::digest(name.as_bytes()));
    let tail: String = hash.chars().take(12).collect();
    let mut end = LONGEST_NAME - tail.len() - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{tail}", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_joined() {
        assert_eq!(site_schema("blog", "north"), "blog_north");
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let one = site_schema(&"é".repeat(30), &"x".repeat(40));
        let other = site_schema(&"é".repeat(30), &format!("{}y", "x".repeat(39)));
        assert!(one.len() <= LONGEST_NAME && other.len() <= LONGEST_NAME);
        assert_ne!(one, other);
    }
}
