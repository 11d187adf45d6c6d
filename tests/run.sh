#!/usr/bin/env bash
# The tests that need a server of their own: SQL regression tests, isolation specs, the scripts of
# tests/faults, the table of situations and mutants of its scripts, and the examples of the documentation.
# A throw-away cluster in .test; no other server is touched.
# usage: run.sh [TEST…]     only these regression tests and nothing else
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

root=$PWD/.test
trap 'cluster_stop "$root"' EXIT
# Autovacuum commits whenever it likes, and what others commit beside an act makes a difference to it.
cluster_start "$root" "-c autovacuum=off"
regress=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/regress/pg_regress

tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
    for file in tests/pg_regress/sql/*.sql; do tests+=("$(basename "$file" .sql)"); done
fi

# Results go where the account that runs the tests may write.
"$PG_BIN/createdb" regression
"$PG_BIN/psql" -qX -d regression -c 'CREATE EXTENSION module_versioning'
# What publishing has to say about versions is the affair of one test.
"$PG_BIN/psql" -qX -d regression -c "ALTER DATABASE regression SET module_versioning.version_policy TO 'off'"
"$regress" --use-existing --dbname=regression --bindir="$PG_BIN" \
    --inputdir=tests/pg_regress --outputdir="$root/results" "${tests[@]}" || {
    cat "$root/results/regression.diffs"
    exit 1
}
if [ $# -gt 0 ]; then exit 0; fi

specs=()
for file in tests/isolation/specs/*.spec; do specs+=("$(basename "$file" .spec)"); done
"$PG_BIN/createdb" isolation
"$PG_BIN/psql" -qX -d isolation -c 'CREATE EXTENSION module_versioning'
"$PG_BIN/psql" -qX -d isolation -c "ALTER DATABASE isolation SET module_versioning.version_policy TO 'off'"
"$(dirname "$regress")/../isolation/pg_isolation_regress" --use-existing --dbname=isolation --bindir="$PG_BIN" \
    --inputdir=tests/isolation --outputdir="$root/isolation" "${specs[@]}" || {
    cat "$root/isolation/regression.diffs"
    exit 1
}

export PG_BIN
passed=0 failed=0
for script in tests/faults/*.sh; do
    name=$(basename "$script" .sh)
    if output=$(bash "$script" 2>&1); then
        passed=$((passed + 1))
        echo "ok     $name"
    else
        failed=$((failed + 1))
        echo "not ok $name"
        echo "$output"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

perl tests/docs.pl "$PG_BIN/psql" README.md docs/*.md

perl tests/lint_mutations.pl "$PG_BIN/psql" tests/cases/*.case

bash tests/cases/run.sh "$PG_BIN/psql"
