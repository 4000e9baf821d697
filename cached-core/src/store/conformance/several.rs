//! Steps that take several registers at once, and tags.

use super::Subject;
use super::steps::{On, TTL, WITHIN, all, lease, stamp, value};
use crate::store::{Acquired, TagAll};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

pub async fn several_are_read_in_their_order(on: On<impl Subject>) {
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

pub async fn any_number_is_read_at_once(on: On<impl Subject>) {
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

pub async fn several_are_removed_and_no_other(on: On<impl Subject>) {
    let (_, bytes) = value(1, "x");
    on.put("a", &bytes).await;
    on.put("kept", &bytes).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    on.remove_all(&["a", "leased", "absent"]).await;
    on.remove_all(&[]).await;
    assert_eq!(on.get_all(&["a", "leased", "kept"]).await, [None, None, Some(bytes.clone())]);
    assert!(!on.fill("leased", lease(1), &bytes).await, "its lease was removed");
}

pub async fn tags_are_created_once(on: On<impl Subject>) {
    assert_eq!(on.tag(&["a", "b"], stamp(1)).await.unwrap(), [stamp(1); 2]);
    assert_eq!(on.tag(&["b", "c", "a"], stamp(2)).await.unwrap(), [stamp(1), stamp(2), stamp(1)]);
    assert_eq!(on.get("a").await.unwrap(), stamp(1).as_bytes());
    on.remove_all(&["a", "c"]).await;
    assert_eq!(on.tag(&["a", "b", "c"], stamp(3)).await.unwrap(), [stamp(3), stamp(1), stamp(3)]);
    assert_eq!(on.tag(&["d", "d"], stamp(4)).await.unwrap(), [stamp(4); 2]);
    assert_eq!(on.tag(&[], stamp(5)).await.unwrap(), []);
}

/// Their time is 60 seconds.
pub async fn tags_live_on_while_they_are_used(on: On<impl Subject>) {
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

pub async fn no_tag_is_taken_while_one_of_them_is_written(on: On<impl Subject>) {
    let marker = Duration::from_millis(300);
    on.begin(lease(9), &["b"], TTL).await;
    assert_eq!(on.tag(&["a", "b", "c"], stamp(1)).await, None);
    if on.takes_keys_at_once() {
        assert_eq!(on.get_all(&["a", "b", "c"]).await, [None, None, None], "some were created");
    }
    assert_eq!(on.tag(&["a", "c"], stamp(1)).await.unwrap(), [stamp(1); 2]);
    assert_eq!(on.tag(&["a", "b"], stamp(2)).await, None, "another one is there already");
    on.end(lease(9), &["b"]).await;
    assert_eq!(on.tag(&["a", "b"], stamp(2)).await.unwrap(), [stamp(1), stamp(2)]);

    on.begin(lease(9), &["b"], marker).await;
    assert_eq!(on.tag(&["b"], stamp(3)).await, None);
    on.pass(marker).await;
    assert_eq!(on.tag(&["b"], stamp(3)).await.unwrap(), [stamp(3)], "BEGIN ended the generation before");
}

pub async fn a_register_that_is_not_a_tag_is_replaced(on: On<impl Subject>) {
    let long = value(1, "a value with a payload").1;
    for (i, foreign) in (10..).zip([&b""[..], b"x", b"Vshort", &long, lease(1).as_bytes(), b"of seventeen byte"]) {
        on.put("t", foreign).await;
        assert_eq!(on.tag(&["t"], stamp(i)).await.unwrap(), [stamp(i)], "{foreign:?}");
        assert_eq!(on.get("t").await.unwrap(), stamp(i).as_bytes());
        on.age("t", TTL / 2 + Duration::from_secs(1)).await;
        assert!(on.get("t").await.is_some());
    }
}

/// At any moment a tag has one stamp for all who ask.
pub async fn all_who_ask_at_once_get_the_same_stamp(on: On<impl Subject>) {
    let mut asking = tokio::task::JoinSet::new();
    for id in 0..100 {
        let store = Arc::clone(on.store());
        asking.spawn(async move {
            store.tag(TagAll::new(&all(&["x", "y"]), stamp(id), TTL, WITHIN)).await.unwrap().whole().unwrap()
        });
    }
    let stamps = asking.join_all().await;
    assert!(stamps.iter().all(|of| of == &stamps[0] && of[0] == of[1]), "{stamps:?}");
}
