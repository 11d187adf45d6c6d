//! Copies that were there all the time, and what only looks like one.

use super::*;

/// Tables 1 and 2, of which the first goes.
fn beside(columns: &str, text: &'static str, others: &str, other: &'static str) -> Situation {
    (nothing().before(1, columns, text)).live(Standing::Unchanged, 2, others, other)
}

#[test]
fn a_table_of_the_same_rows_is_a_copy_whatever_its_name() {
    beside("id dish", "1 soup, 2 salad", "id* dish", "1 soup, 2 salad").loses(&[]);
    let keyless = "2020 1 one, 2020 2 two";
    beside("idy id body", keyless, "idy id body", keyless).loses(&[]);
}

#[test]
fn a_table_that_another_replaced_is_in_it_under_other_names() {
    let kept = "1 huber chur -, 2 meier thun x, 3 neu bern y";
    beside(
        "id* name ort",
        "1 huber chur, 2 meier thun",
        "id* name city note",
        kept,
    )
    .loses(&[]);
    // One town is another: that row says something else.
    beside(
        "id* name ort",
        "1 huber chur, 2 meier genf",
        "id* name city note",
        kept,
    )
    .loses(&["table_dropped t1 2"]);
}

#[test]
fn a_selection_of_rows_is_no_copy() {
    let all = "1 soup anna, 2 salad beat, 3 cake cora, 4 tea dora, 5 rice emil";
    beside(
        "id* dish cook",
        "1 soup anna, 2 salad beat",
        "id* dish cook",
        all,
    )
    .loses(&["table_dropped t1 2"]);
    beside(
        "id dish",
        "1 soup, 2 salad",
        "id* dish",
        "1 soup, 2 salad, 3 cake",
    )
    .loses(&["table_dropped t1 2"]);
}

#[test]
fn two_lists_of_the_same_few_labels_are_two_lists() {
    let labels = "1 open, 2 paid, 3 sent";
    beside("id* label", labels, "id* label", labels).loses(&["table_dropped t1 3"]);
}

#[test]
fn numbers_and_truth_values_are_equal_by_chance() {
    let flags = "1 7 1, 2 8 0, 3 9 1";
    beside("id idx idy", flags, "id* idx idy", flags).loses(&["table_dropped t1 3"]);
    beside("id idx", "1 1, 2 2", "id idx", "1 1, 2 2").loses(&["table_dropped t1 2"]);
}

#[test]
fn an_equal_column_of_the_same_word_is_a_copy() {
    nothing()
        .before(1, "id* addr address", "1 a a, 2 b b, 3 - c")
        .after(1, "id* 3:address", "1 a, 2 b, 3 c")
        .loses(&[]);
    nothing()
        .before(1, "id* addr address", "1 a a, 2 b b, 3 c -")
        .after(1, "id* 3:address", "1 a, 2 b, 3 -")
        .loses(&["column_dropped t1.addr 1/1"]);
    nothing()
        .before(1, "id* status payment_status", "1 a a, 2 b b")
        .after(1, "id* 3:payment_status", "1 a, 2 b")
        .loses(&["column_dropped t1.status 2/2"]);
}

#[test]
fn an_equal_column_of_another_name_needs_many_values() {
    let many = "1 a a, 2 b b, 3 c c, 4 d d, 5 e e, 6 f f, 7 g g, 8 h h";
    let left = "1 a, 2 b, 3 c, 4 d, 5 e, 6 f, 7 g, 8 h";
    let few = "1 a a, 2 b b, 3 a a, 4 b b, 5 a a, 6 b b, 7 a a, 8 b b";
    let of_few = "1 a, 2 b, 3 a, 4 b, 5 a, 6 b, 7 a, 8 b";
    nothing()
        .before(1, "id* login mail", many)
        .after(1, "id* 3:mail", left)
        .loses(&[]);
    nothing()
        .before(1, "id* login mail", few)
        .after(1, "id* 3:mail", of_few)
        .loses(&["column_dropped t1.login 8/8"]);
    // Numbers never.
    nothing()
        .before(1, "id* idx idy", many)
        .after(1, "id* 3:idy", left)
        .loses(&["column_dropped t1.idx 8/8"]);
}

#[test]
fn an_overwritten_column_is_no_copy_of_another() {
    nothing()
        .before(1, "id* addr address", "1 a a, 2 b b")
        .after(1, "id* addr address", "1 x a, 2 y b")
        .loses(&["column_overwritten t1.addr 2/2"]);
}

#[test]
fn rows_that_others_lie_between_are_a_selection() {
    let all = "1 soup anna, 2 salad beat, 3 cake cora";
    beside(
        "id* dish cook",
        "1 soup anna, 3 cake cora",
        "id* dish cook",
        all,
    )
    .loses(&["table_dropped t1 2"]);
}

#[test]
fn a_copy_and_its_original_that_both_go_are_lost() {
    nothing()
        .before(1, "id dish", "1 soup, 2 salad")
        .before(2, "id* dish", "1 soup, 2 salad")
        .loses(&["table_dropped t1 2", "table_dropped t2 2"]);
    nothing()
        .before(1, "id dish", "1 soup, 2 salad")
        .before(2, "id* dish", "1 soup, 2 salad")
        .after(2, "id* dish", "1 soup, 2 cake")
        .loses(&["table_dropped t1 2", "column_overwritten t2.dish 1/1"]);
}

#[test]
fn rows_that_are_there_once_save_one_row_each() {
    let twice = "1 soup, 1 soup, 2 salad";
    beside("idx dish", twice, "idx dish", "1 soup, 2 salad").loses(&["table_dropped t1 3"]);
}

#[test]
fn values_of_a_key_and_constants_say_nothing() {
    let pairs = "1 ann, 2 bob, 3 cy";
    beside("id* user*", pairs, "id* user*", pairs).loses(&["table_dropped t1 3"]);
    let same = "1 x, 2 x, 3 x";
    beside("id word", same, "id* word", same).loses(&["table_dropped t1 3"]);
}
