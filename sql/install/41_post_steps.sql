-- Post-steps: the guard of what is settled, what is due, and what the functions are for.

CREATE FUNCTION module_versioning._guard_post_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM module_versioning.applied_migrations a
               WHERE a.migration_id OPERATOR(pg_catalog.=) OLD.migration_id)
       OR EXISTS (SELECT FROM module_versioning.module_migrations m
                  JOIN module_versioning.registered_versions v
                    ON v.module_id OPERATOR(pg_catalog.=) m.module_id
                   AND v.version OPERATOR(module_versioning.=) m.to_version
                  WHERE m.id OPERATOR(pg_catalog.=) OLD.migration_id AND v.status OPERATOR(pg_catalog.<>) 'draft')
    THEN
        RAISE EXCEPTION 'a post-step of a published or applied migration can''t be changed'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = pg_catalog.format('It is: %s', OLD.statement),
                  HINT = 'Put another statement into a migration of a new version.';
    END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION module_versioning._guard_post_step() IS
'Keeps a post-step as it was once its version is published or its migration is in force.
Trigger of post_steps. Raises 55000 for every role.';
CREATE TRIGGER guard_post_step BEFORE UPDATE OR DELETE ON module_versioning.post_steps
    FOR EACH ROW EXECUTE FUNCTION module_versioning._guard_post_step();
ALTER TABLE module_versioning.post_steps ENABLE ALWAYS TRIGGER guard_post_step;
COMMENT ON TRIGGER guard_post_step ON module_versioning.post_steps IS
'A post-step of a published or applied migration is immutable.';

CREATE FUNCTION module_versioning.get_post_steps(site_id uuid DEFAULT NULL)
RETURNS TABLE (
    post_step_id uuid, module_id uuid, module text, for_site_id uuid, site text, migration_id uuid, version module_versioning.semver,
    step integer, statement text, search_path text, run_as name, due_since timestamptz, script text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.id, o.id, o.slug, d.site_id, s.slug, m.id, m.to_version, p.position, p.statement, path.text, o.owner_role, d.due_since,
           pg_catalog.format(E'SET ROLE %I;\nSET search_path TO %s;\n%s;\nRESET search_path;\nRESET ROLE;', o.owner_role, path.text, p.statement)
    FROM (SELECT CASE WHEN get_post_steps.site_id IS NOT NULL
                      THEN module_versioning._existing_site(get_post_steps.site_id) END AS id) wanted
    CROSS JOIN module_versioning.post_step_dues d
    JOIN module_versioning.post_steps p ON p.id = d.post_step_id
    JOIN module_versioning.module_migrations m ON m.id = p.migration_id
    JOIN module_versioning.modules o ON o.id = m.module_id
    LEFT JOIN module_versioning.sites s ON s.id = d.site_id
    LEFT JOIN module_versioning.site_modules i ON i.site_id = d.site_id AND i.module_id = o.id
    CROSS JOIN LATERAL (
        SELECT pg_catalog.concat(pg_catalog.quote_ident(CASE WHEN o.isolation = 'schema' THEN i.schema_name ELSE o.schema_name END), ', pg_temp') AS text
    ) path
    WHERE d.status = 'due'
      AND (wanted.id IS NULL OR d.site_id = wanted.id
           OR d.site_id IS NULL AND EXISTS (SELECT FROM module_versioning.site_modules u
                                            WHERE u.site_id = wanted.id AND u.module_id = o.id))
    ORDER BY o.slug, m.to_version, m.sequence, s.slug, p.position
$$;
COMMENT ON FUNCTION module_versioning.get_post_steps(uuid) IS
'The post-steps that are due, in the order in which to run them.
site_id: those of one site and the shared ones of its modules; of all sites when NULL.
Out: for_site_id and site (NULL where the migration is shared: run it once), the statement, the search_path in which its names resolve, the role to run it as, and all of that as a script for psql, which must not wrap it in a transaction. Reads only.
Errors: 42704 unknown site.';

COMMENT ON FUNCTION module_versioning.add_post_step(uuid, text) IS
'Declares a statement that PostgreSQL runs only outside a transaction as part of a migration.
In: the migration, one statement: CREATE, DROP or REINDEX INDEX CONCURRENTLY, REINDEX SCHEMA, VACUUM, ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY. Names without schema resolve in the module''s, or the site''s.
Out: the row of post_steps; the one that is there when the migration has the same statement already. After an upgrade has run the migration, get_post_steps lists the statement until confirm_post_step has found it done.
Errors: 42601 a syntax error; 22023 more than one statement, one that belongs into the script, or an index without a name; 2D000 transaction control; 42704 unknown migration; 42501 when the caller can''t act as the module''s owner_role; 55000 when the version is published or the migration has run, or inside a migration.
Locks the module''s row until the end of the transaction.';
