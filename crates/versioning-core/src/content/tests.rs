//! Situations: what tables held before and after, and what that counts as.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A cell; `None` for NULL.
type Cell = Option<&'static str>;

/// As the database room does it, but with a hash that anybody can compute.
pub(super) fn hash(text: &str) -> Value {
    let mixed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1
}

/// `id* name kind=new`: columns numbered from 1 in order, `*` for those of the key, `=` for a default,
/// `number:name` where the number is another one, `+` for numbers that the database gives.
pub(super) fn columns(description: &str) -> (Vec<Column>, Vec<Vec<Number>>) {
    let mut key = Vec::new();
    let columns = description
        .split_whitespace()
        .zip(1..)
        .map(|(word, place)| {
            let (number, word) = match word.split_once(':') {
                Some((number, word)) => (number.parse().unwrap(), word),
                None => (place, word),
            };
            let (word, default) = match word.split_once('=') {
                Some((word, default)) => (word, Some(hash(default))),
                None => (word, None),
            };
            if word.contains('*') {
                key.push(number);
            }
            Column {
                number,
                name: word.trim_end_matches(['*', '+']).to_owned(),
                kind: (25, -1, 0),
                type_name: "text".to_owned(),
                family: if word.starts_with("id") {
                    Family::Integer
                } else {
                    Family::Text
                },
                default,
                is_given: word.contains('+'),
                parent: None,
            }
        });
    let columns: Vec<Column> = columns.collect();
    (
        columns,
        if key.is_empty() {
            Vec::new()
        } else {
            vec![key]
        },
    )
}

pub(super) fn image(description: &str, rows: &[Vec<Cell>], room: &mut usize) -> Image {
    let (columns, keys) = columns(description);
    let mut image = Image::new(columns, keys);
    for row in rows {
        let values: Vec<Value> = row.iter().map(|cell| cell.map_or(NULL, hash)).collect();
        image.push(&values, None, room);
    }
    image
}

/// `1 one -, 2 two b`: rows by commas, cells by blanks, `-` for NULL.
fn rows(text: &'static str) -> Vec<Vec<Cell>> {
    let rows = text.split(',').map(str::trim).filter(|row| !row.is_empty());
    rows.map(|row| {
        let cells = row.split_whitespace();
        cells.map(|cell| (cell != "-").then_some(cell)).collect()
    })
    .collect()
}

/// From that column of the first table to the first of the second.
fn reference(column: Number) -> Reference {
    Reference {
        table: 1,
        column,
        other: 2,
        other_column: 1,
    }
}

#[derive(Default)]
struct Situation {
    before: Vec<Kept>,
    after: Vec<Live>,
    rewritten: BTreeSet<u32>,
    room: Option<usize>,
    references: BTreeSet<Reference>,
    written_only: bool,
}

fn name(oid: u32) -> Name {
    Name {
        schema: "app".to_owned(),
        name: format!("t{oid}"),
    }
}

impl Situation {
    fn before(mut self, oid: u32, columns: &str, text: &'static str) -> Self {
        let mut room = self.room.unwrap_or(usize::MAX);
        self.before.push(Kept {
            oid,
            name: name(oid),
            image: image(columns, &rows(text), &mut room),
            parts: BTreeMap::new(),
            unimportant: BTreeSet::new(),
        });
        self
    }

    fn live(mut self, standing: Standing, oid: u32, columns: &str, text: &'static str) -> Self {
        let mut room = self.room.unwrap_or(usize::MAX);
        self.after.push(Live {
            oid,
            name: name(oid),
            image: image(columns, &rows(text), &mut room),
            standing,
        });
        self
    }

    fn after(self, oid: u32, columns: &str, text: &'static str) -> Self {
        self.live(Standing::Kept, oid, columns, text)
    }

    fn new_table(self, oid: u32, columns: &str, text: &'static str) -> Self {
        self.live(Standing::New, oid, columns, text)
    }

    /// Gives a table a name of its own.
    fn called(mut self, oid: u32, called: &str) -> Self {
        for kept in self.before.iter_mut().filter(|kept| kept.oid == oid) {
            kept.name.name = called.to_owned();
        }
        for live in self.after.iter_mut().filter(|live| live.oid == oid) {
            live.name.name = called.to_owned();
        }
        self
    }

    /// `kind table.column rows/values`, `~` where it isn't certain.
    #[track_caller]
    fn loses(&self, expected: &[&str]) {
        let existing = self.after.iter().map(|live| live.oid).collect();
        let found = losses(Moments {
            before: &self.before,
            after: &self.after,
            rewritten: &self.rewritten,
            existing: &existing,
            references: &self.references,
            written_only: self.written_only,
            pause: || (),
        });
        let shown: Vec<String> = found
            .iter()
            .map(|loss| {
                let column = loss
                    .column
                    .as_ref()
                    .map_or(String::new(), |column| format!(".{column}"));
                let values = loss
                    .values
                    .map_or(String::new(), |values| format!("/{values}"));
                let doubt = if loss.certain { "" } else { "~" };
                format!(
                    "{} {}{column} {doubt}{}{values}",
                    loss.kind.as_str(),
                    loss.table.name,
                    loss.rows
                )
            })
            .collect();
        assert_eq!(shown, expected);
    }
}

fn nothing() -> Situation {
    Situation::default()
}

#[test]
fn equal_images_lose_nothing() {
    nothing()
        .before(1, "id* name", "1 a, 2 -")
        .after(1, "id* name", "2 -, 1 a")
        .loses(&[]);
}

#[test]
fn a_dropped_table_loses_its_rows() {
    nothing()
        .before(1, "id* name", "1 a, 2 b")
        .loses(&["table_dropped t1 2"]);
    nothing().before(1, "id* name", "").loses(&[]);
}

#[test]
fn an_emptied_table_in_a_new_file_was_truncated() {
    let mut situation = nothing()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id* name", "");
    situation.loses(&["rows_deleted t1 2"]);
    situation.rewritten.insert(1);
    situation.loses(&["table_truncated t1 2"]);
}

#[test]
fn deleted_rows_are_counted_with_and_without_a_key() {
    for description in ["id* name", "id name"] {
        nothing()
            .before(1, description, "1 a, 2 b, 3 c")
            .after(1, description, "3 c, 4 d, 1 a")
            .loses(if description.contains('*') {
                &["rows_deleted t1 1"]
            } else {
                &[
                    "column_overwritten t1.id 1/1",
                    "column_overwritten t1.name 1/1",
                ]
            });
        nothing()
            .before(1, description, "1 a, 2 b, 3 c")
            .after(1, description, "3 c")
            .loses(&["rows_deleted t1 2"]);
    }
}

#[test]
fn a_dropped_column_loses_what_is_neither_null_nor_the_default() {
    nothing()
        .before(1, "id* name kind=new", "1 a new, 2 - old, 3 c -, 4 d older")
        .after(1, "id*", "1, 2, 3, 4")
        .loses(&["column_dropped t1.name 3/3", "column_dropped t1.kind 2/2"]);
}

#[test]
fn a_renamed_column_loses_nothing() {
    nothing()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id* 2:title", "1 a, 2 b")
        .loses(&[]);
}

#[test]
fn an_update_loses_what_it_overwrites() {
    nothing()
        .before(1, "id* name", "1 a, 2 -, 3 c")
        .after(1, "id* name", "1 z, 2 z, 3 -")
        .loses(&["column_overwritten t1.name 2/2"]);
}

#[test]
fn without_a_key_an_update_is_told_by_the_other_columns() {
    nothing()
        .before(1, "name town", "a x, b y, b y, c z")
        .after(1, "name town", "c z, b y, a n, b n")
        .loses(&["column_overwritten t1.town 2/2"]);
}

#[test]
fn values_that_change_rows_are_overwritten() {
    nothing()
        .before(1, "id* name", "1 a, 2 b, 3 c")
        .after(1, "id* name", "1 b, 2 a, 3 c")
        .loses(&["column_overwritten t1.name 2/2"]);
    nothing()
        .before(1, "id name", "1 a, 2 b, 3 c")
        .after(1, "id name", "1 b, 2 a, 3 c")
        .loses(&["column_overwritten t1.name 2/2"]);
}

#[test]
fn values_that_change_columns_within_their_row_are_not_lost() {
    nothing()
        .before(1, "id* one other", "1 a b, 2 c d")
        .after(1, "id* one other", "1 b a, 2 d c")
        .loses(&[]);
}

#[test]
fn a_changed_key_is_one_overwritten_value() {
    nothing()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id* name", "1001 a, 1002 b")
        .loses(&["column_overwritten t1.id 2/2"]);
}

#[test]
fn a_column_moved_to_a_new_one_is_not_lost() {
    nothing()
        .before(1, "id* name", "1 a, 2 b, 3 -")
        .after(1, "id* 3:title", "1 a, 2 b, 3 -")
        .loses(&[]);
    nothing()
        .before(1, "id* name", "1 a, 2 b, 3 c")
        .after(1, "id* 3:title", "1 a, 2 -, 3 -")
        .loses(&["column_dropped t1.name 2/2"]);
}

#[test]
fn an_equal_default_of_a_new_column_is_no_copy() {
    nothing()
        .before(1, "id* active=f", "1 t, 2 t")
        .after(1, "id* 3:visible=t", "1 t, 2 t")
        .loses(&["column_dropped t1.active 2/2"]);
}

#[test]
fn an_old_column_with_equal_values_is_no_copy() {
    nothing()
        .before(1, "id* amount", "1 1, 2 2")
        .after(1, "id*", "1, 2")
        .loses(&["column_dropped t1.amount 2/2"]);
}

#[test]
fn columns_of_few_values_must_agree_everywhere() {
    nothing()
        .before(1, "id* active=f", "1 t, 2 t, 3 f")
        .after(1, "id* 3:visible", "1 t, 2 t, 3 t")
        .loses(&["column_dropped t1.active 2/2"]);
}

#[test]
fn a_column_split_into_a_table_that_names_the_row_is_not_lost() {
    nothing()
        .before(1, "id* phone", "1 p, 2 q, 3 -")
        .after(1, "id*", "1, 2, 3")
        .new_table(2, "id*+ owner phone", "7 1 p, 8 2 q")
        .loses(&[]);
}

#[test]
fn two_columns_folded_into_one_table_are_not_lost() {
    nothing()
        .before(1, "id* home work", "1 p w, 2 q -, 3 - x")
        .after(1, "id*", "1, 2, 3")
        .new_table(2, "owner phone", "1 p, 1 w, 2 q, 3 x")
        .loses(&[]);
}

#[test]
fn values_of_other_rows_do_not_count() {
    nothing()
        .before(1, "id* phone", "1 p, 2 q")
        .after(1, "id*", "1, 2")
        .new_table(2, "owner phone", "1 q, 2 p")
        .loses(&["column_dropped t1.phone 2/2"]);
}

#[test]
fn a_column_that_became_a_reference_is_not_lost() {
    nothing()
        .before(1, "id* town", "1 rome, 2 oslo, 3 rome, 4 -")
        .after(1, "id* 3:town_id", "1 10, 2 20, 3 10, 4 -")
        .new_table(2, "id* name", "10 rome, 20 oslo")
        .loses(&[]);
    let mut situation = nothing()
        .before(1, "id* town", "1 rome, 2 oslo")
        .after(1, "id* 3:town_id", "1 10, 2 20")
        .live(
            Standing::Unchanged,
            2,
            "id* name",
            "10 rome, 20 oslo, 30 bern",
        );
    situation.loses(&["column_dropped t1.town 2/2"]);
    situation.references.insert(reference(3));
    situation.loses(&[]);
    let mut situation = nothing()
        .before(1, "id* town", "1 rome, 2 oslo")
        .after(1, "id* 3:town_id", "1 10, 2 20")
        .before(2, "id* name", "10 rome")
        .after(2, "id* name", "10 rome, 20 oslo");
    situation.references.insert(reference(3));
    situation.loses(&[]);
}

#[test]
fn archived_rows_are_not_lost() {
    nothing()
        .before(1, "id* name", "1 a, 2 b, 3 c")
        .after(1, "id* name", "3 c")
        .new_table(2, "id name at", "1 a x, 2 b x")
        .loses(&[]);
    nothing()
        .before(1, "id* name", "1 a, 2 b, 3 c")
        .after(1, "id* name", "3 c")
        .new_table(2, "id name at", "1 a x")
        .loses(&["rows_deleted t1 1"]);
}

#[test]
fn rows_archived_under_other_names_are_not_lost() {
    nothing()
        .before(1, "id* name", "1 a, 2 b")
        .new_table(2, "note+ original title", "7 1 a, 8 2 b")
        .loses(&[]);
    nothing()
        .before(1, "id* name town", "1 a x, 2 b y")
        .new_table(2, "original title", "1 a, 2 b")
        .loses(&["table_dropped t1 2"]);
}

#[test]
fn a_table_merged_into_another_is_not_lost() {
    nothing()
        .before(1, "id*+ owner text", "91 1 a, 92 2 b")
        .before(2, "id* name", "1 x, 2 y, 3 z")
        .after(2, "id* name text", "1 x a, 2 y b, 3 z -")
        .loses(&[]);
    nothing()
        .before(1, "id*+ owner text", "91 1 a, 92 2 b")
        .before(2, "id* name", "1 x, 2 y, 3 z")
        .after(2, "id* name text", "1 x a, 2 y -, 3 z -")
        .loses(&["table_dropped t1 1"]);
}

#[test]
fn a_copy_of_what_stays_is_not_lost() {
    nothing()
        .before(1, "id name", "1 a, 2 b")
        .live(Standing::Unchanged, 2, "id* name at", "1 a x, 2 b x, 3 c x")
        .called(2, "t1_original")
        .loses(&[]);
    nothing()
        .before(1, "id name", "1 a, 2 b")
        .live(Standing::Unchanged, 2, "id* name at", "1 a x, 2 z x, 3 c x")
        .called(2, "t1_original")
        .loses(&["table_dropped t1 1"]);
}

#[test]
fn equal_rows_of_an_unrelated_table_are_equal_by_chance() {
    nothing()
        .before(1, "user item", "1 a, 2 b")
        .live(Standing::Unchanged, 2, "user item", "1 a, 2 b, 3 c")
        .loses(&["table_dropped t1 2"]);
    nothing()
        .before(1, "user item", "1 a, 2 b")
        .before(2, "user item", "1 a, 2 b")
        .after(2, "user item", "1 a, 2 b, 3 c")
        .loses(&["table_dropped t1 2"]);
}

#[test]
fn numbers_alone_are_no_copy() {
    nothing()
        .before(1, "id*+ note", "1 a, 2 b")
        .new_table(2, "id*+ title", "1 x, 2 y")
        .loses(&["table_dropped t1 2"]);
}

#[test]
fn too_large_tables_are_told_by_counts_and_sums() {
    let small = || Situation {
        room: Some(3),
        ..Situation::default()
    };
    small()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id* name", "1 a, 2 b")
        .loses(&[]);
    small()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id* name", "1 a, 2 z")
        .loses(&["column_overwritten t1.name ~2/2"]);
    small()
        .before(1, "id* name", "1 a, 2 b")
        .after(1, "id*", "1")
        .loses(&["rows_deleted t1 ~1", "column_dropped t1.name ~2/2"]);
    small()
        .before(1, "id* name", "1 a, 2 b")
        .loses(&["table_dropped t1 ~2"]);
}

#[test]
fn a_new_type_that_changes_values_narrows() {
    let mut situation =
        nothing()
            .before(1, "id* price", "1 1.25, 2 2")
            .after(1, "id* price", "1 1.3, 2 2");
    situation.after[0].image.columns[1].kind = (1700, 9, 0);
    situation.loses(&["column_type_narrowed t1.price 1/1"]);
}

#[test]
fn a_dropped_partition_loses_its_own_rows() {
    let mut situation = nothing().before(1, "id* name", "").after(1, "id* name", "");
    let mut room = usize::MAX;
    let kept = &mut situation.before[0];
    for (text, part) in [("1", 11), ("2", 12), ("3", 11)] {
        kept.image
            .push(&[hash(text), hash("x")], Some(part), &mut room);
    }
    kept.parts = [(11, name(11)), (12, name(12))].into();
    situation.after[0]
        .image
        .push(&[hash("2"), hash("x")], Some(12), &mut room);
    situation.after[0].oid = 1;
    situation.loses(&["table_dropped t11 2"]);
}

#[test]
fn copies_within_tables_that_changed_count_too() {
    nothing()
        .before(1, "id name", "1 a, 2 b")
        .before(2, "id* name at", "1 a x, 2 b x")
        .after(2, "id* name at", "1 a x, 2 b x, 3 c x")
        .called(2, "t1_original")
        .loses(&[]);
}

#[test]
fn one_column_alone_says_little() {
    nothing()
        .before(1, "id*", "1, 2")
        .live(Standing::Unchanged, 2, "id* name", "1 a, 2 b")
        .loses(&["table_dropped t1 2"]);
    nothing()
        .before(1, "id*", "1, 2")
        .new_table(2, "id* name", "1 a, 2 b")
        .loses(&["table_dropped t1 2"]);
    nothing()
        .before(1, "code*", "x, y")
        .new_table(2, "code*", "x, y")
        .loses(&[]);
}

#[test]
fn tables_merged_under_new_numbers_are_not_lost() {
    nothing()
        .before(1, "id*+ name", "1 a, 2 b")
        .before(2, "id*+ name", "1 c, 2 d")
        .new_table(3, "id*+ name kind", "1 a dog, 2 b dog, 3 c cat, 4 d cat")
        .loses(&[]);
}

#[test]
fn values_put_into_other_values_are_not_lost() {
    let mut situation =
        nothing()
            .before(1, "id* fax", "1 p, 2 -, 3 q")
            .after(1, "id* 3:extra", "1 x, 2 y, 3 z");
    situation.loses(&["column_dropped t1.fax 2/2"]);
    let parts = |all: &[(u32, &str, &str)]| {
        let mut parts = Parts::default();
        for (row, path, text) in all {
            parts.add(*row, 3, (*path).to_owned(), hash(text));
        }
        parts
    };
    let mut room = 100;
    let leaves = parts(&[(0, "fax", "p"), (1, "kind", "n"), (2, "fax", "q")]);
    situation.after[0].image.widen(leaves, &mut room);
    assert_eq!(room, 100 - 2 * situation.after[0].image.count);
    situation.loses(&[]);
    let mut stale =
        nothing()
            .before(1, "id* fax extra", "1 p x, 2 q z")
            .after(1, "id* 3:extra", "1 x, 2 z");
    stale.after[0]
        .image
        .widen(parts(&[(0, "fax", "p"), (1, "fax", "q")]), &mut room);
    stale.loses(&["column_dropped t1.fax 2/2"]);
}

#[test]
fn defaults_are_overwritten_only_where_there_was_a_choice() {
    nothing()
        .before(1, "id* kind=new", "1 new, 2 new, 3 -")
        .after(1, "id* kind=new", "1 x, 2 y, 3 z")
        .loses(&[]);
    nothing()
        .before(1, "id* kind=new", "1 new, 2 old")
        .after(1, "id* kind=new", "1 x, 2 y")
        .loses(&["column_overwritten t1.kind 1/1"]);
    nothing()
        .before(1, "id* kind=new", "1 new, 2 old")
        .after(1, "id* kind=new", "1 old, 2 old")
        .loses(&["column_overwritten t1.kind 1/1"]);
}

#[test]
fn where_only_what_was_written_counts_old_copies_do_not() {
    let mut situation = nothing()
        .before(1, "id name", "1 a, 2 b")
        .before(2, "id* name at", "1 a x, 2 b x")
        .after(2, "id* name at", "1 a x, 2 b x, 3 c x")
        .called(2, "t1_original");
    situation.loses(&[]);
    situation.written_only = true;
    situation.loses(&["table_dropped t1 2"]);
    let mut situation = nothing()
        .before(1, "id name", "3 c")
        .before(2, "id* name at", "1 a x, 2 b x")
        .after(2, "id* name at", "1 a x, 2 b x, 3 c x");
    situation.written_only = true;
    situation.loses(&[]);
}

#[test]
fn a_column_named_after_its_original_is_a_copy() {
    nothing()
        .before(1, "id* email email_old", "1 a a, 2 b b, 3 c -")
        .after(1, "id* email", "1 a, 2 b, 3 c")
        .loses(&[]);
    nothing()
        .before(1, "id* email email_old", "1 a a, 2 b z")
        .after(1, "id* email", "1 a, 2 b")
        .loses(&["column_dropped t1.email_old 2/2"]);
}

#[test]
fn what_was_thought_up_in_between_needs_no_place() {
    let mut situation = nothing()
        .before(1, "id* name region", "1 a eu, 2 b us")
        .new_table(2, "id name", "1 a")
        .new_table(3, "id name", "2 b");
    situation.written_only = true;
    situation.loses(&["table_dropped t1 2"]);
    let earlier = nothing().before(9, "id* name", "1 a, 2 b").before;
    situation.before[0].forget_news(&earlier);
    situation.loses(&[]);
    let mut news = nothing().before(1, "id* name", "1 a");
    news.before[0].forget_news(&[]);
    news.loses(&["table_dropped t1 1"]);
}

#[test]
fn a_copy_of_what_the_row_refers_to_is_not_lost() {
    let mut situation = nothing()
        .before(1, "id* customer name", "7 1 ada, 8 2 ben, 9 1 ada")
        .after(1, "id* customer", "7 1, 8 2, 9 1")
        .live(Standing::Unchanged, 2, "id* name", "1 ada, 2 ben");
    situation.loses(&["column_dropped t1.name 3/3"]);
    situation.references.insert(reference(2));
    situation.loses(&[]);
}

#[test]
fn one_truth_value_everywhere_is_no_copy() {
    let situation = |name: &str| {
        let mut situation = nothing()
            .before(1, "id* active", "1 true, 2 true, 3 true")
            .after(1, &format!("id* 3:{name}"), "1 true, 2 true, 3 true");
        situation.before[0].image.columns[1].family = Family::Boolean;
        situation
    };
    situation("visible").loses(&["column_dropped t1.active 3/3"]);
    situation("is_active").loses(&[]);
}

#[test]
fn numbers_that_refer_say_little_about_rows() {
    let mut situation =
        nothing()
            .before(1, "id*+ user", "1 7, 2 8")
            .new_table(2, "user* mood", "7 x, 8 y");
    situation.before[0].image.columns[1].family = Family::Integer;
    situation.loses(&["table_dropped t1 2"]);
}

mod copies;
