//! The page, in three files that are compiled in: it needs nothing from elsewhere.

use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};

pub(crate) async fn page() -> Html<&'static str> {
    Html(include_str!("page/page.html"))
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page/page.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page/page.js"))
}
