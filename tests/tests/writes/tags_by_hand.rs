//! A tag in a template and a tag that is written by hand are one tag if they read alike, whatever the text is.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Invalidation, Outcome, Tag, redis_cached, redis_invalidate};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Texts that look like other things, that have a meaning in keys, and that are long.
fn names() -> Vec<String> {
    let odd = [
        "Ada",
        "J. R. R. Tolkien",
        "1984",
        "-1",
        "true",
        "",
        "'",
        "~",
        "@x",
        "#x",
        "a:b",
        "a: {b}",
        "100%",
        "(1,2)",
        "*a",
    ];
    odd.into_iter().map(str::to_owned).chain(["x".repeat(100), "x:".repeat(900), "ß\n\u{7f}".to_owned()]).collect()
}

static LOADS: AtomicU64 = AtomicU64::new(0);

fn load() -> u64 {
    LOADS.fetch_add(1, Relaxed)
}

#[redis_cached(key = "by-template:<id>", skip(name), tags = "author:<name>")]
async fn by_template(id: u64, name: &str) -> u64 {
    let _ = id;
    load()
}

#[redis_cached(key = "by-closure:<id>", skip(name), tags = |row: &(u64, String)| [format!("author:{}", row.1)])]
async fn by_closure(id: u64, name: &str) -> (u64, String) {
    let _ = id;
    (load(), name.to_owned())
}

#[redis_invalidate(tag = "author:<name>")]
async fn renamed(name: &str) {
    let _ = name;
}

/// The write may consume what the tag is made of.
#[redis_invalidate(tag = "author:<name>")]
async fn consumed(name: String) {
    drop(name);
}

async fn each_way(cache: &Cache) {
    for (id, name) in (0_u64..).zip(names()) {
        let values = async || {
            let by_hand = cache.entry(format!("by-hand:{id}")).tag(format!("author:{name}"));
            let by_hand = by_hand.get_or_load(async || Ok::<_, ()>(load())).await.unwrap();
            let values = [by_template(id, &name).await, by_closure(id, &name).await.0, by_hand];
            cache.flush().await;
            values
        };
        let mut before = values().await;
        assert_eq!(values().await, before, "{name:?} is cached");
        for way in ["template", "consumed", "tag", "invalidation"] {
            match way {
                "template" => renamed(&name).await,
                "consumed" => consumed(name.clone()).await,
                "tag" => assert_eq!(cache.invalidate(Tag::new(format!("author:{name}"))).await, Outcome::Applied),
                _ => {
                    let what = Invalidation::new().tag(format!("author:{name}"));
                    assert_eq!(cache.write(what, async {}).await.1, Outcome::Applied);
                }
            }
            let after = values().await;
            assert!(
                (0..3).all(|at| after[at] != before[at]),
                "{way} reaches all entries of {name:?}: {before:?} {after:?}"
            );
            before = after;
        }
    }
}

#[tokio::test]
async fn tags_that_read_alike_are_one_tag() {
    let cache = Cache::memory();
    cache.scope(each_way(&cache)).await;
}
