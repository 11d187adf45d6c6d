-- The functions of versions and ranges, one value at a time.

COMMENT ON FUNCTION module_versioning.semver_valid(text) IS
'Whether the text is a semantic version. Never raises.
Accepts what npm''s strict parse accepts: surrounding blanks and a leading v too.';
COMMENT ON FUNCTION module_versioning.semver_range_valid(text) IS 'Whether the text is an npm range. Never raises.';
COMMENT ON FUNCTION module_versioning.semver_parse(text) IS
'The parts of a version; no row when the text is none.
prerelease and build are NULL when the version has none.';
COMMENT ON FUNCTION module_versioning.semver_major(module_versioning.semver) IS 'The first number of a version.';
COMMENT ON FUNCTION module_versioning.semver_minor(module_versioning.semver) IS 'The second number of a version.';
COMMENT ON FUNCTION module_versioning.semver_patch(module_versioning.semver) IS 'The third number of a version.';
COMMENT ON FUNCTION module_versioning.semver_prerelease(module_versioning.semver) IS 'The prerelease of a version, such as rc.1; NULL when it has none.';
COMMENT ON FUNCTION module_versioning.semver_build(module_versioning.semver) IS 'The build metadata of a version; NULL when it has none.';
COMMENT ON FUNCTION module_versioning.semver_compare_build(module_versioning.semver, module_versioning.semver) IS
'Compares two versions by precedence, then by build metadata: -1, 0 or 1.
Unlike semver_compare a total order in which only versions with the same text are equal. NULL when either is NULL.';
COMMENT ON FUNCTION module_versioning.semver_diff(module_versioning.semver, module_versioning.semver) IS
'The kind of step between two versions, as npm''s diff names it: major, premajor, minor, preminor, patch, prepatch, prerelease.
NULL when they are equal (build metadata ignored) or either is NULL.';
COMMENT ON FUNCTION module_versioning.semver_inc(module_versioning.semver, text, text) IS
'The next version of a kind: npm''s inc. Build metadata is dropped.
release: major, premajor, minor, preminor, patch, prepatch, prerelease or release. identifier: the name of the prerelease, where the kind makes one.
Another kind, an invalid identifier, or no such version (release of what is no prerelease, a number above 2^64-1): 22023. NULL when version or release is NULL.';
COMMENT ON FUNCTION module_versioning.semver_coerce(text) IS
'The first thing in a text that can be taken for a version: npm''s coerce. NULL when there is none.
Up to three numbers of at most 2^53-1 count, and nothing else.';
COMMENT ON FUNCTION module_versioning.semver_max_satisfying(module_versioning.semver[], module_versioning.semver_range, boolean) IS
'The highest of the versions that satisfies the range; the first of equal ones. NULL when none does.
include_prerelease as with semver_satisfies. Elements that are NULL don''t count.';
COMMENT ON FUNCTION module_versioning.semver_min_satisfying(module_versioning.semver[], module_versioning.semver_range, boolean) IS
'The lowest of the versions that satisfies the range; the first of equal ones. NULL when none does.
include_prerelease as with semver_satisfies. Elements that are NULL don''t count.';
COMMENT ON FUNCTION module_versioning.semver_min_version(module_versioning.semver_range, boolean) IS
'The lowest version that can satisfy the range: npm''s minVersion. NULL when there is none.
include_prerelease as with semver_satisfies.';
COMMENT ON FUNCTION module_versioning.semver_intersects(module_versioning.semver_range, module_versioning.semver_range) IS
'Whether some version can be in both ranges: npm''s intersects, which looks at bounds.
Two ranges with more than 10,000,000 pairs of bounds: 22023.';
COMMENT ON FUNCTION module_versioning.semver_subset(module_versioning.semver_range, module_versioning.semver_range) IS
'Whether every version of the first range is in the second: npm''s subset, which looks at bounds.
Each branch of the first must lie within a single branch of the second. Two ranges with more than 10,000,000 pairs of bounds: 22023.';
