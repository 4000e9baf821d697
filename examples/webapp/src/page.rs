//! The page that shows the times and the cache's figures.

use axum::response::Html;

pub(crate) async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}
