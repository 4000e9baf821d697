//! The database: a SQLite file of its own, filled with invented data.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};
use std::path::Path;

/// How many rows to invent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    pub(crate) users: u32,
    pub(crate) products: u32,
    pub(crate) orders: u32,
}

impl Seed {
    /// Large enough that the report takes a while, small enough to be ready in about a second.
    pub(crate) const FULL: Self = Self { users: 5_000, products: 50_000, orders: 200_000 };
}

/// The last of the three years that have orders. New orders are in this year.
pub(crate) const CURRENT_YEAR: u16 = 2025;

/// Creates the database in `directory` and fills it.
pub(crate) async fn create(directory: &Path, seed: Seed) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("catalogue.sqlite"))
        .create_if_missing(true)
        // The file is deleted at exit, so it need not reach the disk.
        .synchronous(SqliteSynchronous::Off)
        // The report is slow on purpose; the log need not complain about it.
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;

    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
    sqlx::query(SEED_USERS).bind(seed.users).execute(&mut *transaction).await?;
    sqlx::query(SEED_PRODUCTS).bind(seed.products).execute(&mut *transaction).await?;
    sqlx::query(SEED_ORDERS).bind(seed.orders).bind(seed.users).bind(seed.products).execute(&mut *transaction).await?;
    // Indexes are built faster from the whole table than row by row.
    sqlx::raw_sql(INDEXES).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(pool)
}

const SCHEMA: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        country TEXT NOT NULL
    );
    CREATE TABLE products (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        category TEXT NOT NULL,
        price_cents INTEGER NOT NULL,
        stock INTEGER NOT NULL
    );
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users (id),
        product_id INTEGER NOT NULL REFERENCES products (id),
        quantity INTEGER NOT NULL,
        ordered_on TEXT NOT NULL
    );
";

const INDEXES: &str = "
    CREATE INDEX orders_by_user ON orders (user_id);
    CREATE INDEX orders_by_product ON orders (product_id);
    CREATE INDEX products_by_category ON products (category);
";

// The seed is the same at every start: numbers are mixed by multiplication, words picked from JSON arrays.

const SEED_USERS: &str = r#"
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO users (id, name, country)
    SELECT
        i,
        ('["Ada","Ben","Chloe","David","Emma","Finn","Greta","Hugo","Ines","Jonas","Kira"]' ->> (i % 11))
        || ' ' ||
        ('["Adams","Berg","Costa","Dubois","Evans","Fischer","Garcia","Horvat","Ito","Jansen"]' ->> (i / 11 % 10)),
        '["AT","BR","DE","ES","FR","JP","NL","US"]' ->> (i * 7919 / 16 % 8)
    FROM n
"#;

const SEED_PRODUCTS: &str = r#"
    WITH RECURSIVE
        n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
        word (category, noun) AS (VALUES
            ('books', '["atlas","cookbook","diary","novel","poems","travel guide"]'),
            ('garden', '["bench","hose","lamp","rake","spade","wheelbarrow"]'),
            ('kitchen', '["bowl","kettle","knife","pan","teapot","toaster"]'),
            ('music', '["drum","flute","guitar","metronome","piano","violin"]'),
            ('office', '["chair","desk","lamp","notebook","pencil","stapler"]'),
            ('toys', '["kite","puzzle","robot","teddy","train","yo-yo"]')
        ),
        category (number, name, noun) AS (SELECT row_number() OVER (ORDER BY category) - 1, category, noun FROM word)
    INSERT INTO products (id, name, category, price_cents, stock)
    SELECT
        i,
        ('["Blue","Classic","Folding","Golden","Light","Modern","Quiet","Round","Small","Sturdy","Warm"]' ->> (i % 11))
        || ' ' || (noun ->> (i / 6 % 6))
        || ' ' || i,
        category.name,
        499 + i * 7919 % 19500,
        i * 31 % 97
    FROM n
    JOIN category ON category.number = i % 6
"#;

const SEED_ORDERS: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO orders (id, user_id, product_id, quantity, ordered_on)
    SELECT
        i,
        1 + (i * 2654435761 / 65536) % ?2,
        1 + (i * 2246822519 / 65536) % ?3,
        1 + i % 3,
        date('2023-01-01', '+' || (i * 48271 % 1096) || ' days')
    FROM n
";
