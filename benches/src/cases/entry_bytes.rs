//! The size of an entry in Redis.

use crate::report::Line;
use crate::server::RedisServer;
use crate::subjects::{self, FLOOR, Floor, OURS};
use crate::targets::ENTRY;
use crate::user::FIRST_ID;

pub(super) async fn run(bench: &str, server: &RedisServer) -> Vec<Line> {
    for contender in subjects::both(&server.url()).await {
        contender.prime(1).await;
    }
    let mut control = subjects::connection(&server.url()).await;
    let mut usage = async |key: &str| -> f64 {
        let bytes: Option<u64> =
            redis::cmd("MEMORY").arg("USAGE").arg(key).query_async(&mut control).await.expect("the server answers");
        bytes.unwrap_or_else(|| panic!("nothing under {key}")) as f64
    };
    let by_hand = Floor::key(FIRST_ID);
    let (ours, floor) = (usage(&by_hand.replace("floor", "bench")).await, usage(&by_hand).await);
    vec![Line::new(bench, OURS, ours, ENTRY, Some(ours / floor)), Line::new(bench, FLOOR, floor, ENTRY, Some(1.0))]
}
