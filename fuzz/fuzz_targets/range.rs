//! Any two texts: a range that parses prints as text that means the same, and answers for any version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npm_semver::{Prerelease, Range, Version};

fuzz_target!(|texts: (&str, &str)| {
    let (range, version) = texts;
    let Ok(range) = Range::parse(range) else { return };
    let again = Range::parse(&range.to_string()).expect("canonical text parses");
    assert_eq!(again.to_string(), range.to_string());
    let _ = range.min_version();
    if let Ok(version) = Version::parse(version) {
        assert_eq!(again.satisfies(&version), range.satisfies(&version));
        if range.satisfies(&version) {
            assert!(range.satisfies_with(&version, Prerelease::Include));
        }
    }
});
