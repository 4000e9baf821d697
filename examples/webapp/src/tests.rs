//! Calls the router in-process. Every test has its own small database and its own cache, so tests run side by side.

use crate::api::{self, App};
use crate::db::{self, Seed};
use crate::repository::Repository;
use crate::timing::ELAPSED;
use crate::told::CACHE_STATUS;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use cached_core::{Cache, SiteStats};
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;

mod showcase;

struct Fixture {
    app: App,
    _directory: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        Self::seeded(Seed { users: 20, products: 240, orders: 1_000 }).await
    }

    async fn seeded(seed: Seed) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pool = db::create(directory.path(), seed).await.unwrap();
        let cache = Cache::builder().ttl_class("catalog", Duration::from_mins(1)).build().unwrap();
        Self { app: App { repository: Repository::new(pool), cache }, _directory: directory }
    }

    async fn get_text(&self, path: &str) -> (StatusCode, String) {
        self.send_text("GET", path, "").await
    }

    async fn send_text(&self, method: &str, path: &str, body: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_owned())).unwrap();
        // The scope makes this cache the one that the cached functions use in this task.
        let response = self.app.cache.scope(api::router(self.app.clone()).oneshot(request)).await.unwrap();
        let data = path.starts_with("/api/") && path != "/api/stats" && path != "/api/nothing";
        assert_eq!(response.headers().contains_key(ELAPSED), data, "{path}");
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        self.app.cache.flush().await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.get_text(path).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// Sends a change, asserts the status of the answer, and returns it.
    async fn change(&self, method: &str, path: &str, body: &str, expected: StatusCode) -> Value {
        let (status, body) = self.send_text(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {body}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() }
    }

    /// Asserts that the answer is 200, and returns it.
    async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Asserts that the answer is an error with this status and says something.
    async fn refused(&self, path: &str, expected: StatusCode) {
        let (status, body) = self.get(path).await;
        assert_eq!(status, expected, "{path}: {body}");
        assert!(body["error"].as_str().is_some_and(|text| !text.is_empty()), "{path}: {body}");
    }

    async fn execute(&self, sql: &str) {
        sqlx::raw_sql(sql).execute(self.app.repository.pool()).await.unwrap();
    }

    fn site(&self, name: &str) -> SiteStats {
        self.app.cache.stats().site(name).unwrap().clone()
    }
}

#[tokio::test]
async fn user() {
    let user = Fixture::new().await.ok("/api/users/7").await;
    assert_eq!(user["id"], 7);
    assert_eq!(user["name"], "Hugo Adams");
    assert!(user["orders"].as_i64().unwrap() > 0);
    assert!(user["spent_cents"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn product() {
    let product = Fixture::new().await.ok("/api/products/1").await;
    assert_eq!(product["name"], "Classic bench 1");
    assert_eq!(product["category"], "garden");
}

#[tokio::test]
async fn search() {
    let fixture = Fixture::new().await;
    let first = fixture.ok("/api/search?q=Lamp").await;
    assert!(first["total"].as_i64().unwrap() > 0);
    let products = first["products"].as_array().unwrap();
    assert!(products.iter().all(|product| product["name"].as_str().unwrap().contains("lamp")));

    let all = fixture.ok("/api/search?q=e&page=1").await;
    let next = fixture.ok("/api/search?q=e&page=2").await;
    assert_eq!(all["products"].as_array().unwrap().len(), 20);
    assert_ne!(all["products"], next["products"]);

    // Upper case and blanks do not make another search.
    fixture.ok("/api/search?q=%20LAMP").await;
    assert_eq!(fixture.site("search_products").hits, 1);
}

#[tokio::test]
async fn top() {
    let fixture = Fixture::new().await;
    for (by, field) in [("revenue", "revenue_cents"), ("units", "units")] {
        let top = fixture.ok(&format!("/api/top/books?by={by}")).await;
        let values: Vec<i64> = top.as_array().unwrap().iter().map(|product| product[field].as_i64().unwrap()).collect();
        assert_eq!(values.len(), 10);
        assert!(values.is_sorted_by(|left, right| left >= right), "{by}: {values:?}");
    }
    // Two rankings are two entries.
    assert_eq!(fixture.site("top_products").loads, 2);
}

#[tokio::test]
async fn report() {
    let report = Fixture::new().await.ok("/api/report/2024").await;
    let lines = report.as_array().unwrap();
    assert_eq!(lines.len(), 12 * 6);
    assert_eq!(lines[0]["month"], 1);
    assert_eq!(lines[0]["category"], "books");
    assert!(!lines[0]["best_seller"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn stats() {
    let fixture = Fixture::new().await;
    fixture.ok("/api/users/1").await;
    let stats = fixture.ok("/api/stats").await;
    assert_eq!(stats["store"], "memory");
    let site = stats["sites"].as_array().unwrap().iter().find(|site| site["site"] == "find_user").unwrap();
    assert_eq!(site["key"], "user:<id>");
    assert_eq!(site["loads"], 1);
}

#[tokio::test]
async fn page() {
    let fixture = Fixture::new().await;
    let (status, html) = fixture.get_text("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.starts_with("<!doctype html>"));
    assert!(html.contains("page.css") && html.contains("page.js"));
    for (path, has) in [("/", "<h1>"), ("/page.css", "@media (max-width"), ("/page.js", "use strict")] {
        let (status, text) = fixture.get_text(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(text.contains(has), "{path}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}: no external resources");
    }
}

#[tokio::test]
async fn unknown_is_404() {
    let fixture = Fixture::new().await;
    for path in ["/api/users/999999", "/api/users/-1", "/api/products/0", "/api/report/1999"] {
        fixture.refused(path, StatusCode::NOT_FOUND).await;
        fixture.refused(&format!("{path}?cache=off"), StatusCode::NOT_FOUND).await;
    }
    fixture.refused("/api/nothing", StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn bad_input_is_400() {
    let fixture = Fixture::new().await;
    let long = format!("/api/search?q={}", "x".repeat(101));
    for path in [
        "/api/users/abc",
        "/api/users/1?cache=maybe",
        "/api/products/9999999999999999999",
        "/api/search",
        "/api/search?q=%20",
        "/api/search?q=lamp&page=0",
        "/api/search?q=lamp&page=1001",
        "/api/search?q=lamp&page=two",
        "/api/top/weapons",
        "/api/top/books?by=luck",
        "/api/report/soon",
        &long,
    ] {
        fixture.refused(path, StatusCode::BAD_REQUEST).await;
    }
}

#[tokio::test]
async fn second_call_is_served_from_the_cache() {
    let fixture = Fixture::new().await;
    for (path, site) in [
        ("/api/users/1", "find_user"),
        ("/api/products/1", "find_product"),
        ("/api/search?q=lamp", "search_products"),
        ("/api/top/toys", "top_products"),
        ("/api/report/2023", "sales_report"),
    ] {
        let first = fixture.ok(path).await;
        let second = fixture.ok(path).await;
        assert_eq!(first, second);
        let site = fixture.site(site);
        assert_eq!((site.loads, site.hits), (1, 1), "{path}");
    }
}

#[tokio::test]
async fn cache_off_asks_the_database() {
    let fixture = Fixture::new().await;
    let before = fixture.ok("/api/users/1").await;
    // Bypasses the cache, so that the answer shows whether it is cached.
    fixture.execute("UPDATE users SET name = 'Zoe Zimmer' WHERE id = 1").await;

    assert_eq!(fixture.ok("/api/users/1").await["name"], before["name"]);
    assert_eq!(fixture.ok("/api/users/1?cache=off").await["name"], "Zoe Zimmer");
    assert_eq!(fixture.ok("/api/users/1?cache=on").await["name"], before["name"]);
    assert_eq!((fixture.site("find_user").loads, fixture.site("find_user").bypassed), (2, 1));
}

#[tokio::test]
async fn answers_say_what_the_cache_did() {
    let fixture = Fixture::new().await;
    let told = async |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = fixture.app.cache.scope(api::router(fixture.app.clone()).oneshot(request)).await.unwrap();
        fixture.app.cache.flush().await;
        response.headers().get(CACHE_STATUS).map(|status| status.to_str().unwrap().to_owned())
    };
    let status = async |path| told(path).await.unwrap();
    assert_eq!(status("/api/users/1").await, "cached_core; fwd=uri-miss; stored; detail=absent");
    assert_eq!(status("/api/users/1").await, "cached_core; hit");
    assert_eq!(status("/api/users/1?cache=off").await, "cached_core; fwd=bypass; detail=bypassed");
    assert_eq!(status("/api/users/404").await, "cached_core; fwd=uri-miss; stored; detail=absent", "of errors, too");
    assert_eq!(told("/api/search").await, None, "the input is bad, and nothing was called");
}

#[tokio::test]
async fn unknown_users_are_remembered_but_empty_searches_are_not() {
    let fixture = Fixture::new().await;
    for _ in 0..2 {
        fixture.refused("/api/users/404", StatusCode::NOT_FOUND).await;
        fixture.ok("/api/search?q=no-such-name").await;
    }
    assert_eq!(fixture.site("find_user").loads, 1);
    assert_eq!(fixture.site("search_products").loads, 2);
}

#[tokio::test]
async fn database_errors_are_500_and_never_stored() {
    let fixture = Fixture::new().await;
    fixture.execute("ALTER TABLE products RENAME TO hidden").await;
    fixture.refused("/api/products/1", StatusCode::INTERNAL_SERVER_ERROR).await;
    fixture.execute("ALTER TABLE hidden RENAME TO products").await;
    fixture.ok("/api/products/1").await;
}

#[test]
fn every_event_has_two_sides() {
    let cache = crate::settings().build().unwrap();
    crate::audit(&cache).assert_clean();
}

#[tokio::test]
async fn a_new_user_is_found_even_if_somebody_asked_too_early() {
    let fixture = Fixture::new().await;
    fixture.refused("/api/users/21", StatusCode::NOT_FOUND).await;
    let body = r#"{"name": "Zoe", "country": "AT"}"#;
    assert_eq!(fixture.change("POST", "/api/users", body, StatusCode::CREATED).await["id"], 21);
    assert_eq!(fixture.ok("/api/users/21").await["name"], "Zoe");
}

#[tokio::test]
async fn a_renamed_user_has_the_new_name_at_once() {
    let fixture = Fixture::new().await;
    let (one, other) = (fixture.ok("/api/users/1").await, fixture.ok("/api/users/2").await);
    assert_ne!(one["name"], "Zoe");
    fixture.change("PUT", "/api/users/1", r#"{"name": "Zoe"}"#, StatusCode::NO_CONTENT).await;
    assert_eq!(fixture.ok("/api/users/1").await["name"], "Zoe");
    assert_eq!(fixture.ok("/api/users/2").await, other);
    assert_eq!(fixture.site("find_user").loads, 3, "the other one is cached still");
    fixture.change("PUT", "/api/users/404", r#"{"name": "Zoe"}"#, StatusCode::NOT_FOUND).await;
    fixture.change("PUT", "/api/users/1", r#"{"name": " "}"#, StatusCode::BAD_REQUEST).await;
    fixture.change("PUT", "/api/users/1", "Zoe", StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn restocking_puts_the_product_and_drops_the_pages_that_show_it() {
    let fixture = Fixture::new().await;
    let found = fixture.ok("/api/search?q=bench").await;
    let id = found["products"][0]["id"].as_i64().unwrap();
    fixture.ok("/api/search?q=lamp").await;

    let path = format!("/api/products/{id}/stock");
    let product = fixture.change("PUT", &path, r#"{"stock": 1234}"#, StatusCode::OK).await;
    assert_eq!(product["stock"], 1234);
    assert_eq!(fixture.ok(&format!("/api/products/{id}")).await, product);
    assert_eq!(fixture.site("find_product").loads, 0, "it was put there");
    assert_eq!(fixture.ok("/api/search?q=bench").await["products"][0]["stock"], 1234);
    fixture.ok("/api/search?q=lamp").await;
    assert_eq!(fixture.site("search_products").loads, 3, "the other page is cached still");
    fixture.change("PUT", "/api/products/0/stock", r#"{"stock": 1}"#, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn an_order_shows_everywhere_once_it_is_committed() {
    let fixture = Fixture::new().await;
    let paths = ["/api/users/1", "/api/products/2", "/api/top/garden?by=units", "/api/report/2025"];
    fixture.change("PUT", "/api/products/2/stock", r#"{"stock": 5000}"#, StatusCode::OK).await;
    let mut before = Vec::new();
    for path in paths {
        before.push(fixture.ok(path).await);
    }
    let category = before[1]["category"].as_str().unwrap();
    let top = format!("/api/top/{category}?by=units");
    let ranked = fixture.ok(&top).await;

    let body = r#"{"user": 1, "product": 2, "quantity": 4000}"#;
    let placed = fixture.change("POST", "/api/orders", body, StatusCode::CREATED).await;
    assert_eq!(placed["cache"], "applied");

    assert_eq!(fixture.ok(paths[0]).await["orders"].as_i64(), before[0]["orders"].as_i64().map(|orders| orders + 1));
    assert_eq!(fixture.ok(paths[1]).await["stock"], 1000);
    assert_ne!(fixture.ok(&top).await, ranked);
    assert_ne!(fixture.ok(paths[3]).await, before[3]);
}

#[tokio::test]
async fn an_order_that_cannot_be_placed_changes_nothing() {
    let fixture = Fixture::new().await;
    let before = fixture.ok("/api/products/2").await;
    for (user, product, quantity) in [(1, 2, 1_000_000), (404, 2, 1), (1, 404, 1)] {
        let body = format!(r#"{{"user": {user}, "product": {product}, "quantity": {quantity}}}"#);
        fixture.change("POST", "/api/orders", &body, StatusCode::NOT_FOUND).await;
    }
    let none = r#"{"user": 1, "product": 2, "quantity": 0}"#;
    fixture.change("POST", "/api/orders", none, StatusCode::BAD_REQUEST).await;
    assert_eq!(fixture.ok("/api/products/2?cache=off").await, before);
}
