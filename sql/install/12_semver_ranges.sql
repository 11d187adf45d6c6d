-- What connects versions and ranges: containment with its index support, equality of ranges, casts.

CREATE FUNCTION module_versioning._semver_range_support(request internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_support_wrapper';
CREATE FUNCTION module_versioning._semver_exact_support(request internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_exact_support_wrapper';
CREATE FUNCTION module_versioning._semver_range_selectivity(root internal, operator oid, arguments internal, relation integer) RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', '_semver_range_selectivity_wrapper';
CREATE FUNCTION module_versioning._semver_range_lower(range module_versioning.semver_range, include_prerelease boolean) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_lower_wrapper';
CREATE FUNCTION module_versioning._semver_range_upper(range module_versioning.semver_range, include_prerelease boolean) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_upper_wrapper';
CREATE FUNCTION module_versioning.semver_satisfies(version module_versioning.semver, range module_versioning.semver_range, include_prerelease boolean DEFAULT false) RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE SUPPORT module_versioning._semver_range_support AS 'MODULE_PATHNAME', 'semver_satisfies_wrapper';
-- STRICT, and with no support but for the estimate: what a supported call of several intervals becomes.
CREATE FUNCTION module_versioning._semver_satisfies(version module_versioning.semver, range module_versioning.semver_range, include_prerelease boolean) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SUPPORT module_versioning._semver_exact_support AS 'MODULE_PATHNAME', '_semver_satisfies_wrapper';
CREATE FUNCTION module_versioning._semver_contained_by(version module_versioning.semver, range module_versioning.semver_range) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SUPPORT module_versioning._semver_range_support AS 'MODULE_PATHNAME', '_semver_contained_by_wrapper';
CREATE FUNCTION module_versioning._semver_range_eq(a module_versioning.semver_range, b module_versioning.semver_range) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_eq_wrapper';
CREATE FUNCTION module_versioning._semver_range_ne(a module_versioning.semver_range, b module_versioning.semver_range) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_ne_wrapper';
CREATE FUNCTION module_versioning._semver_range_hash(value module_versioning.semver_range) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_hash_wrapper';
CREATE FUNCTION module_versioning._semver_range_hash_extended(value module_versioning.semver_range, seed bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_hash_extended_wrapper';

CREATE OPERATOR module_versioning.<@ (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver_range, FUNCTION = module_versioning._semver_contained_by,
    RESTRICT = module_versioning._semver_range_selectivity, JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR module_versioning.<@ (module_versioning.semver, module_versioning.semver_range) IS
'Whether the version satisfies the range: semver_satisfies with its default.';
COMMENT ON FUNCTION module_versioning._semver_contained_by(module_versioning.semver, module_versioning.semver_range) IS 'Implementation of operator <@.';
COMMENT ON FUNCTION module_versioning.semver_satisfies(module_versioning.semver, module_versioning.semver_range, boolean) IS
'Whether a version satisfies an npm range.
include_prerelease: npm''s includePrerelease, which also lets prereleases in that the range doesn''t name. NULL when version or range is NULL.
A btree index on the version answers it, with one scan per interval of a constant range; a constant range is read once per query.';
COMMENT ON FUNCTION module_versioning._semver_satisfies(module_versioning.semver, module_versioning.semver_range, boolean) IS
'The exact question beside the bounds that a range of several intervals is expanded to in a plan.';
COMMENT ON FUNCTION module_versioning._semver_range_support(internal) IS
'Planner support of <@ and semver_satisfies: index conditions, intervals and selectivity.';
COMMENT ON FUNCTION module_versioning._semver_exact_support(internal) IS
'Planner support of _semver_satisfies: its selectivity is that of the bounds beside it.';
COMMENT ON FUNCTION module_versioning._semver_range_selectivity(internal, oid, internal, integer) IS
'Restriction estimator of <@: the share of the range''s intervals by the statistics of the column.';
COMMENT ON FUNCTION module_versioning._semver_range_lower(module_versioning.semver_range, boolean) IS
'No version of the range is lower. What an index scan starts at when the range isn''t known before.';
COMMENT ON FUNCTION module_versioning._semver_range_upper(module_versioning.semver_range, boolean) IS
'No version of the range is higher. What an index scan ends at when the range isn''t known before.';

CREATE OPERATOR module_versioning.= (
    LEFTARG = module_versioning.semver_range, RIGHTARG = module_versioning.semver_range, FUNCTION = module_versioning._semver_range_eq,
    COMMUTATOR = OPERATOR(module_versioning.=), NEGATOR = OPERATOR(module_versioning.<>),
    RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel,
    HASHES
);
COMMENT ON OPERATOR module_versioning.= (module_versioning.semver_range, module_versioning.semver_range) IS 'Whether two ranges have the same bounds, with and without prereleases.';
COMMENT ON FUNCTION module_versioning._semver_range_eq(module_versioning.semver_range, module_versioning.semver_range) IS 'Implementation of operator =.';
CREATE OPERATOR module_versioning.<> (
    LEFTARG = module_versioning.semver_range, RIGHTARG = module_versioning.semver_range, FUNCTION = module_versioning._semver_range_ne,
    COMMUTATOR = OPERATOR(module_versioning.<>), NEGATOR = OPERATOR(module_versioning.=),
    RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR module_versioning.<> (module_versioning.semver_range, module_versioning.semver_range) IS 'Whether two ranges differ in a bound.';
COMMENT ON FUNCTION module_versioning._semver_range_ne(module_versioning.semver_range, module_versioning.semver_range) IS 'Implementation of operator <>.';

CREATE OPERATOR FAMILY module_versioning.semver_range_hash_ops USING hash;
CREATE OPERATOR CLASS module_versioning.semver_range_hash_ops DEFAULT FOR TYPE module_versioning.semver_range USING hash
FAMILY module_versioning.semver_range_hash_ops AS
    OPERATOR 1 module_versioning.=,
    FUNCTION 1 module_versioning._semver_range_hash(module_versioning.semver_range),
    FUNCTION 2 module_versioning._semver_range_hash_extended(module_versioning.semver_range, bigint);
COMMENT ON OPERATOR FAMILY module_versioning.semver_range_hash_ops USING hash IS 'Ranges by their bounds, with and without prereleases.';
COMMENT ON OPERATOR CLASS module_versioning.semver_range_hash_ops USING hash IS 'Ranges by their bounds, with and without prereleases.';
COMMENT ON FUNCTION module_versioning._semver_range_hash(module_versioning.semver_range) IS 'Hash over the bounds of a range.';
COMMENT ON FUNCTION module_versioning._semver_range_hash_extended(module_versioning.semver_range, bigint) IS 'Seeded hash over the bounds of a range.';

CREATE CAST (text AS module_versioning.semver) WITH INOUT;
CREATE CAST (module_versioning.semver AS text) WITH INOUT AS ASSIGNMENT;
CREATE CAST (text AS module_versioning.semver_range) WITH INOUT;
CREATE CAST (module_versioning.semver_range AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS module_versioning.semver) IS 'As the type''s text input.';
COMMENT ON CAST (module_versioning.semver AS text) IS 'As the type''s text output.';
COMMENT ON CAST (text AS module_versioning.semver_range) IS 'As the type''s text input.';
COMMENT ON CAST (module_versioning.semver_range AS text) IS 'As the type''s text output.';
