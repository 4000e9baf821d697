//! Steps that take several registers at once, and tags.

use super::{Subject, TTL, WITHIN, all, lease, value};
use bytes::Bytes;
use cached_core::store::{Acquired, Head, Tag};
use std::time::Duration;

fn stamp(id: u8) -> Head {
    value(id, "").0
}

impl Subject {
    /// Ages one register by this time; all others as well where time can be moved.
    async fn age(&self, key: &str, by: Duration) {
        self.clock.advance(by);
        if let Some(server) = &self.server {
            let left: i64 = server.send(&[b"PTTL", key.as_bytes()]).await;
            let left = left - i64::try_from(by.as_millis()).unwrap();
            let _: i64 = server.send(&[b"PEXPIRE", key.as_bytes(), left.to_string().as_bytes()]).await;
        }
    }
}

async fn several_are_read_in_their_order(on: Subject) {
    let (_, a) = value(1, "a");
    let (_, b) = value(2, "b");
    on.put("a", &a).await;
    on.put("b", &b).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    let leased = Bytes::copy_from_slice(lease(1).as_bytes());
    let (a, b) = (Some(a), Some(b));
    assert_eq!(
        on.get_all(&["b", "absent", "a", "leased", "b"]).await,
        [b.clone(), None, a.clone(), Some(leased), b.clone()]
    );
    assert_eq!(on.get_all(&["a"]).await, [a]);
    assert_eq!(on.get_all(&[]).await, []);
    // An empty request does no harm.
    assert_eq!(on.get_all(&["b", "absent"]).await, [b, None]);
}

async fn any_number_is_read_at_once(on: Subject) {
    let names: Vec<String> = (0..700).map(|i| format!("k{i}")).collect();
    for i in [0, 256, 257, 512, 699] {
        on.put(&names[i], names[i].as_bytes()).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = on.get_all(&names).await;
    assert_eq!(found.len(), 700);
    for (i, found) in found.iter().enumerate() {
        let expected = [0, 256, 257, 512, 699].contains(&i).then(|| Bytes::copy_from_slice(names[i].as_bytes()));
        assert_eq!(*found, expected, "{i}");
    }
}

async fn several_are_removed_and_no_other(on: Subject) {
    let (_, bytes) = value(1, "x");
    on.put("a", &bytes).await;
    on.put("kept", &bytes).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    on.remove_all(&["a", "leased", "absent"]).await;
    on.remove_all(&[]).await;
    assert_eq!(on.get_all(&["a", "leased", "kept"]).await, [None, None, Some(bytes.clone())]);
    assert!(!on.fill("leased", lease(1), &bytes).await, "its lease was removed");
}

async fn tags_are_created_once(on: Subject) {
    assert_eq!(on.tag(&["a", "b"], stamp(1)).await.unwrap(), [stamp(1); 2]);
    assert_eq!(on.tag(&["b", "c", "a"], stamp(2)).await.unwrap(), [stamp(1), stamp(2), stamp(1)]);
    assert_eq!(on.get("a").await.unwrap(), stamp(1).as_bytes());
    on.remove_all(&["a", "c"]).await;
    assert_eq!(on.tag(&["a", "b", "c"], stamp(3)).await.unwrap(), [stamp(3), stamp(1), stamp(3)]);
    assert_eq!(on.tag(&["d", "d"], stamp(4)).await.unwrap(), [stamp(4); 2]);
    assert_eq!(on.tag(&[], stamp(5)).await.unwrap(), []);
}

/// Their time is 60 seconds.
async fn tags_live_on_while_they_are_used(on: Subject) {
    let seconds = Duration::from_secs;
    assert_eq!(on.tag(&["t"], stamp(1)).await.unwrap(), [stamp(1)]);
    on.age("t", seconds(28)).await;
    assert_eq!(on.tag(&["t"], stamp(2)).await.unwrap(), [stamp(1)]);
    on.age("t", seconds(33)).await;
    assert_eq!(on.tag(&["t"], stamp(2)).await.unwrap(), [stamp(2)], "more than half was left: not extended");

    on.age("t", seconds(31)).await;
    assert_eq!(on.tag(&["t"], stamp(3)).await.unwrap(), [stamp(2)]);
    on.age("t", seconds(58)).await;
    assert_eq!(on.tag(&["t"], stamp(3)).await.unwrap(), [stamp(2)], "less than half was left: extended in full");
}

async fn no_tag_is_taken_while_one_of_them_is_written(on: Subject) {
    let marker = Duration::from_millis(300);
    on.begin(lease(9), &["b"], TTL).await;
    assert_eq!(on.tag(&["a", "b", "c"], stamp(1)).await, None);
    assert_eq!(on.get_all(&["a", "b", "c"]).await, [None, None, None], "some were created");
    assert_eq!(on.tag(&["a", "c"], stamp(1)).await.unwrap(), [stamp(1); 2]);
    assert_eq!(on.tag(&["a", "b"], stamp(2)).await, None, "another one is there already");
    on.end(lease(9), &["b"]).await;
    assert_eq!(on.tag(&["a", "b"], stamp(2)).await.unwrap(), [stamp(1), stamp(2)]);

    on.begin(lease(9), &["b"], marker).await;
    assert_eq!(on.tag(&["b"], stamp(3)).await, None);
    on.pass(marker).await;
    assert_eq!(on.tag(&["b"], stamp(3)).await.unwrap(), [stamp(3)], "BEGIN ended the generation before");
}

async fn a_register_that_is_not_a_tag_is_replaced(on: Subject) {
    let long = value(1, "a value with a payload").1;
    for (i, foreign) in (10..).zip([&b""[..], b"x", b"Vshort", &long, lease(1).as_bytes(), b"of seventeen byte"]) {
        on.put("t", foreign).await;
        assert_eq!(on.tag(&["t"], stamp(i)).await.unwrap(), [stamp(i)], "{foreign:?}");
        assert_eq!(on.get("t").await.unwrap(), stamp(i).as_bytes());
        on.age("t", TTL / 2 + Duration::from_secs(1)).await;
        assert!(on.get("t").await.is_some());
    }
}

on_every_store! {
    several_are_read_in_their_order
    any_number_is_read_at_once
    several_are_removed_and_no_other
    tags_are_created_once
    tags_live_on_while_they_are_used
    no_tag_is_taken_while_one_of_them_is_written
    a_register_that_is_not_a_tag_is_replaced
}

#[tokio::test]
async fn redis_counts_another_type_as_none() {
    let on = Subject::redis();
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
    let on = Subject::redis();
    assert_eq!(on.tag(&["t"], stamp(1)).await.unwrap(), [stamp(1)]);
    let _: i64 = on.server().send(&[b"PERSIST", b"t"]).await;
    assert_eq!(on.tag(&["t"], stamp(2)).await.unwrap(), [stamp(1)]);
    let left: i64 = on.server().send(&[b"PTTL", b"t"]).await;
    assert!((50_000..=60_000).contains(&left), "{left} ms");
}

/// Others remove and create the register all the time. At any moment it has one stamp for all who ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_ask_at_once_get_the_same_stamp() {
    for on in [Subject::memory(), Subject::redis()] {
        let mut asking = tokio::task::JoinSet::new();
        for id in 0..100 {
            let store = std::sync::Arc::clone(&on.store);
            asking.spawn(async move {
                store.tag(Tag::new(&all(&["x", "y"]), stamp(id), TTL, WITHIN)).await.unwrap().unwrap()
            });
        }
        let stamps = asking.join_all().await;
        assert!(stamps.iter().all(|of| of == &stamps[0] && of[0] == of[1]), "{}: {stamps:?}", on.store.name());
    }
}
