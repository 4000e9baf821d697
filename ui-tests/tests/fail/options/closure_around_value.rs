//! The closures get what is stored, not what is around it.

#![allow(unused)]

use std::collections::HashMap;
use std::time::Duration;

use cached_core::{redis_cached, redis_put};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Book {
    shelf: String,
}

#[redis_cached(key = "a:<id>", tags = |book: &Option<Book>| [String::new()])]
async fn tags(id: u64) -> Option<Book> {
    None
}

#[redis_cached(key = "b:<id>", tags = |book: &Option<Book>, id| [format!("book:{id}")])]
async fn tags_of_an_argument(id: u64) -> Result<Option<Book>, String> {
    Ok(None)
}

#[redis_cached(key = "c:<id>", cache_if = |book: &std::option::Option<Book>| book.is_some())]
async fn cache_if(id: u64) -> Option<Book> {
    None
}

#[redis_cached(key = "d:<id>", ttl = |book: &Result<Book, String>| Duration::from_secs(1))]
async fn ttl(id: u64) -> Result<Book, String> {
    Err(String::new())
}

#[redis_cached(key = "e:<id>", error_if = |error: &Result<Book, String>| error.is_err())]
async fn error_if(id: u64) -> Result<Book, String> {
    Err(String::new())
}

#[redis_cached(key = "f:<id>", cache_if = |book: Book| true, error_if = |error: String| true)]
async fn no_references(id: u64) -> Result<Book, String> {
    Err(String::new())
}

#[redis_cached(key = "g:<id>", batch = ids, cache_if = |books: &HashMap<u64, Book>| books.len() > 1)]
async fn batch(ids: &[u64]) -> HashMap<u64, Book> {
    HashMap::new()
}

#[redis_put(key = "a:<id>", tags = |book: &Option<Book>| [""])]
async fn put(id: u64) -> Option<Book> {
    None
}

fn main() {}
