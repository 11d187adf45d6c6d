# Sourced, not run: a private PostgreSQL cluster in a folder of its own, reached by its socket only.
# A server that is on the machine already is never touched.
#
#   cluster_start FOLDER [OPTIONS]   a fresh cluster for FOLDER (which is emptied first), started
#   cluster_stop FOLDER              stops it; harmless when it doesn't run
#   as_server COMMAND …              runs a command as the account that owns the cluster

PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
PG_BIN=$("$PG_CONFIG" --bindir)

# initdb and the server refuse to run as root; Debian's packages bring the account postgres.
as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# Where the cluster of FOLDER lives: there, or in a folder that the server's account can reach.
cluster_home() {
    if [ -f "$1/home" ]; then cat "$1/home"; else echo "$1"; fi
}

cluster_stop() {
    local home
    home=$(cluster_home "$1")
    if [ -f "$home/data/postmaster.pid" ]; then
        as_server "$PG_BIN/pg_ctl" --pgdata "$home/data" --mode immediate --wait stop >/dev/null 2>&1 || true
    fi
    if [ "$home" != "$1" ]; then rm -rf "$home"; fi
    rm -rf "$1"
}

cluster_start() {
    local home=$1
    cluster_stop "$1"
    mkdir -p "$1"
    if [ "$(id -u)" -eq 0 ]; then chown postgres: "$1"; fi
    # A checkout under /root is closed to other accounts, and the path of a socket has 107 bytes at most.
    if [ ${#1} -gt 80 ] || ! as_server test -w "$1" 2>/dev/null; then
        home=$(as_server mktemp -d /tmp/module_versioning.XXXXXX)
        chmod 755 "$home"
        echo "$home" >"$1/home"
    fi
    (cd / && as_server "$PG_BIN/initdb" --pgdata "$home/data" --username postgres --auth trust \
        --encoding UTF8 --locale C.UTF-8 --no-sync) >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log"; return 1; }
    # pgrx adds Rust backtraces to DETAIL when the server's environment asks for them.
    (cd / && as_server env -u RUST_BACKTRACE "$PG_BIN/pg_ctl" --pgdata "$home/data" --wait --silent --log "$home/server.log" \
        --options "-c listen_addresses='' -c unix_socket_directories='$home' -c fsync=off ${2:-}" start) \
        || { cat "$home/server.log"; return 1; }
    export PGHOST=$home PGUSER=postgres PGPORT=5432 PGDATABASE=postgres
}
