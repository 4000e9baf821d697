//! What the library keeps, and what can happen to it. Shows types of cached values, an error that can be stored, and
//! events: writes cause them, and cached reads listen to them.

use cached_core::{CacheEvent, CacheValue};
use chrono::NaiveDate;
use rusqlite::{Error, Row};
use serde::{Deserialize, Serialize};

/// Rows of a table. `CacheValue` is what a type parameter needs to be cached.
pub(crate) trait Entity: CacheValue + Send {
    const TABLE: &'static str;
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) shelf: String,
}

impl Entity for Book {
    const TABLE: &'static str = "book";
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get("id")?, title: row.get("title")?, shelf: row.get("shelf")? })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) loans: u32,
}

impl Entity for Member {
    const TABLE: &'static str = "member";
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get("id")?, loans: row.get("loans")? })
    }
}

#[derive(CacheEvent)]
pub(crate) struct BookChanged {
    pub(crate) id: u64,
}

/// A loan that ends on this day was made.
#[derive(CacheEvent)]
#[event(emitted = "by hand")] // by a `Deferred`, which the audit cannot see
pub(crate) struct LoansChanged {
    pub(crate) due: NaiveDate,
}

/// `error_if` stores it, so serde writes and reads it: it holds the text of a `rusqlite::Error`, not the error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum LibraryError {
    #[error("there is no such thing")]
    NotFound,
    #[error("the database failed: {0}")]
    Database(String),
}

impl From<Error> for LibraryError {
    fn from(error: Error) -> Self {
        Self::Database(error.to_string())
    }
}
