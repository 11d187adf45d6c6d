//! A table's rows to an image of them: read once, as the table's owner, each value hashed as it passes.
//!
//! Nothing of a tenant's runs: values become text by their types' own output functions, and no cast, view
//! or policy has a part in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use pgrx::PgSqlErrorCode;
use pgrx::spi::quote_identifier;
use versioning_core::content::{
    Column, Family, Image, Leaf, NULL, Number, Value, is_literal, items, parts, relabelled,
};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::identity::{Restriction, as_extension_owner, run_as};
use crate::pg::row_stream::{Source, consistent_view, stream};
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::schema::store::content::{self as store, Table};

/// Values have one form, whatever the session's settings, and no policy hides a row.
const SETTINGS: &[(&str, &str)] = &[
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("enable_indexscan", "off"),
    ("enable_bitmapscan", "off"),
    ("max_parallel_workers_per_gather", "0"),
    // Rows come in the order in which they lie.
    ("synchronize_seqscans", "off"),
];

/// The labels of enum values: what they are now, and what they were.
#[derive(Debug, Default)]
pub struct Labels {
    /// By enum: the label now and the one before, where they differ.
    renamed: BTreeMap<u32, BTreeMap<String, String>>,
}

impl Labels {
    /// What became of the labels.
    pub fn new(before: &BTreeMap<u32, String>, now: &[(u32, u32, String)]) -> Self {
        let mut labels = Self::default();
        for (value, kind, label) in now {
            if let Some(before) = before.get(value).filter(|before| *before != label) {
                let renamed = labels.renamed.entry(*kind).or_default();
                renamed.insert(label.clone(), before.clone());
            }
        }
        labels
    }
}

/// What was kept of a column, which decides how it is read again.
#[derive(Debug, Clone)]
pub struct Form {
    /// How its values are written.
    pub family: Family,
    /// The attributes of its composite type.
    pub attributes: Vec<Number>,
}

/// The forms in which columns are read.
#[derive(Debug, Clone)]
pub enum Forms {
    /// Those that the columns had, by number.
    ByNumber(BTreeMap<Number, Form>),
    /// Those of columns of other tables whose values may have been put here under the same names.
    ByName(BTreeMap<String, Form>),
}

impl Forms {
    /// Whether the column was there when the forms were noted.
    fn had(&self, column: &store::Column) -> bool {
        matches!(self, Self::ByNumber(forms) if forms.contains_key(&column.number))
    }

    fn of(&self, column: &store::Column) -> Option<&Form> {
        match self {
            Self::ByNumber(forms) => forms.get(&column.number),
            Self::ByName(forms) => forms.get(&column.name),
        }
    }
}

/// How a column is read.
struct Reading {
    column: Column,
    expression: String,
    /// How the values are printed now.
    printed: Family,
    /// The enum they are of.
    enumeration: Option<u32>,
    is_array: bool,
    default: Option<String>,
}

/// One secret for all images that are compared with each other.
pub type Secret = RandomState;

/// A table as it is read: the forms of its columns go with the image.
pub struct Read {
    /// The rows.
    pub image: Image,
    /// By column.
    pub forms: BTreeMap<Number, Form>,
}

/// What reading takes.
pub struct Reader<'a> {
    /// The secret of the hashes.
    pub secret: &'a Secret,
    /// Labels that were renamed.
    pub labels: &'a Labels,
    /// How many values may still be kept.
    pub room: &'a mut usize,
    /// Whether members of JSON values and items of arrays are read too.
    pub with_parts: bool,
}

/// How many parts of values are kept of one table.
const MOST_PARTS: usize = 4_000_000;

impl Reader<'_> {
    /// Reads a table; as [`Reader::read`]. An owner who may not read its own table, or not use the schema
    /// that it lies in, is granted that for the moment.
    ///
    /// # Errors
    /// What PostgreSQL raised.
    pub fn read_somehow(&mut self, table: &Table, forms: &Forms) -> Result<Read> {
        let denied = match in_subtransaction(|| self.read(table, forms)) {
            Err(error) if error.code() == PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE => error,
            result => return result,
        };
        let mut found = None;
        // The grants are undone with the subtransaction.
        let undone = in_subtransaction(|| {
            as_extension_owner(|| store::let_owner_read(table))?;
            found = Some(self.read(table, forms)?);
            Err::<(), Error>(denied)
        });
        match (found, undone) {
            (Some(read), _) => Ok(read),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(Error::internal("a subtransaction was not undone")),
        }
    }

    /// Reads a table; columns that have a form, by number or else by name, in that form.
    ///
    /// # Errors
    /// 42501 when the owner may not read its own table. PostgreSQL's own errors are raised.
    pub fn read(&mut self, table: &Table, forms: &Forms) -> Result<Read> {
        let found = store::columns(table.oid)?;
        let keys = store::keys(table.oid)?;
        let own: BTreeMap<Number, Form> = found
            .iter()
            .map(|column| (column.number, form(column)))
            .collect();
        // Generated columns lose nothing, but new ones may show what others held.
        let mut readings: Vec<Reading> = found
            .into_iter()
            .filter(|column| !column.is_generated || self.with_parts && !forms.had(column))
            .map(|column| {
                let form = forms.of(&column).or(own.get(&column.number));
                reading(column, form)
            })
            .collect();
        let image = run_as(table.owner, Restriction::RestrictedOperation, || {
            with_settings(SETTINGS, || {
                self.defaults(&mut readings)?;
                consistent_view(|| self.rows(table, &readings, keys))
            })
        })?;
        Ok(Read { image, forms: own })
    }

    fn rows(
        &mut self,
        table: &Table,
        readings: &[Reading],
        keys: Vec<Vec<Number>>,
    ) -> Result<Image> {
        let fields: Vec<&str> = ["t.tableoid", "t.ctid"]
            .into_iter()
            .chain(readings.iter().map(|reading| reading.expression.as_str()))
            .collect();
        let query = format!("SELECT {} FROM {} t", fields.join(", "), table.item());
        let columns = readings
            .iter()
            .map(|reading| reading.column.clone())
            .collect();
        let mut image = Image::new(columns, keys);
        let source = Source {
            query: &query,
            parameter: None,
            text: &vec![true; readings.len()],
        };
        let (mut bytes, mut values) = (Vec::new(), Vec::with_capacity(readings.len()));
        let mut leaves = Vec::new();
        stream(&source, &mut |row| {
            bytes.clear();
            row.append_to(&mut bytes)?;
            values.clear();
            self.values(&bytes, readings, &mut values)?;
            let part = if table.partitioned {
                Some(row.place()?.table.to_u32())
            } else {
                None
            };
            if self.with_parts && leaves.len() < MOST_PARTS {
                let row = u32::try_from(image.count).unwrap_or(u32::MAX);
                self.leaves(&bytes, readings, row, &mut leaves);
            }
            image.push(&values, part, self.room);
            Ok(())
        })?;
        image.widen(&leaves);
        Ok(image)
    }

    fn leaves(&self, bytes: &[u8], readings: &[Reading], row: u32, leaves: &mut Vec<Leaf>) {
        let Some(Ok(fields)) = RowReader::new(bytes, readings.len()).next() else {
            return;
        };
        for (reading, field) in readings.iter().zip(fields.fields) {
            let parts_of: fn(&str) -> Vec<(String, String)> = match reading.printed {
                Family::Json => parts,
                _ if reading.is_array => items,
                _ => continue,
            };
            let text = String::from_utf8_lossy(field.unwrap_or_default());
            leaves.extend(parts_of(&text).into_iter().map(|(path, part)| Leaf {
                row,
                parent: reading.column.number,
                path,
                value: self.hash(&part),
            }));
        }
    }

    fn hash(&self, form: &str) -> Value {
        self.secret.hash_one(form.as_bytes()).max(NULL + 1)
    }

    fn values(&self, bytes: &[u8], readings: &[Reading], values: &mut Vec<Value>) -> Result<()> {
        let row = RowReader::new(bytes, readings.len()).next();
        let Some(Ok(row)) = row else {
            return Err(Error::internal("a row of an internal query can't be read"));
        };
        for (reading, field) in readings.iter().zip(row.fields) {
            values.push(field.map_or(NULL, |field| self.value(reading, field)));
        }
        Ok(())
    }

    fn value(&self, reading: &Reading, field: &[u8]) -> Value {
        // The database's encoding and the client's are UTF8.
        let text = String::from_utf8_lossy(field);
        let text = self.labelled(reading, text);
        let form = reading.column.family.back(reading.printed, &text);
        self.hash(&form)
    }

    /// With the labels that were there before.
    fn labelled<'t>(&self, reading: &Reading, text: Cow<'t, str>) -> Cow<'t, str> {
        let Some(enumeration) = reading.enumeration else {
            return text;
        };
        let renamed = self.labels.renamed.get(&enumeration);
        let label = |now: &str| {
            let before = renamed.and_then(|renamed| renamed.get(now));
            before.map_or_else(|| now.to_owned(), Clone::clone)
        };
        if reading.is_array {
            Cow::Owned(relabelled(&text, label))
        } else if renamed.is_some() {
            Cow::Owned(label(&text))
        } else {
            text
        }
    }

    /// The hashes of constant defaults.
    fn defaults(&self, readings: &mut [Reading]) -> Result<()> {
        let constant: Vec<(usize, &str, &str)> = readings
            .iter()
            .enumerate()
            .filter_map(|(place, reading)| {
                let default = reading.default.as_deref().filter(|text| is_literal(text))?;
                Some((place, default, reading.column.type_name.as_str()))
            })
            .collect();
        if constant.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(&str, &str)> = constant
            .iter()
            .map(|(_, default, kind)| (*default, *kind))
            .collect();
        // A domain may not let its own default pass any more; then every value counts.
        let Ok(texts) = in_subtransaction(|| store::constants(&pairs)) else {
            return Ok(());
        };
        let places: Vec<usize> = constant.iter().map(|(place, ..)| *place).collect();
        for (place, text) in places.into_iter().zip(texts) {
            if let Some(reading) = readings.get_mut(place) {
                reading.column.default = Some(self.value(reading, text.as_bytes()));
            }
        }
        Ok(())
    }
}

fn family(column: &store::Column) -> Family {
    if column.enumeration.is_some() && !column.is_array {
        return Family::Text;
    }
    column
        .base_name
        .as_deref()
        .map_or(Family::Other, Family::of)
}

fn form(column: &store::Column) -> Form {
    Form {
        family: family(column),
        attributes: column
            .attributes
            .iter()
            .map(|(number, _)| *number)
            .collect(),
    }
}

fn reading(column: store::Column, form: Option<&Form>) -> Reading {
    let printed = family(&column);
    let attributes = form.map_or(&[][..], |form| &form.attributes);
    Reading {
        expression: expression(&column, attributes),
        printed,
        enumeration: column.enumeration.map(|kind| kind.to_u32()),
        is_array: column.is_array,
        default: column.default,
        column: Column {
            number: column.number,
            name: column.name,
            kind: column.kind,
            type_name: column.type_name,
            family: form.map_or(printed, |form| form.family),
            default: None,
            is_given: column.is_given,
            parent: None,
        },
    }
}

/// The column in a SELECT list; of a composite one the attributes that it had, whatever was added.
fn expression(column: &store::Column, attributes: &[Number]) -> String {
    let name = quote_identifier(&column.name);
    if column.attributes.is_empty() || attributes.is_empty() {
        return format!("t.{name}");
    }
    let values: Vec<String> = attributes
        .iter()
        .map(|number| {
            let found = column.attributes.iter().find(|(now, _)| now == number);
            found.map_or_else(
                || "NULL".to_owned(),
                |(_, attribute)| format!("(t.{name}).{}", quote_identifier(attribute)),
            )
        })
        .collect();
    let places = vec!["%L"; values.len()].join(",");
    format!(
        "CASE WHEN t.{name} IS NULL THEN NULL ELSE pg_catalog.format('{places}', {}) END",
        values.join(", ")
    )
}
