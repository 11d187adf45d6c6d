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
    self, Column, Family, Image, NULL, Number, Parts, Value, is_literal, parts, relabelled,
};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::identity::{Restriction, as_extension_owner, run_as};
use crate::pg::row_stream::{Source, consistent_view, stream};
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::pg::table_owner;
use crate::schema::content::form::{Form, Forms, Labels, family, form, items};
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

/// How a column is read.
struct Reading {
    column: Column,
    expression: String,
    /// How the values are printed now.
    printed: Family,
    /// The enum they are of.
    enumeration: Option<u32>,
    is_array: bool,
    /// How the items of arrays were written, and how they are now.
    items: Option<(Family, Family)>,
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
    /// How many rows are read, where it isn't all of them.
    pub most_rows: Option<u32>,
}

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
            .filter(|column| !column.is_generated || self.with_parts && !forms.had(column.number))
            .map(|column| {
                let form = forms.of(&column).or(own.get(&column.number));
                reading(column, form)
            })
            .collect();
        if self.with_parts {
            let is_new = |one: &&Reading| {
                own.contains_key(&one.column.number) && !forms.had(one.column.number)
            };
            let others = readings.iter().filter(is_new).filter_map(in_another_form);
            readings.extend(others.collect::<Vec<_>>());
        }
        table_owner::check(table.oid, table.owner)?;
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
        let limit = (self.most_rows).map_or_else(String::new, |most| format!(" LIMIT {most}"));
        let query = format!(
            "SELECT {} FROM {} t{limit}",
            fields.join(", "),
            table.item()
        );
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
        let mut inside = Parts::default();
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
            if self.with_parts && inside.has_room() {
                let row = u32::try_from(image.count).unwrap_or(u32::MAX);
                self.parts(&bytes, readings, row, &mut inside);
            }
            image.push(&values, part, self.room);
            Ok(())
        })?;
        image.widen(inside, self.room);
        Ok(image)
    }

    fn parts(&self, bytes: &[u8], readings: &[Reading], row: u32, inside: &mut Parts) {
        let Some(Ok(fields)) = RowReader::new(bytes, readings.len()).next() else {
            return;
        };
        for (reading, field) in readings.iter().zip(fields.fields) {
            let parts_of: fn(&str) -> Vec<(String, String)> = match reading.printed {
                Family::Json => parts,
                _ if reading.is_array => content::items,
                _ => continue,
            };
            let text = String::from_utf8_lossy(field.unwrap_or_default());
            for (path, part) in parts_of(&text) {
                inside.add(row, reading.column.number, path, self.hash(&part));
            }
        }
    }

    fn hash(&self, form: &str) -> Value {
        self.secret.hash_one(form.as_bytes()).max(NULL + 1)
    }

    fn values(&self, bytes: &[u8], readings: &[Reading], values: &mut Vec<Value>) -> Result<()> {
        let mut next = readings.iter();
        let mut row = RowReader::new(bytes, readings.len());
        row.each_field(|field| {
            let value = next.next().zip(field);
            values.push(value.map_or(NULL, |(reading, field)| self.value(reading, field)));
        })
        .map_err(|_| Error::internal("a row of an internal query can't be read"))
    }

    fn value(&self, reading: &Reading, field: &[u8]) -> Value {
        // The database's encoding and the client's are UTF8.
        let text = String::from_utf8_lossy(field);
        let text = self.labelled(reading, text);
        if let Some((was, now)) = reading.items {
            return self.hash(&relabelled(&text, |item| match item {
                "NULL" => item.to_owned(),
                _ => was.back(now, item).into_owned(),
            }));
        }
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

/// The number of the first column that is read in another form, downwards.
const OTHER_FORMS: Number = -1_000;

/// A column of numbers as the column of another type would hold them from which they may have been copied: a
/// `real` and a `numeric` have no common form.
fn in_another_form(reading: &Reading) -> Option<Reading> {
    let family = match reading.printed {
        Family::Real => Family::Number,
        Family::Number => Family::Real,
        _ => return None,
    };
    let column = Column {
        number: OTHER_FORMS.checked_sub(reading.column.number)?,
        family,
        default: None,
        parent: Some(reading.column.number),
        ..reading.column.clone()
    };
    Some(Reading {
        column,
        expression: reading.expression.clone(),
        printed: reading.printed,
        enumeration: None,
        is_array: false,
        items: None,
        default: None,
    })
}

fn reading(column: store::Column, form: Option<&Form>) -> Reading {
    let printed = family(&column);
    let attributes = form.map_or(&[][..], |form| &form.attributes);
    let (was, now) = (form.and_then(|form| form.items), items(&column));
    Reading {
        items: was
            .zip(now)
            .filter(|(was, now)| was != now || was.has_own_form()),
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
