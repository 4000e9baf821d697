//! What the catalogue is made of.
//!
//! Everything cached needs `Serialize` and `Deserialize`; the same `Serialize` makes the JSON answers.

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

/// What the best products are best at.
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

// What can happen to the data. Whoever reads says what makes its entry invalid, whoever writes says what it has done;
// neither knows of the other.

/// A user was added or renamed.
#[derive(CacheEvent)]
pub(crate) struct UserChanged {
    pub(crate) id: i64,
}

/// A product's stock is another.
#[derive(CacheEvent)]
pub(crate) struct ProductChanged {
    pub(crate) id: i64,
}

/// A user has bought something.
#[derive(CacheEvent)]
pub(crate) struct UserBought {
    pub(crate) id: i64,
}

/// Something of this category was bought.
#[derive(CacheEvent)]
pub(crate) struct CategorySold {
    pub(crate) category: Category,
}

/// Something was bought in this year.
#[derive(CacheEvent)]
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
