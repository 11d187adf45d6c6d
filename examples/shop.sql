-- A platform with three sites and two modules, from the first installation to a rollback.
-- Play it in an empty database as a superuser: psql -f examples/shop.sql

\set QUIET on
\pset pager off
\pset footer off
SET client_min_messages TO warning;

CREATE EXTENSION module_versioning;

-- The modules' scripts run as these roles, never as the superuser who calls.
DROP ROLE IF EXISTS shop_owner;
DROP ROLE IF EXISTS blog_owner;
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE blog_owner NOLOGIN;

\echo '== 1. Two modules, three sites'
\echo

SELECT id AS shop FROM module_versioning.register_module('shop', 'Shop', owner_role => 'shop_owner') \gset
SELECT id AS blog FROM module_versioning.register_module('blog', 'Blog', isolation => 'schema', owner_role => 'blog_owner') \gset
SELECT id AS north FROM module_versioning.register_site('north', 'North store', platform_version => '3.2.0') \gset
SELECT id AS south FROM module_versioning.register_site('south', 'South store', platform_version => '3.2.0') \gset
SELECT id AS west FROM module_versioning.register_site('west', 'West store', platform_version => '3.1.0') \gset

-- Versions are registered as drafts, get their migrations, and are published.
SELECT id AS shop_100 FROM module_versioning.create_version(:'shop', '1.0.0', changelog => 'First release.') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'shop', '1.0.0', $up$
    CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        site_id uuid NOT NULL,
        full_name text NOT NULL,
        email text NOT NULL,
        preferences jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE products (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        site_id uuid NOT NULL,
        sku text NOT NULL,
        title text NOT NULL,
        price numeric(10, 2) NOT NULL CHECK (price >= 0),
        UNIQUE (site_id, sku)
    );
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        site_id uuid NOT NULL,
        customer_id bigint NOT NULL REFERENCES customers,
        status text NOT NULL DEFAULT 'open',
        placed_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE order_items (
        order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
        line integer NOT NULL,
        site_id uuid NOT NULL,
        product_id bigint NOT NULL REFERENCES products,
        quantity integer NOT NULL CHECK (quantity > 0),
        unit_price numeric(10, 2) NOT NULL,
        total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
        PRIMARY KEY (order_id, line)
    );
    CREATE INDEX ON customers (site_id);
    CREATE INDEX ON orders (site_id);
    CREATE INDEX ON order_items (site_id);

    CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END
    $body$;
    CREATE TRIGGER orders_updated_at BEFORE UPDATE ON orders
        FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

    ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY customers_of_site ON customers USING (site_id::text = current_setting('app.site_id', true));
    CREATE POLICY orders_of_site ON orders USING (site_id::text = current_setting('app.site_id', true));
$up$, $down$
    DROP TABLE order_items, orders, products, customers;
    DROP FUNCTION touch_updated_at();
$down$, description => 'The tables of the shop') \gset

SELECT id AS shop_110 FROM module_versioning.create_version(:'shop', '1.1.0', changelog => 'Coupons and loyalty points.') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'shop', '1.1.0', $up$
    CREATE TABLE coupons (
        site_id uuid NOT NULL,
        code text NOT NULL,
        percent integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
        PRIMARY KEY (site_id, code)
    );
    ALTER TABLE customers ADD COLUMN loyalty_points integer NOT NULL DEFAULT 0;
$up$, $down$
    ALTER TABLE customers DROP COLUMN loyalty_points;
    DROP TABLE coupons;
$down$, description => 'Coupons and loyalty points') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'shop', '1.1.0', $up$
    INSERT INTO coupons (site_id, code, percent) VALUES (module_versioning.current_site_id(), 'WELCOME', 10);
$up$, $down$
    DELETE FROM coupons WHERE site_id = module_versioning.current_site_id() AND code = 'WELCOME';
$down$, description => 'The welcome coupon of each site', scope => 'site') \gset

SELECT id AS shop_200 FROM module_versioning.create_version(:'shop', '2.0.0', changelog => 'First and last names.',
    breaking_description => 'customers.full_name is split into first_name and last_name') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'shop', '2.0.0', $up$
    ALTER TABLE customers ADD COLUMN first_name text, ADD COLUMN last_name text;
    UPDATE customers SET first_name = split_part(full_name, ' ', 1),
                         last_name = substr(full_name, length(split_part(full_name, ' ', 1)) + 2);
    ALTER TABLE customers DROP COLUMN full_name;
$up$, $down$
    ALTER TABLE customers ADD COLUMN full_name text;
    UPDATE customers SET full_name = trim(concat_ws(' ', first_name, last_name));
    ALTER TABLE customers ALTER COLUMN full_name SET NOT NULL;
    ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;
$down$, description => 'Split the name', estimated_duration_seconds => 5) \gset

SELECT id AS shop_210 FROM module_versioning.create_version(:'shop', '2.1.0', changelog => 'One account per address.') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'shop', '2.1.0', $up$
    ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web';
    UPDATE customers SET preferences = preferences || '{"newsletter": false}' WHERE NOT preferences ? 'newsletter';
    CREATE UNIQUE INDEX customers_email ON customers (site_id, lower(email));
$up$, $down$
    DROP INDEX customers_email;
    ALTER TABLE orders DROP COLUMN channel;
$down$, description => 'E-mail addresses become unique') \gset

SELECT id AS blog_100 FROM module_versioning.create_version(:'blog', '1.0.0', dependencies => '{"shop": "^1.0.0 || ^2.0.0"}') \gset
SELECT id AS migration FROM module_versioning.add_migration(:'blog', '1.0.0', $up$
    CREATE TABLE posts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        title text NOT NULL,
        body text NOT NULL,
        tags text[] NOT NULL DEFAULT '{}',
        published_at timestamptz
    );
$up$, 'DROP TABLE posts', description => 'The posts') \gset

SELECT FROM module_versioning.publish_version(:'shop_100') \g /dev/null
SELECT FROM module_versioning.publish_version(:'blog_100') \g /dev/null
SELECT FROM module_versioning.publish_version(:'shop_110') \g /dev/null
SELECT FROM module_versioning.publish_version(:'shop_200') \g /dev/null
SELECT FROM module_versioning.publish_version(:'shop_210') \g /dev/null

SELECT m.slug AS module, m.isolation, v.version, v.status, v.breaking_changes AS breaking
FROM module_versioning.modules m JOIN module_versioning.module_versions v ON v.module_id = m.id
ORDER BY m.slug DESC, v.version;

SELECT s.slug AS site, c.status, c.to_version
FROM module_versioning.sites s, LATERAL module_versioning.install_module(s.id, :'shop', '1.0.0') c
ORDER BY s.slug \g /dev/null
SELECT FROM module_versioning.install_module(:'north', :'blog') \g /dev/null
SELECT FROM module_versioning.install_module(:'south', :'blog') \g /dev/null

-- 60,000 rows and more: 3 sites, customers, products, orders and their items.
INSERT INTO shop.products (site_id, sku, title, price)
SELECT s.id, 'SKU-' || n, 'Product ' || n, (n % 90) + 9.99
FROM module_versioning.sites s, generate_series(1, 200) n;
INSERT INTO shop.customers (site_id, full_name, email, preferences, created_at)
SELECT s.id,
       (ARRAY['Anna', 'Bilal', 'Chiara', 'Dmitri', 'Emeka'])[1 + n % 5] || ' '
           || (ARRAY['Meyer', 'van der Berg', 'Rossi', 'Okafor'])[1 + n % 4],
       'customer' || n || '@' || s.slug || '.example',
       jsonb_build_object('language', (ARRAY['en', 'de', 'it'])[1 + n % 3]),
       timestamptz '2026-01-01 00:00+00' + n * interval '1 minute'
FROM module_versioning.sites s, generate_series(1, 5000) n;
INSERT INTO shop.orders (site_id, customer_id, placed_at)
SELECT c.site_id, c.id, c.created_at + interval '1 day' FROM shop.customers c;
INSERT INTO shop.order_items (order_id, line, site_id, product_id, quantity, unit_price)
SELECT o.id, line, o.site_id, p.id, 1 + line, p.price
FROM shop.orders o, generate_series(1, 2) line
JOIN LATERAL (SELECT 1) one ON true
JOIN shop.products p ON true
WHERE p.site_id = o.site_id AND p.sku = 'SKU-' || (1 + (o.id * 7 + line) % 200);
-- Two accounts with one address: what version 2.1.0 will trip over.
UPDATE shop.customers SET email = 'customer1@north.example'
WHERE site_id = :'north' AND email = 'customer77@north.example';
INSERT INTO blog_north.posts (title, body, tags) VALUES ('We are open', 'Come and see.', '{news}');

\echo '== 2. Every site runs shop 1.0.0; tables and rows of site north'
\echo

SELECT table_name, row_count FROM module_versioning.get_module_tables(:'shop', :'north') ORDER BY table_name;

\echo '== 3. North is upgraded to 1.1.0; the others stay'
\echo

SELECT status, from_version, to_version, verified, backup_id IS NOT NULL AS snapshot
FROM module_versioning.upgrade_module(:'north', :'shop', '1.1.0');

SELECT s.slug AS site, m.slug AS module, module_versioning.get_installed_version(s.id, m.id) AS version
FROM module_versioning.sites s
JOIN module_versioning.site_modules i ON i.site_id = s.id
JOIN module_versioning.modules m ON m.id = i.module_id
ORDER BY m.slug DESC, s.slug;

\echo '== 4. The plan for 2.0.0: it breaks the version that others run on the same tables'
\echo

\pset expanded on
SELECT current_version, target_version, path, can_upgrade, blockers, estimated_duration_seconds
FROM module_versioning.plan_upgrade(:'north', :'shop', '2.0.0');
\pset expanded off

\echo '== 5. South and west are known to cope, so the operator forces it. Then people work with 2.0.0'
\echo

SELECT status, from_version, to_version, verified, cardinality(run_ids) AS migrations
FROM module_versioning.upgrade_module(:'north', :'shop', '2.0.0', force => true);

UPDATE shop.customers SET last_name = 'Meyer-Okafor'
WHERE site_id = :'north' AND email = 'customer5@north.example';
INSERT INTO shop.customers (site_id, first_name, last_name, email)
VALUES (:'north', 'Zoë', 'Newcomer', 'zoe@north.example');
SELECT id, first_name, last_name, email FROM shop.customers
WHERE site_id = :'north' AND email IN ('customer5@north.example', 'zoe@north.example') ORDER BY id;

\echo '== 6. Version 2.1.0 fails in its third statement. Nothing is left of the first two'
\echo

SELECT md5(string_agg(t::text, '' ORDER BY id)) AS before FROM shop.customers t \gset
\pset expanded on
SELECT status, statement_number, sqlstate, error_message, error_detail, backup_id IS NOT NULL AS snapshot
FROM module_versioning.upgrade_module(:'north', :'shop', '2.1.0');
SELECT r.statements -> -1 ->> 'text' AS statement
FROM module_versioning.get_migration_history(:'north', :'shop') r LIMIT 1;
\pset expanded off

SELECT module_versioning.get_installed_version(:'north', :'shop') AS installed,
       md5(string_agg(t::text, '' ORDER BY id)) = :'before' AS customers_unchanged,
       (SELECT count(*) FROM information_schema.columns
        WHERE table_schema = 'shop' AND table_name = 'orders' AND column_name = 'channel') AS new_columns
FROM shop.customers t;

\echo '== 7. What a rollback from 2.0.0 to 1.1.0 would destroy, counted on the live rows'
\echo

SELECT can_rollback, backup_id IS NOT NULL AS snapshot, estimated_duration_seconds AS seconds
FROM module_versioning.plan_rollback(:'north', :'shop', '1.1.0');
SELECT loss.*
FROM module_versioning.plan_rollback(:'north', :'shop', '1.1.0') plan,
     jsonb_to_recordset(plan.data_loss) AS loss (kind text, "table" text, "column" text, rows bigint, "values" bigint, site_rows bigint);
SELECT unnest(warnings) AS warnings FROM module_versioning.plan_rollback(:'north', :'shop', '1.1.0');

\echo '== 8. The rollback. What people wrote since the upgrade is still there'
\echo

SELECT status, from_version, to_version, verified, backup_id IS NOT NULL AS snapshot
FROM module_versioning.rollback_module(:'north', :'shop', '1.1.0');
SELECT id, full_name, email FROM shop.customers
WHERE site_id = :'north'
  AND email IN ('customer2@north.example', 'customer5@north.example', 'zoe@north.example')
ORDER BY id;

\echo '== 9. What happened on site north, newest first'
\echo

SELECT r.direction AS dir, m.to_version AS version, m.description, r.status, r.sqlstate, r.statement_number AS stmt,
       r.rows_affected AS rows
FROM module_versioning.get_migration_history(:'north', :'shop') r
JOIN module_versioning.module_migrations m ON m.id = r.migration_id;

\echo '== 10. And is it what the migrations made?'
\echo

SELECT * FROM module_versioning.verify_module(:'north', :'shop');
