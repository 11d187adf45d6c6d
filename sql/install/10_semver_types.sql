-- The two base types. Their layout on disk begins with a format byte; see src/semver/datum.rs.

CREATE FUNCTION module_versioning._semver_in(cstring) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_in_wrapper';
CREATE FUNCTION module_versioning._semver_out(module_versioning.semver) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_out_wrapper';
CREATE FUNCTION module_versioning._semver_recv(internal) RETURNS module_versioning.semver
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_recv_wrapper';
CREATE FUNCTION module_versioning._semver_send(module_versioning.semver) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_send_wrapper';
CREATE FUNCTION module_versioning._semver_range_in(cstring) RETURNS module_versioning.semver_range
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_in_wrapper';
CREATE FUNCTION module_versioning._semver_range_out(module_versioning.semver_range) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_out_wrapper';
CREATE FUNCTION module_versioning._semver_range_recv(internal) RETURNS module_versioning.semver_range
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_recv_wrapper';
CREATE FUNCTION module_versioning._semver_range_send(module_versioning.semver_range) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', '_semver_range_send_wrapper';

CREATE TYPE module_versioning.semver (
    INPUT = module_versioning._semver_in,
    OUTPUT = module_versioning._semver_out,
    RECEIVE = module_versioning._semver_recv,
    SEND = module_versioning._semver_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = main
);
COMMENT ON TYPE module_versioning.semver IS
'A semantic version, such as 1.4.0 or 2.0.0-rc.1+build.5 (SemVer 2.0.0).
Compares by precedence; build metadata is kept and printed but doesn''t count in comparisons. Malformed text: 22P02.';

CREATE TYPE module_versioning.semver_range (
    INPUT = module_versioning._semver_range_in,
    OUTPUT = module_versioning._semver_range_out,
    RECEIVE = module_versioning._semver_range_recv,
    SEND = module_versioning._semver_range_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE module_versioning.semver_range IS
'A range of versions as npm writes it, such as ^1.2.0 or >=1.0.0 <2.0.0 || 3.x.
Prints npm''s canonical text. Malformed text, or more than 1 MiB of it: 22P02.';

COMMENT ON FUNCTION module_versioning._semver_in(cstring) IS 'Text input of semver.';
COMMENT ON FUNCTION module_versioning._semver_out(module_versioning.semver) IS 'Text output of semver.';
COMMENT ON FUNCTION module_versioning._semver_recv(internal) IS 'Binary input of semver: one byte 0x01, then the text.';
COMMENT ON FUNCTION module_versioning._semver_send(module_versioning.semver) IS 'Binary output of semver: one byte 0x01, then the text.';
COMMENT ON FUNCTION module_versioning._semver_range_in(cstring) IS 'Text input of semver_range.';
COMMENT ON FUNCTION module_versioning._semver_range_out(module_versioning.semver_range) IS 'Text output of semver_range.';
COMMENT ON FUNCTION module_versioning._semver_range_recv(internal) IS 'Binary input of semver_range: one byte 0x01, then the text; or 0x02, then the stored form.';
COMMENT ON FUNCTION module_versioning._semver_range_send(module_versioning.semver_range) IS 'Binary output of semver_range: one byte 0x01, then the text; or, where prereleases move its bounds, 0x02, then the stored form.';
