#!/usr/bin/env bash
# What building and testing need on Debian 12: apt packages and cargo-pgrx. Quick when they are there.
# usage: setup.sh PGRX_VERSION PG_VERSION
set -euo pipefail
pgrx_version=$1
pg_version=$2

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

packages=(
    "postgresql-$pg_version" "postgresql-server-dev-$pg_version"
    build-essential clang libclang-dev pkg-config sudo util-linux
)
missing=()
for package in "${packages[@]}"; do
    if ! dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
        missing+=("$package")
    fi
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    # The package postgresql-common would start a server of its own on installation; none is wanted.
    if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust 1.95 first, see https://rustup.rs" >&2
    exit 1
fi
if [ "$(cargo pgrx --version 2>/dev/null)" != "cargo-pgrx $pgrx_version" ]; then
    echo "installing cargo-pgrx $pgrx_version (once, about four minutes)"
    cargo install cargo-pgrx --version "$pgrx_version" --locked
fi
pgrx_home=${PGRX_HOME:-$HOME/.pgrx}
if ! grep -qs "^pg$pg_version = \"$PG_CONFIG\"" "$pgrx_home/config.toml"; then
    cargo pgrx init "--pg$pg_version" "$PG_CONFIG"
fi
