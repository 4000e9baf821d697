//! The routes behind the page's experiments: what a write invalidates, a stampede, the near cache, stale values.

use crate::api::{App, Query};
use crate::db::CURRENT_YEAR;
use crate::error::ApiError;
use crate::model::{Category, RankBy, YearSold};
use axum::Json;
use axum::extract::State;
use cached_core::{CacheValue, Entry, entry, in_current_scope};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;

/// The callers of a stampede.
const CALLERS: u32 = 100;
/// The reads that are timed together, since one near hit is shorter than a clock can tell.
const READS: u32 = 1_000;

/// The rows that the page's writes change.
const USER: i64 = 42;
const PRODUCT: i64 = 4_711;
const PRODUCT_CATEGORY: Category = Category::Garden;

#[derive(Serialize)]
pub(crate) struct EntryState {
    call: &'static str,
    key: String,
    is_cached: bool,
}

impl EntryState {
    async fn of<T: CacheValue>(call: &'static str, entry: Entry<T>) -> Self {
        Self { call, key: entry.redis_key().to_owned(), is_cached: entry.get().await.is_some() }
    }
}

/// Which of these calls would be answered from the cache. Asks their entries and runs no query.
pub(crate) async fn entries(State(app): State<App>) -> Result<Json<Vec<EntryState>>, ApiError> {
    let repository = &app.repository;
    let term = PRODUCT.to_string();
    Ok(Json(vec![
        EntryState::of("find_user(42)", entry!(repository.find_user(USER))?).await,
        EntryState::of("find_product(4711)", entry!(repository.find_product(PRODUCT))?).await,
        EntryState::of("search_products(\"4711\", 1)", entry!(repository.search_products(&term, 1))?).await,
        EntryState::of("search_products(\"piano\", 1)", entry!(repository.search_products("piano", 1))?).await,
        EntryState::of("top_products(Garden)", entry!(repository.top_products(PRODUCT_CATEGORY, RankBy::Revenue))?)
            .await,
        EntryState::of("sales_report(2025)", entry!(repository.sales_report(CURRENT_YEAR))?).await,
    ]))
}

/// What became of some calls of one function.
#[derive(Serialize)]
pub(crate) struct Counted {
    calls: u32,
    near_hits: u64,
    hits: u64,
    coalesced: u64,
    loads: u64,
    micros: u64,
}

impl Counted {
    /// Runs `calls` and reads before and after it how often `site` was served and from where. Calls that others make
    /// meanwhile are counted as well.
    async fn of<T>(app: &App, site: &str, calls: u32, run: impl Future<Output = T>) -> (T, Self) {
        let figures = || {
            let stats = app.cache.stats();
            stats.site(site).map(|site| [site.near_hits, site.hits, site.coalesced, site.loads]).unwrap_or_default()
        };
        let before = figures();
        let start = Instant::now();
        let done = run.await;
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let after = figures();
        let [near_hits, hits, coalesced, loads] = std::array::from_fn(|at| after[at] - before[at]);
        (done, Self { calls, near_hits, hits, coalesced, loads, micros })
    }
}

/// A hundred tasks ask for the slowest query at once, just after its entry was invalidated.
pub(crate) async fn stampede(State(app): State<App>) -> Result<Json<Counted>, ApiError> {
    // Without the store nothing is invalidated there; the counters then show it.
    let _ = app.cache.emit(&YearSold { year: CURRENT_YEAR }).await;
    let (all, counted) = Counted::of(&app, "sales_report", CALLERS, async {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let repository = app.repository.clone();
            // Else the tasks would not know the cache of this request.
            callers.spawn(in_current_scope(async move { repository.sales_report(CURRENT_YEAR).await }));
        }
        callers.join_all().await
    })
    .await;
    all.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Json(counted))
}

#[derive(Deserialize)]
pub(crate) struct Near {
    local: Switch,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Switch {
    On,
    Off,
}

/// Reads one product a thousand times in a row, with the near cache or without.
pub(crate) async fn near(State(app): State<App>, Query(near): Query<Near>) -> Result<Json<Counted>, ApiError> {
    let repository = &app.repository;
    let (done, counted) = match near.local {
        Switch::On => {
            let reads = async {
                for _ in 0..READS {
                    repository.find_product_near(PRODUCT).await?;
                }
                Ok::<_, sqlx::Error>(())
            };
            Counted::of(&app, "find_product_near", READS, reads).await
        }
        Switch::Off => {
            let reads = async {
                for _ in 0..READS {
                    repository.find_product(PRODUCT).await?;
                }
                Ok(())
            };
            Counted::of(&app, "find_product", READS, reads).await
        }
    };
    done?;
    Ok(Json(counted))
}

#[derive(Deserialize)]
pub(crate) struct Staleness {
    stale: Switch,
}

#[derive(Serialize)]
pub(crate) struct TurnoverNow {
    orders: i64,
    cents: i64,
    age_ms: u64,
}

/// The turnover of this year, and how old the answer is.
pub(crate) async fn turnover(
    State(app): State<App>,
    Query(staleness): Query<Staleness>,
) -> Result<Json<TurnoverNow>, ApiError> {
    let turnover = match staleness.stale {
        Switch::On => app.repository.turnover(CURRENT_YEAR).await?,
        Switch::Off => app.repository.turnover_waiting(CURRENT_YEAR).await?,
    };
    let age_ms = unix_ms().saturating_sub(turnover.summed_ms);
    Ok(Json(TurnoverNow { orders: turnover.orders, cents: turnover.cents, age_ms }))
}

/// The time since 1970, in milliseconds.
pub(crate) fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
