//! Rolling a version out to many sites in waves: who belongs to which wave, what comes next, when to stop.

/// Why a list of waves can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWaves {
    /// There is none.
    #[error("a rollout needs at least one wave")]
    Empty,
    /// A wave that is neither a number of sites nor a share.
    #[error("\"{text}\" is no wave")]
    Unreadable {
        /// As it was given.
        text: String,
    },
    /// A wave that ends before the one before it.
    #[error("wave \"{text}\" ends before the wave before it")]
    Decreasing {
        /// As it was given.
        text: String,
    },
    /// The last wave leaves sites out.
    #[error("the waves reach {reached} of {sites} sites")]
    Short {
        /// How many sites the last wave reaches.
        reached: usize,
        /// How many there are.
        sites: usize,
    },
}

/// How far a wave reaches, counted from the first site: waves include those before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// So many sites.
    Sites(usize),
    /// So many thousandths of a percent of all sites.
    Share(u32),
}

/// One percent, in the unit of [`Reach::Share`].
const PERCENT: u32 = 1_000;

impl Reach {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some(percent) = text.strip_suffix('%') else {
            return digits(text)?
                .parse()
                .ok()
                .filter(|sites| *sites > 0)
                .map(Self::Sites);
        };
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        if fraction.len() > 3 {
            return None;
        }
        let whole: u32 = digits(whole)?.parse().ok()?;
        let thousandths: u32 = format!("{:0<3}", digits(fraction)?).parse().ok()?;
        let share = whole.checked_mul(PERCENT)?.checked_add(thousandths)?;
        (1..=100 * PERCENT)
            .contains(&share)
            .then_some(Self::Share(share))
    }

    /// Of so many sites; a share is rounded up, so that the smallest reaches one site.
    fn of(self, sites: usize) -> usize {
        match self {
            Self::Sites(number) => number.min(sites),
            Self::Share(share) => {
                let parts = sites as u128 * u128::from(share);
                usize::try_from(parts.div_ceil(u128::from(100 * PERCENT))).unwrap_or(sites)
            }
        }
    }
}

/// The text itself, when it is ASCII digits and nothing else.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Where each wave ends, counted in sites from the first one. The last end is `sites`; a wave may turn
/// out empty, for 10% of three sites is the one site that the first wave had already.
///
/// # Errors
/// What is wrong with the waves.
pub fn wave_ends<T: AsRef<str>>(waves: &[T], sites: usize) -> Result<Vec<usize>, BadWaves> {
    let mut ends: Vec<usize> = Vec::with_capacity(waves.len());
    let mut before: Option<Reach> = None;
    for text in waves.iter().map(AsRef::as_ref) {
        let owned = || text.to_owned();
        let reach = Reach::parse(text).ok_or_else(|| BadWaves::Unreadable { text: owned() })?;
        let is_smaller = match (before, reach) {
            (Some(Reach::Sites(before)), Reach::Sites(now)) => now < before,
            (Some(Reach::Share(before)), Reach::Share(now)) => now < before,
            // Five sites and then 10%: which one is more depends on how many sites there are.
            _ => false,
        };
        if is_smaller {
            return Err(BadWaves::Decreasing { text: owned() });
        }
        before = Some(reach);
        let last = ends.last().copied().unwrap_or(0);
        ends.push(reach.of(sites).max(last));
    }
    match ends.last() {
        None => Err(BadWaves::Empty),
        Some(&reached) if reached < sites => Err(BadWaves::Short { reached, sites }),
        Some(_) => Ok(ends),
    }
}

/// The wave (from 1) of the site at `position` (from 0).
pub fn wave_of(ends: &[usize], position: usize) -> usize {
    ends.iter().filter(|end| **end <= position).count() + 1
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Created, and no site tried yet.
    Pending,
    /// Going on.
    Running,
    /// Stopped, by too many failures or by hand.
    Halted,
    /// Every site has an outcome.
    Completed,
}

impl Status {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Halted => "halted",
            Self::Completed => "completed",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Halted, Self::Completed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// What became of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteStatus {
    /// Its turn has not come.
    Pending,
    /// It was upgraded.
    Success,
    /// It ran the target version already.
    Noop,
    /// It runs a version above the target.
    Ahead,
    /// Something stood against it.
    Failed,
    /// Another session was at it, or held a table; it is tried again.
    Locked,
    /// The site, or the module on it, has gone.
    Gone,
    /// The rollout was halted before its turn came.
    Halted,
    /// It failed, and is not to be tried again.
    Skipped,
    /// It got the module after the rollout was created.
    Added,
}

impl SiteStatus {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Noop => "noop",
            Self::Ahead => "ahead",
            Self::Failed => "failed",
            Self::Locked => "locked",
            Self::Gone => "gone",
            Self::Halted => "halted",
            Self::Skipped => "skipped",
            Self::Added => "added",
        }
    }
}

/// What is known of a rollout when its next site is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub status: Status,
    /// The lowest wave in which a site is pending, this runner's or another's.
    pub open_wave: Option<i32>,
    /// Whether a site is to be tried again because it was locked.
    pub has_locked: bool,
    /// Sites that failed.
    pub failures: i64,
    /// How many may.
    pub max_failures: i64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is over, or halted.
    Nothing,
    /// Stop, for too many sites failed.
    Halt,
    /// Upgrade a pending site of this wave.
    Upgrade {
        /// The wave.
        wave: i32,
    },
    /// Try a site again that was locked.
    TryAgain,
    /// Every site has an outcome.
    Complete,
}

/// The next step of a rollout. A wave begins when no site of an earlier one is pending; a site that was
/// locked holds up nobody and comes again at the end.
pub fn next_action(progress: &Progress) -> Action {
    match progress.status {
        Status::Halted | Status::Completed => return Action::Nothing,
        Status::Pending | Status::Running => {}
    }
    if progress.failures > progress.max_failures {
        return Action::Halt;
    }
    match (progress.open_wave, progress.has_locked) {
        (Some(wave), _) => Action::Upgrade { wave },
        (None, true) => Action::TryAgain,
        (None, false) => Action::Complete,
    }
}

/// What an error means for a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody else holds a lock: try again later.
    Locked,
    /// The site failed; others go on.
    Failed,
    /// The server has run out of something, which is no site's fault: stop.
    Stop,
}

/// What an error of that SQLSTATE means.
pub fn verdict(sqlstate: &str) -> Verdict {
    match sqlstate {
        "55P03" => Verdict::Locked,
        _ if sqlstate.starts_with("53") => Verdict::Stop,
        _ => Verdict::Failed,
    }
}

/// How many further sites fit into the lock table in one transaction, when each takes `per_site` locks.
pub fn sites_that_fit(per_site: i64, used: i64, capacity: i64) -> i64 {
    let free = capacity.saturating_sub(used).max(0);
    if per_site <= 0 {
        i64::MAX
    } else {
        free / per_site
    }
}

#[cfg(test)]
#[path = "rollout_tests.rs"]
mod tests;
