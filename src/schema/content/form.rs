//! In which form columns are read: as they were written when they were first looked at.

use std::collections::BTreeMap;

use versioning_core::content::{Family, Number};

use crate::schema::store::content as store;

/// The labels of enum values: what they are now, and what they were.
#[derive(Debug, Default)]
pub struct Labels {
    /// By enum: the label now and the one before, where they differ.
    pub renamed: BTreeMap<u32, BTreeMap<String, String>>,
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
    /// How the items of its values are written, where they are arrays.
    pub items: Option<Family>,
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
    pub fn had(&self, column: Number) -> bool {
        matches!(self, Self::ByNumber(forms) if forms.contains_key(&column))
    }

    /// The form for a column, if there is one.
    pub fn of(&self, column: &store::Column) -> Option<&Form> {
        match self {
            Self::ByNumber(forms) => forms.get(&column.number),
            Self::ByName(forms) => forms.get(&column.name),
        }
    }
}

/// How the values of a column are written.
pub fn family(column: &store::Column) -> Family {
    if column.enumeration.is_some() && !column.is_array {
        return Family::Text;
    }
    column
        .base_name
        .as_deref()
        .map_or(Family::Other, Family::of)
}

/// The form of a column as it is now.
pub fn form(column: &store::Column) -> Form {
    Form {
        family: family(column),
        items: items(column),
        attributes: column
            .attributes
            .iter()
            .map(|(number, _)| *number)
            .collect(),
    }
}

/// How the items of a column of arrays are written; labels of enums are looked up elsewhere.
pub fn items(column: &store::Column) -> Option<Family> {
    let name = column.item_name.as_deref();
    name.filter(|_| column.enumeration.is_none())
        .map(Family::of)
}
