//! What is written for example has a chance to compile: it is made of arguments that can have the field, or be it.

#![allow(unused)]

use std::collections::HashMap;

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

struct NaiveDate;
struct PgPool;

struct Book {
    id: u64,
    shelf: String,
}

#[derive(CacheEvent)]
struct LoansChanged {
    due: u32,
}

#[derive(CacheEvent)]
struct BookChanged {
    id: u64,
}

#[derive(CacheEvent)]
struct ShelfChanged {
    shelf: String,
}

#[redis_invalidate(LoansChanged { due })]
async fn no_fields(date: NaiveDate) {}

#[redis_invalidate(LoansChanged { due })]
async fn reference(pool: &PgPool, date: &NaiveDate) {}

#[redis_invalidate(BookChanged { id })]
async fn named_after(pool: &PgPool, other: &Book, book: &Book) {}

#[redis_invalidate(BookChanged { id })]
async fn undecided(from: NaiveDate, other: &Book) {}

#[redis_invalidate(BookChanged { id })]
async fn of_a_list(ids: &[u64]) {}

#[redis_invalidate(BookChanged { id })]
async fn of_a_list_of_structs(pool: &PgPool, books: Vec<Book>) {}

#[redis_cached(key = "books:<*>", skip(pool), invalidate_on = BookChanged { id })]
async fn no_list_in_an_entry(pool: &PgPool, books: Vec<u64>) -> u64 {
    1
}

#[redis_invalidate(ShelfChanged { shelf })]
async fn owned(old_shelf: String) {}

#[redis_invalidate(for book in books { BookChanged { id } })]
async fn item(books: &[Book]) {}

#[redis_invalidate(for book_id in ids { BookChanged { id } })]
async fn plain_item(ids: &[u64]) {}

#[redis_cached(key = "book:<number>", batch = numbers, invalidate_on = BookChanged { id })]
async fn id_of_a_batch(numbers: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[redis_invalidate(ShelfChanged { shelf = book.shelf })]
async fn equals(book: Book) {}

#[redis_invalidate(ShelfChanged(book.shelf))]
async fn called(book: Book) {}

fn main() {}
