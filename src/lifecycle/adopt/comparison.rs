//! What a version's migrations make, and how a live schema differs from that.
//!
//! What they make is found out by running them in an empty schema of their own, inside a subtransaction
//! that is always undone. Where other sites run them on the same tables, what is recorded for those counts.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Isolation, Migration, Scope};
use versioning_core::post_step::PostStep;
use versioning_core::schema::{self as core, Drift, Live, Objects};

use super::Wish;
use crate::error::{Error, Result};
use crate::lifecycle::post_step::touched;
use crate::lifecycle::situation::Situation;
use crate::lifecycle::{run, state, store};
use crate::migration::execute::{RunContext, run_migration};
use crate::migration::post_step;
use crate::pg::subtransaction::in_subtransaction;
use crate::schema::{self, Table};

/// What the migrations up to a version make.
pub struct Expected {
    /// The objects, with their definitions.
    pub objects: Objects,
    /// The tables among them, unquoted; none where they are registered already.
    pub tables: BTreeSet<String>,
}

/// The module's objects and tables after the comparison, or the refusal. What is accepted is said in
/// `warnings`.
///
/// # Errors
/// 55000 when the schema differs, or what the migrations make can't be found out, unless accepted.
pub fn compare(
    situation: &Situation,
    migrations: &[&Migration],
    live: &Live,
    version: &Version,
    wish: &Wish<'_>,
    warnings: &mut Vec<String>,
) -> Result<Expected> {
    match expected(situation, migrations, live)? {
        Ok(mut expected) => {
            let later = by_post_steps(migrations)?;
            let found = differences(situation, &expected, live, &later)?;
            if !found.is_empty() && !wish.accept_drift {
                return Err(not_equal(situation, version, &found));
            }
            warnings.extend(
                found
                    .iter()
                    .map(|difference| format!("drift accepted: {}", difference.describe())),
            );
            for name in later {
                match live.get(&name) {
                    Some(object) => {
                        expected.objects.insert(name, object.definition.clone());
                    }
                    None => {
                        expected.objects.remove(&name);
                    }
                }
            }
            Ok(expected)
        }
        Err(reason) if wish.accept_drift => {
            warnings.push(format!("drift accepted without a comparison: {reason}"));
            unknown(situation, live, warnings)
        }
        Err(reason) => Err(Error::wrong_state(format!(
            "what version {version} of module \"{}\" makes can't be found out",
            situation.module.slug
        ))
        .detail(reason)
        .hint("Compare by yourself; then adopt it with accept_drift => true.")),
    }
}

/// Where the comparison was not possible, what is there counts as the module's, if the schema is its own.
fn unknown(situation: &Situation, live: &Live, warnings: &mut Vec<String>) -> Result<Expected> {
    let schema = situation.schema();
    if !schema::owned_by(schema, &situation.module.owner_role)? {
        warnings.push(format!(
            "schema \"{schema}\" is not the module's own: register its tables with register_module_table"
        ));
        return Ok(Expected {
            objects: Objects::new(),
            tables: BTreeSet::new(),
        });
    }
    Ok(Expected {
        objects: core::definitions(live),
        tables: table_names(&schema::tables(schema)?),
    })
}

fn table_names(tables: &[Table]) -> BTreeSet<String> {
    tables.iter().map(|table| table.name.clone()).collect()
}

/// The objects that post-steps of the migrations make or take: there or not, both is right.
fn by_post_steps(migrations: &[&Migration]) -> Result<Vec<String>> {
    let ids = migrations.iter().map(|one| Uuid::from_bytes(one.id));
    let targets = post_step::targets(ids.collect())?;
    Ok(targets
        .iter()
        .filter(|target| {
            matches!(
                target,
                PostStep::CreateIndex { .. } | PostStep::DropIndex { .. }
            )
        })
        .map(touched)
        .collect())
}

/// How the live schema differs; what other modules or people keep in a shared schema is not counted.
fn differences(
    situation: &Situation,
    expected: &Expected,
    live: &Live,
    later: &[String],
) -> Result<Vec<Drift>> {
    let extras = state::extras(situation, &expected.objects, live)?;
    let mut found = core::drift(&expected.objects, &core::definitions(live));
    found.extend(
        extras
            .into_iter()
            .filter(|name| !core::is_annotation(name))
            .map(Drift::Extra),
    );
    found.retain(|difference| {
        let (Drift::Missing(name) | Drift::Different(name) | Drift::Extra(name)) = difference;
        !later.contains(name)
    });
    Ok(found)
}

fn not_equal(situation: &Situation, version: &Version, found: &[Drift]) -> Error {
    let lines: Vec<String> = found
        .iter()
        .map(|difference| format!("- {}", difference.describe()))
        .collect();
    Error::wrong_state(format!(
        "schema \"{}\" is not what version {version} of module \"{}\" makes",
        situation.schema(),
        situation.module.slug
    ))
    .detail(lines.join("\n"))
    .hint("Mend the schema, name another version, or adopt it as it is with accept_drift => true.")
}

/// What the migrations make, or why that can't be told. Where other sites run all of the shared
/// migrations already, what is recorded for them is the answer.
fn expected(
    situation: &Situation,
    migrations: &[&Migration],
    live: &Live,
) -> Result<std::result::Result<Expected, String>> {
    let shared_in_force = situation.module.isolation == Isolation::Row
        && migrations
            .iter()
            .filter(|migration| migration.scope == Scope::Shared)
            .all(|migration| situation.applied.contains(&migration.id));
    if shared_in_force {
        let recorded = store::state::state(situation.module.id, None)?.objects;
        if !recorded.is_empty() {
            return Ok(Ok(Expected {
                objects: recorded,
                tables: BTreeSet::new(),
            }));
        }
    }
    rehearse(situation, migrations, live)
}

/// Runs the migrations in an empty schema, looks at it, and undoes all of it.
fn rehearse(
    situation: &Situation,
    migrations: &[&Migration],
    live: &Live,
) -> Result<std::result::Result<Expected, String>> {
    let owner = run::owner(situation)?;
    let scratch = store::state::free_schema_name()?;
    let mut outcome = None;
    let undone = in_subtransaction::<()>(|| {
        store::state::ensure_schema(&scratch, &situation.module.owner_role)?;
        let context = RunContext {
            site_id: situation.site.id,
            module_id: situation.module.id,
            schema: &scratch,
            owner,
        };
        outcome = Some(run_all(situation, migrations, &context, live)?);
        Err(Error::internal("the rehearsal is undone"))
    });
    match (outcome, undone) {
        (Some(outcome), _) => Ok(outcome),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::internal("the rehearsal had no outcome")),
    }
}

fn run_all(
    situation: &Situation,
    migrations: &[&Migration],
    context: &RunContext<'_>,
    live: &Live,
) -> Result<std::result::Result<Expected, String>> {
    for migration in migrations {
        pgrx::check_for_interrupts!();
        let execution = run_migration(migration, Direction::Up, context)?;
        if let Some(failure) = execution.failure {
            return Ok(Err(format!(
                "Migration {} to {} fails in an empty schema, at statement {}: {} (SQLSTATE {}).",
                migration.sequence,
                migration.to_version,
                failure.statement_number,
                failure.message,
                failure.sqlstate
            )));
        }
    }
    let objects = core::definitions(&schema::live(context.schema)?);
    let home = situation.schema();
    let named: Vec<String> = migrations
        .iter()
        .filter(|migration| names_schema(&migration.up_sql, home))
        .map(|migration| migration.sequence.to_string())
        .collect();
    if schema::live(home)? != *live || (objects.is_empty() && !named.is_empty()) {
        return Ok(Err(format!(
            "Its migrations name schema \"{home}\" instead of leaving it out, so they can't run in another one{}.",
            if named.is_empty() {
                String::new()
            } else {
                format!(" (sequence {})", named.join(", "))
            }
        )));
    }
    Ok(Ok(Expected {
        objects,
        tables: table_names(&schema::tables(context.schema)?),
    }))
}

/// Whether a script mentions the schema as part of a name.
fn names_schema(script: &str, schema: &str) -> bool {
    script.contains(&format!("{}.", pgrx::spi::quote_identifier(schema)))
}
