//! Several registers at once, and tags, on a server.

use super::redis;
use cached_core::store::conformance::steps::{stamp, value};

#[tokio::test]
async fn redis_counts_another_type_as_none() {
    let on = redis();
    let _: i64 = on.server().send(&[b"RPUSH", b"list", b"item"]).await;
    let (_, bytes) = value(1, "x");
    on.put("k", &bytes).await;
    assert_eq!(on.get_all(&["list", "k"]).await, [None, Some(bytes)]);
    assert_eq!(on.tag(&["list", "t"], stamp(2)).await.unwrap(), [stamp(2); 2]);
    assert_eq!(on.get("list").await.unwrap(), stamp(2).as_bytes());
    let _: i64 = on.server().send(&[b"RPUSH", b"another", b"item"]).await;
    on.remove_all(&["another"]).await;
    assert_eq!(on.server().send::<i64>(&[b"EXISTS", b"another"]).await, 0);
}

#[tokio::test]
async fn redis_gives_a_persistent_tag_an_end() {
    let on = redis();
    assert_eq!(on.tag(&["t"], stamp(1)).await.unwrap(), [stamp(1)]);
    let _: i64 = on.server().send(&[b"PERSIST", b"t"]).await;
    assert_eq!(on.tag(&["t"], stamp(2)).await.unwrap(), [stamp(1)]);
    let left: i64 = on.server().send(&[b"PTTL", b"t"]).await;
    assert!((50_000..=60_000).contains(&left), "{left} ms");
}
