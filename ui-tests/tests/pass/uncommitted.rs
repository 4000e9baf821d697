//! Arguments that may be a transaction, but are not or are allowed.

use std::collections::HashMap;

use cached_core::{Cache, redis_cached, redis_put};

struct Connection {
    queries: u64,
}

impl Connection {
    async fn find(&mut self, id: u64) -> u64 {
        std::future::ready(()).await;
        self.queries += 1;
        id
    }
}

#[redis_cached(key = "one:<id>", skip(conn), uncommitted = "allow")]
async fn find(conn: &mut Connection, id: u64) -> u64 {
    conn.find(id).await
}

#[redis_cached(key = "one:<id>", batch = ids, skip(conn), uncommitted = "allow")]
async fn find_many(conn: &mut Connection, ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::from([(ids[0], conn.find(ids[0]).await)])
}

#[redis_cached(key = "maybe:<id>", skip(conn), uncommitted = "allow")]
async fn with_or_without(conn: Option<&mut Connection>, id: u64) -> Option<u64> {
    Some(conn?.find(id).await)
}

#[redis_put(key = "one:<id>", uncommitted = "allow")]
async fn store(conn: &mut Connection, id: u64) -> u64 {
    conn.find(id).await
}

// A function argument, a reference in the key, and a repository.
#[redis_cached(key = "two:<id>", skip(with))]
async fn by_function(with: impl Fn(&mut Connection) -> u64, id: &mut u64) -> u64 {
    *id += 1;
    with(&mut Connection { queries: *id })
}

struct Repo<'c> {
    conn: &'c mut Connection,
}

impl Repo<'_> {
    #[redis_cached(key = "three:<id>")]
    async fn find(&mut self, id: u64) -> u64 {
        self.conn.find(id).await
    }
}

fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(Cache::memory().scope(async {
        let mut conn = Connection { queries: 0 };
        assert_eq!(find(&mut conn, 1).await, 1);
        assert_eq!(store(&mut conn, 2).await, 2);
        assert_eq!(by_function(|conn| conn.queries, &mut 3).await, 4);
        assert_eq!(Repo { conn: &mut conn }.find(4).await, 4);
        assert_eq!(find_many(&mut conn, &[5]).await, HashMap::from([(5, 5)]));
        assert_eq!(with_or_without(None, 6).await, None);
        assert_eq!(conn.queries, 4);
    }));
}
