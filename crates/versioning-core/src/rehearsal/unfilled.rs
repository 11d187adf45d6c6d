//! What going up, down and up again proves where the tables hold no rows.
//!
//! Catalogs are compared as everywhere. Rows that are not there can't be lost, so for those the scripts' text
//! and the catalogs are asked what they would destroy.

use super::verdict::Reversibility;
use crate::consequence::{Loss, Losses};

/// The verdict where there are rows, and why it isn't the one that was measured.
///
/// `gone` is what the scripts up take out of the catalogs together with its data, `told` is what their text
/// says that they do to rows.
pub fn with_rows(
    measured: Reversibility,
    gone: &[String],
    told: &Losses,
) -> (Reversibility, Option<String>) {
    if measured != Reversibility::Reversible {
        return (measured, None);
    }
    let mut lost = gone.to_vec();
    let mut overwritten = Vec::new();
    for loss in &told.known {
        match loss {
            Loss::Rows(table) | Loss::SomeRows(table) => {
                lost.push(format!("{} {table}", loss.kind()));
            }
            Loss::Overwritten(table, column) => overwritten.push(format!("{table}.{column}")),
            // The catalogs tell these better.
            Loss::Table(_) | Loss::Column(..) | Loss::Narrowed(..) => {}
        }
    }
    if !lost.is_empty() {
        let detail = format!(
            "The way back restores the schema, not the data: {}.",
            lost.join(", ")
        );
        return (Reversibility::Lossy, Some(detail));
    }
    if !overwritten.is_empty() {
        let detail = format!(
            "Whether the way back restores what is overwritten can't be told where there are no rows: {}.",
            overwritten.join(", ")
        );
        return (Reversibility::Unknown, Some(detail));
    }
    let detail = (!told.hidden.is_empty()).then(|| {
        format!(
            "What {} does to rows can't be told where there are none.",
            told.hidden.join(", ")
        )
    });
    (measured, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::ObjectName;

    fn table() -> ObjectName {
        ObjectName {
            schema: None,
            name: "t".to_owned(),
        }
    }

    fn told(known: Vec<Loss>, hidden: &[&str]) -> Losses {
        Losses {
            known,
            hidden: hidden.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_dropped_column_is_lossy_although_nothing_was_in_it() {
        let gone = ["column_dropped t.c".to_owned()];
        let (verdict, detail) = with_rows(Reversibility::Reversible, &gone, &Losses::default());
        assert_eq!(verdict, Reversibility::Lossy);
        assert_eq!(
            detail.as_deref(),
            Some("The way back restores the schema, not the data: column_dropped t.c.")
        );
    }

    #[test]
    fn deleted_rows_are_lossy_and_overwritten_ones_not_known() {
        let deleted = told(vec![Loss::SomeRows(table())], &[]);
        let overwritten = told(vec![Loss::Overwritten(table(), "c".to_owned())], &[]);
        let verdict = |told| with_rows(Reversibility::Reversible, &[], told).0;
        assert_eq!(verdict(&deleted), Reversibility::Lossy);
        assert_eq!(verdict(&overwritten), Reversibility::Unknown);
    }

    #[test]
    fn what_was_measured_otherwise_stays() {
        let deleted = told(vec![Loss::Rows(table())], &[]);
        for measured in [Reversibility::Irreversible, Reversibility::Unknown] {
            assert_eq!(with_rows(measured, &[], &deleted), (measured, None));
        }
    }

    #[test]
    fn what_is_hidden_is_said() {
        let (verdict, detail) = with_rows(Reversibility::Reversible, &[], &told(vec![], &["DO"]));
        assert_eq!(verdict, Reversibility::Reversible);
        assert!(detail.is_some_and(|detail| detail.contains("What DO does")));
    }
}
