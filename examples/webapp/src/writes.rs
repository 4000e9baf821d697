//! The functions that change data. Each attribute says what the function changes, and not who depends on it.

use crate::db::CURRENT_YEAR;
use crate::model::{CategorySold, Order, Product, ProductChanged, UserBought, UserChanged, YearSold};
use crate::query;
use crate::repository::Repository;
use cached_core::{Cache, Outcome, redis_invalidate, redis_put};

impl Repository {
    /// The id of the new user is known only after the write. If somebody asked for this id before, the cache remembers
    /// that there was no such user, so the entry must be invalidated.
    #[redis_invalidate(UserChanged { id: *ret }, mode = "after")]
    pub(crate) async fn add_user(&self, name: &str, country: &str) -> Result<i64, sqlx::Error> {
        query::insert_user(self.pool(), name, country).await
    }

    /// Returns whether there is such a user. After this returns, nobody is served the old name, and the old name does
    /// not stay in the cache if the process dies meanwhile.
    #[redis_invalidate(UserChanged { id })]
    pub(crate) async fn rename_user(&self, id: i64, name: &str) -> Result<bool, sqlx::Error> {
        query::rename_user(self.pool(), id, name).await
    }

    /// `find_product` returns from now on what this returns. Search results with this product are invalidated.
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

    /// Makes several changes in one transaction: gathers their invalidations, and applies them around the commit.
    /// `None` if there is no such user or product, or not enough stock.
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
