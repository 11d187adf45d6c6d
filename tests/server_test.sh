#!/usr/bin/env bash
# The #[pg_test]s, which run inside a server that cargo-pgrx starts for them.
# usage: server_test.sh FEATURE
set -euo pipefail
cd "$(dirname "$0")/.."
feature=$1
export RUST_BACKTRACE=0
if [ "$(id -u)" -eq 0 ]; then
    # PostgreSQL refuses to run as root: the server gets an account and a folder that is its own.
    folder=$(runuser -u postgres -- mktemp -d /tmp/module_versioning_test.XXXXXX)
    trap 'rm -rf "$folder"' EXIT
    cargo pgrx test --no-default-features --runas postgres --pgdata "$folder/data" "$feature"
else
    cargo pgrx test --no-default-features "$feature"
fi
