-- Comments of the registry's functions in the library.

COMMENT ON FUNCTION module_versioning.module_id(text) IS
'The id of the module with that slug.
Errors: 22023 slug is null, 42704 no such module (the hint names similar ones). Takes no locks.';

COMMENT ON FUNCTION module_versioning.site_id(text) IS
'The id of the site with that slug.
Errors: 22023 slug is null, 42704 no such site (the hint names similar ones). Takes no locks.';

COMMENT ON FUNCTION module_versioning._existing_module(uuid) IS
'Returns its argument when there is such a module.
Errors: 22023 null, 42704 no such module.';

COMMENT ON FUNCTION module_versioning._existing_site(uuid) IS
'Returns its argument when there is such a site.
Errors: 22023 null, 42704 no such site.';

COMMENT ON FUNCTION module_versioning._matching_version(uuid, module_versioning.semver_range, boolean) IS
'The id of the version that find_matching_version returns; NULL when there is none.
Errors: 22023 module_id is null, 42704 no such module.';

COMMENT ON FUNCTION module_versioning._upgrade_path(uuid, module_versioning.semver, module_versioning.semver) IS
'The ids of the versions that get_upgrade_path returns, in its order.
Errors: 22023 module_id is null, 42704 no such module.';

COMMENT ON FUNCTION module_versioning.register_module(text, text, text, text, text, name) IS
'Registers a module, or returns the one that is registered already with the same properties.
slug: 1 to 63 bytes, no control characters or surrounding blanks, no uuid. name: for people; default the slug.
isolation: row (sites share tables, the default) or schema (each site has its own). schema_name: where the tables live; default the slug.
site_column: which column of shared tables carries the site; default site_id. owner_role: as whom migrations run, and who may publish; default the caller.
Returns the row of modules. Only properties that are given are compared with those registered.
Errors: 22023 bad argument, 42704 no such role, 42501 the caller can''t act as owner_role, 23505 registered with other properties. Locks: the new row.';

COMMENT ON FUNCTION module_versioning.register_site(text, text, module_versioning.semver, uuid) IS
'Registers a site, or returns the one that is registered already with the same properties.
slug: as in register_module. name: default the slug. platform_version: checked against min_platform_version; set_platform_version changes it. id: for a platform that has its own ids.
Returns the row of sites. Only properties that are given are compared with those registered.
Errors: 22023 bad argument, 23505 registered with other properties, or the id belongs to another site. Locks: the new row.';

COMMENT ON FUNCTION module_versioning.set_platform_version(uuid, module_versioning.semver) IS
'Writes down which version of the platform a site runs on now.
Returns the row of sites.
Errors: 22023 an argument is null, 42704 no such site, 55000 an active version needs a higher one (each is in DETAIL), or an older platform is asked for under REPEATABLE READ or SERIALIZABLE, 55P03 another session is changing what the site runs for too long. Locks: the row, FOR NO KEY UPDATE.';

COMMENT ON FUNCTION module_versioning.register_module_table(uuid, regclass, text) IS
'Registers a table that holds a module''s data; tables that a migration creates register themselves.
table_name: an ordinary or partitioned table. site_column: which column carries the site, of type uuid, text or varchar; default the module''s site_column where the table has it, else none (its rows belong to all sites).
Returns the row of module_tables, where the table is named as a migration would name it.
Errors: 22023 no such kind of table or column, 42704 no such module or column, 42501 the caller can''t act as the owner of the table or of the module, 23505 registered with another site_column. Locks: ACCESS SHARE on the table.';

COMMENT ON FUNCTION module_versioning.get_module_tables(uuid, uuid) IS
'The tables of a module, with how many rows a site has in each.
Row layout: the registered tables; a table without site column is counted whole. Schema layout: the tables in the site''s schema, or without a site one line per table of any site.
row_count is NULL without a site, and for a table that has gone. Rows are counted with the rights of each table''s owner, row security off.
Errors: 22023 module_id is null, 42704 no such module or site, 42501 row security would hide rows from the owner. Locks: ACCESS SHARE on the tables.';

COMMENT ON FUNCTION module_versioning.create_version(uuid, module_versioning.semver, text, text, text, text, module_versioning.semver, boolean, text, jsonb, text, boolean, jsonb) IS
'Adds a version to a module, as a draft.
bundle_hash: SHA-256 as 64 hexadecimal digits, stored in lower case. dependencies: what has to be on the same site, an object of slug or id and npm range, such as {"shop": "^1.2.0"}.
conflicts: what must not be on the same site, an object of the same kind; prereleases within the bounds of a range count.
breaking_changes is set by itself for a new major, and for a new minor below 1.0.0. allow_backport: take a version below the latest published one.
Returns the row of module_versions.
Errors: 22023 bad argument (not above the latest published version, bad hash, dependencies or conflicts that are no object or name the module itself, a conflict that leaves nothing of a dependency), 22P02 bad version or range, 23505 registered already (build metadata doesn''t count), 42704 no such module or dependency, 42501 the caller can''t act as the module''s owner, 55P03 another session is adding it for too long. Locks: the new row.';

COMMENT ON FUNCTION module_versioning.deprecate_version(uuid, text) IS
'Takes a published version out of what is found as latest or matching; sites that run it stay.
reason: goes to status_reason. Returns the row of module_versions.
Errors: 55000 not published, 22023 version_id is null, 42704 no such version, 42501 the caller can''t act as the module''s owner, 55P03 locked too long. Locks: the row, FOR NO KEY UPDATE.';

COMMENT ON FUNCTION module_versioning.yank_version(uuid, text) IS
'Forbids a published or deprecated version to new installations and upgrades; sites that run it stay.
reason: goes to status_reason, and must be given. Returns the row of module_versions.
Errors: 55000 a draft, or yanked already, 22023 an argument is null, 42704 no such version, 42501 the caller can''t act as the module''s owner, 55P03 locked too long. Locks: the row, FOR NO KEY UPDATE.';

COMMENT ON FUNCTION module_versioning.get_version(uuid) IS
'One version by its id.
Returns the row of module_versions.
Errors: 22023 version_id is null, 42704 no such version. Takes no locks.';

COMMENT ON FUNCTION module_versioning.record_download(uuid) IS
'Counts one download of a version and returns how many there were.
Counted in slots by process, in version_downloads: it waits for no change of the version nor any change for it, and for another download only in the same slot.
Errors: 22023 version_id is null, 42704 no such version, 55P03 the slot is locked too long. Locks: the row of the slot.';

COMMENT ON FUNCTION module_versioning.validate_dependencies(jsonb) IS
'Looks at each entry of a dependency declaration: does the module exist, is the range right, does a published version match?
dependencies: an object of slug or id and npm range. One row per entry, ordered by its key; matched_version is the highest published match; reason says in words why satisfied is false.
Errors: 22023 null or not an object; whatever is wrong with an entry is told in its row. Takes no locks.';

COMMENT ON FUNCTION module_versioning.resolve_dependencies(uuid, uuid, module_versioning.semver_range) IS
'Which versions of which modules a site can run together when it gets a module: what has to be installed or upgraded.
version_range: which versions of the module will do; NULL = any release, the newest first (an installed module stays). One row for the module itself, one for everything that it needs directly or not, and one for every other installed module that has to go up with them, in the order in which they have to be installed.
action: install, upgrade or keep. required_by: who needs it in which range, such as blog >=1, shop ^1.2; NULL when nobody does. Dependencies, conflicts and min_platform_version of all of them hold together.
What is installed stays if it can, and never goes down or away; all else takes its newest version, prereleases only where an npm range takes them, deprecated versions only where nothing else fits, yanked ones and drafts never.
Errors: 22023 nothing fits (DETAIL says why), or a NULL id; 42704 no such site or module; 54000 more steps than module_versioning.solver_step_limit. Reads only, takes no locks.';

COMMENT ON FUNCTION module_versioning.annotate_version(uuid, text, text) IS
'Writes other release notes, or another reason for its state, to a version in any state.
release_notes, status_reason: what is NULL stays as it is. Out: the row of module_versions.
Errors: 22023 version_id is null; 42704 no such version; 42501 when the caller can''t act as the module''s owner_role; 55P03 another session changes the version.
Locks the version''s row until the end of the transaction.';
