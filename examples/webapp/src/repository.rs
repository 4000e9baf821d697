//! The cached functions. Each attribute says how the function is cached and what invalidates its entries; the body is
//! the plain query. The writes are in [`writes`](crate::writes).

use crate::db::CURRENT_YEAR;
use crate::model::{
    Category, CategorySold, Product, ProductChanged, RankBy, ReportLine, SearchPage, TopProduct, Turnover, User,
    UserBought, UserChanged, YearSold,
};
use crate::{query, showcase};
use cached_core::{Tag, redis_cached};
use sqlx::SqlitePool;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pool: SqlitePool,
}

impl Repository {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// For writes.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// A missing user is remembered as well, but only for a short time, because somebody may sign up.
    #[redis_cached(
        key = "user:<id>",
        ttl = "medium",
        none_ttl = "10s",
        invalidate_on = [UserChanged { id }, UserBought { id }],
    )]
    pub(crate) async fn find_user(&self, id: i64) -> Result<Option<User>, sqlx::Error> {
        query::user(&self.pool, id).await
    }

    /// The class "catalog" is set in `main.rs`, for all functions that name it.
    #[redis_cached(key = "product:<id>", ttl = "catalog", none_ttl = "10s", invalidate_on = ProductChanged { id })]
    pub(crate) async fn find_product(&self, id: i64) -> Result<Option<Product>, sqlx::Error> {
        query::product(&self.pool, id).await
    }

    /// The search term is long and personal, so the key has its hash. Searches that find nothing are not stored,
    /// because there are too many of them. Only the page itself says which products it depends on.
    #[redis_cached(
        key = "search:<term:hash>:<page>",
        ttl = "short",
        tags = |found: &SearchPage| changes_of(found),
        cache_if = |found: &SearchPage| !found.products.is_empty(),
    )]
    pub(crate) async fn search_products(&self, term: &str, page: u32) -> Result<SearchPage, sqlx::Error> {
        query::search(&self.pool, term, page).await
    }

    /// Both enums derive `CacheKey`.
    #[redis_cached(key = "top:<category>:<by>", ttl = "catalog", invalidate_on = CategorySold { category })]
    pub(crate) async fn top_products(&self, category: Category, by: RankBy) -> Result<Vec<TopProduct>, sqlx::Error> {
        query::top(&self.pool, category, by).await
    }

    /// The TTL is computed from the arguments.
    #[redis_cached(key = "report:<year>", ttl = report_ttl(year), invalidate_on = YearSold { year })]
    pub(crate) async fn sales_report(&self, year: u16) -> Result<Vec<ReportLine>, sqlx::Error> {
        query::report(&self.pool, year).await
    }

    /// Keeps decoded products in this process too. `Arc`, so that a near hit copies nothing.
    #[redis_cached(
        key = "near-product:<id>",
        ttl = "catalog",
        none_ttl = "10s",
        local = "30s",
        invalidate_on = ProductChanged { id },
    )]
    pub(crate) async fn find_product_near(&self, id: i64) -> Result<Option<Arc<Product>>, sqlx::Error> {
        Ok(query::product(&self.pool, id).await?.map(Arc::new))
    }

    /// For three seconds a value is fresh. For a minute more it is served at once while a task loads the next one.
    #[redis_cached(
        key = "turnover:<year>",
        ttl = "3s",
        jitter = 0.0,
        stale_while_revalidate = "1m",
        refresh = "background",
        invalidate_on = YearSold { year },
    )]
    pub(crate) async fn turnover(&self, year: u16) -> Result<Turnover, sqlx::Error> {
        self.sum_up(year).await
    }

    /// The same without `stale_while_revalidate`, to compare: every three seconds a caller waits for the query.
    #[redis_cached(key = "turnover-waiting:<year>", ttl = "3s", jitter = 0.0, invalidate_on = YearSold { year })]
    pub(crate) async fn turnover_waiting(&self, year: u16) -> Result<Turnover, sqlx::Error> {
        self.sum_up(year).await
    }

    async fn sum_up(&self, year: u16) -> Result<Turnover, sqlx::Error> {
        let lines = query::report(&self.pool, year).await?;
        let cents = lines.iter().map(|line| line.revenue_cents).sum();
        let orders = lines.iter().map(|line| line.orders).sum();
        Ok(Turnover { orders, cents, summed_ms: showcase::unix_ms() })
    }
}

fn changes_of(found: &SearchPage) -> Vec<Tag> {
    found.products.iter().map(|product| Tag::of(&ProductChanged { id: product.id })).collect()
}

/// Past years no longer change.
fn report_ttl(year: u16) -> Duration {
    if year < CURRENT_YEAR { Duration::from_hours(24) } else { Duration::from_mins(1) }
}
