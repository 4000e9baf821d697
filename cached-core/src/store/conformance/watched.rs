//! Reads whose registers are watched from then on.
//!
//! A store that does not claim to tell of changes passes these cases.

use super::Subject;
use super::steps::{News, On, TTL, WITHIN, all, eventually, lease, value};
use crate::store::{Acquired, Key, Release, Watched};
use bytes::Bytes;
use std::time::Duration;

pub async fn a_watched_read_returns_the_remaining_time(on: On<impl Subject>) {
    if !on.can_watch() {
        return;
    }
    let _recorder = on.watch();
    let (_, a) = value(1, "a");
    on.put("a", &a).await;
    assert_eq!(on.acquire("leased", lease(1), TTL).await, Acquired::Granted);
    let leased = Bytes::copy_from_slice(lease(1).as_bytes());
    let Watched { registers, lives, .. } = on.get_watched(&["absent", "a", "leased", "a"], 2).await;
    assert_eq!(registers, [None, Some(a.clone()), Some(leased), Some(a.clone())]);
    assert_eq!(lives.len(), 2);
    assert_eq!(lives[0], Duration::ZERO);
    assert!(lives[1] <= TTL && lives[1] > TTL / 2, "{lives:?}");
    let Watched { registers, lives, .. } = on.get_watched(&["a"], 1).await;
    assert_eq!(registers, [Some(a)]);
    assert!(lives[0] <= TTL && lives[0] > TTL / 2, "{lives:?}");
    let Watched { registers, lives, .. } = on.get_watched(&["absent"], 0).await;
    assert_eq!((registers, lives), (vec![None], vec![]));
    let Watched { registers, lives, .. } = on.get_watched(&[], 1).await;
    assert_eq!((registers, lives), (vec![], vec![]));
}

pub async fn many_are_read(on: On<impl Subject>) {
    if !on.can_watch() {
        return;
    }
    let recorder = on.watch();
    let keys: Vec<String> = (0..1500).map(|n| format!("k{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for n in [0, 511, 512, 1499] {
        on.put(keys[n], keys[n].as_bytes()).await;
    }
    let Watched { registers, lives, .. } = on.get_watched(&keys, 600).await;
    assert_eq!((registers.len(), lives.len()), (1500, 600));
    for (n, register) in registers.iter().enumerate() {
        let expected = [0, 511, 512, 1499].contains(&n).then(|| Bytes::copy_from_slice(keys[n].as_bytes()));
        assert_eq!(*register, expected, "{n}");
    }
    for (n, life) in lives.iter().enumerate() {
        assert_eq!(*life > Duration::ZERO, [0, 511, 512].contains(&n), "{n}: {life:?}");
    }
    let told = on
        .news_of(&recorder, "k1499", async || {
            on.remove("k1499").await;
        })
        .await;
    assert!(told.contains(&News::Changed("k1499".to_owned())), "{told:?}");
}

pub async fn every_change_is_announced_before_it_is_confirmed(on: On<impl Subject>) {
    if !on.can_watch() {
        return;
    }
    let recorder = on.watch();
    let (head, bytes) = value(1, "value");
    let key = Key::from("k");
    let (on, key) = (&on, &key);
    on.tells(&recorder, "ACQUIRE of what is absent", async || {
        assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    })
    .await;
    on.tells(&recorder, "FILL", async || assert!(on.fill("k", lease(1), &bytes).await)).await;
    on.tells(&recorder, "a refresh", async || assert!(on.fill("k", head, &value(2, "new").1).await)).await;
    on.tells(&recorder, "INVALIDATE", async || assert!(on.remove("k").await)).await;
    on.tells(&recorder, "a plain write", async || on.put("k", &bytes).await).await;
    on.tells(&recorder, "INVALIDATE of several", async || on.remove_all(&["k"]).await).await;
    on.put("k", &bytes).await;
    on.tells(&recorder, "BEGIN", async || on.begin_with_token(lease(7), &["k"], TTL).await).await;
    on.tells(&recorder, "END", async || assert!(on.end_with(lease(7), &[("k", Some(&bytes))]).await)).await;
    on.tells(&recorder, "a sweep", async || assert_eq!(on.sweep("k").await, 1)).await;
    on.tells(&recorder, "TAG of what is absent", async || {
        assert_eq!(on.tag(&["k"], head).await, Some(vec![head]));
    })
    .await;
    on.remove("k").await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    on.tells(&recorder, "RELEASE", async || {
        assert!(on.store().release(Release::new(key, lease(1), WITHIN)).await.unwrap());
    })
    .await;
}

pub async fn reads_are_not_announced(on: On<impl Subject>) {
    if !on.can_watch() {
        return;
    }
    let recorder = on.watch();
    let (head, bytes) = value(1, "");
    on.put("k", &bytes).await;
    let told = on
        .news_of(&recorder, "k", async || {
            assert_eq!(on.get("k").await, Some(bytes.clone()));
            assert_eq!(on.get_all(&["k"]).await, [Some(bytes.clone())]);
            assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Value(bytes.clone()));
            assert_eq!(on.tag(&["k"], value(2, "").0).await.unwrap(), [head]);
            assert!(!on.store().release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
        })
        .await;
    assert!(!told.contains(&News::Changed("k".to_owned())), "{told:?}");
}

pub async fn each_watcher_is_notified_and_without_one_there_is_no_contact(on: On<impl Subject>) {
    if !on.can_watch() {
        return;
    }
    assert_eq!(on.read_watched(&all(&["k"]), 1).await.unwrap(), None);
    let first = on.watch();
    on.get_watched(&["k"], 1).await;
    // It comes when there already is contact.
    let second = on.watch();
    on.get_watched(&["k"], 1).await;
    assert_eq!(second.told().first(), Some(&News::Regained));
    on.put("k", b"x").await;
    for recorder in [&first, &second] {
        let changed = News::Changed("k".to_owned());
        eventually("it is told", async || recorder.told().contains(&changed)).await;
        let is_confirmed = |news: &News| matches!(news, News::Confirmed(_));
        eventually("it is confirmed", async || recorder.told().iter().any(is_confirmed)).await;
        let told = recorder.told();
        assert_eq!(told[0], News::Regained, "{told:?}");
        assert!(!told.contains(&News::Lost) && !told.contains(&News::AllChanged), "{told:?}");
    }
}
