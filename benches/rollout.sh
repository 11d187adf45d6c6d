#!/usr/bin/env bash
# How fast a rollout is: sites per second of run_rollout (schema layout, no snapshots) beside a bare PL/pgSQL
# loop of the same DDL with COMMIT per site, for a migration of one statement and one of three, on a private
# cluster with default settings, fsync on. Prints both and their ratio; nothing passes or fails.
# usage: rollout.sh     (the extension is installed in the PostgreSQL of PG_CONFIG; SITES says how many)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

root=$PWD/.bench-rollout
trap 'cluster_stop "$root"' EXIT
cluster_start "$root" "-c fsync=on"
"$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -v sites="${SITES:-2000}" -f benches/rollout.sql
