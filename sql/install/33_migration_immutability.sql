-- The migrations of a version are part of what is published, so they stay as they were, too.
--
-- A row can't be changed or deleted once its version has left draft. Inserting is judged when the statement is
-- done, by the hash that was taken when the version was published: a restored dump passes, in whatever order
-- its tables are loaded, and nothing that was not there does.

CREATE FUNCTION module_versioning._refuse_migration_change(module_id uuid, version module_versioning.semver, status text, act text)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'version % of module "%" is % and its migrations can''t be %', version,
        (SELECT m.slug FROM module_versioning.modules m
         WHERE m.id OPERATOR(pg_catalog.=) _refuse_migration_change.module_id), status, act
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'The migrations of a version are part of what was published.',
              HINT = 'Create a higher version and put the change there.';
END
$$;
COMMENT ON FUNCTION module_versioning._refuse_migration_change(uuid, module_versioning.semver, text, text) IS
'Raises the error of a migration whose version has been published.
Errors: 55000, always.';

CREATE FUNCTION module_versioning._protect_published_migration() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    -- A row counts for where it was and for where it goes. A draft's row is written to (not only locked): a
    -- session that publishes it at the same time waits, or fails under REPEATABLE READ.
    FOR found IN
        SELECT DISTINCT p.module_id, p.version
        FROM (VALUES (OLD.module_id, OLD.to_version), (NEW.module_id, NEW.to_version)) AS p (module_id, version)
        WHERE p.module_id IS NOT NULL
    LOOP
        UPDATE module_versioning.registered_versions v SET migrations_hash = NULL
        WHERE v.module_id OPERATOR(pg_catalog.=) found.module_id
          AND v.version OPERATOR(module_versioning.=) found.version
          AND v.status OPERATOR(pg_catalog.=) 'draft';
        CONTINUE WHEN TG_OP OPERATOR(pg_catalog.=) 'INSERT';
        PERFORM module_versioning._refuse_migration_change(v.module_id, v.version, v.status,
            CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END)
        FROM module_versioning.registered_versions v
        WHERE v.module_id OPERATOR(pg_catalog.=) found.module_id
          AND v.version OPERATOR(module_versioning.=) found.version
          AND v.status OPERATOR(pg_catalog.<>) 'draft';
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_published_migration() IS
'Trigger function: keeps the migrations of a version that has been published from being changed or deleted, moved away or moved there.
Errors: 55000. Locks: the row of a draft, FOR NO KEY UPDATE.';

CREATE FUNCTION module_versioning._protect_new_migrations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM module_versioning._refuse_migration_change(v.module_id, v.version, v.status, 'added to')
    FROM (SELECT DISTINCT n.module_id, n.to_version FROM new_rows n) AS p
    JOIN module_versioning.registered_versions v
      ON v.module_id OPERATOR(pg_catalog.=) p.module_id AND v.version OPERATOR(module_versioning.=) p.to_version
    WHERE v.status OPERATOR(pg_catalog.<>) 'draft'
      AND v.migrations_hash IS DISTINCT FROM module_versioning._migrations_hash(v.module_id, v.version);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_new_migrations() IS
'Trigger function: lets migrations of a published version in only when they are the ones that were published, as a restored dump brings them.
Errors: 55000.';

CREATE FUNCTION module_versioning._protect_migrations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM module_versioning._refuse_migration_change(v.module_id, v.version, v.status, 'deleted')
    FROM module_versioning.registered_versions v
    WHERE v.status OPERATOR(pg_catalog.<>) 'draft'
      AND EXISTS (SELECT FROM module_versioning.module_migrations m
                  WHERE m.module_id OPERATOR(pg_catalog.=) v.module_id
                    AND m.to_version OPERATOR(module_versioning.=) v.version)
    LIMIT 1;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_migrations() IS
'Trigger function: refuses TRUNCATE while a published version has migrations.
Errors: 55000.';

CREATE FUNCTION module_versioning._protect_new_versions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM module_versioning._refuse_migration_change(n.module_id, n.version, n.status, 'others than were published')
    FROM new_rows n
    WHERE n.status OPERATOR(pg_catalog.<>) 'draft'
      AND EXISTS (SELECT FROM module_versioning.module_migrations m
                  WHERE m.module_id OPERATOR(pg_catalog.=) n.module_id
                    AND m.to_version OPERATOR(module_versioning.=) n.version)
      AND n.migrations_hash IS DISTINCT FROM module_versioning._migrations_hash(n.module_id, n.version);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION module_versioning._protect_new_versions() IS
'Trigger function: lets a version in that has been published already, as a restored dump brings it, only when the migrations that are there are the ones that were published.
Errors: 55000.';

CREATE TRIGGER protect_published AFTER INSERT OR UPDATE OR DELETE ON module_versioning.module_migrations
    FOR EACH ROW EXECUTE FUNCTION module_versioning._protect_published_migration();
CREATE TRIGGER protect_published_additions AFTER INSERT ON module_versioning.module_migrations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION module_versioning._protect_new_migrations();
CREATE TRIGGER protect_published_rows BEFORE TRUNCATE ON module_versioning.module_migrations
    FOR EACH STATEMENT EXECUTE FUNCTION module_versioning._protect_migrations();
CREATE TRIGGER protect_published_additions AFTER INSERT ON module_versioning.registered_versions
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION module_versioning._protect_new_versions();
-- Also under session_replication_role = replica.
ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published;
ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published_additions;
ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published_rows;
ALTER TABLE module_versioning.registered_versions ENABLE ALWAYS TRIGGER protect_published_additions;
COMMENT ON TRIGGER protect_published ON module_versioning.module_migrations IS
'Migrations of a published version are immutable.';
COMMENT ON TRIGGER protect_published_additions ON module_versioning.module_migrations IS
'A published version gets no more migrations.';
COMMENT ON TRIGGER protect_published_rows ON module_versioning.module_migrations IS
'Migrations of published versions can''t be truncated away.';
COMMENT ON TRIGGER protect_published_additions ON module_versioning.registered_versions IS
'A version comes in as published only with the migrations that were published.';
