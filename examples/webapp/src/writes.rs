//! The functions that change data. An attribute says what each of them changes; who depends on it need not be known here.

use crate::db::CURRENT_YEAR;
use crate::model::{CategorySold, Order, Product, ProductChanged, UserBought, UserChanged, YearSold};
use crate::query;
use crate::repository::Repository;
use cached_core::{Cache, Outcome, redis_invalidate, redis_put};

impl Repository {
    /// The new user's number is known only when there is one: that somebody asked for it before is remembered, and is to
    /// be forgotten.
    #[redis_invalidate(UserChanged { id: *ret }, mode = "after")]
    pub(crate) async fn add_user(&self, name: &str, country: &str) -> Result<i64, sqlx::Error> {
        query::insert_user(self.pool(), name, country).await
    }

    /// Whether there is such a user. Nobody is served the old name once this has returned, and none is left behind if the
    /// process dies in here.
    #[redis_invalidate(UserChanged { id })]
    pub(crate) async fn rename_user(&self, id: i64, name: &str) -> Result<bool, sqlx::Error> {
        query::rename_user(self.pool(), id, name).await
    }

    /// What this returns is what `find_product` finds from now on. Pages of search results with this product go.
    #[redis_put(
        key = "product:<id>",
        ttl = "catalog",
        none_ttl = "10s",
        invalidate_on = ProductChanged { id },
        ProductChanged { id },
    )]
    pub(crate) async fn restock_product(&self, id: i64, stock: i64) -> Result<Option<Product>, sqlx::Error> {
        query::restock(self.pool(), id, stock).await
    }

    /// Several changes in one transaction: they are gathered, and applied around its commit. `None` if there is no such
    /// user or product, or not enough of it.
    pub(crate) async fn place_order(&self, cache: &Cache, order: Order) -> Result<Option<(i64, Outcome)>, sqlx::Error> {
        let mut deferred = cache.deferred();
        let mut transaction = self.pool().begin().await?;
        let Some(category) = query::take_from_stock(&mut transaction, order).await? else { return Ok(None) };
        deferred.event(&ProductChanged { id: order.product }).event(&CategorySold { category });
        let Some(id) = query::insert_order(&mut transaction, order, CURRENT_YEAR).await? else { return Ok(None) };
        deferred.event(&UserBought { id: order.user }).event(&YearSold { year: CURRENT_YEAR });
        let (committed, outcome) = deferred.commit(transaction.commit()).await;
        committed?;
        Ok(Some((id, outcome)))
    }
}
