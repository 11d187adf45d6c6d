//! Any text: parsing answers, and what it accepts prints as text that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npm_semver::{Version, coerce};

fuzz_target!(|text: &str| {
    if let Ok(version) = Version::parse(text) {
        let printed = version.to_string();
        let again = Version::parse(&printed).expect("printed text parses");
        assert_eq!(again.to_string(), printed);
        assert_eq!(again.cmp_build(&version), std::cmp::Ordering::Equal);
    }
    let _ = coerce(text);
});
