//! Sweeps: all registers under a prefix, and nothing else.

use super::Subject;
use super::steps::{On, TTL, WITHIN, lease, value};
use crate::store::{Acquired, Put};

/// A prefix, and a foreign key that the prefix would match if it were a pattern.
const NOT_PATTERNS: [(&str, &str); 6] =
    [("n*:", "nnn:1"), ("n?:", "nx:1"), ("n[ab]:", "na:1"), ("n[^a]:", "nb:1"), ("n[a-c]:", "nb:1"), ("n\\*:", "n*:1")];

pub async fn a_prefix_is_text(on: On<impl Subject>) {
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

pub async fn leases_and_tags_are_swept_and_markers_stay(on: On<impl Subject>) {
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

pub async fn many_are_swept(on: On<impl Subject>) {
    for i in 0..3_000 {
        on.put(&format!("n:{}:{i}", i % 2), b"x").await;
    }
    assert_eq!(on.sweep("n:0:").await, 1_500);
    for i in 0..3_000 {
        assert_eq!(on.get(&format!("n:{}:{i}", i % 2)).await.is_some(), i % 2 == 1, "{i}");
    }
}

pub async fn expired_entries_are_not_counted(on: On<impl Subject>) {
    let short = std::time::Duration::from_millis(50);
    on.store().put(Put::new(&"n:short".into(), "x".into(), short, WITHIN)).await.unwrap();
    on.put("n:long", b"x").await;
    on.expires("n:short", short).await;
    assert_eq!(on.sweep("n:").await, 1);
}

/// A companion of a register has the register's key in braces, so that both stand in one slot.
pub async fn companions_are_swept_with_their_registers(on: On<impl Subject>) {
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
