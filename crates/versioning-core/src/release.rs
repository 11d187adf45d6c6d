//! How the versions of one module follow each other.

use npm_semver::Version;

fn same_tuple(left: &Version, right: &Version) -> bool {
    (left.major(), left.minor(), left.patch()) == (right.major(), right.minor(), right.patch())
}

/// Whether a version breaks clients by its number alone: a new major, or a new minor below 1.0.0.
///
/// `previous` is the highest release (no prerelease) below it. So a backport is compared with its own
/// line, and `2.0.0` with the last `1.x` even when `2.0.0-rc.1` came out in between.
pub fn is_breaking_bump(previous: Option<&Version>, version: &Version) -> bool {
    previous.is_some_and(|previous| {
        previous.major() != version.major()
            || (version.major() == 0 && previous.minor() != version.minor())
    })
}

/// The published versions that lead from one version to another, ascending: above `from` and not
/// above `to`. Without `from` the path starts at the first version, without `to` it goes to the last.
///
/// A prerelease is a step only where somebody asked for it: when it is `to` itself, or when `from`
/// is a prerelease of the same major, minor and patch.
pub fn upgrade_path<'a, T>(
    published: &'a [T],
    version_of: impl Fn(&'a T) -> &'a Version,
    from: Option<&Version>,
    to: Option<&Version>,
) -> Vec<&'a T> {
    let wanted = |version: &Version| {
        !version.is_prerelease()
            || to == Some(version)
            || from.is_some_and(|from| from.is_prerelease() && same_tuple(from, version))
    };
    let mut path: Vec<&T> = published
        .iter()
        .filter(|step| {
            let version = version_of(step);
            from.is_none_or(|from| version > from)
                && to.is_none_or(|to| version <= to)
                && wanted(version)
        })
        .collect();
    path.sort_by(|left, right| version_of(left).cmp(version_of(right)));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(texts: &[&str]) -> Vec<Version> {
        texts
            .iter()
            .map(|text| text.parse().expect("a version"))
            .collect()
    }

    fn breaking(previous: &str, version: &str) -> bool {
        let parse = |text: &str| text.parse::<Version>().expect("a version");
        is_breaking_bump(Some(&parse(previous)), &parse(version))
    }

    fn path(published: &[&str], from: &str, to: &str) -> Vec<String> {
        let published = versions(published);
        let end = |text: &str| (!text.is_empty()).then(|| text.parse().expect("a version"));
        upgrade_path(
            &published,
            |version| version,
            end(from).as_ref(),
            end(to).as_ref(),
        )
        .into_iter()
        .map(ToString::to_string)
        .collect()
    }

    #[test]
    fn a_new_major_breaks() {
        assert!(breaking("1.4.2", "2.0.0"));
        assert!(breaking("1.0.0", "2.0.0-rc.1"));
        assert!(breaking("0.9.0", "1.0.0"));
        assert!(!breaking("1.0.0", "1.1.0"));
        assert!(!breaking("1.0.0", "1.0.1+build"));
    }

    #[test]
    fn below_one_a_new_minor_breaks() {
        assert!(breaking("0.1.0", "0.2.0"));
        assert!(!breaking("0.1.0", "0.1.1"));
    }

    #[test]
    fn the_first_version_breaks_nobody() {
        assert!(!is_breaking_bump(None, &Version::new(3, 0, 0)));
    }

    #[test]
    fn the_path_ascends_and_leaves_the_start_out() {
        let published = ["2.0.0", "1.0.0", "1.10.0", "1.9.0"];
        assert_eq!(
            path(&published, "1.0.0", "2.0.0"),
            ["1.9.0", "1.10.0", "2.0.0"]
        );
        assert_eq!(path(&published, "1.5.0", "1.9.5"), ["1.9.0"]);
        assert_eq!(
            path(&published, "", ""),
            ["1.0.0", "1.9.0", "1.10.0", "2.0.0"]
        );
        assert!(path(&published, "2.0.0", "1.0.0").is_empty());
        assert!(path(&published, "2.0.0", "2.0.0").is_empty());
    }

    #[test]
    fn a_prerelease_is_a_step_only_when_asked_for() {
        let published = ["1.0.0", "2.0.0-rc.1", "2.0.0-rc.2", "2.0.0"];
        assert_eq!(path(&published, "1.0.0", "2.0.0"), ["2.0.0"]);
        assert_eq!(path(&published, "1.0.0", "2.0.0-rc.2"), ["2.0.0-rc.2"]);
        assert_eq!(
            path(&published, "2.0.0-rc.1", "2.0.0"),
            ["2.0.0-rc.2", "2.0.0"]
        );
    }
}
