//! Whether what the undoing made of a written value can be turned back into it: then nothing was lost. It can
//! where the first scripts had made that same value of the one that stands now, in some row, or, of numbers,
//! where they had multiplied by a factor that leads back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::manifest::{Column, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::field::TypeReference;
use crate::pg::memory::Scratch;
use crate::pg::row_set::RowSet;
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::Target;
use crate::snapshot::fitting::FittingDecoder;
use crate::snapshot::refill_job::{Job, Setting};
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_update::{common_type, value};
use crate::snapshot::verify;

/// Old values as text: relation `old_rows (k0 …, o0 …)`, the columns that the first scripts had changed.
pub(super) struct Evidence {
    /// Their hashes, in order.
    columns: Vec<usize>,
    /// Of numbers, by hash, an old one and what the first scripts had made of it, as SQL.
    factors: BTreeMap<usize, (String, String)>,
    /// Those of them that differ.
    scaled: BTreeSet<usize>,
}

impl Evidence {
    /// What the old values of a column are called.
    fn column(&self, hash: usize) -> Option<String> {
        let place = self.columns.iter().position(|other| *other == hash)?;
        Some(format!("o{place}"))
    }

    fn factor(&self, hash: usize) -> Option<&(String, String)> {
        self.factors.get(&hash)
    }
}

const TEXT: TypeReference = TypeReference {
    oid: pg_sys::TEXTOID,
    modifier: -1,
};

impl Ready<'_> {
    /// Reads the old values of the columns that the first scripts had changed.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the types raise.
    pub(super) fn gather_evidence(&mut self) -> Result<()> {
        let Some((table, columns)) = self.job.converted() else {
            return Ok(());
        };
        let places = self.job.old_places(&columns)?;
        let live = self.job.live.clone();
        let rows = live.as_owner(|| read(c"old_rows", table, &places, live.key.len()))?;
        let evidence = Evidence {
            columns,
            factors: BTreeMap::new(),
            scaled: BTreeSet::new(),
        };
        let query = |setting: &Setting<'_>| {
            let hash = setting.hash?;
            let old = evidence.column(hash)?;
            Some((hash, self.job.factor(setting, hash, &old)?))
        };
        let queries: Vec<(usize, String)> = self.job.set.iter().filter_map(query).collect();
        self.add_set(rows);
        let (mut factors, mut scaled) = (BTreeMap::new(), BTreeSet::new());
        for (hash, query) in queries {
            let found = self.ask(|session| session.texts(&query))?;
            let found = found.first().and_then(|found| found.split_once(' '));
            if let Some((old, new)) = found {
                let number = |text: &str| format!("CAST({} AS numeric)", quote_literal(text));
                if old.parse::<f64>().ok() != new.parse::<f64>().ok() {
                    scaled.insert(hash);
                }
                factors.insert(hash, (number(old), number(new)));
            }
        }
        self.job.evidence = Some(Evidence {
            factors,
            scaled,
            ..evidence
        });
        Ok(())
    }
}

impl<'a> Job<'a> {
    /// The table before the first scripts, and the hashes of columns that those had changed.
    fn converted(&self) -> Option<(&'a Table, Vec<usize>)> {
        let table = self.compared.as_ref()?.before?;
        let converted = self.set.iter().filter(|setting| setting.is_converted);
        let columns: Vec<usize> = converted.filter_map(|setting| setting.hash).collect();
        (self.is_keyed && !columns.is_empty()).then_some((table, columns))
    }

    /// Where the key and those columns are in that table, and as what they are read.
    fn old_places(&self, columns: &[usize]) -> Result<Vec<(usize, Target)>> {
        let missing = || Error::internal("a column is not in all states of a table");
        let place = |hash: Option<usize>| self.compared.as_ref()?.place_before(hash?);
        let mut places = Vec::new();
        for key in &self.live.key {
            let live = self.live.column(&key.name).ok_or_else(missing)?;
            let hash = self.compared.as_ref().and_then(|it| it.place(&key.name));
            let target = Target {
                kind: live.kind,
                type_name: live.column.type_name.clone(),
            };
            places.push((place(hash).ok_or_else(missing)?, target));
        }
        for hash in columns {
            let target = Target {
                kind: TEXT,
                type_name: "text".to_owned(),
            };
            places.push((place(Some(*hash)).ok_or_else(missing)?, target));
        }
        Ok(places)
    }
}

/// Reads the key and other columns of a table at these places: `k0 …, o0 …`.
///
/// # Errors
/// XX001 when a chunk is damaged; what the types raise.
pub(super) fn read(
    relation: &CStr,
    table: &Table,
    places: &[(usize, Target)],
    keys: usize,
) -> Result<RowSet> {
    let name = |place: usize| match place.checked_sub(keys) {
        None => format!("k{place}"),
        Some(place) => format!("o{place}"),
    };
    let names: Vec<String> = (0..places.len()).map(name).collect();
    let described: Vec<(&str, TypeReference)> = names
        .iter()
        .zip(places)
        .map(|(name, (_, target))| (name.as_str(), target.kind))
        .collect();
    let mut rows = RowSet::new(relation, &described)?;
    let missing = || Error::internal("a column is not in a table of a snapshot");
    let mut decoders = places
        .iter()
        .map(|(place, target)| {
            let column: &Column = table.columns.get(*place).ok_or_else(missing)?;
            FittingDecoder::new(column, target)
        })
        .collect::<Result<Vec<_>>>()?;
    let damaged = |damage: &str| verify::damaged_since(table, damage);
    let mut chunks = Reader::new(table.chunk_groups(), false, |_| ())?;
    let scratch = Scratch::new();
    while let Some((_, read)) = chunks.next()? {
        let read = read.map_err(|damage| damaged(&damage))?;
        for row in RowReader::new(&read.bytes, table.columns.len()) {
            pgrx::check_for_interrupts!();
            let row = row.map_err(|error| damaged(&error.to_string()))?;
            scratch.with(|| {
                let values = places
                    .iter()
                    .zip(&mut decoders)
                    .map(|((place, _), decoder)| {
                        let field = row.fields.get(*place).copied().flatten();
                        Ok(decoder.read(field)?.value)
                    })
                    .collect::<Result<Vec<_>>>()?;
                rows.put(&values)
            })?;
        }
    }
    Ok(rows)
}

impl Job<'_> {
    /// Whether the first scripts had made other values of a column, and not the same of another type.
    pub(super) fn is_computed(&self, setting: &Setting<'_>) -> bool {
        let is_retyped = self
            .compared
            .as_ref()
            .is_some_and(|compared| compared.retyped(&setting.column.name));
        let is_scaled = || {
            let evidence = self.evidence.as_ref();
            let hash = setting.hash;
            evidence.is_some_and(|it| hash.is_some_and(|hash| it.scaled.contains(&hash)))
        };
        setting.is_converted && (!is_retyped || is_scaled())
    }

    /// The condition that nothing shows that the value which stands now leads back to the written one.
    pub(super) fn leads_nowhere(&self, setting: &Setting<'_>) -> String {
        let column = setting
            .hash
            .and_then(|hash| Some((hash, self.evidence.as_ref()?.column(hash)?)));
        let Some((hash, old)) = column else {
            return "true".to_owned();
        };
        let name = &setting.column.name;
        let live = format!("t.{}", quote_identifier(name));
        let live_type = self.live.column(name).map(|live| &live.column.type_name);
        let live_type = live_type.map_or("", String::as_str);
        let old_type = self
            .compared
            .as_ref()
            .and_then(|compared| Some(compared.states(name).get(2)?.type_name.as_str()))
            .unwrap_or_default();
        let common = common_type(old_type, live_type).unwrap_or("text");
        let made = format!(
            "NOT EXISTS (SELECT FROM old_rows o JOIN after_rows p ON {}
                         WHERE p.h{hash} = c.h{hash} AND {} = {})",
            self.key_of("o", "p"),
            value(&format!("o.{old}"), common),
            value(&live, common),
        );
        let written_type = setting.column.type_name.as_str();
        if common != "numeric" || common_type(written_type, old_type) != Some("numeric") {
            return made;
        }
        let Some((factor_old, factor_new)) = self.evidence.as_ref().and_then(|it| it.factor(hash))
        else {
            return made;
        };
        format!(
            "({made} AND {} * {factor_old} <> {} * {factor_new})",
            value(&self.written_as("s", name), "numeric"),
            value(&live, "numeric"),
        )
    }

    /// A written value in `snapshot_rows`.
    fn written_as(&self, alias: &str, name: &str) -> String {
        let text = self.text_of(name);
        format!(
            "{alias}.{}",
            quote_identifier(text.as_deref().unwrap_or(name))
        )
    }

    /// The query for an old number and what the first scripts had made of it, in a row that nobody has written
    /// to since.
    fn factor(&self, setting: &Setting<'_>, hash: usize, old: &str) -> Option<String> {
        let name = &setting.column.name;
        let old_type = &self.compared.as_ref()?.states(name).get(2)?.type_name;
        if common_type(old_type, &setting.column.type_name) != Some("numeric") {
            return None;
        }
        let old = value(&format!("o.{old}"), "numeric");
        let new = value(&self.written_as("u", name), "numeric");
        Some(format!(
            "SELECT {old}::text || ' ' || {new}::text
             FROM old_rows o JOIN after_rows p ON {} JOIN now_rows q ON {} JOIN snapshot_rows u ON {}
             WHERE p.h{hash} = q.h{hash} AND {old} <> 0 AND {new} <> 0 LIMIT 1",
            self.key_of("o", "p"),
            self.key_of("q", "p"),
            self.key_of("q", "u"),
        ))
    }
}
