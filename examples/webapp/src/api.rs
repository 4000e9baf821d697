//! The JSON routes. With `?cache=off`, any data route asks the database and not the cache. The header `Cache-Status` of
//! each answer says what the cache did.

use crate::error::ApiError;
use crate::model::{Category, Product, RankBy, ReportLine, SearchPage, TopProduct, User};
use crate::repository::Repository;
use crate::{changes, page, showcase, timing, told};
use axum::extract::{FromRequestParts, State};
use axum::routing::{get, post, put};
use axum::{Json, Router, middleware};
use cached_core::{Cache, Stats, bypass};
use serde::Deserialize;

/// The longest search term, in bytes.
const MAX_TERM: usize = 100;
const MAX_PAGE: u32 = 1_000;

/// What the handlers share; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) repository: Repository,
    pub(crate) cache: Cache,
}

pub(crate) fn router(app: App) -> Router {
    let data = Router::new()
        .route("/api/users", post(changes::add_user))
        .route("/api/users/{id}", get(user).put(changes::rename_user))
        .route("/api/products/{id}", get(product))
        .route("/api/products/{id}/stock", put(changes::restock))
        .route("/api/orders", post(changes::order))
        .route("/api/search", get(search))
        .route("/api/top/{category}", get(top))
        .route("/api/report/{year}", get(report))
        .route("/api/entries", get(showcase::entries))
        .route("/api/stampede", post(showcase::stampede))
        .route("/api/near", get(showcase::near))
        .route("/api/turnover", get(showcase::turnover))
        .layer(middleware::from_fn(told::cache_status))
        .layer(middleware::from_fn(timing::elapsed));
    Router::new()
        .merge(data)
        .route("/api/stats", get(stats))
        .route("/", get(page::page))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .fallback(|| async { ApiError::NotFound("page") })
        .with_state(app)
}

/// axum's extractors, but with JSON answers to bad input.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(crate) struct Path<T>(pub(crate) T);

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(crate) struct Query<T>(pub(crate) T);

/// `?cache=off` or `?cache=on`.
#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    cache: Caching,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Caching {
    #[default]
    On,
    Off,
}

impl Caching {
    /// Makes a call of a cached function, or makes it past the cache.
    async fn of<T>(self, call: impl Future<Output = T>) -> T {
        match self {
            Self::On => call.await,
            Self::Off => bypass(call).await,
        }
    }
}

async fn user(
    State(app): State<App>,
    Path(id): Path<i64>,
    Query(options): Query<Options>,
) -> Result<Json<User>, ApiError> {
    let user = options.cache.of(app.repository.find_user(id)).await?;
    user.map(Json).ok_or(ApiError::NotFound("user"))
}

async fn product(
    State(app): State<App>,
    Path(id): Path<i64>,
    Query(options): Query<Options>,
) -> Result<Json<Product>, ApiError> {
    let product = options.cache.of(app.repository.find_product(id)).await?;
    product.map(Json).ok_or(ApiError::NotFound("product"))
}

#[derive(Deserialize)]
struct Search {
    q: String,
    #[serde(default = "first_page")]
    page: u32,
}

fn first_page() -> u32 {
    1
}

async fn search(
    State(app): State<App>,
    Query(search): Query<Search>,
    Query(options): Query<Options>,
) -> Result<Json<SearchPage>, ApiError> {
    // "Lamp" and " lamp" are the same search, so they get the same key.
    let term = search.q.trim().to_lowercase();
    if term.is_empty() || term.len() > MAX_TERM {
        return Err(ApiError::BadInput(format!("q must have 1 to {MAX_TERM} bytes")));
    }
    if !(1..=MAX_PAGE).contains(&search.page) {
        return Err(ApiError::BadInput(format!("page must be 1 to {MAX_PAGE}")));
    }
    let found = options.cache.of(app.repository.search_products(&term, search.page)).await?;
    Ok(Json(found))
}

#[derive(Deserialize)]
struct Ranking {
    #[serde(default)]
    by: RankBy,
}

async fn top(
    State(app): State<App>,
    Path(category): Path<Category>,
    Query(ranking): Query<Ranking>,
    Query(options): Query<Options>,
) -> Result<Json<Vec<TopProduct>>, ApiError> {
    let products = options.cache.of(app.repository.top_products(category, ranking.by)).await?;
    Ok(Json(products))
}

async fn report(
    State(app): State<App>,
    Path(year): Path<u16>,
    Query(options): Query<Options>,
) -> Result<Json<Vec<ReportLine>>, ApiError> {
    let lines = options.cache.of(app.repository.sales_report(year)).await?;
    if lines.is_empty() { Err(ApiError::NotFound("report")) } else { Ok(Json(lines)) }
}

/// How the cache is doing: hits, loads and misses of every cached function.
async fn stats(State(app): State<App>) -> Json<Stats> {
    Json(app.cache.stats())
}
