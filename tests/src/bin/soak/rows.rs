//! The service under test: versioned rows in a database, and annotated functions that read and write them.

use cached_core::{Cache, CacheError, CacheEvent, redis_cached, redis_invalidate, redis_put};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) version: u64,
}

#[derive(Debug)]
pub(crate) enum Failure {
    Database(sqlx::Error),
    /// The bracket could not begin, so nothing was written.
    Refused,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<CacheError> for Failure {
    fn from(_: CacheError) -> Self {
        Self::Refused
    }
}

#[derive(CacheEvent)]
pub(crate) struct RowChanged {
    id: u64,
}

#[derive(CacheEvent)]
pub(crate) struct RowPut {
    id: u64,
}

/// Rows of one group share a tag.
pub(crate) fn group_of(id: u64) -> u64 {
    id % 8
}

/// The database, for one call.
#[derive(Debug)]
pub(crate) struct Database<'a> {
    pub(crate) pool: &'a SqlitePool,
    pub(crate) cache: &'a Cache,
    /// How long the function takes before and after it has asked the database.
    pub(crate) pauses: [Duration; 2],
    /// The time that the function itself took, in microseconds.
    pub(crate) own: AtomicU64,
}

impl Database<'_> {
    async fn measured<T>(&self, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        // Work that has nothing to do with the cache, and time for other calls to come in between.
        tokio::time::sleep(self.pauses[0]).await;
        let done = work.await;
        tokio::time::sleep(self.pauses[1]).await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.own.fetch_add(took, Ordering::Relaxed);
        done
    }

    async fn select(&self, id: u64) -> Result<Row, Failure> {
        let select = sqlx::query_scalar("SELECT version FROM rows WHERE id = ?").bind(id.cast_signed());
        let version: i64 = self.measured(select.fetch_one(self.pool)).await?;
        Ok(Row { id, version: version.cast_unsigned() })
    }

    /// `committed` gets the version as soon as it is committed.
    async fn update(&self, id: u64, committed: impl FnOnce(u64)) -> Result<Row, Failure> {
        let update = async {
            let update = sqlx::query_scalar("UPDATE rows SET version = version + 1 WHERE id = ? RETURNING version");
            let version: i64 = update.bind(id.cast_signed()).fetch_one(self.pool).await?;
            committed(version.cast_unsigned());
            Ok::<_, Failure>(Row { id, version: version.cast_unsigned() })
        };
        self.measured(update).await
    }
}

pub(crate) async fn open(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    // A commit must outlive the process, not the machine.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(Duration::from_secs(10));
    SqlitePoolOptions::new().max_connections(6).connect_with(options).await
}

pub(crate) async fn create(pool: &SqlitePool, rows: u64) -> Result<(), sqlx::Error> {
    sqlx::query("CREATE TABLE rows (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)").execute(pool).await?;
    for id in 0..rows {
        sqlx::query("INSERT INTO rows VALUES (?, 1)").bind(id.cast_signed()).execute(pool).await?;
    }
    Ok(())
}

/// An entry that depends on an event and on a tag.
#[redis_cached(
    key = "row:<id>:<group>",
    skip(on),
    ttl = "long",
    invalidate_on = RowChanged { id },
    tags = "group:<group>",
    cache = on.cache
)]
pub(crate) async fn read_tagged(on: &Database<'_>, id: u64, group: u64) -> Result<Row, Failure> {
    on.select(id).await
}

/// An entry with a tag that only its value names.
#[redis_cached(
    key = "named:<id>",
    skip(on),
    ttl = "long",
    invalidate_on = RowPut { id },
    tags = |row: &Row| [format!("of:{}", row.id)],
    cache = on.cache
)]
pub(crate) async fn read_named(on: &Database<'_>, id: u64) -> Result<Row, Failure> {
    on.select(id).await
}

/// An entry that has only its key.
#[redis_cached(key = "plain:<id>", skip(on), ttl = "long", cache = on.cache)]
pub(crate) async fn read_plain(on: &Database<'_>, id: u64) -> Result<Row, Failure> {
    on.select(id).await
}

/// `committed` gets the version while the bracket is open.
#[redis_invalidate(
    RowChanged { id },
    tag = "of:<id>",
    key = "plain:<id>",
    on_unavailable = "fail",
    cache = on.cache
)]
pub(crate) async fn write_in_bracket(on: &Database<'_>, id: u64, committed: impl FnOnce(u64)) -> Result<Row, Failure> {
    on.update(id, committed).await
}

#[redis_invalidate(RowChanged { id }, tag = "of:<id>", key = "plain:<id>", cache = on.cache)]
pub(crate) async fn write_and_proceed(on: &Database<'_>, id: u64) -> Result<Row, Failure> {
    on.update(id, |_| ()).await
}

#[redis_invalidate(tag = "group:<group>", tag = "of:<id>", key = "plain:<id>", mode = "after", cache = on.cache)]
pub(crate) async fn write_and_tell(on: &Database<'_>, id: u64, group: u64) -> Result<Row, Failure> {
    on.update(id, |_| ()).await
}

#[redis_put(key = "plain:<id>", RowChanged { id }, RowPut { id }, ttl = "long", cache = on.cache)]
pub(crate) async fn write_through(on: &Database<'_>, id: u64) -> Result<Row, Failure> {
    on.update(id, |_| ()).await
}
