//! The data of the catalogue.
//!
//! Cached values need `Serialize` and `Deserialize`; the same `Serialize` makes the JSON answers.

use cached_core::{CacheEvent, CacheKey};
use serde::{Deserialize, Serialize};

/// A customer and what they bought so far.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) country: String,
    pub(crate) orders: i64,
    pub(crate) spent_cents: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) category: Category,
    pub(crate) price_cents: i64,
    pub(crate) stock: i64,
}

/// `CacheKey` makes the enum a key segment, `sqlx::Type` a database value, `Deserialize` a part of the path.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, sqlx::Type, CacheKey)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub(crate) enum Category {
    Books,
    Garden,
    Kitchen,
    Music,
    Office,
    Toys,
}

/// The measure that ranks the best products.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, CacheKey)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RankBy {
    #[default]
    Revenue,
    Units,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SearchPage {
    pub(crate) total: i64,
    pub(crate) products: Vec<Product>,
}

#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct TopProduct {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) units: i64,
    pub(crate) revenue_cents: i64,
}

/// The sales of one category in one month.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct ReportLine {
    pub(crate) month: u8,
    pub(crate) category: Category,
    pub(crate) orders: i64,
    pub(crate) buyers: i64,
    pub(crate) revenue_cents: i64,
    pub(crate) best_seller: String,
}

/// All sales of one year.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Turnover {
    pub(crate) orders: i64,
    pub(crate) cents: i64,
    /// When it was summed up, in milliseconds since 1970, so that the page can show the age of an answer.
    pub(crate) summed_ms: u64,
}

// The events of the data. A function that reads names the events that invalidate its entry, a function that writes
// names the events that it causes; neither needs to know the other. `place_order` causes some by hand, in its
// transaction, where the audit cannot see it.

/// A user was added or renamed.
#[derive(CacheEvent)]
pub(crate) struct UserChanged {
    pub(crate) id: i64,
}

/// The stock of a product has changed.
#[derive(CacheEvent)]
pub(crate) struct ProductChanged {
    pub(crate) id: i64,
}

/// A user has bought something.
#[derive(CacheEvent)]
#[event(emitted = "by hand")]
pub(crate) struct UserBought {
    pub(crate) id: i64,
}

/// A product of this category was bought.
#[derive(CacheEvent)]
#[event(emitted = "by hand")]
pub(crate) struct CategorySold {
    pub(crate) category: Category,
}

/// A product was bought in this year.
#[derive(CacheEvent)]
#[event(emitted = "by hand")]
pub(crate) struct YearSold {
    pub(crate) year: u16,
}

/// What somebody wants to buy.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) user: i64,
    pub(crate) product: i64,
    pub(crate) quantity: u32,
}
