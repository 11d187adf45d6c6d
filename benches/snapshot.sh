#!/usr/bin/env bash
# How fast snapshots are taken and restored, side by side with COPY, pg_dump and CREATE TABLE AS over the
# same table in one run on a private cluster. Prints medians, the ratios and what they should be; nothing
# passes or fails.
# usage: snapshot.sh     (the extension is installed in the PostgreSQL of PG_CONFIG; ROWS, ROUNDS by environment)
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/cluster.sh

rows=${ROWS:-1000000} rounds=${ROUNDS:-3}
root=$PWD/.bench
trap 'cluster_stop "$root"' EXIT
cluster_start "$root" "-c max_wal_size=8GB -c checkpoint_timeout=1h -c autovacuum=off"
sql() { "$PG_BIN/psql" -qAtX -v ON_ERROR_STOP=1 "$@"; }
sql -v rows="$rows" -f benches/snapshot.sql
site=$(sql -c "SELECT module_versioning.site_id('bench')")
module=$(sql -c "SELECT module_versioning.module_id('bench')")
take="SELECT id FROM module_versioning.snapshot_module_data('$site', '$module')"
forget="SET client_min_messages = warning; DELETE FROM module_versioning.module_data_backups; TRUNCATE module_versioning_data.snapshots, module_versioning_data.chunks CASCADE"
files=$(as_server mktemp -d /tmp/module_versioning_bench.XXXXXX)
trap 'cluster_stop "$root"; rm -rf "$files"' EXIT

declare -A taken
# measure NAME STATEMENT [BEFORE]: the time of the statement in milliseconds, added to the others of that name.
measure() {
    if [ -n "${3:-}" ]; then sql -c "$3" >/dev/null; fi
    local ms
    ms=$(sql -c '\timing on' -c "$2" | sed -n 's/^Time: \([0-9]*\).*/\1/p' | tail -1)
    taken[$1]="${taken[$1]:-} $ms"
}
median() { tr ' ' '\n' <<<"${taken[$1]}" | grep . | sort -n | sed -n "$((rounds / 2 + 1))p"; }

sql -c "COPY bench.entries TO '$files/entries.copy' (FORMAT binary)" -c "COPY bench.entries TO '$files/entries.txt'"
for _ in $(seq "$rounds"); do
    measure copy_out "COPY bench.entries TO '/dev/null' (FORMAT binary)"
    measure table_as "CREATE TABLE public.other AS SELECT * FROM bench.entries"
    sql -c "DROP TABLE public.other"
    started=$(date +%s%N)
    "$PG_BIN/pg_dump" -Fc -t bench.entries >/dev/null
    taken[dump]="${taken[dump]:-} $((($(date +%s%N) - started) / 1000000))"
    sql -c "$forget" -c CHECKPOINT
    measure snapshot "$take"
    measure again "$take"
done
first=$(sql -c 'SELECT stored_bytes FROM module_versioning.module_data_backups ORDER BY ordinal LIMIT 1')
same=$(sql -c 'SELECT stored_bytes FROM module_versioning.module_data_backups ORDER BY ordinal DESC LIMIT 1')
backup=$(sql -c 'SELECT id FROM module_versioning.module_data_backups ORDER BY ordinal LIMIT 1')
restore="SELECT * FROM module_versioning.restore_module_data('$backup', create_backup => false)"

for _ in $(seq "$rounds"); do
    measure copy_in "COPY bench.entries FROM '$files/entries.copy' (FORMAT binary)" 'TRUNCATE bench.entries'
    measure copy_in_text "COPY bench.entries FROM '$files/entries.txt'" 'TRUNCATE bench.entries'
    measure restore_all "$restore" 'TRUNCATE bench.entries'
done
one=$((rows / 100))
change="UPDATE bench.entries SET title = title || ' changed', updated_at = now() WHERE id IN (SELECT (public.entry(n)).id FROM generate_series($rows - $one + 1, $rows) n);
        INSERT INTO bench.entries SELECT e.* FROM generate_series($rows + 1, $rows + $one) n, public.entry(n) e"
fresh="TRUNCATE bench.entries; INSERT INTO bench.entries SELECT * FROM public.clean"
for _ in $(seq "$rounds"); do
    measure restore_newest "$restore" "$fresh; $change"
done
for _ in $(seq "$rounds"); do
    measure restore_scattered "$restore" "$fresh; UPDATE bench.entries SET amount = amount + 1 WHERE get_byte(uuid_send(id), 15) IN (1, 2, 3)"
done
sql -c "$fresh; $change" -c "$take" >/dev/null
newest=$(sql -c 'SELECT stored_bytes FROM module_versioning.module_data_backups ORDER BY ordinal DESC LIMIT 1')

# peak STATEMENT: the most memory that a fresh backend ever held for it, in MB, shared buffers left out.
peak() {
    { echo 'SELECT pg_backend_pid() AS pid \gset'; echo "$1 \\g /dev/null"
      echo "\\setenv PID :pid"; echo '\! grep -E "VmHWM|RssShmem" /proc/$PID/status'; } | sql |
        awk '/VmHWM/ { high = $2 } /RssShmem/ { shared = $2 } END { printf "%d (%d of it shared buffers)", high / 1024, shared / 1024 }'
}
sql -c "$fresh" -c "$forget"
snapshot_peak=$(peak "$take")
backup=$(sql -c 'SELECT id FROM module_versioning.module_data_backups')
restore="SELECT * FROM module_versioning.restore_module_data('$backup', create_backup => false)"
sql -c 'TRUNCATE bench.entries'
restore_peak=$(peak "$restore")
sql -c 'UPDATE bench.entries SET amount = amount + 1 WHERE get_byte(uuid_send(id), 15) IN (1, 2, 3)'
scattered_peak=$(peak "$restore")

line() { printf '%-44s %8s ms' "$1" "$(median "$2")"; echo; }
ratio() { printf '%-60s %6s   goal %s\n' "$1" "$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.3f", a / b }')" "$4"; }
echo
line 'COPY TO /dev/null (FORMAT binary)' copy_out
line 'CREATE TABLE AS' table_as
line 'pg_dump -Fc' dump
line 'snapshot' snapshot
line 'snapshot, unchanged' again
line 'COPY FROM (FORMAT binary)' copy_in
line 'COPY FROM (text)' copy_in_text
line 'restore into the emptied table' restore_all
line 'restore after the newest 1% changed, 1% came' restore_newest
line 'restore after 1% changed everywhere' restore_scattered
echo
ratio 'snapshot / COPY TO /dev/null' "$(median snapshot)" "$(median copy_out)" '<= 1.6'
ratio 'snapshot / pg_dump -Fc' "$(median snapshot)" "$(median dump)" '<= 0.35'
ratio 'snapshot unchanged / COPY TO /dev/null' "$(median again)" "$(median copy_out)" '<= 1.4'
ratio 'stored unchanged / stored first' "$same" "$first" '< 0.01'
ratio 'stored after 1% of the newest changed / stored first' "$newest" "$first" '< 0.04'
ratio 'restore into the emptied table / COPY FROM (binary)' "$(median restore_all)" "$(median copy_in)" '<= 1.2'
ratio 'restore into the emptied table / COPY FROM (text)' "$(median restore_all)" "$(median copy_in_text)" '<= 1.2'
ratio 'restore after the newest 1% changed / COPY FROM (binary)' "$(median restore_newest)" "$(median copy_in)" '<= 0.5'
ratio 'restore after 1% changed everywhere / COPY FROM (binary)' "$(median restore_scattered)" "$(median copy_in)" '<= 0.5'
echo "backend's peak memory in MB: snapshot $snapshot_peak, restore $restore_peak, restore after changes everywhere $scattered_peak; goal < 200"
