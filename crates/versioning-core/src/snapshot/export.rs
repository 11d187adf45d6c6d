//! A snapshot as a folder of files: what stands in its `metadata.json`, and what the files are called.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::manifest::{self, Manifest};

/// The format written here.
pub const FORMAT: u8 = 1;

/// The file that describes the others.
pub const METADATA: &str = "metadata.json";

/// How long `metadata.json` may be: enough for a snapshot of a terabyte.
pub const METADATA_MAX: u64 = 256 * 1024 * 1024;

const NAME_MAX: usize = 100;

/// What `metadata.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// [`FORMAT`].
    pub format: u8,
    /// The site's slug, for people.
    pub site: String,
    /// The module's slug, for people.
    pub module: String,
    /// The snapshot's id where it was exported.
    pub backup_id: String,
    /// When it was exported, for people.
    pub exported_at: String,
    /// The root hash in hex.
    pub root_hash: String,
    /// The manifest's text, byte for byte.
    pub manifest: String,
    /// One file for each table of the manifest, in its order.
    pub files: Vec<File>,
    /// SHA-256 of all the above, in hex.
    pub hash: String,
}

/// The file of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The table, as the manifest names it.
    pub table_name: String,
    /// The file's name in the folder.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// How long the file is.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub hash: String,
}

/// Why a folder's metadata is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMetadata {
    /// Not the JSON it should be.
    #[error("metadata.json does not read as the metadata of an export ({0})")]
    Unreadable(String),
    /// A format of another time.
    #[error("metadata.json is of format {0}, and this library knows format {FORMAT}")]
    Format(u8),
    /// A byte of it is not what was written.
    #[error("metadata.json is not what was written")]
    Altered,
    /// The manifest in it.
    #[error("the manifest in metadata.json is refused: {0}")]
    Manifest(manifest::BadManifest),
    /// Files and tables that don't agree.
    #[error("the files in metadata.json are not those of its manifest")]
    Files,
}

impl Metadata {
    /// Puts in the hash of what is there.
    ///
    /// # Errors
    /// When serialising fails, which plain data like this doesn't.
    pub fn seal(mut self) -> Result<Self, BadMetadata> {
        self.hash = self.hash_of_rest()?;
        Ok(self)
    }

    fn hash_of_rest(&self) -> Result<String, BadMetadata> {
        let rest = Self {
            hash: String::new(),
            ..self.clone()
        };
        Ok(Hash::of(rest.to_text()?.as_bytes()).to_string())
    }

    /// The text of `metadata.json`.
    ///
    /// # Errors
    /// As [`Metadata::seal`].
    pub fn to_text(&self) -> Result<String, BadMetadata> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| BadMetadata::Unreadable(error.to_string()))?;
        text.push('\n');
        Ok(text)
    }

    /// Reads the bytes of `metadata.json`, with the manifest in it: exactly what [`Metadata::to_text`] wrote
    /// and nothing else.
    ///
    /// # Errors
    /// When it is anything else, or doesn't agree with itself.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, Manifest), BadMetadata> {
        let read: Self = serde_json::from_slice(bytes)
            .map_err(|error| BadMetadata::Unreadable(error.to_string()))?;
        if read.format != FORMAT {
            return Err(BadMetadata::Format(read.format));
        }
        if read.hash != read.hash_of_rest()? || read.to_text()?.as_bytes() != bytes {
            return Err(BadMetadata::Altered);
        }
        if manifest::root_hash(&read.manifest).to_string() != read.root_hash {
            return Err(BadMetadata::Altered);
        }
        let manifest = Manifest::from_text(&read.manifest).map_err(BadMetadata::Manifest)?;
        if read.agrees_with(&manifest) {
            Ok((read, manifest))
        } else {
            Err(BadMetadata::Files)
        }
    }

    fn agrees_with(&self, manifest: &Manifest) -> bool {
        let is_compressed = self.files.iter().any(|file| file.name.ends_with(".zst"));
        let names = file_names(manifest, is_compressed);
        let same = |((file, table), name): ((&File, &manifest::Table), &String)| {
            file.table_name == table.name && file.rows == table.rows && file.name == *name
        };
        self.files.len() == manifest.tables.len()
            && self
                .files
                .iter()
                .zip(&manifest.tables)
                .zip(&names)
                .all(same)
    }
}

/// What the tables' files are called: `table.copy` where the table's name is harmless, else with what is
/// harmless in it behind a number. Never a path, never two the same, whatever the file system folds.
pub fn file_names(manifest: &Manifest, compressed: bool) -> Vec<String> {
    let suffix = if compressed { ".copy.zst" } else { ".copy" };
    let mut taken = BTreeSet::new();
    let name = |(number, table): (usize, &manifest::Table)| {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_harmless = |name: &str| {
            !name.is_empty()
                && name.len() <= NAME_MAX
                && name
                    .split('.')
                    .all(|part| !part.is_empty() && part.bytes().all(is_plain))
        };
        // A name that is quoted for being a word of SQL is harmless.
        let unquoted = (table.name.strip_prefix('"'))
            .and_then(|name| name.strip_suffix('"'))
            .unwrap_or(&table.name);
        if is_harmless(unquoted) && taken.insert(unquoted.to_owned()) {
            return format!("{unquoted}{suffix}");
        }
        let plain: String = table
            .name
            .bytes()
            .map(|byte| {
                if is_plain(byte) {
                    char::from(byte)
                } else {
                    '_'
                }
            })
            .take(NAME_MAX / 2)
            .collect();
        // No harmless name has a hyphen.
        format!("{}-{plain}{suffix}", number + 1)
    };
    manifest.tables.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::manifest::Table;

    fn table(name: &str) -> Table {
        let mut table = Table {
            name: name.into(),
            schema: "s".into(),
            relation: name.into(),
            site_column: None,
            columns: vec![],
            primary_key: vec![],
            sequences: vec![],
            rows: 0,
            bytes: 0,
            chunks: vec![],
            hash: String::new(),
        };
        table.hash = table.content_hash().to_string();
        table
    }

    fn manifest(names: &[&str]) -> Manifest {
        Manifest {
            format: manifest::FORMAT,
            site_id: "a".into(),
            module_id: "b".into(),
            version: None,
            fingerprint: String::new(),
            tables: names.iter().map(|name| table(name)).collect(),
            sequences: vec![],
        }
    }

    fn sample() -> Metadata {
        let manifest = manifest(&["orders", "../../etc/passwd"]);
        let text = manifest.to_text().unwrap();
        let names = file_names(&manifest, false);
        let files = manifest.tables.iter().zip(names).map(|(table, name)| File {
            table_name: table.name.clone(),
            name,
            rows: 0,
            bytes: 21,
            hash: Hash::of(b"").to_string(),
        });
        let metadata = Metadata {
            format: FORMAT,
            site: "acme".into(),
            module: "shop".into(),
            backup_id: "x".into(),
            exported_at: "now".into(),
            root_hash: manifest::root_hash(&text).to_string(),
            manifest: text,
            files: files.collect(),
            hash: String::new(),
        };
        metadata.seal().unwrap()
    }

    #[test]
    fn names_files_harmlessly() {
        let hostile = [
            "orders",
            "sales.orders",
            "..",
            ".",
            "",
            "../../etc/passwd",
            "\"Odd \"\"name\"\"\"",
            "metadata.json",
            "ünï",
            "a/b",
            "orders",
            "nul\0",
            "Orders",
            "\"none\"",
            "\"",
        ];
        let names = file_names(&manifest(&hostile), false);
        assert_eq!(names[0], "orders.copy");
        assert_eq!(names[1], "sales.orders.copy");
        assert_eq!(names[5], "6-______etc_passwd.copy");
        assert_eq!(names[13], "none.copy");
        let unique: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(unique.len(), names.len());
        for name in &names {
            assert!(
                !name.contains(['/', '\0', '\n', '"']) && !name.starts_with('.'),
                "{name}"
            );
            assert!(name.len() < 120 && name != METADATA, "{name}");
        }
        let long = "x".repeat(200);
        assert!(file_names(&manifest(&[&long]), true)[0].len() < 120);
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let metadata = sample();
        let text = metadata.to_text().unwrap();
        let (read, manifest) = Metadata::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(read, metadata);
        assert_eq!(manifest.tables.len(), 2);
    }

    #[test]
    fn refuses_every_flipped_bit() {
        let text = sample().to_text().unwrap().into_bytes();
        for place in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            assert!(Metadata::from_bytes(&flipped).is_err(), "bit {place}");
        }
    }

    #[test]
    fn refuses_what_is_cut_or_longer() {
        let text = sample().to_text().unwrap().into_bytes();
        for end in 0..text.len() {
            assert!(Metadata::from_bytes(&text[..end]).is_err(), "{end}");
        }
        let mut longer = text.clone();
        longer.push(b' ');
        assert!(Metadata::from_bytes(&longer).is_err());
    }

    #[test]
    fn refuses_files_that_are_not_the_tables() {
        let refused = |change: fn(&mut Metadata)| {
            let mut metadata = sample();
            change(&mut metadata);
            let text = metadata.seal().unwrap().to_text().unwrap();
            Metadata::from_bytes(text.as_bytes()).is_err()
        };
        assert!(!refused(|_| ()));
        assert!(refused(
            |metadata| metadata.files[0].name = "/etc/passwd".into()
        ));
        assert!(refused(
            |metadata| metadata.files[0].name = "other.copy".into()
        ));
        assert!(refused(|metadata| metadata.files[0].rows = 1));
        assert!(refused(|metadata| metadata.files.reverse()));
        assert!(refused(|metadata| metadata.files.clear()));
        assert!(refused(|metadata| metadata.format = 2));
        assert!(refused(
            |metadata| metadata.root_hash = Hash::of(b"").to_string()
        ));
    }
}
