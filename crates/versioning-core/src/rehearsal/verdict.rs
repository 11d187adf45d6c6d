//! Whether the way back is one.

/// What going up, down and up again has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the scripts up ran to their end.
    pub up_ran: bool,
    /// Whether there is a script down for each of them.
    pub has_down: bool,
    /// Whether the scripts down ran to their end; none when they were not run.
    pub down_ran: Option<bool>,
    /// Whether the schema was as before after them.
    pub schema_restored: Option<bool>,
    /// Whether the scripts up ran again after them, to the same schema.
    pub up_again: Option<bool>,
    /// Whether data that was there before is not there after going up and down.
    pub loses_data: bool,
    /// Whether something was left out that can't be undone, or was not run for its size.
    pub incomplete: bool,
}

/// Whether a migration can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reversibility {
    /// Schema and data are as before.
    Reversible,
    /// The schema is as before, data is missing.
    Lossy,
    /// There is no way back, or it doesn't lead to the old schema.
    Irreversible,
    /// It could not be tried.
    Unknown,
}

impl Reversibility {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::Lossy => "lossy",
            Self::Irreversible => "irreversible",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict of that word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [
            Self::Reversible,
            Self::Lossy,
            Self::Irreversible,
            Self::Unknown,
        ];
        all.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

/// The verdict on the facts.
pub fn reversibility(facts: &Facts) -> Reversibility {
    // Nothing was measured, whether there is a way back or not.
    if !facts.up_ran {
        return Reversibility::Unknown;
    }
    if !facts.has_down {
        return Reversibility::Irreversible;
    }
    let failed = [facts.down_ran, facts.schema_restored, facts.up_again].contains(&Some(false));
    if failed && !facts.incomplete {
        return Reversibility::Irreversible;
    }
    if facts.incomplete || facts.down_ran.is_none() {
        return Reversibility::Unknown;
    }
    if facts.loses_data {
        return Reversibility::Lossy;
    }
    Reversibility::Reversible
}
