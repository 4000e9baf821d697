//! Reads and writes over SQLite. Shows cached reads of a trait behind `Arc<dyn ..>`, a generic repository, a batch, a
//! write that stores what it returns, and a transaction that invalidates around its commit.

use crate::model::{Book, BookChanged, Entity, LibraryError, LoansChanged};
use async_trait::async_trait;
use cached_core::{Cache, redis_cached, redis_put};
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension as _, Params, params, params_from_iter};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

pub(crate) type Result<T, E = LibraryError> = std::result::Result<T, E>;

#[async_trait]
pub(crate) trait BookRepository: Send + Sync {
    async fn find(&self, id: u64) -> Result<Option<Book>>;
    async fn find_many(&self, ids: &[u64]) -> Result<HashMap<u64, Book>>;
    async fn on_shelf(&self, shelf: &str) -> Result<Arc<Vec<Book>>>;
    async fn rename(&self, id: u64, title: &str) -> Result<Option<Book>>;
    /// The books that are to be back on this day.
    async fn due_on(&self, date: NaiveDate) -> Result<Vec<u64>>;
    async fn lend(&self, book: u64, member: u64, due: NaiveDate) -> Result<()>;
}

pub(crate) struct Library {
    pub(crate) db: Db,
    pub(crate) cache: Cache,
}

#[async_trait]
impl BookRepository for Library {
    #[redis_cached(key = "book:<id>", invalidate_on = BookChanged { id })]
    async fn find(&self, id: u64) -> Result<Option<Book>> {
        Ok(self.db.select("id = ?", [id]).await?.pop())
    }

    /// Runs for the ids that are not cached. Its entries are those of `find`, because key and events are the same.
    #[redis_cached(key = "book:<id>", batch = ids, invalidate_on = BookChanged { id })]
    async fn find_many(&self, ids: &[u64]) -> Result<HashMap<u64, Book>> {
        let condition = format!("id IN ({})", vec!["?"; ids.len()].join(","));
        let books: Vec<Book> = self.db.select(&condition, params_from_iter(ids)).await?;
        Ok(books.into_iter().map(|book| (book.id, book)).collect())
    }

    /// Every visitor looks at the shelves, so they stay in this process as well.
    #[redis_cached(key = "shelf:<shelf>", local = "30s", invalidate_on = BookChanged { .. })]
    async fn on_shelf(&self, shelf: &str) -> Result<Arc<Vec<Book>>> {
        self.db.select("shelf = ? ORDER BY title", [shelf]).await.map(Arc::new)
    }

    /// Stores the new book as the entry of `find`; the event that it causes is for the shelves.
    #[redis_put(key = "book:<id>", invalidate_on = BookChanged { id }, BookChanged { id })]
    async fn rename(&self, id: u64, title: &str) -> Result<Option<Book>> {
        let sql = "UPDATE book SET title = ? WHERE id = ? RETURNING *";
        Ok(self.db.0.lock().await.query_row(sql, params![title, id], Book::from_row).optional()?)
    }

    #[redis_cached(key = "due:<date>", invalidate_on = LoansChanged { due: date })]
    async fn due_on(&self, date: NaiveDate) -> Result<Vec<u64>> {
        let connection = self.db.0.lock().await;
        let mut query = connection.prepare("SELECT book FROM loan WHERE due = ? ORDER BY book")?;
        Ok(query.query_map([date.to_string()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// A book that is lent already fails the second step: both are rolled back, and nothing is invalidated.
    async fn lend(&self, book: u64, member: u64, due: NaiveDate) -> Result<()> {
        let transaction = self.db.begin().await?;
        let mut deferred = self.cache.deferred();
        transaction.0.execute("UPDATE member SET loans = loans + 1 WHERE id = ?", [member])?;
        deferred.tag(format!("member:{member}"));
        transaction.0.execute("INSERT INTO loan VALUES (?, ?)", params![book, due.to_string()])?;
        deferred.event(&LoansChanged { due });
        // If Redis is away, the loan is made all the same; what could not be invalidated is repeated.
        let (committed, _outcome) = deferred.commit(async { transaction.commit() }).await;
        committed
    }
}

/// Reads rows of any table by their id.
pub(crate) struct Repo<E>(Db, PhantomData<fn() -> E>);

impl<E: Entity> Repo<E> {
    pub(crate) fn new(db: &Db) -> Self {
        Self(db.clone(), PhantomData)
    }

    /// "No such row" is an answer, and stored. If the database fails, the old row is served for an hour.
    #[redis_cached(
        key = "row:<E::TABLE>:<id>",
        tags = "<E::TABLE>:<id>",
        ttl = "1m",
        stale_if_error = "1h",
        error_if = |error| matches!(error, LibraryError::NotFound),
    )]
    pub(crate) async fn get(&self, id: u64) -> Result<E> {
        self.0.select("id = ?", [id]).await?.pop().ok_or(LibraryError::NotFound)
    }
}

/// One connection, whose answers take microseconds. Slower queries belong into `spawn_blocking`.
#[derive(Clone)]
pub(crate) struct Db(pub(crate) Arc<Mutex<Connection>>);

impl Db {
    pub(crate) fn open() -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, shelf TEXT);
             CREATE TABLE loan (book INTEGER PRIMARY KEY, due TEXT);
             CREATE TABLE member (id INTEGER PRIMARY KEY, loans INTEGER);
             INSERT INTO book VALUES (1, 'Emma', 'A'), (2, 'Dune', 'B');
             INSERT INTO member VALUES (7, 0);",
        )?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    async fn select<E: Entity>(&self, condition: &str, params: impl Params + Send) -> Result<Vec<E>> {
        let connection = self.0.lock().await;
        let mut query = connection.prepare(&format!("SELECT * FROM {} WHERE {condition}", E::TABLE))?;
        Ok(query.query_map(params, E::from_row)?.collect::<rusqlite::Result<_>>()?)
    }

    async fn begin(&self) -> Result<Transaction> {
        let connection = self.0.clone().lock_owned().await;
        connection.execute_batch("BEGIN")?;
        Ok(Transaction(connection))
    }
}

/// Rolls back unless it is committed.
struct Transaction(OwnedMutexGuard<Connection>);

impl Transaction {
    fn commit(self) -> Result<()> {
        Ok(self.0.execute_batch("COMMIT")?)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK"); // without it the connection is of no use any more, and says so
        }
    }
}
