//! Faults of a server: the steps do what they can.

use super::{On, Stage, Subject, TTL, WITHIN, lease, on_server, redis};
use cached_core::store::conformance::steps::{all, value, writer};
use cached_core::store::{Acquired, Begin, Each, End, Key, Put, RedisStore, RemoveAll, Store, Sweep, TagAll, Written};
use cached_core::{FaultKind, StoreError};
use std::sync::Arc;
use tests::RedisServer;

fn kind<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> FaultKind {
    answer.unwrap_err().kind
}

#[tokio::test]
async fn writes_need_no_memory() {
    let on = redis();
    let (_, new) = value(2, "new");
    let keys = ["a", "b", "c"];
    for key in keys {
        on.put(key, b"old").await;
    }
    on.begin_with_token(writer(1), &["a"], TTL).await;
    let _: () = on.server().send(&[b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction", b"maxmemory", b"1"]).await;
    let put = on.store().put(Put::new(&"k".into(), "x".into(), TTL, WITHIN)).await;
    assert_eq!(kind(put), FaultKind::OutOfMemory, "the server is out of memory");
    let tags = all(&["t"]);
    assert_eq!(kind(on.store().tag(TagAll::new(&tags, value(1, "").0, TTL, WITHIN)).await), FaultKind::OutOfMemory);

    on.begin_with_token(writer(1), &["a"], TTL).await;
    assert_eq!(on.get("a").await.unwrap(), writer(1).as_bytes(), "begun again, to extend");
    on.begin_with_token(writer(2), &["b", "absent"], TTL).await;
    for _ in 0..2 {
        on.begin(writer(3), &["without a token"], TTL).await;
    }
    assert_eq!(on.acquire("absent", lease(1), TTL).await, Acquired::Writing);
    assert!(on.end_with(writer(1), &[("a", Some(&new))]).await);
    assert_eq!(on.get("a").await.unwrap(), new);
    on.end(writer(2), &["b", "absent"]).await;
    on.end(writer(3), &["without a token"]).await;
    assert!(on.remove("a").await);
    on.remove_all(&["b"]).await;
    assert_eq!(on.sweep("c").await, 1);
    assert_eq!(on.get_all(&keys).await, [None, None, None]);
    let marked: i64 = on.server().send(&[b"EXISTS", b"{a}:w", b"{b}:w", b"{absent}:w", b"{without a token}:w"]).await;
    assert_eq!(marked, 0);
}

#[tokio::test]
async fn registers_in_several_slots_are_taken_one_by_one() {
    let on = on_server(RedisServer::cluster_node().await);
    let (_, new) = value(2, "new");
    let keys = ["a", "b", "{c}:1", "{c}:2"];
    for key in keys {
        on.put(key, key.as_bytes()).await;
    }
    let found = on.get_all(&["b", "absent", "a"]).await;
    assert_eq!(found, [Some("b".into()), None, Some("a".into())]);
    on.begin_with_token(writer(1), &keys, TTL).await;
    for key in keys {
        assert_eq!(on.get(key).await.unwrap(), writer(1).as_bytes());
        assert_eq!(on.acquire(key, lease(1), TTL).await, Acquired::Writing, "{key}");
    }
    assert_eq!(on.tag(&["a", "v"], value(1, "").0).await, None);
    assert!(!on.end_with(writer(1), &keys.map(|key| (key, Some(&new)))).await, "not as one");
    assert_eq!(on.get_all(&keys).await, [None, None, None, None]);
    on.begin_with_token(writer(1), &["a"], TTL).await;
    assert!(on.end_with(writer(1), &[("a", Some(&new))]).await, "a single one as everywhere");

    let fresh = value(3, "").0;
    assert_eq!(on.tag(&["b", "t", "{c}:1"], fresh).await.unwrap(), [fresh; 3]);
    assert_eq!(on.tag(&["u", "b"], value(4, "").0).await.unwrap(), [value(4, "").0, fresh]);
    on.remove_all(&["b", "a", "{c}:1"]).await;
    assert_eq!(on.get_all(&["b", "a", "{c}:1"]).await, [None, None, None]);
}

/// The server refuses the first of each kind.
#[tokio::test]
async fn the_first_step_in_several_slots_is_taken_as_well() {
    let (_, new) = value(2, "new");
    let server = RedisServer::cluster_node().await;
    let on = async || {
        let store = RedisStore::new(&server.url()).unwrap();
        store.put(Put::new(&"a".into(), new.clone(), TTL, WITHIN)).await.unwrap();
        store
    };
    let keys = all(&["a", "b"]);
    let is_there = async |key: &str| server.send::<bool>(&[b"EXISTS", key.as_bytes()]).await;
    on().await.remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap().whole().unwrap();
    assert!(!is_there("a").await);
    on().await.begin(Begin::new(writer(1), &keys, TTL, WITHIN)).await.unwrap().whole().unwrap();
    assert!(!is_there("a").await && is_there("{a}:w").await && is_there("{b}:w").await);
    let written = keys.iter().map(|key| Written::nothing(Key::clone(key)));
    let written: Vec<_> = written.collect();
    let ended = on().await.end(End::new(writer(1), &written, WITHIN)).await.unwrap();
    assert!(!ended.put && ended.keys.whole().is_ok());
    assert!(!is_there("a").await && !is_there("{a}:w").await && !is_there("{b}:w").await);
    let stamps = on().await.tag(TagAll::new(&keys, value(5, "").0, TTL, WITHIN)).await.unwrap();
    assert_eq!(stamps.whole().unwrap(), [Some(value(5, "").0); 2]);
    on().await;
    for key in 0..100 {
        let _: () = server.send(&[b"SET", format!("n:{key}").as_bytes(), b"x"]).await;
    }
    let store = on().await;
    let swept = store.sweep(Sweep::new("n:", WITHIN)).await.unwrap();
    assert_eq!((swept.next, swept.removed), (None, 100));
    assert_eq!(server.send::<i64>(&[b"DBSIZE"]).await, 2);
}

#[tokio::test]
async fn scripts_are_sent_again_when_the_server_has_lost_them() {
    let on = redis();
    let (_, new) = value(2, "new");
    for id in 1..4 {
        let fresh = value(id, "").0;
        assert_eq!(on.tag(&["t"], fresh).await.unwrap(), [fresh]);
        on.begin_with_token(writer(id), &["k", "t"], TTL).await;
        assert!(on.end_with(writer(id), &[("k", Some(&new)), ("t", None)]).await);
        assert_eq!(on.get("k").await.unwrap(), new);
        let _: String = on.server().send(&[b"SCRIPT", b"FLUSH"]).await;
    }
}

#[tokio::test]
async fn a_user_who_may_not_mget_reads_one_by_one() {
    let on = redis();
    let _: () = on.server().send(&[b"ACL", b"SETUSER", b"default", b"-mget"]).await;
    let _: i64 = on.server().send(&[b"RPUSH", b"list", b"item"]).await;
    let (_, bytes) = value(1, "x");
    on.put("k", &bytes).await;
    for _ in 0..2 {
        assert_eq!(
            on.get_all(&["absent", "k", "list", "k"]).await,
            [None, Some(bytes.clone()), None, Some(bytes.clone())]
        );
    }
    assert_eq!(on.get_all(&[]).await, []);
}

/// A refusal for another reason is not mistaken for a refusal of several registers.
#[tokio::test]
async fn a_refused_step_is_tried_again() {
    let on = redis();
    let (_, new) = value(2, "new");
    let keys = all(&["a", "b"]);
    let _: () = on.server().send(&[b"ACL", b"SETUSER", b"default", b"-zadd", b"-unlink", b"-del", b"-set"]).await;
    assert_eq!(
        kind(on.store().begin(Begin::new(writer(1), &keys, TTL, WITHIN).with_token(true)).await),
        FaultKind::Refused
    );
    assert_eq!(kind(on.store().remove_all(RemoveAll::new(&keys, WITHIN)).await), FaultKind::Refused);
    assert_eq!(kind(on.store().tag(TagAll::new(&keys, value(1, "").0, TTL, WITHIN)).await), FaultKind::Refused);
    let _: () = on.server().send(&[b"ACL", b"SETUSER", b"default", b"+@all"]).await;
    on.begin_with_token(writer(2), &["a", "b"], TTL).await;
    assert!(on.end_with(writer(2), &[("a", Some(&new)), ("b", Some(&new))]).await, "as one");
    let monitor = on.server().monitor().await;
    on.remove_all(&["a", "b"]).await;
    assert!(on.tag(&["a", "b"], value(1, "").0).await.is_some());
    let seen = monitor.stop(on.server()).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
}

/// The user may not write one of three registers.
#[tokio::test]
async fn a_register_that_is_refused_fails_alone() {
    let on = redis();
    let _: () = on.server().send(&[b"ACL", b"SETUSER", b"default", b"resetkeys", b"~mine:*", b"~{mine:*"]).await;
    let keys = all(&["mine:a", "theirs", "mine:b"]);
    let refused = |each: Each<()>| {
        let faults: Vec<_> = each.faults().map(|(at, error)| (at, error.kind)).collect();
        assert_eq!(faults, [(1, FaultKind::Refused)]);
    };
    for key in ["mine:a", "mine:b"] {
        on.put(key, b"x").await;
    }
    refused(on.store().remove_all(RemoveAll::new(&keys, WITHIN)).await.unwrap());
    assert_eq!(on.get_all(&["mine:a", "mine:b"]).await, [None, None]);
    refused(on.store().begin(Begin::new(writer(1), &keys, TTL, WITHIN)).await.unwrap());
    for key in ["mine:a", "mine:b"] {
        assert_eq!(on.acquire(key, lease(1), TTL).await, Acquired::Writing);
    }
    // A fresh stamp is sent once, so it is not tried for each tag on its own.
    assert_eq!(kind(on.store().tag(TagAll::new(&keys, value(1, "").0, TTL, WITHIN)).await), FaultKind::Refused);
    let written: Vec<_> = keys.iter().cloned().map(Written::nothing).collect();
    refused(on.store().end(End::new(writer(1), &written, WITHIN)).await.unwrap().keys);
    assert_eq!(on.acquire("mine:b", lease(1), TTL).await, Acquired::Granted);
}

#[tokio::test]
async fn another_type_under_a_register_does_not_hinder_a_write() {
    let on = redis();
    let (_, new) = value(2, "new");
    let plant = async |key: &[u8]| {
        let _: i64 = on.server().send(&[b"DEL", key]).await;
        let _: i64 = on.server().send(&[b"RPUSH", key, b"item"]).await;
    };
    plant(b"k").await;
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert_eq!(on.get("k").await.unwrap(), writer(1).as_bytes());
    plant(b"k").await;
    // Again, to extend.
    on.begin_with_token(writer(1), &["k", "other"], TTL).await;
    assert!(on.server().send::<bool>(&[b"EXISTS", b"{other}:w"]).await);
    assert!(!on.end_with(writer(1), &[("k", Some(&new)), ("other", Some(&new))]).await);
    assert_eq!(on.get_all(&["k", "other"]).await, [None, None]);
    plant(b"k").await;
    on.end(writer(1), &["k"]).await;
    assert!(!on.server().send::<bool>(&[b"EXISTS", b"k", b"{k}:w", b"{other}:w"]).await);
}

/// A foreign key whose name is not text does not keep the others from being swept.
#[tokio::test]
async fn keys_that_are_no_text_are_swept() {
    let on = redis();
    let _: () = on.server().send(&[b"SET", b"n:\xff\xfe", b"x"]).await;
    on.put("n:k", b"x").await;
    assert_eq!(on.sweep("n:").await, 2);
    assert_eq!(on.server().send::<i64>(&[b"DBSIZE"]).await, 0);
}

/// There are many tags, one for each cached row.
#[tokio::test]
async fn a_tag_takes_little_memory() {
    let on = redis();
    let tag = "shop:e:UserUpdated:42";
    assert!(on.tag(&[tag], value(1, "").0).await.is_some());
    let bytes: u64 = on.server().send(&[b"MEMORY", b"USAGE", tag.as_bytes()]).await;
    assert!(bytes < 120, "{bytes} bytes");
}

/// An empty request is not a fault of the server.
#[tokio::test]
async fn after_nothing_was_asked_for_several_are_still_asked_for_at_once() {
    let on = redis();
    assert_eq!(on.get_all(&[]).await, []);
    on.remove_all(&[]).await;
    let monitor = on.server().monitor().await;
    assert_eq!(on.get_all(&["a", "b"]).await, [None, None]);
    on.remove_all(&["a", "b"]).await;
    assert_eq!(monitor.stop(on.server()).await.len(), 2);
}

#[tokio::test]
async fn a_user_who_may_only_what_writes_need() {
    let rights = "+get +mget +set +unlink +eval +evalsha +exists +del +pttl +pexpire +pexpireat +getrange +time \
                  +zadd +zrem +zscore +zrange +zremrangebyscore +scan";
    let user = ["--user", "writer", "on", ">pw", "~n:*", "~{n:*"].into_iter().chain(rights.split_ascii_whitespace());
    let server = RedisServer::start_with(&user.collect::<Vec<_>>());
    let store = RedisStore::new(&format!("redis://writer:pw@127.0.0.1:{}/", server.port())).unwrap();
    let On(stage) = on_server(server);
    let on = On(Stage { store: Arc::new(store), ..stage });
    let (_, new) = value(2, "new");
    assert!(on.tag(&["n:t", "n:u"], value(1, "").0).await.is_some());
    on.begin_with_token(writer(1), &["n:k", "n:t"], TTL).await;
    assert_eq!(on.acquire("n:k", lease(1), TTL).await, Acquired::Writing);
    assert!(on.end_with(writer(1), &[("n:k", Some(&new)), ("n:t", None)]).await);
    assert_eq!(on.get_all(&["n:k", "n:t"]).await, [Some(new), None]);
    on.remove_all(&["n:t", "n:u"]).await;
    assert_eq!(on.sweep("n:").await, 1);
}
