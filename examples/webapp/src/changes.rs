//! The routes that change something.

use crate::api::{App, Path};
use crate::error::ApiError;
use crate::model::{Order, Product};
use axum::Json;
use axum::extract::{FromRequest, State};
use axum::http::StatusCode;
use cached_core::Outcome;
use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const MAX_NAME: usize = 100;

/// axum's extractor, but with JSON answers to bad input.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(crate) struct Body<T>(T);

#[derive(Deserialize)]
pub(crate) struct NewUser {
    name: String,
    country: String,
}

#[derive(Serialize)]
pub(crate) struct Created {
    id: i64,
}

pub(crate) async fn add_user(
    State(app): State<App>,
    Body(user): Body<NewUser>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    let (name, country) = (named(&user.name)?, named(&user.country)?);
    let id = app.repository.add_user(name, country).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

#[derive(Deserialize)]
pub(crate) struct Rename {
    name: String,
}

pub(crate) async fn rename_user(
    State(app): State<App>,
    Path(id): Path<i64>,
    Body(user): Body<Rename>,
) -> Result<StatusCode, ApiError> {
    let is_there = app.repository.rename_user(id, named(&user.name)?).await?;
    if is_there { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound("user")) }
}

#[derive(Deserialize)]
pub(crate) struct Stock {
    stock: u32,
}

pub(crate) async fn restock(
    State(app): State<App>,
    Path(id): Path<i64>,
    Body(Stock { stock }): Body<Stock>,
) -> Result<Json<Product>, ApiError> {
    let product = app.repository.restock_product(id, stock.into()).await?;
    product.map(Json).ok_or(ApiError::NotFound("product"))
}

#[derive(Serialize)]
pub(crate) struct Placed {
    id: i64,
    /// Whether all processes see it already.
    cache: Outcome,
}

pub(crate) async fn order(
    State(app): State<App>,
    Body(order): Body<Order>,
) -> Result<(StatusCode, Json<Placed>), ApiError> {
    if order.quantity == 0 {
        return Err(ApiError::BadInput("quantity must be at least 1".to_owned()));
    }
    let placed = app.repository.place_order(&app.cache, order).await?;
    let (id, cache) = placed.ok_or(ApiError::NotFound("user, or enough of the product,"))?;
    Ok((StatusCode::CREATED, Json(Placed { id, cache })))
}

fn named(text: &str) -> Result<&str, ApiError> {
    match text.trim() {
        text if (1..=MAX_NAME).contains(&text.len()) => Ok(text),
        _ => Err(ApiError::BadInput(format!("a name must have 1 to {MAX_NAME} bytes"))),
    }
}
