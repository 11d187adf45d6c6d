//! The states of a registered version, and the only ways between them.

use std::fmt;

/// Where a version stands. What is not a draft has been published once and is immutable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being prepared: editable, seen by nobody.
    Draft,
    /// To be found and installed.
    Published,
    /// Works, but a newer one should be taken: it is not found any more.
    Deprecated,
    /// Must not be installed any more.
    Yanked,
}

impl Status {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Deprecated => "deprecated",
            Self::Yanked => "yanked",
        }
    }

    /// The status of that word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "draft" => Some(Self::Draft),
            "published" => Some(Self::Published),
            "deprecated" => Some(Self::Deprecated),
            "yanked" => Some(Self::Yanked),
            _ => None,
        }
    }

    /// Whether a version may go from this state to that one.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft, Self::Published)
                | (Self::Published, Self::Deprecated | Self::Yanked)
                | (Self::Deprecated, Self::Yanked)
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Status::{self, Deprecated, Draft, Published, Yanked};

    const ALL: [Status; 4] = [Draft, Published, Deprecated, Yanked];

    #[test]
    fn goes_one_way_only() {
        let allowed: Vec<(Status, Status)> = ALL
            .into_iter()
            .flat_map(|from| ALL.into_iter().map(move |to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        assert_eq!(
            allowed,
            [
                (Draft, Published),
                (Published, Deprecated),
                (Published, Yanked),
                (Deprecated, Yanked)
            ]
        );
    }

    #[test]
    fn words_come_back() {
        for status in ALL {
            assert_eq!(Status::from_word(&status.to_string()), Some(status));
        }
        assert_eq!(Status::from_word("Draft"), None);
    }
}
