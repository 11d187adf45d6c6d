-- The judge of the case table: what became of every value, told by looking at the rows themselves.
-- Independent of the extension on purpose: it keeps a picture of all rows at each stage of a case and compares.
--
--   judge.take(stage)                        a picture of every row of every user table
--   judge.lost(from_stage, to_stage, only)   what of it can't be found any more: rows, values, sequences, large objects
--
-- A row is known by its primary key (else by its content), a table by its oid, a column by its number: names
-- may change. A value counts as kept where it is found again in a column that is new or took new values.
CREATE SCHEMA judge;
CREATE TABLE judge.rel (stage text, rel oid, name text, keys int2[], PRIMARY KEY (stage, rel));
CREATE TABLE judge.att (stage text, rel oid, att int2, name text, type text, base text, PRIMARY KEY (stage, rel, att));
CREATE TABLE judge.cell (stage text, rel oid, row_key text, att int2, val text, label oid, was_default boolean, back text);
CREATE INDEX ON judge.cell (stage, rel, att);
CREATE TABLE judge.single (stage text, what text, oid oid, name text, amount bigint);

-- The old text of a value that has another type now, or NULL where there is no way back.
CREATE FUNCTION judge.back(val text, new_type text, old_type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    BEGIN
        EXECUTE format('SELECT ($1::%s::%s)::text', new_type, old_type) INTO result USING val;
        RETURN result;
    EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN
        EXECUTE format('SELECT ($1::%s)::text', old_type) INTO result USING val;
        RETURN result;
    EXCEPTION WHEN OTHERS THEN RETURN NULL; END;
END $$;

-- The text of a column's default, when it can be told without taking a number of a sequence.
CREATE FUNCTION judge.default_of(rel oid, att int2, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE expression text; result text;
BEGIN
    SELECT pg_get_expr(d.adbin, d.adrelid) INTO expression FROM pg_attrdef d WHERE d.adrelid = rel AND d.adnum = att;
    IF expression IS NULL OR expression LIKE '%nextval%' THEN RETURN NULL; END IF;
    EXECUTE format('SELECT ((%s)::%s)::text', expression, type) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$;

CREATE FUNCTION judge.key_of(of_stage text, relation oid) RETURNS int2[] LANGUAGE sql AS $$
    SELECT coalesce(
        (SELECT r.keys FROM judge.rel r WHERE r.rel = relation AND r.keys IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = ANY (r.keys) AND a.attisdropped)
           ORDER BY r.stage = 'before' DESC LIMIT 1),
        (SELECT i.indkey::int2[] FROM pg_index i WHERE i.indrelid = relation AND i.indisunique AND i.indpred IS NULL
           AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation
             AND a.attnum = ANY (i.indkey::int2[]) AND NOT a.attnotnull)
           ORDER BY i.indisprimary DESC LIMIT 1))
$$;

CREATE FUNCTION judge.take(of_stage text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t record; columns text;
BEGIN
    FOR t IN SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND c.relpersistence <> 't'
               AND n.nspname !~ '^(pg_|information_schema$|judge$|module_versioning)'
    LOOP
        INSERT INTO judge.rel VALUES (of_stage, t.oid,
            CASE WHEN t.nspname = 'app' THEN t.relname ELSE t.nspname || '.' || t.relname END, judge.key_of(of_stage, t.oid));
        INSERT INTO judge.att
        SELECT of_stage, t.oid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
               coalesce((SELECT b.type FROM judge.att b WHERE b.rel = t.oid AND b.att = a.attnum ORDER BY b.stage = 'before' DESC LIMIT 1),
                        format_type(a.atttypid, a.atttypmod))
        FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        SELECT string_agg(format('(%s::int2, %I::text, %s, %L::text, %L::text, %L::text)', a.att, a.name,
                   CASE WHEN y.typtype = 'e' THEN format('(SELECT e.oid FROM pg_enum e WHERE e.enumtypid = %s AND e.enumlabel = %I::text)', y.oid, a.name)
                        ELSE 'NULL::oid' END,
                   judge.default_of(t.oid, a.att, a.type), a.type, a.base), ', ')
          INTO columns
        FROM judge.att a JOIN pg_attribute p ON p.attrelid = t.oid AND p.attnum = a.att JOIN pg_type y ON y.oid = p.atttypid
        WHERE a.stage = of_stage AND a.rel = t.oid;
        CONTINUE WHEN columns IS NULL;
        EXECUTE format(
            'INSERT INTO judge.cell SELECT %L, %s, k."the judge''s key", v.att, v.val, v.label, coalesce(v.val = v.def, false),
                    CASE WHEN v.type <> v.base THEN judge.back(v.val, v.type, v.base) END
             FROM (SELECT %s AS "the judge''s key", r.* FROM ONLY %I.%I r) k
             CROSS JOIN LATERAL (VALUES %s) v (att, val, label, def, type, base) WHERE v.val IS NOT NULL',
            of_stage, t.oid,
            coalesce((SELECT string_agg(format('%I::text', p.attname), $k$ || '|' || $k$)
                      FROM judge.rel r, unnest(r.keys) k JOIN pg_attribute p ON p.attrelid = t.oid AND p.attnum = k
                      WHERE r.stage = of_stage AND r.rel = t.oid),
                     'r::text || ''#'' || row_number() OVER (PARTITION BY r::text)'),
            t.nspname, t.relname, columns);
    END LOOP;
    -- Sequences that stand alone, and large objects.
    FOR t IN SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'S' AND n.nspname !~ '^(pg_|judge$|module_versioning)'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
    LOOP
        EXECUTE format('INSERT INTO judge.single SELECT %L, ''sequence'', %s, %L, last_value FROM %I.%I',
            of_stage, t.oid, t.relname, t.nspname, t.relname);
    END LOOP;
    INSERT INTO judge.single SELECT of_stage, 'large_object', oid, 'large objects', 1 FROM pg_largeobject_metadata;
    -- Without statistics the comparison of many rows may be planned row by row.
    IF (SELECT count(*) > 1000 FROM judge.cell) THEN ANALYZE judge.cell; END IF;
END $$;

-- Whether a cell holds what it held: where the type is another one, as that takes it back. A real prints 0.1 and
-- holds another number than a double precision that prints 0.1.
CREATE FUNCTION judge.same(now judge.cell, earlier judge.cell) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE new_type text; old_type text;
BEGIN
    SELECT a.type INTO new_type FROM judge.att a WHERE (a.stage, a.rel, a.att) = (now.stage, now.rel, now.att);
    SELECT a.type INTO old_type FROM judge.att a WHERE (a.stage, a.rel, a.att) = (earlier.stage, earlier.rel, earlier.att);
    IF new_type = old_type THEN RETURN now.val = earlier.val; END IF;
    RETURN coalesce(judge.back(now.val, new_type, old_type), now.val) = earlier.val;
END $$;

-- What of the picture from_stage is not to be found in to_stage. `only`: 'all' values, those that there were
-- 'before' the case, or those that are 'new' in from_stage (people wrote them after the up).
CREATE FUNCTION judge.lost(from_stage text, to_stage text, only_those text)
RETURNS TABLE (what text, object text, amount bigint) LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.gone, pg_temp.fresh, pg_temp.cover, pg_temp.uncovered;
    -- Values that are not where they were.
    CREATE TEMP TABLE gone AS
    SELECT f.rel, f.att, f.row_key, f.val, false AS with_row,
           NOT EXISTS (SELECT FROM judge.rel r WHERE r.stage = to_stage AND r.rel = f.rel) AS table_gone,
           NOT EXISTS (SELECT FROM judge.att a WHERE a.stage = to_stage AND a.rel = f.rel AND a.att = f.att) AS column_gone,
           NOT EXISTS (SELECT FROM judge.cell c WHERE c.stage = to_stage AND c.rel = f.rel AND c.row_key = f.row_key) AS row_gone,
           f.was_default
    FROM judge.cell f
    WHERE f.stage = from_stage
      AND NOT EXISTS (SELECT FROM judge.cell t WHERE t.stage = to_stage AND (t.rel, t.att, t.row_key) = (f.rel, f.att, f.row_key)
            AND (t.label = f.label OR t.back = coalesce(f.back, f.val) OR judge.same(t, f)))
      AND (only_those <> 'before' OR EXISTS (SELECT FROM judge.cell b WHERE b.stage = 'before' AND b.val = f.val))
      AND (only_those <> 'new' OR NOT EXISTS (SELECT FROM judge.cell u WHERE u.stage = 'up'
            AND (u.rel, u.att, u.row_key, u.val) = (f.rel, f.att, f.row_key, f.val)));
    UPDATE gone g SET with_row = g.table_gone OR g.row_gone;
    -- Where values could have gone.
    CREATE TEMP TABLE fresh AS
    SELECT t.rel, t.att, coalesce(t.back, t.val) AS val,
           NOT EXISTS (SELECT FROM judge.cell f WHERE f.stage = from_stage AND (f.rel, f.att, f.row_key, f.val) = (t.rel, t.att, t.row_key, t.val)) AS is_new
    FROM judge.cell t WHERE t.stage = to_stage;
    CREATE TEMP TABLE cover AS
    WITH wanted AS (
        SELECT g.rel, g.att, g.with_row, g.val, count(*) AS n, bool_or(g.table_gone OR g.column_gone OR g.row_gone) AS whole,
               bool_or(NOT g.table_gone AND NOT g.column_gone AND NOT g.row_gone) AS overwritten
        FROM gone g GROUP BY 1, 2, 3, 4),
    found AS (
        SELECT w.rel, w.att, w.with_row, w.val, w.n, f.rel AS to_rel, f.att AS to_att, count(*) AS m
        FROM wanted w JOIN fresh f ON f.val = w.val
        WHERE CASE WHEN (f.rel, f.att) = (w.rel, w.att)
                   THEN f.is_new AND (NOT w.overwritten OR (SELECT r.keys IS NULL FROM judge.rel r WHERE r.stage = from_stage AND r.rel = w.rel))
                   ELSE f.is_new OR w.whole AND f.rel <> w.rel
                        OR w.whole AND NOT EXISTS (SELECT FROM gone g WHERE g.rel = w.rel AND g.row_gone) END
        GROUP BY 1, 2, 3, 4, 5, 6, 7)
    SELECT d.rel, d.att, d.with_row, d.to_rel, d.to_att, sum(least(d.n, d.m)) AS covered FROM found d GROUP BY 1, 2, 3, 4, 5;
    CREATE TEMP TABLE uncovered AS
    SELECT g.rel, g.att, g.with_row AS rows_gone,
           count(*) FILTER (WHERE NOT g.was_default OR g.with_row)
             - coalesce((SELECT max(c.covered) FROM cover c WHERE (c.rel, c.att, c.with_row) = (g.rel, g.att, g.with_row)), 0) AS n
    FROM gone g GROUP BY g.rel, g.att, g.with_row;
    -- Rows that were dealt out to several tables: their columns of the same name together.
    UPDATE uncovered u SET n = least(u.n, (SELECT count(*) FROM gone g WHERE (g.rel, g.att, g.with_row) = (u.rel, u.att, u.rows_gone))
        - (SELECT coalesce(sum(c.covered), 0) FROM cover c
           JOIN judge.att t ON t.stage = to_stage AND (t.rel, t.att) = (c.to_rel, c.to_att)
           JOIN judge.att f ON f.stage = from_stage AND (f.rel, f.att) = (c.rel, c.att) AND f.name = t.name
           WHERE (c.rel, c.att, c.with_row) = (u.rel, u.att, u.rows_gone) AND c.to_rel <> c.rel));
    RETURN QUERY
    -- A table without key knows no overwritten rows: rows are gone when there are fewer of them.
    WITH shrunk AS (
        SELECT r.rel, r.keys IS NULL AND
               (SELECT count(DISTINCT c.row_key) FROM judge.cell c WHERE c.stage = from_stage AND c.rel = r.rel)
               <= (SELECT count(DISTINCT c.row_key) FROM judge.cell c WHERE c.stage = to_stage AND c.rel = r.rel) AS same_size
        FROM judge.rel r WHERE r.stage = from_stage)
    SELECT 'rows', (SELECT r.name FROM judge.rel r WHERE r.stage = from_stage AND r.rel = u.rel), max(u.n)::bigint
    FROM uncovered u JOIN shrunk s USING (rel) WHERE u.rows_gone AND NOT s.same_size AND u.n > 0 GROUP BY u.rel
    UNION ALL
    SELECT 'values', (SELECT r.name FROM judge.rel r WHERE r.stage = from_stage AND r.rel = u.rel) || '.' ||
           (SELECT a.name FROM judge.att a WHERE a.stage = from_stage AND (a.rel, a.att) = (u.rel, u.att)), u.n::bigint
    FROM uncovered u JOIN shrunk s USING (rel) WHERE u.n > 0 AND (NOT u.rows_gone OR s.same_size)
    UNION ALL
    SELECT CASE s.what WHEN 'sequence' THEN 'sequence' ELSE 'large_object' END, min(s.name), count(*)
    FROM judge.single s
    WHERE s.stage = from_stage
      AND NOT EXISTS (SELECT FROM judge.single t WHERE t.stage = to_stage AND (t.what, t.oid) = (s.what, s.oid) AND t.amount >= s.amount)
      AND (only_those <> 'before' OR EXISTS (SELECT FROM judge.single b WHERE b.stage = 'before' AND (b.what, b.oid) = (s.what, s.oid)))
      AND (only_those <> 'new' OR NOT EXISTS (SELECT FROM judge.single b WHERE b.stage = 'up' AND (b.what, b.oid, b.amount) = (s.what, s.oid, s.amount)))
    GROUP BY s.what, s.oid;
END $$;
