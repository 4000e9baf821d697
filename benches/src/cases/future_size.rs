//! The size of a cached function's future. Its body holds 4 KiB across an await.

use crate::report::Line;
use crate::subjects::{FLOOR, OURS};
use crate::targets::FUTURE;
use crate::user::User;
use cached_core::redis_cached;
use redis::aio::MultiplexedConnection;
use std::hint::black_box;

async fn plain(id: u64) -> User {
    let mut buffer = [0u8; 4096];
    black_box(&mut buffer);
    tokio::task::yield_now().await;
    black_box(&buffer);
    User::of(id)
}

#[redis_cached(key = "buffered:<id>")]
async fn annotated(id: u64) -> User {
    let mut buffer = [0u8; 4096];
    black_box(&mut buffer);
    tokio::task::yield_now().await;
    black_box(&buffer);
    User::of(id)
}

async fn by_hand(connection: Option<MultiplexedConnection>, id: u64) -> User {
    let key = format!("buffered:{id}");
    if let Some(mut connection) = connection
        && let Ok(Some(json)) = redis::cmd("GET").arg(&key).query_async::<Option<Vec<u8>>>(&mut connection).await
        && let Ok(user) = serde_json::from_slice(&json)
    {
        return user;
    }
    plain(id).await
}

pub(super) fn run(bench: &str) -> Vec<Line> {
    let floor = size_of_val(&by_hand(None, 1)) as f64;
    let line = |subject, bytes: f64| Line::new(bench, subject, bytes, FUTURE, Some(bytes / floor));
    vec![
        line(OURS, size_of_val(&annotated(1)) as f64),
        line(FLOOR, floor),
        Line { ratio_to_floor: None, ..line("plain function", size_of_val(&plain(1)) as f64) },
    ]
}
