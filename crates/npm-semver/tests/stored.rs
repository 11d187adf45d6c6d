//! The stored forms, byte by byte: what was written once must stay readable.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use npm_semver::stored::{
    StoredError, compare, compare_keys, decode_range, decode_version, encode_range, encode_version,
    version_key,
};
use npm_semver::{Prerelease, Range, Version};

#[test]
fn versions_have_these_bytes() {
    let cases: [(&str, &[u8]); 9] = [
        ("0.0.0", b"\x01\x00\x00\x00\xff"),
        ("1.2.247", b"\x01\x01\x02\xf7\xff"),
        ("248.255.256", b"\x01\xf8\xf8\xf8\xff\xf9\x01\x00\xff"),
        (
            "18446744073709551615.0.0",
            b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\xff",
        ),
        ("1.2.3-rc.1", b"\x01\x01\x02\x03\x03rc\0\x01\x01\0"),
        ("1.2.3-300", b"\x01\x01\x02\x03\x01\xf9\x01\x2c\0"),
        (
            "1.2.3-18446744073709551616",
            b"\x01\x01\x02\x03\x02\x1418446744073709551616\0",
        ),
        ("1.2.3+b.01", b"\x81\x01\x02\x03\xffb.01\x04"),
        ("1.2.3--+-", b"\x81\x01\x02\x03\x03-\0\0-\x01"),
    ];
    for (text, bytes) in cases {
        let version = Version::parse(text).unwrap();
        assert_eq!(encode_version(&version), bytes, "{text}");
        assert_eq!(decode_version(bytes).unwrap().to_string(), text);
    }
}

#[test]
fn the_longest_versions_fit() {
    for text in [
        format!("1.2.3-{}", "9".repeat(250)),
        format!("1.2.3-{}", "a".repeat(250)),
        format!("1.2.3+{}", "a".repeat(250)),
        format!("1.2.3-{}1", "1.".repeat(124)),
    ] {
        let version = Version::parse(&text).unwrap();
        assert_eq!(
            decode_version(&encode_version(&version))
                .unwrap()
                .to_string(),
            text
        );
    }
}

#[test]
fn bytes_that_were_not_written_are_refused() {
    let long = [b"\x01\x01\x01\x01\x03".as_slice(), &[b'a'; 251], b"\0\0"].concat();
    let cases: [(&[u8], StoredError); 22] = [
        (b"", StoredError::Truncated),
        (b"\x02\x01\x01\x01\xff", StoredError::UnknownFormat),
        (b"\x01\x01\x01\x01", StoredError::Truncated),
        (b"\x01\x01\x01\x01\xff\0", StoredError::TrailingBytes),
        // A number in more bytes than it needs.
        (b"\x01\xf8\x05\x01\x01\xff", StoredError::InvalidNumber),
        (b"\x01\xf8\xf7\x01\x01\xff", StoredError::InvalidNumber),
        (b"\x01\xf9\x00\xff\x01\x01\xff", StoredError::InvalidNumber),
        (b"\x01\xff\xff", StoredError::Truncated),
        // No identifiers, an unknown one, or none of the kind that it says.
        (b"\x01\x01\x01\x01\0", StoredError::InvalidIdentifier),
        (b"\x01\x01\x01\x01\x04a\0\0", StoredError::InvalidIdentifier),
        (
            b"\x01\x01\x01\x01\x03a\0\xff",
            StoredError::InvalidIdentifier,
        ),
        (b"\x01\x01\x01\x01\x03\0\0", StoredError::InvalidIdentifier),
        (
            b"\x01\x01\x01\x01\x0312\0\0",
            StoredError::InvalidIdentifier,
        ),
        (
            b"\x01\x01\x01\x01\x03a.b\0\0",
            StoredError::InvalidIdentifier,
        ),
        (b"\x01\x01\x01\x01\x03ab", StoredError::Truncated),
        (
            b"\x01\x01\x01\x01\x02\x0212\0",
            StoredError::InvalidIdentifier,
        ),
        (
            b"\x01\x01\x01\x01\x02\x14018446744073709551616\0",
            StoredError::InvalidIdentifier,
        ),
        // Build metadata that is none, or not as long as it says.
        (b"\x81\x01\x01\x01\xff\0", StoredError::InvalidIdentifier),
        (
            b"\x81\x01\x01\x01\xffa..b\x04",
            StoredError::InvalidIdentifier,
        ),
        (b"\x81\x01\x01\x01\xffab\x01", StoredError::TrailingBytes),
        (b"\x81\x01\x01\x01\xffab\xff", StoredError::Truncated),
        (&long, StoredError::TooLong),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode_version(bytes), Err(error), "{bytes:?}");
    }
}

#[test]
fn keys_leave_build_metadata_out() {
    let encode = |text| encode_version(&Version::parse(text).unwrap());
    let (one, two, three) = (encode("1.2.3+a"), encode("1.2.3"), encode("1.2.3-a+b"));
    assert_eq!(version_key(&one), version_key(&two));
    assert!(compare(&one, &two).is_eq());
    assert!(compare_keys(version_key(&three), version_key(&two)).is_lt());
    assert_eq!(version_key(b""), b"");
    assert_eq!(version_key(b"\x81\x01\xff"), b"");
    assert_eq!(version_key(b"\x07abc"), b"");
}

#[test]
fn ranges_have_these_bytes() {
    let cases: [(&str, &[u8]); 5] = [
        ("*", b"\x01\x00"),
        ("^1.2.3", b"\x01\x10>=1.2.3 <2.0.0-0"),
        ("1", b"\x01\x10>=1.0.0 <2.0.0-0\x12>=1.0.0-0 <2.0.0-0"),
        (">=0.0.0-0", b"\x01\x09>=0.0.0-0\x00"),
        (">=v0.0.0", b"\x01\x07>=0.0.0"),
    ];
    for (text, bytes) in cases {
        let range = Range::parse(text).unwrap();
        assert_eq!(encode_range(&range), bytes, "{text}");
        let decoded = decode_range(bytes).unwrap();
        assert_eq!(decoded, range);
        for mode in [Prerelease::Exclude, Prerelease::Include] {
            assert_eq!(decoded.canonical(mode), range.canonical(mode));
        }
    }
    let long = Range::parse(&vec!["1.2.3"; 200].join(" >")).unwrap();
    assert_eq!(decode_range(&encode_range(&long)), Ok(long));
}

#[test]
fn range_bytes_that_were_not_written_are_refused() {
    let cases: [(&[u8], StoredError); 14] = [
        (b"", StoredError::Truncated),
        (b"\x02\x00", StoredError::UnknownFormat),
        (b"\x01", StoredError::Truncated),
        (b"\x01\x06", StoredError::Truncated),
        (
            b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            StoredError::Truncated,
        ),
        (b"\x01\x00\x00", StoredError::InvalidRange),
        (b"\x01\x051.2.3\x051.2.4\0", StoredError::TrailingBytes),
        (b"\x01\x06^1.2.3", StoredError::InvalidRange),
        (b"\x01\x06=1.2.3", StoredError::InvalidRange),
        (b"\x01\x071.2.3+a", StoredError::InvalidRange),
        (b"\x01\x061.2.3 ", StoredError::InvalidRange),
        (b"\x01\x0b1.2.3 1.2.3", StoredError::InvalidRange),
        (b"\x01\x071.2.3||", StoredError::InvalidRange),
        (b"\x01\x01\xff", StoredError::InvalidRange),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode_range(bytes), Err(error), "{bytes:?}");
    }
}
