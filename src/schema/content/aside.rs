//! What lies beside tables: sequences that no column owns, large objects.

use std::collections::{BTreeMap, BTreeSet};

use versioning_core::content::{IN_BETWEEN, Kind, Loss, Name};

use crate::error::Result;
use crate::pg::identity::as_extension_owner;
use crate::schema::store::content::{self as store, Sequence};

/// How many large objects are kept track of.
const MOST_LARGE_OBJECTS: i64 = 1_000_000;

/// What there was at one moment.
pub struct Aside {
    sequences: Vec<Sequence>,
    large_objects: BTreeSet<u32>,
}

impl Aside {
    /// What there is.
    ///
    /// # Errors
    /// None of its own.
    pub fn look() -> Result<Self> {
        Ok(Self {
            sequences: as_extension_owner(store::sequences)?,
            large_objects: store::large_objects(MOST_LARGE_OBJECTS)?
                .into_iter()
                .collect(),
        })
    }

    /// What is gone of it.
    pub fn losses(&self, now: &Self) -> Vec<Loss> {
        let by_oid: BTreeMap<u32, &Sequence> = now
            .sequences
            .iter()
            .map(|sequence| (sequence.oid, sequence))
            .collect();
        let alone = self.sequences.iter().filter(|sequence| !sequence.is_owned);
        let mut losses: Vec<Loss> = alone
            .filter_map(|before| lost_sequence(before, by_oid.get(&before.oid).copied()))
            .collect();
        let gone = self.large_objects.difference(&now.large_objects).count() as u64;
        if gone > 0 {
            losses.push(Loss {
                kind: Kind::LargeObjectsDeleted,
                object: 0,
                table: Name {
                    schema: "pg_catalog".to_owned(),
                    name: "pg_largeobject".to_owned(),
                },
                column: None,
                rows: gone,
                values: None,
                certain: true,
                detail: None,
            });
        }
        losses
    }

    /// The sequences that were there and are gone, whether they had given a number yet or not.
    pub fn removed(&self, now: &Self) -> Vec<Loss> {
        let is_there = |oid| now.sequences.iter().any(|sequence| sequence.oid == oid);
        (self.sequences.iter())
            .filter(|sequence| !sequence.is_owned && !is_there(sequence.oid))
            .map(|sequence| loss(sequence, Kind::SequenceDropped, 0, IN_BETWEEN.to_owned()))
            .collect()
    }
}

fn loss(sequence: &Sequence, kind: Kind, values: u64, detail: String) -> Loss {
    Loss {
        kind,
        object: sequence.oid,
        table: sequence.name.clone(),
        column: None,
        rows: 0,
        values: Some(values),
        certain: values > 0,
        detail: Some(detail),
    }
}

fn lost_sequence(before: &Sequence, now: Option<&Sequence>) -> Option<Loss> {
    let last = before.last_value?;
    match now {
        None => {
            let detail = format!("The last number it gave was {last}.");
            Some(loss(before, Kind::SequenceDropped, 1, detail))
        }
        Some(now) if is_set_back(last, before.descends, now.last_value) => {
            let shown = now
                .last_value
                .map_or("none".to_owned(), |value| value.to_string());
            let detail = format!("The last number it gave was {last}, and is {shown} now.");
            Some(loss(before, Kind::SequenceReset, 1, detail))
        }
        Some(_) => None,
    }
}

fn is_set_back(before: i64, descends: bool, now: Option<i64>) -> bool {
    match now {
        None => true,
        Some(now) if descends => now > before,
        Some(now) => now < before,
    }
}
