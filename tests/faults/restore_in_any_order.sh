#!/usr/bin/env bash
# What guards published versions lets a dump in, whichever of the two tables is loaded first, as COPY or as
# INSERT; and afterwards it guards.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
folder=$(mktemp -d /tmp/restore_in_any_order.XXXXXX)
trap 'rm -rf "$folder"' EXIT
sql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 "$@"; }
"$bin/createdb" fault_order
sql -d fault_order >/dev/null <<'SQL'
CREATE EXTENSION module_versioning;
SET search_path = module_versioning, public;
SELECT register_module(m) FROM unnest(ARRAY['shop', 'blog']) m;
SELECT create_version(module_id(m), v, dependencies => CASE m WHEN 'blog' THEN '{"shop": "^1"}'::jsonb END)
FROM unnest(ARRAY['shop', 'blog']) m, unnest(ARRAY['1.0.0', '1.1.0+build', '2.0.0']::semver[]) v;
SELECT add_migration(module_id(m), v, format('CREATE TABLE "é %s" (site_id uuid)', v), 'SELECT 1', '0.1.0', scope => 'site')
FROM unnest(ARRAY['shop', 'blog']) m, unnest(ARRAY['1.0.0', '1.0.0', '1.1.0', '2.0.0']::semver[]) v;
SELECT publish_version(v.id) FROM unnest(ARRAY['shop', 'blog']) m, get_versions(module_id(m)) v WHERE v.version < '2.0.0';
SELECT deprecate_version(v.id) FROM get_versions(module_id('blog')) v WHERE v.version = '1.0.0';
SELECT record_download(v.id) FROM get_versions(module_id('shop')) v;
SQL

query="SELECT 'version', version::text, status, migrations_hash FROM module_versioning.registered_versions
UNION ALL SELECT 'migration', to_version::text, sequence::text, up_sql FROM module_versioning.module_migrations
UNION ALL SELECT 'downloads', version::text, download_count::text, '' FROM module_versioning.module_versions
ORDER BY 1, 2, 3, 4"
source=$(sql -d fault_order -c "$query")
[ "$(sql -d fault_order -c 'SELECT count(*) > 0 FROM module_versioning.registered_versions WHERE migrations_hash IS NOT NULL')" = t ]

check() {
    local restored
    restored=$(sql -d "$1" -c "$query")
    [ "$source" = "$restored" ] || { echo "$1 differs"; diff <(echo "$source") <(echo "$restored"); exit 1; }
    # A published version takes no further migration, and loses none.
    for attempt in "DELETE FROM module_versioning.module_migrations" \
        "INSERT INTO module_versioning.module_migrations (module_id, to_version, up_sql, is_reversible, sequence, scope, checksum)
         SELECT module_id, version, 'SELECT 1', false, 9999, 'site', 'x' FROM module_versioning.registered_versions WHERE status <> 'draft' LIMIT 1"; do
        if message=$(sql -d "$1" -v VERBOSITY=sqlstate -c "$attempt" 2>&1); then echo "$1: not refused: $attempt"; exit 1; fi
        [ "$message" = "ERROR:  55000" ] || { echo "$1: $message"; exit 1; }
    done
    "$bin/dropdb" "$1"
}

"$bin/pg_dump" -Fd -f "$folder/dump" fault_order
"$bin/pg_restore" -l "$folder/dump" >"$folder/list"
is_data='TABLE DATA module_versioning'
# The tables in the order of the dump, and the two that guard each other the other way round.
for order in migrations_first versions_first; do
    first=module_migrations second=registered_versions
    if [ "$order" = versions_first ]; then first=registered_versions second=module_migrations; fi
    awk -v data="$is_data" -v first="$first" -v second="$second" '
        $0 ~ data " " first " " { head = $0; next } $0 ~ data " " second " " { tail = $0; next } { line[++n] = $0 }
        END { for (i = 1; i <= n; i++) {
                print line[i]
                # Both refer to nothing but modules.
                if (line[i] ~ data " modules ") { print head; print tail }
              } }' "$folder/list" >"$folder/$order"
    [ "$(wc -l <"$folder/list")" = "$(wc -l <"$folder/$order")" ]
    "$bin/createdb" fault_ordered
    "$bin/pg_restore" --exit-on-error -L "$folder/$order" -d fault_ordered "$folder/dump"
    check fault_ordered
done
"$bin/createdb" fault_ordered
"$bin/pg_dump" --inserts fault_order >"$folder/inserts.sql"
sql -d fault_ordered -f "$folder/inserts.sql" >/dev/null
check fault_ordered
