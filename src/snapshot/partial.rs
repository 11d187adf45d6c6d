//! The folder under which an export is written before it is complete. Whoever writes it holds a lock on it,
//! which the operating system lets go when the process ends, however it ends: so what a killed one has left is
//! told from what is being written, and taken away by the next export beside it.

use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

const PREFIX: &str = ".module_versioning-";
const SUFFIX: &str = ".partial";

/// How often a new name is tried.
const ATTEMPTS: usize = 10;

/// A folder that is being written.
pub struct Partial {
    /// Where it is.
    pub path: PathBuf,
    /// Held for its lock.
    lock: File,
}

impl Partial {
    /// Makes one.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(parent: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let number = RandomState::new().build_hasher().finish();
            let path = parent.join(format!("{PREFIX}{number:016x}{SUFFIX}"));
            DirBuilder::new().mode(0o700).create(&path)?;
            let lock = File::open(&path)?;
            // Before it was locked, another export may have taken it for abandoned.
            if lock.try_lock().is_ok() && is_same(&lock, &path) {
                return Ok(Self { path, lock });
            }
        }
        Err(io::Error::other(
            "no folder could be made that is left alone",
        ))
    }

    /// Takes away what exports have left that were killed: folders of such a name that belong to this account
    /// and that nobody has locked. One that can't be taken away stays.
    pub fn remove_abandoned(&self, parent: &Path) {
        let (Ok(mine), Ok(entries)) = (self.lock.metadata(), fs::read_dir(parent)) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_partial = name
                .to_str()
                .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
            let path = entry.path();
            let is_ours = |found: fs::Metadata| found.is_dir() && found.uid() == mine.uid();
            if !is_partial || path == self.path || !fs::symlink_metadata(&path).is_ok_and(is_ours) {
                continue;
            }
            if let Ok(folder) = File::open(&path)
                && folder.try_lock().is_ok()
                && is_same(&folder, &path)
            {
                let _ = fs::remove_dir_all(&path);
            }
        }
    }
}

/// Whether the path leads to that folder, without a link.
fn is_same(folder: &File, path: &Path) -> bool {
    let (Ok(open), Ok(listed)) = (folder.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    listed.is_dir() && (open.dev(), open.ino()) == (listed.dev(), listed.ino())
}
