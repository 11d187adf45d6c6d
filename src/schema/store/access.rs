//! Whether what lies below a view is open to those who use it. Only rights are looked up: nothing of anybody's
//! is planned or run with the rights of others.

use crate::error::Result;
use crate::pg::query;

/// Whether a role that has a right on a view, as the view's own access list says, fails to use it: something
/// that the view needs is closed to the role, or to the view's owner. `right` is `SELECT`, `INSERT`, `UPDATE`
/// or `DELETE`; `role` may be `public`. A view or role that isn't there is closed to nobody.
///
/// # Errors
/// None of its own.
pub fn is_closed_below(schema: &str, view: &str, role: &str, right: &str) -> Result<bool> {
    query::one(
        CLOSED_BELOW,
        &[schema.into(), view.into(), role.into(), right.into()],
        |row| row.get(1),
    )
}

/// A view with `security_invoker` asks as whoever uses it, any other as its owner. Writes go through only where
/// no trigger or rule takes them.
const CLOSED_BELOW: &str = "
    WITH RECURSIVE asking AS (
        SELECT c.oid, c.relowner, coalesce((
            SELECT pg_catalog.split_part(o, '=', 2)::pg_catalog.bool FROM pg_catalog.unnest(c.reloptions) o
            WHERE o LIKE 'security_invoker=%'), false) AS as_user
        FROM pg_catalog.pg_class c
        WHERE c.relkind = 'v'
    ), needs (view, relation, part) AS (
        SELECT r.ev_class, d.refobjid, d.refobjsubid
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
        WHERE r.rulename = '_RETURN'
    ), used (view, role) AS (
        SELECT a.oid, CASE WHEN a.as_user THEN $3::name ELSE pg_catalog.pg_get_userbyid(a.relowner) END
        FROM asking a
        JOIN pg_catalog.pg_class c ON c.oid = a.oid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1::name AND c.relname = $2::name
          AND ($3 = 'public' OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $3::name))
        UNION
        SELECT a.oid, CASE WHEN a.as_user THEN u.role ELSE pg_catalog.pg_get_userbyid(a.relowner) END
        FROM used u JOIN needs ON needs.view = u.view JOIN asking a ON a.oid = needs.relation
    )
    SELECT EXISTS (
        SELECT
        FROM used u JOIN needs ON needs.view = u.view
        JOIN pg_catalog.pg_class c ON c.oid = needs.relation AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        WHERE NOT CASE
            WHEN $4 = 'SELECT' AND needs.part = 0 THEN pg_catalog.has_any_column_privilege(u.role, c.oid, 'SELECT')
            WHEN $4 = 'SELECT' THEN pg_catalog.has_column_privilege(u.role, c.oid, needs.part::int2, 'SELECT')
            WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = u.view AND NOT t.tgisinternal)
              OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = u.view AND r.rulename <> '_RETURN')
              OR pg_catalog.pg_relation_is_updatable(u.view, false) = 0 THEN true
            WHEN $4 = 'DELETE' THEN pg_catalog.has_table_privilege(u.role, c.oid, 'DELETE')
            ELSE pg_catalog.has_any_column_privilege(u.role, c.oid, $4) END)";
