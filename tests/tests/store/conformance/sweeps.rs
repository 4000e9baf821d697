//! Sweeps: all registers under a prefix, and nothing else.

use super::{Subject, TTL, WITHIN, lease, value};
use cached_core::store::{Acquired, Key, Put, RemoveAll, Sweep, Swept};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::RedisServer;

/// A prefix, and a foreign key that the prefix would match if it were a pattern.
const NOT_PATTERNS: [(&str, &str); 6] =
    [("n*:", "nnn:1"), ("n?:", "nx:1"), ("n[ab]:", "na:1"), ("n[^a]:", "nb:1"), ("n[a-c]:", "nb:1"), ("n\\*:", "n*:1")];

async fn a_prefix_is_text(on: Subject) {
    for (prefix, others) in NOT_PATTERNS {
        let own = format!("{prefix}1");
        let longer = format!("x{prefix}1");
        for key in [own.as_str(), others, &longer, &prefix[..prefix.len() - 1]] {
            on.put(key, b"x").await;
        }
        assert_eq!(on.sweep(prefix).await, 1, "{prefix}");
        assert_eq!(on.get(&own).await, None, "{prefix}");
        for key in [others, &longer, &prefix[..prefix.len() - 1]] {
            assert!(on.get(key).await.is_some(), "{prefix} took {key} along");
        }
    }
    assert!(on.sweep("").await > 0);
    assert_eq!(on.sweep("").await, 0, "the empty prefix is that of all");
}

async fn leases_and_tags_are_swept_and_markers_stay(on: Subject) {
    let writer = lease(0xff);
    let marked = ["n:k:a", "n:k:{b}:c"];
    on.begin_with_token(writer, &marked, TTL).await;
    assert_eq!(on.acquire("n:k:leased", lease(1), TTL).await, Acquired::Granted);
    assert!(on.tag(&["n:k:#tag"], value(1, "").0).await.is_some());
    on.put("n:k:k", b"x").await;
    on.put("n:v2:k", b"x").await;
    assert_eq!(on.sweep("n:k:").await, 5);
    let gone = ["n:k:leased", "n:k:#tag", "n:k:k", marked[0], marked[1]];
    assert!(on.get_all(&gone).await.iter().all(Option::is_none));
    assert!(on.get("n:v2:k").await.is_some());
    assert!(!on.fill("n:k:leased", lease(1), &value(2, "late").1).await);
    // Not even a sweep of all keys of the server removes it.
    on.sweep("").await;
    for key in marked {
        assert_eq!(on.acquire(key, lease(2), TTL).await, Acquired::Writing, "{key}");
    }
    on.end(writer, &marked).await;
    for key in marked {
        assert_eq!(on.acquire(key, lease(2), TTL).await, Acquired::Granted, "{key}");
    }
}

async fn many_are_swept(on: Subject) {
    for i in 0..3_000 {
        on.put(&format!("n:{}:{i}", i % 2), b"x").await;
    }
    assert_eq!(on.sweep("n:0:").await, 1_500);
    for i in 0..3_000 {
        assert_eq!(on.get(&format!("n:{}:{i}", i % 2)).await.is_some(), i % 2 == 1, "{i}");
    }
}

async fn expired_entries_are_not_counted(on: Subject) {
    let short = std::time::Duration::from_millis(50);
    on.store.put(Put::new(&"n:short".into(), "x".into(), short, WITHIN)).await.unwrap();
    on.put("n:long", b"x").await;
    on.expires("n:short", short).await;
    assert_eq!(on.sweep("n:").await, 1);
}

/// A companion of a register has the register's key in braces, so that both stand in one slot.
async fn companions_are_swept_with_their_registers(on: Subject) {
    for key in ["n:k:a", "{n:k:a}:companion", "n:k:{b}:c:{companion}", "{n:k:gone}:companion"] {
        on.put(key, b"x").await;
    }
    let others = ["{other}n:k:a", "{{n:k:a}:companion", "o:{n:k:a}:companion", "{n:t:a}:companion"];
    for key in others {
        on.put(key, b"x").await;
    }
    assert_eq!(on.sweep("n:k:").await, 4);
    for key in others {
        assert!(on.get(key).await.is_some(), "it took {key} along");
    }
}

on_every_store! {
    a_prefix_is_text
    companions_are_swept_with_their_registers
    leases_and_tags_are_swept_and_markers_stay
    many_are_swept
    expired_entries_are_not_counted
}

const KEYS: u32 = 50_000;
/// The time of the server's processor that a stretch may take; others would notice more.
const STRETCH: Duration = Duration::from_millis(20);

/// Puts and removes keys of its own, under the prefix and elsewhere, so that the server's table grows and shrinks.
async fn busy(on: &Subject, stop: &AtomicBool) {
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let keys: Vec<Key> = (0..50).map(|i| Key::from(format!("n:late:{round}:{i}"))).collect();
        for key in &keys {
            on.store.put(Put::new(key, "x".into(), TTL, WITHIN)).await.unwrap();
            on.store.put(Put::new(&format!("other:{key}").into(), "x".into(), TTL, WITHIN)).await.unwrap();
        }
        if round % 2 == 1 {
            on.store.remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_of_a_busy_server_is_complete_and_holds_nobody_up() {
    let on = Arc::new(Subject::redis());
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
        let Swept { next, removed, .. } = on.store.sweep(Sweep::new("n:", WITHIN).from(from)).await.unwrap();
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
