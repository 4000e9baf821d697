//! The plain SQL queries. They know nothing of a cache.

use crate::model::{Category, Product, RankBy, ReportLine, SearchPage, TopProduct, User};
use sqlx::SqlitePool;

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
