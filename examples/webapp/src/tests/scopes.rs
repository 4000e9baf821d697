//! Two apps in one process, each with its own cache. None is installed.

use super::Fixture;
use crate::api;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use cached_core::Cache;
use tower::ServiceExt;

#[tokio::test]
async fn each_router_uses_its_own_cache() {
    let (here, there) = (Fixture::new().await, Fixture::new().await);
    for _ in 0..2 {
        tokio::join!(here.ok("/api/users/1"), there.ok("/api/users/1"));
    }
    here.ok("/api/users/1").await;
    let figures = |fixture: &Fixture| (fixture.site("find_user").loads, fixture.site("find_user").hits);
    assert_eq!((figures(&here), figures(&there)), ((1, 2), (1, 1)));
}

#[tokio::test]
async fn the_layer_decides_whatever_scope_is_around_the_server() {
    let (fixture, other) = (Fixture::new().await, Cache::memory());
    other.scope(fixture.ok("/api/products/1")).await;
    assert_eq!(fixture.site("find_product").loads, 1);
    assert_eq!(other.stats().site("find_product").unwrap().calls(), 0);
}

#[tokio::test]
async fn tasks_that_a_handler_spawns_keep_the_cache_of_the_request() {
    let fixture = Fixture::new().await;
    // As hyper does it: each connection is a task.
    let request = Request::post("/api/stampede").body(Body::empty()).unwrap();
    let response = tokio::spawn(api::router(fixture.app.clone()).oneshot(request)).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let site = fixture.site("sales_report");
    assert_eq!((site.calls(), site.loads), (100, 1));
}
