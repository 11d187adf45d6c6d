//! Any bytes as a stored value: an error, or a value that is stored as exactly these bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use npm_semver::stored::{decode_range, decode_version, encode_range, encode_version, version_key};

fuzz_target!(|bytes: &[u8]| {
    let _ = version_key(bytes);
    if let Ok(version) = decode_version(bytes) {
        assert_eq!(encode_version(&version), bytes);
    }
    if let Ok(range) = decode_range(bytes) {
        assert_eq!(encode_range(&range), bytes);
    }
});
