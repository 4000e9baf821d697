//! A sweep of a server on which others work meanwhile.

use super::{On, Stage, Subject, TTL, WITHIN, redis};
use cached_core::store::{Key, Put, RemoveAll, Sweep, Swept};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::RedisServer;

const KEYS: u32 = 50_000;

/// The time of the server's processor that a stretch may take; others would notice more.
const STRETCH: Duration = Duration::from_millis(20);

/// Puts and removes keys of its own, under the prefix and elsewhere, so that the server's table grows and shrinks.
async fn busy(on: &On<Stage>, stop: &AtomicBool) {
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let keys: Vec<Key> = (0..50).map(|i| Key::from(format!("n:late:{round}:{i}"))).collect();
        for key in &keys {
            on.store().put(Put::new(key, "x".into(), TTL, WITHIN)).await.unwrap();
            on.store().put(Put::new(&format!("other:{key}").into(), "x".into(), TTL, WITHIN)).await.unwrap();
        }
        if round % 2 == 1 {
            on.store().remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap().whole().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_of_a_busy_server_is_complete_and_holds_nobody_up() {
    let on = Arc::new(redis());
    let server = on.server();
    let fill = "redis.call('SET', 'n:k' .. i, 'x'); redis.call('SET', 'o:k' .. i, 'x')";
    each_key(server, fill).await;
    let before = processor_time(server).await;

    let stop = Arc::new(AtomicBool::new(false));
    let others = tokio::spawn({
        let (on, stop) = (Arc::clone(&on), Arc::clone(&stop));
        async move { busy(&on, &stop).await }
    });
    let (mut from, mut stretches, mut most) = (None, 0_u32, 0);
    loop {
        let Swept { next, removed, .. } = on.store().sweep(Sweep::new("n:", WITHIN).from(from)).await.unwrap();
        stretches += 1;
        most = most.max(removed);
        from = next;
        if from.is_none() {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    others.await.unwrap();

    // This includes the work of the other clients.
    let each = processor_time(server).await.saturating_sub(before) / stretches;
    assert!(each < STRETCH, "{stretches} stretches took {each:?} each");
    assert!(most <= 2_000, "one stretch removed {most}");
    let count = "n[1] = n[1] + redis.call('EXISTS', 'n:k' .. i); n[2] = n[2] + redis.call('EXISTS', 'o:k' .. i)";
    assert_eq!(each_key(server, count).await, (0, KEYS));
}

/// The processor time that the server has used; it grows no faster on a busy machine.
async fn processor_time(server: &RedisServer) -> Duration {
    let info: String = server.send(&[b"INFO", b"cpu"]).await;
    let used = info.lines().filter(|line| line.starts_with("used_cpu_user:") || line.starts_with("used_cpu_sys:"));
    used.filter_map(|line| line.split_once(':')?.1.trim().parse().ok()).map(Duration::from_secs_f64).sum()
}

/// Runs this in the server for each number of a key, in short steps. Returns the sums of `n`.
async fn each_key(server: &RedisServer, step: &str) -> (u32, u32) {
    let script = format!("local n = {{0, 0}}; for i = ARGV[1], ARGV[2] do {step} end; return n");
    let (mut all, mut connection) = ((0, 0), server.connection().await);
    for first in (0..KEYS).step_by(200) {
        let (a, b): (u32, u32) = ::redis::cmd("EVAL")
            .arg(&script)
            .arg(0)
            .arg(first)
            .arg(first + 199)
            .query_async(&mut connection)
            .await
            .unwrap();
        all = (all.0 + a, all.1 + b);
    }
    all
}
