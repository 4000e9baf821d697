//! Cold keys, filled by 64 tasks.

use crate::report::Line;
use crate::rounds::{interleaved, lines};
use crate::scale::Scale;
use crate::server::RedisServer;
use crate::subjects::{self, Contender};
use crate::targets::FILLS;
use crate::user::FIRST_ID;

const TASKS: usize = 64;
const ROUNDS: usize = 3;

pub(super) async fn run(bench: &str, server: &RedisServer, scale: &Scale) -> Vec<Line> {
    let contenders = subjects::all(&server.url()).await;
    let mut control = subjects::connection(&server.url()).await;
    let keys = scale.fill_keys;
    // No two turns share a key: some subjects remember keys that the server has lost.
    let mut first = FIRST_ID;
    let samples = interleaved(bench, &contenders, scale.rounds_or(ROUNDS), async |contender: &dyn Contender| {
        flush(&mut control).await;
        let elapsed = contender.fill(first, keys, TASKS).await;
        first += keys;
        let stored: u64 = redis::cmd("DBSIZE").query_async(&mut control).await.expect("the server answers");
        if stored < keys {
            eprintln!("{bench}: {} stored {stored} of {keys}", contender.name());
        }
        keys as f64 / elapsed.as_secs_f64()
    })
    .await;
    flush(&mut control).await;
    lines(bench, FILLS, &samples)
}

/// In the background of the server, because dropping a full database may take longer than a command may.
async fn flush(control: &mut redis::aio::MultiplexedConnection) {
    redis::cmd("FLUSHALL").arg("ASYNC").exec_async(control).await.expect("the server answers");
}
