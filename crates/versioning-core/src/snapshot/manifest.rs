//! The manifest: all that restoring and verifying need besides the chunks themselves.
//!
//! It is stored as the JSON text that [`Manifest::to_text`] writes, byte for byte; the snapshot's root
//! hash is the SHA-256 of those bytes behind a fixed prefix. Nothing in it depends on when or by whom
//! the snapshot was taken, so equal data gives an equal root hash.

use serde::{Deserialize, Serialize};

use super::chunker::PIECE_MAX;
use super::hash::Hash;

/// The format written here.
pub const FORMAT: u8 = 1;

const ROOT_PREFIX: &[u8] = b"module_versioning snapshot\0";

/// What one snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u8,
    /// Whose data it is, as the text of a uuid.
    pub site_id: String,
    /// The module, as the text of a uuid.
    pub module_id: String,
    /// The version the site ran.
    pub version: Option<String>,
    /// The fingerprint of the schema the rows were read from.
    pub fingerprint: String,
    /// Its tables, sorted by schema and relation.
    pub tables: Vec<Table>,
    /// The sequences of the site's schema that no column owns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<Sequence>,
}

/// One table of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// As people see it: without schema where it lies in the module's own.
    pub name: String,
    /// Its schema.
    pub schema: String,
    /// Its name in that schema.
    pub relation: String,
    /// The column that carries the site; none when the table was taken whole.
    pub site_column: Option<String>,
    /// Its columns, generated ones left out, in the order of the fields of each row.
    pub columns: Vec<Column>,
    /// The columns of its primary key; none without one.
    pub primary_key: Vec<String>,
    /// The sequences its columns own, and those of its owner's that their defaults use.
    pub sequences: Vec<Sequence>,
    /// How many rows.
    pub rows: u64,
    /// How many bytes they are, uncompressed.
    pub bytes: u64,
    /// The stored pieces in order.
    pub chunks: Vec<Piece>,
    /// SHA-256 over the columns and the hashes of the pieces, in hex.
    pub hash: String,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as SQL text, qualified outside `pg_catalog`.
    pub type_name: String,
    /// How its values are written.
    pub encoding: Encoding,
    /// Whether it is an identity column, as in `pg_attribute.attidentity`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// By the type's send function.
    Binary,
    /// By the type's output function, under fixed settings: for types whose binary form is missing
    /// or holds numbers that are only valid in one database.
    Text,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The column that owns it or whose default uses it; none for one of the schema's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// Its last value.
    pub last_value: i64,
    /// Whether that value has been handed out.
    pub is_called: bool,
}

/// A stored piece: a chunk, or a part of one that is very long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// SHA-256 of the uncompressed bytes, in hex.
    pub hash: String,
    /// How many bytes, uncompressed.
    pub bytes: u64,
    /// How many rows end in the chunk; 0 when the chunk goes on in the next piece.
    pub rows: u64,
}

/// Why a text is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// Not the JSON it should be.
    #[error("it does not read as a manifest ({0})")]
    Unreadable(String),
    /// A format of another time.
    #[error("its format is {0}, and this library knows format {FORMAT}")]
    Format(u8),
    /// Parts that don't agree.
    #[error("what it says of table {0} does not agree with itself")]
    Inconsistent(String),
}

impl Manifest {
    /// The text that is stored.
    ///
    /// # Errors
    /// When serialising fails, which plain data like this doesn't.
    pub fn to_text(&self) -> Result<String, BadManifest> {
        serde_json::to_string(self).map_err(|error| BadManifest::Unreadable(error.to_string()))
    }

    /// Reads a stored text.
    ///
    /// # Errors
    /// When it is no manifest, of another format, or its sums and hashes don't agree.
    pub fn from_text(text: &str) -> Result<Self, BadManifest> {
        let manifest: Self = serde_json::from_str(text)
            .map_err(|error| BadManifest::Unreadable(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(BadManifest::Format(manifest.format));
        }
        match manifest.tables.iter().find(|table| !table.agrees()) {
            Some(table) => Err(BadManifest::Inconsistent(table.name.clone())),
            None => Ok(manifest),
        }
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// The root hash of a stored manifest text.
pub fn root_hash(text: &str) -> Hash {
    Hash::of(&[ROOT_PREFIX, text.as_bytes()].concat())
}

impl Table {
    /// The hash that covers the columns and the pieces in order.
    pub fn content_hash(&self) -> Hash {
        let encoding = |column: &Column| match column.encoding {
            Encoding::Binary => b"binary".as_slice(),
            Encoding::Text => b"text".as_slice(),
        };
        let count = (self.columns.len() as u64).to_be_bytes();
        let columns = self.columns.iter().flat_map(|column| {
            [
                column.name.as_bytes(),
                column.type_name.as_bytes(),
                encoding(column),
            ]
        });
        let pieces = self.chunks.iter().map(|piece| piece.hash.as_bytes());
        Hash::of_parts(
            std::iter::once(count.as_slice())
                .chain(columns)
                .chain(pieces),
        )
    }

    /// The chunks, each as its pieces.
    pub fn chunk_groups(&self) -> impl Iterator<Item = &[Piece]> {
        self.chunks.split_inclusive(|piece| piece.rows > 0)
    }

    fn agrees(&self) -> bool {
        let sum = |part: fn(&Piece) -> u64| {
            self.chunks
                .iter()
                .try_fold(0_u64, |sum, piece| sum.checked_add(part(piece)))
        };
        sum(|piece| piece.rows) == Some(self.rows)
            && sum(|piece| piece.bytes) == Some(self.bytes)
            && self.chunks.iter().all(|piece| {
                piece.bytes <= PIECE_MAX as u64 && Hash::from_hex(&piece.hash).is_some()
            })
            && self.chunks.last().is_none_or(|piece| piece.rows > 0)
            && u16::try_from(self.columns.len()).is_ok()
            && self.hash == self.content_hash().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let piece = Piece {
            hash: Hash::of(b"x").to_string(),
            bytes: 1,
            rows: 1,
        };
        let column = Column {
            name: "id".into(),
            type_name: "integer".into(),
            encoding: Encoding::Binary,
            identity: String::new(),
        };
        let mut table = Table {
            name: "t".into(),
            schema: "s".into(),
            relation: "t".into(),
            site_column: None,
            columns: vec![column],
            primary_key: vec!["id".into()],
            sequences: vec![],
            rows: 1,
            bytes: 1,
            chunks: vec![piece],
            hash: String::new(),
        };
        table.hash = table.content_hash().to_string();
        Manifest {
            format: FORMAT,
            site_id: "a".into(),
            module_id: "b".into(),
            version: None,
            fingerprint: "f".into(),
            tables: vec![table],
            sequences: vec![],
        }
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let manifest = sample();
        let text = manifest.to_text().unwrap();
        assert_eq!(Manifest::from_text(&text).unwrap(), manifest);
        assert_eq!(manifest.table("t"), manifest.tables.first());
    }

    #[test]
    fn hashes_are_stable() {
        let text = sample().to_text().unwrap();
        assert_eq!(
            root_hash(&text).to_string(),
            "77aa8c34bcfe7c4ea46342da6c2019ec4f60c3fc1c0d53a8e4170ad0c132b0a1",
            "the format must not change without a new number: {text}"
        );
    }

    #[test]
    fn refuses_what_does_not_agree() {
        let refused = |change: fn(&mut Manifest)| {
            let mut manifest = sample();
            change(&mut manifest);
            Manifest::from_text(&manifest.to_text().unwrap()).is_err()
        };
        assert!(refused(|manifest| manifest.format = 2));
        assert!(refused(|manifest| manifest.tables[0].rows = 2));
        assert!(refused(|manifest| manifest.tables[0].bytes = 2));
        assert!(refused(
            |manifest| manifest.tables[0].columns[0].type_name = "text".into()
        ));
        assert!(refused(
            |manifest| manifest.tables[0].chunks[0].hash = Hash::of(b"y").to_string()
        ));
        assert!(refused(
            |manifest| manifest.tables[0].chunks[0].bytes = u64::MAX
        ));
        assert!(refused(|manifest| manifest.tables[0].chunks.clear()));
        assert!(Manifest::from_text("").is_err());
        assert!(Manifest::from_text("{}").is_err());
    }

    #[test]
    fn long_chunks_are_groups_of_pieces() {
        let mut table = sample().tables.remove(0);
        let piece = |rows| Piece {
            hash: Hash::of(b"x").to_string(),
            bytes: 1,
            rows,
        };
        table.chunks = vec![piece(0), piece(0), piece(3), piece(1)];
        let sizes: Vec<_> = table.chunk_groups().map(<[Piece]>::len).collect();
        assert_eq!(sizes, [3, 1]);
    }
}
