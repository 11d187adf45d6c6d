//! What is gone between two moments, counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::elsewhere::{Elsewhere, Here};
use super::image::{Image, NULL, Number, Value};
use super::loss::{Kind, Loss, Name};
use super::matching::{Matching, matching};

/// A table as it was.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: Name,
    /// What it held.
    pub image: Image,
    /// The names of its partitions, by OID.
    pub parts: BTreeMap<u32, Name>,
    /// Columns that a row may go without and still be found elsewhere.
    pub unimportant: BTreeSet<Number>,
}

impl Kept {
    /// Makes all columns unimportant whose values none of the earlier images had: they were thought up in
    /// between. The images must have been taken with one secret.
    pub fn forget_news(&mut self, earlier: &[Kept]) {
        let mut columns: HashMap<Value, BTreeSet<usize>> = HashMap::new();
        for row in self.image.rows() {
            for (place, value) in self.image.row(row).iter().enumerate() {
                if *value != NULL {
                    columns.entry(*value).or_default().insert(place);
                }
            }
        }
        let mut known = BTreeSet::new();
        for image in earlier.iter().map(|kept| &kept.image) {
            for value in image.rows().flat_map(|row| image.row(row)) {
                known.extend(columns.remove(value).into_iter().flatten());
            }
        }
        let news = self.image.columns.iter().enumerate();
        let news = news.filter(|(place, _)| !known.contains(place));
        self.unimportant = news.map(|(_, column)| column.number).collect();
    }
}

/// A table as it is.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: Name,
    /// What it holds. Columns that it had before are written as they were then.
    pub image: Image,
    /// What a search of values has to know about it.
    pub standing: Standing,
}

/// Why a live table is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was there before and its earlier image is there too.
    Kept,
    /// It wasn't there before: all of it is new.
    New,
    /// It was there and is not known to have changed: rows or values may have been copies of its own.
    Unchanged,
}

/// A column whose values are those of a column of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The table that refers.
    pub table: u32,
    /// Its column.
    pub column: Number,
    /// The table that is referred to.
    pub other: u32,
    /// Its column.
    pub other_column: Number,
}

/// Two moments, to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Moments<'a> {
    /// The tables that may have changed, as they were.
    pub before: &'a [Kept],
    /// The tables as they are: those of `before` that are still there, new ones, others to search.
    pub after: &'a [Live],
    /// Tables and partitions that lie in other files than before.
    pub rewritten: &'a BTreeSet<u32>,
    /// Tables and partitions of `before` that are still there.
    pub existing: &'a BTreeSet<u32>,
    /// Foreign keys of one column each.
    pub references: &'a BTreeSet<Reference>,
    /// Whether only what was written between the two moments counts as another place of a value: not what
    /// had it all the time.
    pub written_only: bool,
    /// Called now and then: much data takes a while.
    pub pause: fn(),
}

/// What is gone, table by table.
pub fn losses(moments: Moments<'_>) -> Vec<Loss> {
    let live: BTreeMap<u32, &Live> = (moments.after.iter())
        .map(|live| (live.oid, live))
        .collect();
    let pairs: Vec<(&Kept, Option<&Live>, Matching)> = moments
        .before
        .iter()
        .map(|kept| {
            (moments.pause)();
            let live = live.get(&kept.oid).copied();
            let matching = match live {
                Some(live) => matching(&kept.image, &live.image, moments.pause),
                None => Matching {
                    gone: kept.image.rows().collect(),
                    ..Matching::default()
                },
            };
            (kept, live, matching)
        })
        .collect();
    let earlier: Vec<Vec<u32>> = (pairs.iter())
        .map(|(_, live, matching)| matching.earlier_rows(live.map_or(0, |live| live.image.count)))
        .collect();
    let mut losses = Vec::new();
    for (number, (kept, live, matching)) in pairs.iter().enumerate() {
        let others = pairs.iter().enumerate();
        let others = others
            .zip(&earlier)
            .filter_map(|((other, (kept, live, _)), earlier)| {
                (other != number).then_some((*kept, (*live)?, earlier.as_slice()))
            });
        let comparison = Comparison {
            moments,
            kept,
            live: *live,
            matching,
            elsewhere: Elsewhere::new(kept, &moments, others),
        };
        (moments.pause)();
        comparison.losses(&mut losses);
    }
    losses
}

struct Comparison<'a> {
    moments: Moments<'a>,
    kept: &'a Kept,
    live: Option<&'a Live>,
    matching: &'a Matching,
    elsewhere: Elsewhere<'a>,
}

impl Comparison<'_> {
    fn losses(&self, losses: &mut Vec<Loss>) {
        let has_values =
            self.kept.image.has_values() && self.live.is_none_or(|live| live.image.has_values());
        if !has_values {
            self.summary_losses(losses);
            return;
        }
        self.row_losses(losses);
        if let Some(live) = self.live {
            self.value_losses(live, losses);
        }
    }

    fn loss(&self, kind: Kind) -> Loss {
        Loss {
            kind,
            object: self.kept.oid,
            table: self.kept.name.clone(),
            column: None,
            rows: 0,
            values: None,
            certain: true,
            detail: None,
        }
    }

    fn column_loss(&self, kind: Kind, place: usize, values: u64) -> Loss {
        let column = self.kept.image.columns.get(place);
        Loss {
            column: column.map(|column| column.name.clone()),
            rows: values,
            values: Some(values),
            ..self.loss(kind)
        }
    }

    fn row_losses(&self, losses: &mut Vec<Loss>) {
        let saved = self
            .elsewhere
            .saved_rows(&self.kept.image, &self.matching.gone);
        // By the partition that went or was emptied with them, if one did.
        let mut lost: BTreeMap<Option<(u32, Kind)>, u64> = BTreeMap::new();
        let lives_in = (self.live).map(|live| live.image.filled_parts());
        for row in (self.matching.gone.iter()).filter(|row| !saved.contains(row)) {
            let part = self
                .kept
                .image
                .part(*row)
                .filter(|part| *part != self.kept.oid);
            let part = part.zip(lives_in.as_ref()).and_then(|(part, filled)| {
                let kind = if !self.moments.existing.contains(&part) {
                    Kind::TableDropped
                } else if self.moments.rewritten.contains(&part) && !filled.contains(&part) {
                    Kind::TableTruncated
                } else {
                    return None;
                };
                Some((part, kind))
            });
            *lost.entry(part).or_default() += 1;
        }
        for (part, rows) in lost {
            let named =
                part.and_then(|(part, kind)| Some((part, kind, self.kept.parts.get(&part)?)));
            losses.push(match named {
                Some((part, kind, name)) => Loss {
                    object: part,
                    table: name.clone(),
                    rows,
                    ..self.loss(kind)
                },
                None => Loss {
                    rows,
                    ..self.loss(self.kind_of_gone_rows())
                },
            });
        }
    }

    fn kind_of_gone_rows(&self) -> Kind {
        match self.live {
            None => Kind::TableDropped,
            Some(live)
                if live.image.count == 0 && self.moments.rewritten.contains(&self.kept.oid) =>
            {
                Kind::TableTruncated
            }
            Some(_) => Kind::RowsDeleted,
        }
    }

    fn value_losses(&self, live: &Live, losses: &mut Vec<Loss>) {
        let here = Here::new(&self.kept.image, &live.image, self.matching);
        for (place, column) in self.kept.image.columns.iter().enumerate() {
            let (kind, candidates) = match live.image.place(column.number) {
                None => (Kind::ColumnDropped, self.dropped_values(place)),
                Some(now) => (
                    self.kind_of_change(column.number, live),
                    self.changed_values(live, place, now),
                ),
            };
            if candidates.is_empty() {
                continue;
            }
            (self.moments.pause)();
            let saved = self.elsewhere.saved_values(&here, place, &candidates);
            let lost = candidates.len().saturating_sub(saved.len());
            if lost > 0 {
                losses.push(self.column_loss(kind, place, lost as u64));
            }
        }
    }

    fn kind_of_change(&self, number: Number, live: &Live) -> Kind {
        let kind = |image: &Image| {
            let column = image
                .place(number)
                .and_then(|place| image.columns.get(place));
            column.map(|column| column.kind)
        };
        if kind(&self.kept.image) == kind(&live.image) {
            Kind::ColumnOverwritten
        } else {
            Kind::ColumnTypeNarrowed
        }
    }

    /// The pairs of rows whose value in a dropped column was somebody's.
    fn dropped_values(&self, place: usize) -> Vec<(u32, u32)> {
        let default = self
            .kept
            .image
            .columns
            .get(place)
            .and_then(|column| column.default);
        let is_own = |(before, _): &&(u32, u32)| {
            let value = self.kept.image.value(*before, place);
            value != NULL && Some(value) != default
        };
        self.matching.pairs.iter().filter(is_own).copied().collect()
    }

    /// The pairs of rows whose value is another one now. A default that somebody replaces is no loss while
    /// there are other values to lose, nor where nobody ever chose anything else.
    fn changed_values(&self, live: &Live, place: usize, now: usize) -> Vec<(u32, u32)> {
        let is_changed = |(before, after): &&(u32, u32)| {
            let value = self.kept.image.value(*before, place);
            value != NULL && value != live.image.value(*after, now)
        };
        let changed = self.matching.pairs.iter().filter(is_changed);
        let column = self.kept.image.columns.get(place);
        let default = column.and_then(|column| column.default);
        let is_own =
            |(before, _): &(u32, u32)| Some(self.kept.image.value(*before, place)) != default;
        let (own, defaults): (Vec<_>, Vec<_>) = changed.copied().partition(is_own);
        let summary = self.kept.image.summaries.get(place);
        if own.is_empty() && summary.is_some_and(|summary| summary.own_values > 0) {
            defaults
        } else {
            own
        }
    }

    /// For a table with more values than are kept: what counts and sums tell.
    fn summary_losses(&self, losses: &mut Vec<Loss>) {
        let before = &self.kept.image;
        let Some(live) = self.live else {
            if before.count > 0 {
                losses.push(Loss {
                    rows: before.count as u64,
                    detail: Some(NOT_SEARCHED.to_owned()),
                    certain: false,
                    ..self.loss(Kind::TableDropped)
                });
            }
            return;
        };
        let gone = before.count.saturating_sub(live.image.count);
        if gone > 0 {
            losses.push(Loss {
                rows: gone as u64,
                detail: Some(NOT_SEARCHED.to_owned()),
                certain: false,
                ..self.loss(self.kind_of_gone_rows())
            });
        }
        for (place, column) in before.columns.iter().enumerate() {
            let Some(summary) = before.summaries.get(place) else {
                continue;
            };
            let now = live.image.place(column.number);
            let (kind, values) = match now {
                None => (Kind::ColumnDropped, summary.own_values),
                Some(now) if live.image.count == before.count => {
                    let same = live
                        .image
                        .summaries
                        .get(now)
                        .is_some_and(|now| now.sum == summary.sum);
                    (
                        self.kind_of_change(column.number, live),
                        if same { 0 } else { summary.values },
                    )
                }
                Some(_) => continue,
            };
            if values > 0 {
                losses.push(Loss {
                    detail: Some(NOT_SEARCHED.to_owned()),
                    certain: false,
                    ..self.column_loss(kind, place, values)
                });
            }
        }
    }
}

const NOT_SEARCHED: &str = "The table is too large to compare its rows one by one.";
