#!/usr/bin/env bash
# A database restored from pg_dump has the registry, the history, what is installed and the snapshots.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
"$bin/createdb" fault_dump
"$bin/psql" -qX -d fault_dump -v ON_ERROR_STOP=1 -f examples/shop.sql >/dev/null

query="SELECT 'module', slug, schema_name, owner_role FROM module_versioning.modules
UNION ALL SELECT 'version', version::text, status, active_installs::text FROM module_versioning.module_versions
UNION ALL SELECT 'installed', status, activated_at::text, ordinal::text FROM module_versioning.site_module_versions
UNION ALL SELECT 'migration', to_version::text, checksum, sequence::text FROM module_versioning.module_migrations
UNION ALL SELECT 'run', status, direction, ordinal::text FROM module_versioning.module_migration_runs
UNION ALL SELECT 'applied', migration_id::text, site_id::text, '' FROM module_versioning.applied_migrations
UNION ALL SELECT 'state', fingerprint, '', '' FROM module_versioning.schema_states
UNION ALL SELECT 'snapshot', b.root_hash, v.table_name, v.ok::text FROM module_versioning.module_data_backups b, module_versioning.verify_snapshot(b.id) v
ORDER BY 1, 2, 3, 4"
"$bin/createdb" fault_restored
"$bin/pg_dump" fault_dump >/tmp/fault_dump.$$.sql
"$bin/psql" -qX -d fault_restored -v ON_ERROR_STOP=1 -f /tmp/fault_dump.$$.sql >/dev/null
rm -f /tmp/fault_dump.$$.sql
source=$("$bin/psql" -qXAt -d fault_dump -c "$query")
restored=$("$bin/psql" -qXAt -d fault_restored -c "$query")
[ -n "$source" ] && [ "$source" = "$restored" ] || { diff <(echo "$source") <(echo "$restored"); exit 1; }

# And it goes on working there: the next upgrade and its history come after what was restored.
result=$("$bin/psql" -qXAt -d fault_restored -c "SELECT status FROM module_versioning.upgrade_module(module_versioning.site_id('north'), module_versioning.module_id('shop'), '2.0.0', force => true)")
[ "$result" = success ] || { echo "upgrade after restore: $result"; exit 1; }
newest=$("$bin/psql" -qXAt -d fault_restored -c "SELECT count(*) FROM module_versioning.module_migration_runs WHERE ordinal <= 0")
[ "$newest" = 0 ]
