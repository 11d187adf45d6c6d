-- What has been published stays as it was, whoever asks: a trigger, because superusers and the
-- extension's owner pass every privilege check.

CREATE FUNCTION module_versioning._migrations_hash(module_id uuid, version module_versioning.semver) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    -- Columns by name, each with its length or a mark for NULL in front: nothing here may depend on a
    -- setting, on the order of columns, or on columns that come later.
    SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
               pg_catalog.string_agg(
                   COALESCE(pg_catalog.octet_length(f.value)::text, '-') || ':' || COALESCE(f.value, ''), ';'
                   ORDER BY m.sequence, f.place), 'UTF8')), 'hex')
    FROM module_versioning.module_migrations m
    CROSS JOIN LATERAL (VALUES
        (1, m.sequence::text), (2, m.from_version::text), (3, m.to_version::text), (4, m.scope), (5, m.up_sql),
        (6, m.down_sql), (7, m.is_reversible::text), (8, m.requires_maintenance::text), (9, m.checksum)
    ) AS f (place, value)
    WHERE m.module_id = _migrations_hash.module_id
      AND m.to_version OPERATOR(module_versioning.=) _migrations_hash.version
$$;
COMMENT ON FUNCTION module_versioning._migrations_hash(uuid, module_versioning.semver) IS
'SHA-256 over the migrations to a version, in order; NULL when there are none.
In: module and version. Out: 64 hexadecimal digits. Takes no locks.';

CREATE FUNCTION module_versioning._protect_registered_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- New columns are protected unless they are named here. Generated ones aren't computed yet when
    -- a trigger runs before the row is written; they follow from the version.
    editable CONSTANT text[] := ARRAY['status', 'status_reason', 'release_notes', 'version_major',
                                      'version_minor', 'version_patch', 'prerelease'];
    changed text;
BEGIN
    IF OLD.status OPERATOR(pg_catalog.=) 'draft' THEN
        IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF NEW.status OPERATOR(pg_catalog.=) 'published' AND NEW.published_at IS NULL THEN
            RAISE EXCEPTION 'version % can''t be published by an update', OLD.version
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'Nobody would have checked what it needs.',
                      HINT = 'Publish it with publish_version.';
        END IF;
        IF NEW.status OPERATOR(pg_catalog.=) ANY (ARRAY['draft', 'published']) THEN
            -- Whatever was written there: what is published is what is there now. A change of a draft's
            -- migrations changes the draft's row, so that no snapshot can miss one.
            NEW.migrations_hash := CASE WHEN NEW.status OPERATOR(pg_catalog.=) 'published'
                THEN module_versioning._migrations_hash(NEW.module_id, NEW.version) END;
            RETURN NEW;
        END IF;
    ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
        RAISE EXCEPTION 'version % is % and can''t be deleted', OLD.version, OLD.status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Sites may have installed what was published once.',
                  HINT = 'Yank it with yank_version, so that nobody installs it any more.';
    END IF;

    IF NEW.status OPERATOR(pg_catalog.<>) OLD.status
       AND NOT (OLD.status OPERATOR(pg_catalog.=) 'published'
                AND NEW.status OPERATOR(pg_catalog.=) ANY (ARRAY['deprecated', 'yanked'])
             OR OLD.status OPERATOR(pg_catalog.=) 'deprecated'
                AND NEW.status OPERATOR(pg_catalog.=) 'yanked') THEN
        RAISE EXCEPTION 'version % is % and can''t become %', OLD.version, OLD.status, NEW.status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'A version goes from draft to published, from there to deprecated or yanked, from deprecated to yanked, and no other way.',
                  HINT = 'Create a higher version.';
    END IF;

    -- As JSON, a version shows its build metadata, which plain equality ignores.
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(o.key), ', ' ORDER BY o.key COLLATE pg_catalog."C")
    INTO changed
    FROM pg_catalog.jsonb_each(pg_catalog.to_jsonb(OLD)) AS o (key, value)
    JOIN pg_catalog.jsonb_each(pg_catalog.to_jsonb(NEW)) AS n (key, value)
      ON n.key OPERATOR(pg_catalog.=) o.key AND n.value OPERATOR(pg_catalog.<>) o.value
    WHERE o.key OPERATOR(pg_catalog.<>) ALL (editable);
    IF changed IS NOT NULL THEN
        RAISE EXCEPTION 'version % is % and can''t be changed', OLD.version, OLD.status
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = pg_catalog.format('The change is to %s. Of a published version only release_notes and status_reason can be edited.', changed),
                  HINT = 'Create a higher version.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_registered_version() IS
'Trigger function: keeps a version that has been published as it was, and its status on the one way there is.
Errors: 55000 on any other change, and on DELETE of what is no draft.';

CREATE FUNCTION module_versioning._protect_registered_versions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM module_versioning.registered_versions v
               WHERE v.status OPERATOR(pg_catalog.<>) 'draft') THEN
        RAISE EXCEPTION 'published versions can''t be deleted'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Sites may have installed what was published once.',
                  HINT = 'Yank versions with yank_version, so that nobody installs them any more.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_registered_versions() IS
'Trigger function: refuses TRUNCATE while anything has been published.
Errors: 55000.';

CREATE TRIGGER protect_published BEFORE UPDATE OR DELETE ON module_versioning.registered_versions
    FOR EACH ROW EXECUTE FUNCTION module_versioning._protect_registered_version();
CREATE TRIGGER protect_published_rows BEFORE TRUNCATE ON module_versioning.registered_versions
    FOR EACH STATEMENT EXECUTE FUNCTION module_versioning._protect_registered_versions();
-- Also under session_replication_role = replica.
ALTER TABLE module_versioning.registered_versions ENABLE ALWAYS TRIGGER protect_published;
ALTER TABLE module_versioning.registered_versions ENABLE ALWAYS TRIGGER protect_published_rows;
COMMENT ON TRIGGER protect_published ON module_versioning.registered_versions IS
'Published content is immutable; a status goes one way only.';
COMMENT ON TRIGGER protect_published_rows ON module_versioning.registered_versions IS
'Published versions can''t be truncated away.';

CREATE FUNCTION module_versioning._protect_slug() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'module "%" can''t get another slug', OLD.slug
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'Published versions name the modules they need by their slugs.',
              HINT = 'Change its name instead, which is for people.';
END
$$;
COMMENT ON FUNCTION module_versioning._protect_slug() IS
'Trigger function: keeps the slug of a module.
Errors: 55000.';
CREATE TRIGGER protect_slug BEFORE UPDATE OF slug ON module_versioning.modules
    FOR EACH ROW WHEN (NEW.slug IS DISTINCT FROM OLD.slug) EXECUTE FUNCTION module_versioning._protect_slug();
ALTER TABLE module_versioning.modules ENABLE ALWAYS TRIGGER protect_slug;
COMMENT ON TRIGGER protect_slug ON module_versioning.modules IS
'What was published names modules by their slugs.';
