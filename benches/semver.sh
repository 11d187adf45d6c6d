#!/usr/bin/env bash
# How fast semver is, side by side with the packaged C extension (postgresql-15-semver) and with text,
# on the same 1,000,000 versions in one run on a private cluster. Prints medians of five and ratios;
# nothing passes or fails.
# usage: semver.sh     (the extension is installed in the PostgreSQL of PG_CONFIG)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

extensions=$("$PG_CONFIG" --sharedir)/extension
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The C extension goes where PG_CONFIG points: by apt into Debian's own PostgreSQL, else by hand.
if ! [ -f "$extensions/semver.control" ]; then
    version=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    if [ "$PG_CONFIG" = "/usr/lib/postgresql/$version/bin/pg_config" ]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "postgresql-$version-semver"
    else
        folder=$(mktemp -d /tmp/peer.XXXXXX)
        chmod 755 "$folder"
        (cd "$folder" && apt-get download -qq "postgresql-$version-semver" && dpkg-deb -x ./*.deb .)
        cp "$folder"/usr/share/postgresql/"$version"/extension/semver* "$extensions/"
        cp "$folder"/usr/lib/postgresql/"$version"/lib/semver.so "$("$PG_CONFIG" --pkglibdir)/"
        rm -rf "$folder"
    fi
fi

root=$PWD/.bench
trap 'cluster_stop "$root"' EXIT
cluster_start "$root" "-c shared_buffers=512MB -c max_wal_size=4GB"
"$PG_BIN/psql" -qX -v ON_ERROR_STOP=1 -f benches/semver.sql
