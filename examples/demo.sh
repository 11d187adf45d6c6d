#!/usr/bin/env bash
# The demo: a private PostgreSQL in .demo, the extension in it, and examples/shop.sql played there.
# usage: demo.sh start | stop
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh
root=$PWD/.demo

case "${1:-start}" in
stop)
    cluster_stop "$root"
    echo "The demo has stopped and its data is gone."
    ;;
start)
    cluster_start "$root"
    "$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -f examples/shop.sql
    cat <<END

Look around yourself (schema module_versioning, modules shop and blog, sites north, south, west):

    $PG_BIN/psql -h $PGHOST -U postgres

When you have seen enough: make demo-stop
END
    ;;
*)
    echo "usage: demo.sh start | stop" >&2
    exit 2
    ;;
esac
