#!/usr/bin/env bash
# The table of situations: proves its labels, then measures the extension on it.
# usage: run.sh PSQL     (the server is that of PGHOST)
set -euo pipefail
cd "$(dirname "$0")"
psql=$1
perl prove.pl "$psql" ./*.case unseen/*.case
perl measure.pl "$psql" ./*.case
echo "Set aside (reported, without bound: there are few of them):"
perl measure.pl "$psql" unseen/*.case || true
