//! Folders on the server's disk: one that appears complete or not at all, and one that is read without
//! following links.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use versioning_core::snapshot::hash::{Hash, HashState};

use crate::error::{Error, Result};
use crate::snapshot::partial::Partial;
use crate::snapshot::store;

/// Where a folder is: its parent without links, and its name in there.
struct Place {
    parent: PathBuf,
    path: PathBuf,
    shown: String,
}

impl Place {
    fn of(directory: &str) -> Result<Self> {
        let refused = |why: &str| {
            Error::invalid_argument(format!("directory \"{directory}\" can't be used"))
                .detail(why.to_owned())
                .hint("Give the absolute path of a folder on the database server whose parent is there.")
        };
        let path = Path::new(directory);
        let is_plain =
            |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !path.is_absolute() || !path.components().all(is_plain) || directory.contains('\0') {
            return Err(refused("It is no absolute path without \"..\"."));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused("It is the root of the file system."));
        };
        let parent = fs::canonicalize(parent)
            .map_err(|error| refused(&format!("Its parent can't be looked up: {error}.")))?;
        let data = fs::canonicalize(store::data_directory()?);
        let path = parent.join(name);
        if data.is_ok_and(|data| path.starts_with(data)) {
            return Err(refused("It lies in the server's own data directory."));
        }
        Ok(Self {
            parent,
            path,
            shown: directory.to_owned(),
        })
    }

    fn failed(&self, what: &str, error: &io::Error) -> Error {
        Error::input_output(format!("directory \"{}\" could not be {what}", self.shown))
            .detail(format!("The operating system says: {error}."))
    }
}

/// A folder that is being written. It lies under another name until it is finished, and is removed when it
/// never is.
pub struct NewFolder {
    place: Place,
    partial: Partial,
    names: Vec<String>,
    is_finished: bool,
}

impl NewFolder {
    /// Begins a folder; there may be an empty one.
    ///
    /// # Errors
    /// 22023 when the path is none or there is something already; 58030 when the system refuses.
    pub fn begin(directory: &str) -> Result<Self> {
        let place = Place::of(directory)?;
        match fs::symlink_metadata(&place.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(place.failed("looked at", &error)),
            Ok(found) => {
                let mut entries = if found.is_dir() {
                    fs::read_dir(&place.path).map_err(|error| place.failed("read", &error))?
                } else {
                    return Err(Error::invalid_argument(format!(
                        "\"{directory}\" is no directory"
                    ))
                    .hint("Name a directory that is new or empty."));
                };
                if entries.next().is_some() {
                    return Err(Error::invalid_argument(format!(
                        "directory \"{directory}\" is not empty"
                    ))
                    .hint("Name a directory that is new or empty."));
                }
            }
        }
        let partial =
            Partial::create(&place.parent).map_err(|error| place.failed("written", &error))?;
        partial.remove_abandoned(&place.parent);
        Ok(Self {
            place,
            partial,
            names: Vec::new(),
            is_finished: false,
        })
    }

    /// Begins a file, which nobody but the server's account may read.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn file(&mut self, name: &str) -> Result<NewFile> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.partial.path.join(name))
            .map_err(|error| self.place.failed("written", &error))?;
        self.names.push(name.to_owned());
        Ok(NewFile {
            file: BufWriter::with_capacity(1 << 20, file),
            state: HashState::default(),
            bytes: 0,
            shown: format!("{}/{name}", self.place.shown),
        })
    }

    /// Puts the folder where it belongs, all of it on disk.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn finish(mut self) -> Result<()> {
        let failed = |error: io::Error| self.place.failed("written", &error);
        sync(&self.partial.path).map_err(failed)?;
        // Succeeds over nothing and over an empty folder, and over nothing else.
        fs::rename(&self.partial.path, &self.place.path).map_err(failed)?;
        self.is_finished = true;
        sync(&self.place.parent).map_err(|error| self.place.failed("written", &error))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_finished {
            for name in &self.names {
                // Nothing can be done about what can't be removed.
                let _ = fs::remove_file(self.partial.path.join(name));
            }
            let _ = fs::remove_dir(&self.partial.path);
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A file that is being written.
pub struct NewFile {
    file: BufWriter<File>,
    state: HashState,
    bytes: u64,
    shown: String,
}

impl NewFile {
    /// Appends bytes.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.state.add(bytes);
        self.bytes += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|error| failed(&self.shown, "written", &error))
    }

    /// Ends the file, on disk; its length and hash.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn finish(mut self) -> Result<(u64, Hash)> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|error| failed(&self.shown, "written", &error))?;
        Ok((self.bytes, self.state.finish()))
    }
}

fn failed(file: &str, what: &str, error: &io::Error) -> Error {
    Error::input_output(format!("file \"{file}\" could not be {what}"))
        .detail(format!("The operating system says: {error}."))
}

/// A folder to be read.
pub struct Folder(Place);

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// 22023 when there is no folder, or a link to one.
    pub fn open(directory: &str) -> Result<Self> {
        let place = Place::of(directory)?;
        match fs::symlink_metadata(&place.path) {
            Ok(found) if found.is_dir() => Ok(Self(place)),
            _ => Err(
                Error::invalid_argument(format!("\"{directory}\" is no directory"))
                    .hint("Name a directory that export_snapshot() wrote."),
            ),
        }
    }

    /// The names of what is in it, sorted.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn names(&self) -> Result<Vec<String>> {
        let failed = |error| self.0.failed("read", &error);
        let mut names = fs::read_dir(&self.0.path)
            .map_err(failed)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| self.0.failed("read", &error))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Opens a file in it; `None` when it is no plain file.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn file(&self, name: &str) -> Result<Option<(u64, FileReader)>> {
        let path = self.0.path.join(name);
        let shown = format!("{}/{name}", self.0.shown);
        let failed = |error| failed(&shown, "read", &error);
        let listed = fs::symlink_metadata(&path).map_err(failed)?;
        if !listed.is_file() {
            return Ok(None);
        }
        let file = File::open(&path).map_err(failed)?;
        let opened = file.metadata().map_err(failed)?;
        // A link that somebody puts there in between leads to another file.
        if (listed.dev(), listed.ino()) != (opened.dev(), opened.ino()) {
            return Ok(None);
        }
        let reader = FileReader {
            file: BufReader::with_capacity(1 << 20, file),
            state: HashState::default(),
            shown,
        };
        Ok(Some((opened.len(), reader)))
    }
}

/// A file that is read, hashed on the way.
pub struct FileReader {
    file: BufReader<File>,
    state: HashState,
    shown: String,
}

impl FileReader {
    /// What is wrong when reading fails.
    pub fn failed(&self, error: &io::Error) -> Error {
        failed(&self.shown, "read", error)
    }

    /// The hash of all that was read.
    pub fn hash(self) -> Hash {
        self.state.finish()
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.state.add(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
