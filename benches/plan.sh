#!/usr/bin/env bash
# How long plans take: 1,000 registered migrations, 2,000 sites, in both layouts, on a private cluster.
# Prints medians; nothing passes or fails.
# usage: plan.sh     (the extension is installed in the PostgreSQL of PG_CONFIG)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

root=$PWD/.bench
trap 'cluster_stop "$root"' EXIT
cluster_start "$root"
"$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -f benches/plan.sql
