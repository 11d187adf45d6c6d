#!/usr/bin/env bash
# How fast the registry answers at the size of a big one: 5,000 modules, 200,000 versions, up to 20 dependencies
# each. A private cluster; prints medians; nothing passes or fails.
# usage: registry.sh     (the extension is installed in the PostgreSQL of PG_CONFIG)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

root=$PWD/.bench
trap 'cluster_stop "$root"' EXIT
cluster_start "$root" "-c shared_buffers=512MB -c max_wal_size=4GB"
"$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -f benches/registry.sql
