//! The plain SQL queries, without any cache.

use crate::model::{Category, Order, Product, RankBy, ReportLine, SearchPage, TopProduct, User};
use sqlx::{SqliteConnection, SqlitePool};

/// Products per page of search results.
const PAGE_SIZE: u32 = 20;

pub(crate) async fn user(pool: &SqlitePool, id: i64) -> Result<Option<User>, sqlx::Error> {
    let sql = "
        SELECT u.id, u.name, u.country, COUNT(o.id) AS orders, COALESCE(SUM(o.quantity * p.price_cents), 0) AS spent_cents
        FROM users u
        LEFT JOIN orders o ON o.user_id = u.id
        LEFT JOIN products p ON p.id = o.product_id
        WHERE u.id = ?
        GROUP BY u.id";
    sqlx::query_as(sql).bind(id).fetch_optional(pool).await
}

pub(crate) async fn product(pool: &SqlitePool, id: i64) -> Result<Option<Product>, sqlx::Error> {
    let sql = "SELECT id, name, category, price_cents, stock FROM products WHERE id = ?";
    sqlx::query_as(sql).bind(id).fetch_optional(pool).await
}

/// Products whose name contains `term`, which must be in lower case. The first page is 1.
pub(crate) async fn search(pool: &SqlitePool, term: &str, page: u32) -> Result<SearchPage, sqlx::Error> {
    let total = sqlx::query_scalar("SELECT COUNT(*) FROM products WHERE instr(lower(name), ?) > 0")
        .bind(term)
        .fetch_one(pool)
        .await?;
    let sql = "
        SELECT id, name, category, price_cents, stock FROM products
        WHERE instr(lower(name), ?) > 0
        ORDER BY name LIMIT ? OFFSET ?";
    let offset = page.saturating_sub(1).saturating_mul(PAGE_SIZE);
    let products = sqlx::query_as(sql).bind(term).bind(PAGE_SIZE).bind(offset).fetch_all(pool).await?;
    Ok(SearchPage { total, products })
}

/// The ten best products of a category over all years.
pub(crate) async fn top(pool: &SqlitePool, category: Category, by: RankBy) -> Result<Vec<TopProduct>, sqlx::Error> {
    let by_revenue = "
        SELECT p.id, p.name, SUM(o.quantity) AS units, SUM(o.quantity * p.price_cents) AS revenue_cents
        FROM products p JOIN orders o ON o.product_id = p.id
        WHERE p.category = ?
        GROUP BY p.id ORDER BY revenue_cents DESC, p.id LIMIT 10";
    let by_units = "
        SELECT p.id, p.name, SUM(o.quantity) AS units, SUM(o.quantity * p.price_cents) AS revenue_cents
        FROM products p JOIN orders o ON o.product_id = p.id
        WHERE p.category = ?
        GROUP BY p.id ORDER BY units DESC, p.id LIMIT 10";
    let sql = match by {
        RankBy::Revenue => by_revenue,
        RankBy::Units => by_units,
    };
    sqlx::query_as(sql).bind(category).fetch_all(pool).await
}

/// The sales of one year by month and category: every order of the year, joined, grouped and counted. Slow.
pub(crate) async fn report(pool: &SqlitePool, year: u16) -> Result<Vec<ReportLine>, sqlx::Error> {
    let sql = "
        -- MATERIALIZED: used twice below, computed once.
        WITH sale AS MATERIALIZED (
            SELECT
                CAST(strftime('%m', o.ordered_on) AS INTEGER) AS month,
                p.category AS category,
                p.name AS product,
                u.id AS buyer,
                o.quantity * p.price_cents AS cents
            FROM orders o
            JOIN products p ON p.id = o.product_id
            JOIN users u ON u.id = o.user_id
            WHERE o.ordered_on >= ?1 || '-01-01' AND o.ordered_on < (?1 + 1) || '-01-01'
        ),
        -- SQLite takes the columns beside MAX() from the row that has the maximum.
        best AS (
            SELECT month, category, product, MAX(cents)
            FROM (SELECT month, category, product, SUM(cents) AS cents FROM sale GROUP BY month, category, product)
            GROUP BY month, category
        )
        SELECT
            month,
            category,
            COUNT(*) AS orders,
            COUNT(DISTINCT buyer) AS buyers,
            SUM(cents) AS revenue_cents,
            best.product AS best_seller
        FROM sale
        JOIN best USING (month, category)
        GROUP BY month, category
        ORDER BY month, category";
    sqlx::query_as(sql).bind(year).fetch_all(pool).await
}

pub(crate) async fn insert_user(pool: &SqlitePool, name: &str, country: &str) -> Result<i64, sqlx::Error> {
    let sql = "INSERT INTO users (name, country) VALUES (?, ?) RETURNING id";
    sqlx::query_scalar(sql).bind(name).bind(country).fetch_one(pool).await
}

/// Whether there is such a user.
pub(crate) async fn rename_user(pool: &SqlitePool, id: i64, name: &str) -> Result<bool, sqlx::Error> {
    let renamed = sqlx::query("UPDATE users SET name = ? WHERE id = ?").bind(name).bind(id).execute(pool).await?;
    Ok(renamed.rows_affected() > 0)
}

/// The product with its new stock.
pub(crate) async fn restock(pool: &SqlitePool, id: i64, stock: i64) -> Result<Option<Product>, sqlx::Error> {
    let sql = "UPDATE products SET stock = ? WHERE id = ? RETURNING id, name, category, price_cents, stock";
    sqlx::query_as(sql).bind(stock).bind(id).fetch_optional(pool).await
}

/// The product's category, if there was enough in stock.
pub(crate) async fn take_from_stock(
    transaction: &mut SqliteConnection,
    order: Order,
) -> Result<Option<Category>, sqlx::Error> {
    let sql = "UPDATE products SET stock = stock - ?1 WHERE id = ?2 AND stock >= ?1 RETURNING category";
    sqlx::query_scalar(sql).bind(order.quantity).bind(order.product).fetch_optional(transaction).await
}

/// The order's number, if there is such a user.
pub(crate) async fn insert_order(
    transaction: &mut SqliteConnection,
    order: Order,
    year: u16,
) -> Result<Option<i64>, sqlx::Error> {
    let sql = "
        INSERT INTO orders (user_id, product_id, quantity, ordered_on)
        SELECT id, ?2, ?3, ?4 || '-12-31' FROM users WHERE id = ?1
        RETURNING id";
    let query = sqlx::query_scalar(sql).bind(order.user).bind(order.product).bind(order.quantity).bind(year);
    query.fetch_optional(transaction).await
}
