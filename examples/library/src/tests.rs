//! Each test has its own database and its own cache in memory, so they run side by side. Shows a manual clock, statistics
//! as witnesses of loads, a database that fails, and a transaction that rolls back.

use crate::db::{BookRepository, Db, Repo};
use crate::model::{Book, LibraryError, Member};
use crate::{app, web};
use axum::{body::Body, http::Request};
use cached_core::{Cache, Clock, entry};
use chrono::NaiveDate;
use std::time::Duration;
use tower::ServiceExt as _;

struct Bench {
    cache: Cache,
    clock: Clock,
    app: web::App,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual();
        let cache = Cache::builder().clock(clock.clone()).jitter(0.0).build().unwrap();
        Self { app: app(&Db::open().unwrap(), &cache), cache, clock }
    }

    fn books(&self) -> &dyn BookRepository {
        &*self.app.books
    }

    /// A call, and then what it stores in the background.
    async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        let value = self.cache.scope(call).await;
        self.cache.flush().await;
        value
    }

    fn loads(&self, site: &str) -> u64 {
        self.cache.stats().site(site).unwrap().loads
    }
}

#[tokio::test]
async fn a_book_is_loaded_once_until_it_expires() {
    let bench = Bench::new();
    for _ in 0..2 {
        assert_eq!(bench.call(bench.books().find(1)).await.unwrap().unwrap().title, "Emma");
    }
    assert_eq!(bench.loads("find"), 1);
    assert_eq!(bench.call(bench.books().find_many(&[1, 2, 3])).await.unwrap().len(), 2);
    assert_eq!(bench.loads("find_many"), 2, "1 is there already");
    bench.clock.advance(Duration::from_secs(601));
    bench.call(bench.books().find(1)).await.unwrap();
    assert_eq!(bench.loads("find"), 2);
}

#[tokio::test]
async fn writes_are_seen_at_once() {
    let bench = Bench::new();
    for near_hits in [0, 0, 1] {
        assert_eq!(bench.call(bench.books().on_shelf("A")).await.unwrap()[0].title, "Emma");
        assert_eq!(bench.cache.stats().site("on_shelf").unwrap().near_hits, near_hits);
    }
    bench.call(bench.books().rename(1, "Persuasion")).await.unwrap();
    assert_eq!(bench.call(bench.books().on_shelf("A")).await.unwrap()[0].title, "Persuasion");
    assert_eq!(bench.call(bench.books().find(1)).await.unwrap().unwrap().title, "Persuasion");
    assert_eq!(bench.loads("find"), 0, "`rename` has stored what it returned");

    let entry = bench.call(async { entry!(bench.books().find(1)).unwrap() }).await;
    assert_eq!(entry.peek().await.unwrap().left, Some(Duration::from_mins(10)), "it can be looked at, too");
}

#[tokio::test]
async fn a_failing_database_is_bridged() {
    let bench = Bench::new();
    let members = Repo::<Member>::new(&bench.app.db);
    let ada = bench.call(members.get(7)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(bench.call(members.get(8)).await, Err(LibraryError::NotFound));
    }
    assert_eq!(bench.loads("get"), 2, "that there is no 8 was stored");
    bench.call(Repo::<Book>::new(&bench.app.db).get(1)).await.unwrap();
    assert_eq!(bench.loads("get"), 3, "all types of the repository are one function in the statistics");

    bench.app.db.0.lock().await.execute_batch("DROP TABLE member").unwrap();
    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(bench.call(members.get(7)).await, Ok(ada));
    assert!(matches!(bench.call(members.get(8)).await, Err(LibraryError::Database(_))));
    bench.clock.advance(Duration::from_hours(1));
    assert!(bench.call(members.get(7)).await.is_err());
}

#[tokio::test]
async fn a_loan_is_seen_after_its_commit_and_never_if_rolled_back() {
    let bench = Bench::new();
    let members = Repo::<Member>::new(&bench.app.db);
    let due = NaiveDate::from_ymd_opt(2030, 5, 17).unwrap();
    let counts = async || {
        let loans = bench.call(bench.books().due_on(due)).await.unwrap().len();
        (loans, bench.call(members.get(7)).await.unwrap().loans)
    };
    assert_eq!(counts().await, (0, 0));
    bench.call(bench.books().lend(1, 7, due)).await.unwrap();
    assert_eq!(counts().await, (1, 1));
    assert!(bench.call(bench.books().lend(1, 7, due)).await.is_err(), "it is lent already");
    assert_eq!(counts().await, (1, 1));
    assert_eq!((bench.loads("due_on"), bench.loads("get")), (2, 2), "the rollback has invalidated nothing");
}

#[tokio::test]
async fn a_response_says_whether_it_was_a_hit() {
    let bench = Bench::new();
    for (uri, status) in [
        ("/books/1", Some("cached_core; fwd=uri-miss; stored; detail=absent")),
        ("/books/1", Some("cached_core; hit")),
        ("/books/1?fresh", Some("cached_core; fwd=bypass; detail=bypassed")),
        ("/nothing", None),
    ] {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = bench.call(web::router(bench.app.clone()).oneshot(request)).await.unwrap();
        assert_eq!(response.headers().get("cache-status").map(|value| value.to_str().unwrap()), status);
    }
}

#[test]
fn functions_and_events_fit_together() {
    cached_core::audit().assert_clean();
}
