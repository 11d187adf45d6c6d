//! What goes out of the catalogs with its values, where there are none to look at.

use versioning_core::rehearsal::Finding;

use super::told::Told;

/// Whether what goes is lost for good: nothing in the scripts may have moved it before. It may be there again
/// under the same name, so that clients see no difference.
pub fn is_lost(gone: &Finding, told: &[Told<'_>]) -> bool {
    let is_data = matches!(
        gone.kind.as_str(),
        "table_dropped" | "column_dropped" | "sequence_dropped"
    );
    let fact = |name: &str| gone.facts.get(name).and_then(|value| value.as_str());
    let table = fact("table").map_or_else(String::new, last_name);
    let may_move = |(migration, script): &Told<'_>| {
        let end = match gone.migration {
            Some(sequence) if migration.sequence > sequence => return false,
            Some(sequence) if migration.sequence == sequence => gone.statement_number,
            _ => None,
        };
        script.moving.may_move(&table, fact("column"), end)
    };
    is_data && !told.iter().any(may_move)
}

/// The name behind a schema, without its quotes.
fn last_name(shown: &str) -> String {
    let Some(inner) = shown.strip_suffix('"') else {
        return shown.rsplit('.').next().unwrap_or(shown).to_owned();
    };
    let start = inner.rfind(".\"").map_or(1, |at| at + 2);
    inner.get(start..).unwrap_or_default().replace("\"\"", "\"")
}
