//! Reads whose registers are watched from then on: stores that cannot, and servers.

use super::{On, Stage, memory, on_server, redis};
use bytes::Bytes;
use cached_core::store::conformance::steps::{News, all};
use cached_core::store::{Capabilities, Store};
use std::sync::Arc;
use std::time::Duration;

/// A user's own store, written without near caches in mind.
#[derive(Debug)]
struct Unaware {
    store: Arc<dyn Store>,
}

impl Store for Unaware {
    fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::none()
    }

    tests::forward!(store: name, domain, get, acquire, renew, fill, release, put, remove, get_all, remove_all, tag, begin, end, sweep, ping);
}

#[tokio::test]
async fn a_store_that_does_not_watch_says_so() {
    let On(stage) = memory();
    let on = On(Stage { store: Arc::new(Unaware { store: stage.store }), ..stage });
    let recorder = on.watch();
    on.put("k", b"x").await;
    assert_eq!(on.read_watched(&all(&["k"]), 1).await.unwrap(), None);
    assert_eq!(recorder.told(), []);
}

#[tokio::test]
async fn redis_says_when_another_type_stands_under_the_key_that_is_watched() {
    let on = redis();
    let _recorder = on.watch();
    on.get_watched(&["k"], 1).await;
    on.put("a", b"a").await;
    let _: i64 = on.server().send(&[b"RPUSH", b"k", b"item"]).await;
    let error = on.read_watched(&all(&["k"]), 1).await.unwrap_err();
    assert_eq!(error.kind, cached_core::FaultKind::WrongType, "{error}");
    let watched = on.get_watched(&["k", "a"], 1).await;
    assert_eq!(watched.registers, [None, Some(Bytes::from_static(b"a"))]);
}

/// One register that never expires, and one that does: a register that lives for ever is not this library's.
#[tokio::test]
async fn redis_values_that_live_for_ever_live_for_no_time() {
    let on = redis();
    let _recorder = on.watch();
    let _: String = on.server().send(&[b"SET", b"k", b"x"]).await;
    let watched = on.get_watched(&["k"], 1).await;
    assert_eq!(watched.lives, [Duration::ZERO]);
}

/// The server refuses MGET over several slots, so each register is read on its own.
#[tokio::test]
async fn a_node_of_a_cluster_announces_changes_in_all_slots() {
    let on = on_server(tests::RedisServer::cluster_node().await);
    let recorder = on.watch();
    on.put("a", b"a").await;
    on.put("b", b"b").await;
    let watched = on.get_watched(&["a", "b", "absent"], 1).await;
    assert_eq!(watched.registers, [Some(Bytes::from_static(b"a")), Some(Bytes::from_static(b"b")), None]);
    assert!(watched.lives[0] > Duration::ZERO);
    for key in ["a", "b", "absent"] {
        let told = on.news_of(&recorder, key, async || on.put(key, b"new").await).await;
        assert!(told.contains(&News::Changed(key.to_owned())), "{told:?}");
    }
}
