//! BEGIN with a token: the writer may put its value at the end if nobody else has touched the register since.

use super::Subject;
use super::steps::{On, TTL, WITHIN, lease, value, writer};
use crate::store::{Acquired, Head, Release, Written};
use bytes::Bytes;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);

async fn has_token(on: &On<impl Subject>, key: &str, writer: Head) -> bool {
    on.get(key).await.is_some_and(|register| register == writer.as_bytes())
}

pub async fn a_writer_without_overlap_puts(on: On<impl Subject>) {
    let (_, new) = value(2, "new");
    on.put("k", &value(1, "old").1).await;
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert!(has_token(&on, "k", writer(1)).await);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing, "nobody waits for a write as for a load");
    assert!(has_token(&on, "k", writer(1)).await);
    assert!(on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert_eq!(on.get("k").await.unwrap(), new);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Value(new));
    on.remove("k").await;
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted, "the marker is gone");
}

pub async fn a_put_value_expires(on: On<impl Subject>) {
    on.begin_with_token(writer(1), &["k"], TTL).await;
    let written = [Written::value("k".into(), value(1, "new").1, SHORT)];
    assert!(on.ends(writer(1), &written).await);
    assert!(on.get("k").await.is_some());
    on.expires("k", SHORT).await;
}

pub async fn without_a_token_nothing_is_put(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    on.begin(writer(1), &["k"], TTL).await;
    assert_eq!(on.get("k").await, None);
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert!(!on.end_with(writer(1), &[("never begun", Some(&new))]).await);
    assert_eq!(on.get_all(&["k", "never begun"]).await, [None, None]);
    // Another writer's token gives no right.
    on.begin_with_token(writer(2), &["k"], TTL).await;
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert_eq!(on.get("k").await, None);
}

/// Neither knows which value is newer, whichever ends first.
pub async fn two_overlapping_writers_put_nothing(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    for (first, second) in [(1, 2), (2, 1)] {
        for token in [false, true] {
            on.begin_with_token(writer(1), &["k"], TTL).await;
            on.begins(writer(2), &["k"], TTL, token).await;
            assert_eq!(on.get("k").await, None, "the first one's token is gone and the second has none");
            assert!(!on.end_with(writer(first), &[("k", Some(&new))]).await);
            assert_eq!(on.get("k").await, None);
            assert!(!on.end_with(writer(second), &[("k", Some(&new))]).await);
            assert_eq!(on.get("k").await, None);
        }
    }
    on.begin(writer(1), &["k"], TTL).await;
    on.begin_with_token(writer(2), &["k"], TTL).await;
    assert_eq!(on.get("k").await, None, "somebody writes already");
    on.end(writer(1), &["k"]).await;
    assert!(!on.end_with(writer(2), &[("k", Some(&new))]).await);
}

pub async fn any_other_write_takes_the_token_away(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    let begin = async || {
        on.begin_with_token(writer(1), &["k"], TTL).await;
        assert!(has_token(&on, "k", writer(1)).await);
    };
    let may_put = async || {
        let put = on.end_with(writer(1), &[("k", Some(&new))]).await;
        assert_eq!(on.get("k").await.is_some(), put);
        put
    };
    begin().await;
    assert!(on.remove("k").await);
    assert!(!may_put().await, "removed");
    begin().await;
    on.remove_all(&["k"]).await;
    assert!(!may_put().await, "removed with others");
    begin().await;
    on.sweep("k").await;
    assert!(!may_put().await, "swept");
    begin().await;
    on.end(writer(2), &["k"]).await;
    assert!(!may_put().await, "ended by a writer that never began, or whose marker was over");
    begin().await;
    on.begin(writer(2), &["k"], TTL).await;
    on.end(writer(2), &["k"]).await;
    assert!(!may_put().await, "written from beginning to end");
    begin().await;
    assert!(may_put().await, "and nothing of it remains");
}

pub async fn a_load_does_not_take_the_token(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Granted);
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert!(!on.fill("k", lease(1), &value(2, "old").1).await);
    assert!(!on.store().release(Release::new(&"k".into(), lease(1), WITHIN)).await.unwrap());
    assert_eq!(on.acquire("k", lease(2), TTL).await, Acquired::Writing);
    assert!(on.end_with(writer(1), &[("k", Some(&new))]).await);
}

pub async fn a_repeated_end_is_harmless(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert!(on.end_with(writer(1), &[("k", Some(&new))]).await);
    // Another writer has written since, so a late command puts nothing back.
    on.begin(writer(2), &["k"], TTL).await;
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert_eq!(on.get("k").await, None);
    assert_eq!(on.acquire("k", lease(1), TTL).await, Acquired::Writing);
    on.end(writer(2), &["k"]).await;
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert_eq!(on.get("k").await, None);
}

pub async fn a_repeated_begin_extends_the_token(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    for token in [false, true] {
        on.begin_with_token(writer(1), &["k"], SHORT).await;
        on.begins(writer(1), &["k"], TTL, token).await;
        on.pass(SHORT).await;
        assert!(has_token(&on, "k", writer(1)).await);
        assert!(on.end_with(writer(1), &[("k", Some(&new))]).await);
    }
}

/// The register is not the writer's, and lives for its own time.
pub async fn a_repeated_begin_leaves_what_came_meanwhile(on: On<impl Subject>) {
    let (_, other) = value(1, "of another's making");
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert!(on.fill("k", writer(1), &other).await);
    on.begin(writer(1), &["k"], SHORT).await;
    on.pass(SHORT).await;
    assert_eq!(on.get("k").await, Some(other));
}

pub async fn a_token_that_was_taken_away_does_not_come_back(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    on.begin_with_token(writer(1), &["k"], TTL).await;
    on.begin(writer(2), &["k"], TTL).await;
    on.end(writer(2), &["k"]).await;
    on.begin_with_token(writer(1), &["k"], TTL).await;
    assert_eq!(on.get("k").await, None);
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
}

pub async fn a_token_ends_with_its_marker(on: On<impl Subject>) {
    let (_, new) = value(1, "new");
    on.begin_with_token(writer(1), &["k"], SHORT).await;
    on.pass(SHORT).await;
    assert_eq!(on.get("k").await, None);
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);

    on.begin_with_token(writer(1), &["k"], SHORT).await;
    on.pass(SHORT).await;
    // Others may have written meanwhile: extended without a token, there is none.
    on.begin(writer(1), &["k"], TTL).await;
    assert!(!on.end_with(writer(1), &[("k", Some(&new))]).await);
    assert_eq!(on.get("k").await, None);
}

pub async fn several_are_put_together_or_not_at_all(on: On<impl Subject>) {
    let (_, a) = value(1, "a");
    let (_, b) = value(2, "b");
    let keys = ["a", "b", "list"];
    let written: [(&str, Option<&Bytes>); 3] = [("a", Some(&a)), ("list", None), ("b", Some(&b))];
    on.begin_with_token(writer(1), &keys, TTL).await;
    assert!(on.end_with(writer(1), &written).await);
    assert_eq!(on.get_all(&keys).await, [Some(a.clone()), Some(b.clone()), None]);

    for lost in ["a", "b"] {
        on.begin_with_token(writer(1), &keys, TTL).await;
        assert!(on.remove(lost).await);
        assert!(!on.end_with(writer(1), &written).await);
        assert_eq!(on.get_all(&keys).await, [None, None, None], "{lost}");
    }

    on.begin_with_token(writer(1), &keys, TTL).await;
    on.begin(writer(2), &["list"], TTL).await;
    assert!(on.end_with(writer(1), &written).await, "there is nothing to put in the one that others write as well");
    assert_eq!(on.get_all(&keys).await, [Some(a), Some(b), None]);
    assert_eq!(on.acquire("list", lease(1), TTL).await, Acquired::Writing);
}
