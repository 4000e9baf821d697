//! The routes. Shows `ScopeLayer`, the header `Cache-Status`, single calls past the cache or loaded anew, an entry by
//! hand, and a task that takes the cache along.

use crate::db::{BookRepository, Db, Repo, Result};
use crate::model::{Book, Entity, LibraryError, Member};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cached_core::{ByHand, Cache, Entry, ScopeLayer, Untyped};
use cached_core::{bypass, in_current_scope, refresh, with_status};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) books: Arc<dyn BookRepository>,
    pub(crate) db: Db,
    pub(crate) cache: Cache,
}

type Shared = State<App>;
type Asked = Query<HashMap<String, String>>;
type Answer<T> = Result<Json<T>>;

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/books", get(books))
        .route("/books/{id}", get(book).put(rename))
        .route("/books/{id}/reload", post(reload))
        .route("/shelves/{shelf}", get(shelf))
        .route("/due/{date}", get(due).post(lend))
        .route("/members/{id}", get(row::<Member>))
        .route("/notice", get(async |State(app): Shared| notice(&app.cache).get::<String>().await.unwrap_or_default()))
        .layer(from_fn(cache_status))
        .layer(ScopeLayer::new(app.cache.clone())) // the last one is around all others
        .with_state(app)
}

/// Says of each response which of its cached calls were hits.
async fn cache_status(request: Request, next: Next) -> Response {
    let (mut response, status) = with_status(next.run(request)).await;
    if !status.calls().is_empty()
        && let Ok(value) = HeaderValue::from_str(&status.to_string())
    {
        response.headers_mut().insert("cache-status", value);
    }
    response
}

/// `?ids=1,2,3`
async fn books(State(app): Shared, Query(asked): Asked) -> Answer<HashMap<u64, Book>> {
    let ids: Vec<u64> = asked.get("ids").into_iter().flat_map(|ids| ids.split(',')).flat_map(str::parse).collect();
    app.books.find_many(&ids).await.map(Json)
}

/// `?fresh` asks the database, and leaves the entry as it is.
async fn book(State(app): Shared, Path(id): Path<u64>, Query(asked): Asked) -> Answer<Book> {
    let call = app.books.find(id);
    let found = if asked.contains_key("fresh") { bypass(call).await? } else { call.await? };
    found.map(Json).ok_or(LibraryError::NotFound)
}

/// After a change by SQL: loads the book for everybody.
async fn reload(State(app): Shared, Path(id): Path<u64>) -> Answer<Option<Book>> {
    refresh(app.books.find(id)).await.map(Json)
}

async fn rename(State(app): Shared, Path(id): Path<u64>, Json(title): Json<String>) -> Answer<Option<Book>> {
    app.books.rename(id, &title).await.map(Json)
}

async fn shelf(State(app): Shared, Path(shelf): Path<String>) -> Answer<Arc<Vec<Book>>> {
    app.books.on_shelf(&shelf).await.map(Json)
}

async fn due(State(app): Shared, Path(date): Path<NaiveDate>) -> Answer<Vec<u64>> {
    app.books.due_on(date).await.map(Json)
}

/// The body is `[book, member]`.
async fn lend(State(app): Shared, Path(due): Path<NaiveDate>, Json((book, member)): Json<(u64, u64)>) -> Result<()> {
    app.books.lend(book, member, due).await?;
    // The desk looks at this list next. Without `in_current_scope` the task would not have this router's cache.
    tokio::spawn(in_current_scope(async move { app.books.due_on(due).await }));
    Ok(())
}

async fn row<E: Entity>(State(app): Shared, Path(id): Path<u64>) -> Answer<E> {
    Repo::new(&app.db).get(id).await.map(Json)
}

/// A value without a function of its own. Its options stand in one place, for all who read or write it.
pub(crate) fn notice(cache: &Cache) -> Entry<Untyped, ByHand> {
    cache.entry("notice").named("notice").ttl(Duration::from_hours(1))
}

impl IntoResponse for LibraryError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, self.to_string()).into_response()
    }
}
