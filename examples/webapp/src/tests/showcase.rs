//! What the page's experiments show.

use super::Fixture;
use crate::db::Seed;
use axum::http::StatusCode;
use serde_json::Value;

/// With the rows that the page names: user 42 and product 4711.
async fn fixture() -> Fixture {
    Fixture::seeded(Seed { users: 50, products: 4_800, orders: 1_000 }).await
}

/// The calls whose entries are cached, in the order of the page.
async fn cached(fixture: &Fixture) -> Vec<bool> {
    let entries = fixture.ok("/api/entries").await;
    entries.as_array().unwrap().iter().map(|entry| entry["is_cached"].as_bool().unwrap()).collect()
}

async fn load_all(fixture: &Fixture) {
    let paths = [
        "/api/users/42",
        "/api/products/4711",
        "/api/search?q=4711",
        "/api/search?q=piano",
        "/api/top/garden?by=revenue",
        "/api/report/2025",
    ];
    for path in paths {
        fixture.ok(path).await;
    }
    assert_eq!(cached(fixture).await, [true; 6]);
}

#[tokio::test]
async fn entries_say_what_is_cached_and_load_nothing() {
    let fixture = fixture().await;
    assert_eq!(cached(&fixture).await, [false; 6]);
    assert_eq!(fixture.site("find_user").loads, 0);
    load_all(&fixture).await;
}

#[tokio::test]
async fn each_write_drops_the_entries_that_depend_on_it_and_no_others() {
    let fixture = fixture().await;
    load_all(&fixture).await;
    fixture.change("PUT", "/api/users/42", r#"{"name": "Zoe"}"#, StatusCode::NO_CONTENT).await;
    assert_eq!(cached(&fixture).await, [false, true, true, true, true, true]);

    load_all(&fixture).await;
    fixture.change("PUT", "/api/products/4711/stock", r#"{"stock": 50}"#, StatusCode::OK).await;
    assert_eq!(cached(&fixture).await, [true, true, false, true, true, true], "the product itself was put");

    load_all(&fixture).await;
    let order = r#"{"user": 42, "product": 4711, "quantity": 1}"#;
    fixture.change("POST", "/api/orders", order, StatusCode::CREATED).await;
    assert_eq!(cached(&fixture).await, [false, false, false, true, false, false]);
}

fn count(answer: &Value, what: &str) -> u64 {
    answer[what].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_make_one_load() {
    let fixture = fixture().await;
    // Cached before, so that the stampede has something to drop.
    fixture.ok("/api/report/2025").await;
    let all = fixture.change("POST", "/api/stampede", "", StatusCode::OK).await;
    assert_eq!(count(&all, "calls"), 100);
    assert_eq!(count(&all, "loads"), 1, "{all}");
    assert_eq!(count(&all, "coalesced") + count(&all, "hits"), 99, "{all}");
}

#[tokio::test]
async fn the_near_cache_answers_without_the_store() {
    let fixture = fixture().await;
    for local in ["on", "off"] {
        fixture.ok(&format!("/api/near?local={local}")).await;
    }
    let near = fixture.ok("/api/near?local=on").await;
    assert_eq!((count(&near, "near_hits"), count(&near, "loads")), (1_000, 0), "{near}");
    let far = fixture.ok("/api/near?local=off").await;
    assert_eq!((count(&far, "hits"), count(&far, "near_hits")), (1_000, 0), "{far}");
    fixture.refused("/api/near?local=maybe", StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn both_turnovers_are_the_same_and_an_order_shows_in_both() {
    let fixture = fixture().await;
    let orders = async || {
        let (waiting, stale) =
            (fixture.ok("/api/turnover?stale=off").await, fixture.ok("/api/turnover?stale=on").await);
        assert_eq!((&waiting["orders"], &waiting["cents"]), (&stale["orders"], &stale["cents"]));
        count(&stale, "orders")
    };
    let before = orders().await;
    fixture.change("PUT", "/api/products/4711/stock", r#"{"stock": 50}"#, StatusCode::OK).await;
    let order = r#"{"user": 42, "product": 4711, "quantity": 1}"#;
    fixture.change("POST", "/api/orders", order, StatusCode::CREATED).await;
    assert_eq!(orders().await, before + 1);
    fixture.refused("/api/turnover", StatusCode::BAD_REQUEST).await;
}
