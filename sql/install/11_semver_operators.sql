-- Operators, operator classes and aggregates of semver: versions by precedence, build metadata ignored.

-- What the operators and operator classes of semver call.

CREATE FUNCTION module_versioning._semver_lt(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_lt_wrapper';
CREATE FUNCTION module_versioning._semver_le(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_le_wrapper';
CREATE FUNCTION module_versioning._semver_eq(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_eq_wrapper';
CREATE FUNCTION module_versioning._semver_ne(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_ne_wrapper';
CREATE FUNCTION module_versioning._semver_ge(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_ge_wrapper';
CREATE FUNCTION module_versioning._semver_gt(a module_versioning.semver, b module_versioning.semver) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_gt_wrapper';
CREATE FUNCTION module_versioning.semver_compare(a module_versioning.semver, b module_versioning.semver) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'semver_compare_wrapper';
CREATE FUNCTION module_versioning._semver_hash(value module_versioning.semver) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_hash_wrapper';
CREATE FUNCTION module_versioning._semver_hash_extended(value module_versioning.semver, seed bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_hash_extended_wrapper';
CREATE FUNCTION module_versioning._semver_sort_support(support internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_sort_support_wrapper';
CREATE FUNCTION module_versioning._semver_smaller(a module_versioning.semver, b module_versioning.semver) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_smaller_wrapper';
CREATE FUNCTION module_versioning._semver_larger(a module_versioning.semver, b module_versioning.semver) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_larger_wrapper';

CREATE OPERATOR module_versioning.< (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_lt,
    COMMUTATOR = OPERATOR(module_versioning.>), NEGATOR = OPERATOR(module_versioning.>=),
    RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR module_versioning.< (module_versioning.semver, module_versioning.semver) IS 'Lower precedence than; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_lt(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator <.';

CREATE OPERATOR module_versioning.<= (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_le,
    COMMUTATOR = OPERATOR(module_versioning.>=), NEGATOR = OPERATOR(module_versioning.>),
    RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR module_versioning.<= (module_versioning.semver, module_versioning.semver) IS 'Lower or equal precedence; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_le(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator <=.';

CREATE OPERATOR module_versioning.= (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_eq,
    COMMUTATOR = OPERATOR(module_versioning.=), NEGATOR = OPERATOR(module_versioning.<>),
    RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel,
    HASHES, MERGES
);
COMMENT ON OPERATOR module_versioning.= (module_versioning.semver, module_versioning.semver) IS 'Equal precedence; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_eq(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator =.';

CREATE OPERATOR module_versioning.<> (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_ne,
    COMMUTATOR = OPERATOR(module_versioning.<>), NEGATOR = OPERATOR(module_versioning.=),
    RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR module_versioning.<> (module_versioning.semver, module_versioning.semver) IS 'Other precedence; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_ne(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator <>.';

CREATE OPERATOR module_versioning.>= (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_ge,
    COMMUTATOR = OPERATOR(module_versioning.<=), NEGATOR = OPERATOR(module_versioning.<),
    RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR module_versioning.>= (module_versioning.semver, module_versioning.semver) IS 'Higher or equal precedence; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_ge(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator >=.';

CREATE OPERATOR module_versioning.> (
    LEFTARG = module_versioning.semver, RIGHTARG = module_versioning.semver, FUNCTION = module_versioning._semver_gt,
    COMMUTATOR = OPERATOR(module_versioning.<), NEGATOR = OPERATOR(module_versioning.<=),
    RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR module_versioning.> (module_versioning.semver, module_versioning.semver) IS 'Higher precedence than; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_gt(module_versioning.semver, module_versioning.semver) IS 'Implementation of operator >.';

CREATE OPERATOR FAMILY module_versioning.semver_btree_ops USING btree;
CREATE OPERATOR CLASS module_versioning.semver_btree_ops DEFAULT FOR TYPE module_versioning.semver USING btree
FAMILY module_versioning.semver_btree_ops AS
    OPERATOR 1 module_versioning.<,
    OPERATOR 2 module_versioning.<=,
    OPERATOR 3 module_versioning.=,
    OPERATOR 4 module_versioning.>=,
    OPERATOR 5 module_versioning.>,
    FUNCTION 1 module_versioning.semver_compare(module_versioning.semver, module_versioning.semver),
    FUNCTION 2 module_versioning._semver_sort_support(internal);
COMMENT ON OPERATOR FAMILY module_versioning.semver_btree_ops USING btree IS 'Versions by precedence.';
COMMENT ON OPERATOR CLASS module_versioning.semver_btree_ops USING btree IS
'Versions by precedence. No equal-image support, for versions that differ in build metadata are equal but not alike.';

CREATE OPERATOR FAMILY module_versioning.semver_hash_ops USING hash;
CREATE OPERATOR CLASS module_versioning.semver_hash_ops DEFAULT FOR TYPE module_versioning.semver USING hash
FAMILY module_versioning.semver_hash_ops AS
    OPERATOR 1 module_versioning.=,
    FUNCTION 1 module_versioning._semver_hash(module_versioning.semver),
    FUNCTION 2 module_versioning._semver_hash_extended(module_versioning.semver, bigint);
COMMENT ON OPERATOR FAMILY module_versioning.semver_hash_ops USING hash IS 'Versions of equal precedence hash alike.';
COMMENT ON OPERATOR CLASS module_versioning.semver_hash_ops USING hash IS 'Versions of equal precedence hash alike.';
COMMENT ON FUNCTION module_versioning._semver_hash(module_versioning.semver) IS 'Hash over the precedence; build metadata ignored.';
COMMENT ON FUNCTION module_versioning._semver_hash_extended(module_versioning.semver, bigint) IS 'Seeded hash over the precedence; build metadata ignored.';

COMMENT ON FUNCTION module_versioning._semver_sort_support(internal) IS 'Sort support of the btree operator class: abbreviated keys, and comparisons without a function call.';

COMMENT ON FUNCTION module_versioning.semver_compare(module_versioning.semver, module_versioning.semver) IS
'Compares two versions by precedence: -1, 0 or 1.
Build metadata is ignored. NULL when either is NULL.';

COMMENT ON FUNCTION module_versioning._semver_smaller(module_versioning.semver, module_versioning.semver) IS 'The version of lower precedence.';
COMMENT ON FUNCTION module_versioning._semver_larger(module_versioning.semver, module_versioning.semver) IS 'The version of higher precedence.';

CREATE AGGREGATE module_versioning.min(module_versioning.semver) (
    SFUNC = module_versioning._semver_smaller, STYPE = module_versioning.semver, SORTOP = OPERATOR(module_versioning.<),
    COMBINEFUNC = module_versioning._semver_smaller, PARALLEL = SAFE
);
COMMENT ON AGGREGATE module_versioning.min(module_versioning.semver) IS 'The lowest version by precedence.';

CREATE AGGREGATE module_versioning.max(module_versioning.semver) (
    SFUNC = module_versioning._semver_larger, STYPE = module_versioning.semver, SORTOP = OPERATOR(module_versioning.>),
    COMBINEFUNC = module_versioning._semver_larger, PARALLEL = SAFE
);
COMMENT ON AGGREGATE module_versioning.max(module_versioning.semver) IS 'The highest version by precedence.';
