//! Value tags that also see the call's arguments.

use cached_core::{Cache, Outcome, Tag, UnstoredReason, redis_cached, redis_put};
use std::cell::Cell;
use std::collections::HashMap;

thread_local! {
    static LOADS: Cell<u64> = const { Cell::new(0) };
}

/// Counts this load.
fn loaded() -> u64 {
    LOADS.set(LOADS.get() + 1);
    LOADS.get()
}

/// The arguments of a call may be references, or be consumed by the body.
#[derive(Clone)]
struct Filter {
    langs: Vec<&'static str>,
}

#[redis_cached(
    key = "page:<tenant>:<shop>:<author>",
    skip(filter),
    tags = [
        "pages",
        |page: &u64, tenant, shop: &str, author, filter| {
            vec![
                format!("page:{tenant}:{page}"),
                format!("shop:{}", shop.trim()),
                author.to_owned(),
                filter.langs.join("+"),
            ]
        }
    ]
)]
async fn page(tenant: u8, shop: &str, author: String, mut filter: Filter) -> u64 {
    filter.langs.clear();
    drop((author, filter));
    loaded()
}

#[tokio::test]
async fn the_closure_sees_the_arguments_as_they_were_before_the_body() {
    let cache = Cache::memory();
    let find = async |tenant| {
        let found = cache.scope(page(tenant, " a ", "ada".to_owned(), Filter { langs: vec!["de", "en"] })).await;
        cache.flush().await;
        found
    };
    let [first, other] = [find(1).await, find(2).await];
    assert_eq!((find(1).await, find(2).await), (first, other));

    assert_eq!(cache.invalidate(Tag::new(format!("page:1:{other}"))).await, Outcome::Applied);
    assert_eq!((find(1).await, find(2).await), (first, other), "the argument of one call and the value of the other");

    let mut last = first;
    for tag in
        [format!("page:1:{first}"), "shop:a".to_owned(), "ada".to_owned(), "de+en".to_owned(), "pages".to_owned()]
    {
        assert_eq!(cache.invalidate(Tag::new(tag.clone())).await, Outcome::Applied);
        let found = find(1).await;
        assert_ne!(found, last, "{tag}");
        assert_eq!(find(1).await, found, "{tag}");
        last = found;
    }
}

#[redis_cached(key = "many:<tenant>:<id>", batch = ids, tags = |row: &u64, tenant| [format!("row:{tenant}:{row}")])]
async fn many(tenant: &str, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, loaded())).collect()
}

#[tokio::test]
async fn the_closure_of_a_batch_sees_its_other_arguments() {
    let cache = Cache::memory();
    let find = async || {
        let found = cache.scope(many("a", &[1, 2])).await;
        cache.flush().await;
        (found[&1], found[&2])
    };
    let (one, two) = find().await;
    assert_eq!(find().await, (one, two));
    assert_eq!(cache.invalidate(Tag::new(format!("row:b:{two}"))).await, Outcome::Applied);
    assert_eq!(find().await, (one, two));
    assert_eq!(cache.invalidate(Tag::new(format!("row:a:{two}"))).await, Outcome::Applied);
    let (again, other) = find().await;
    assert!(again == one && other != two);
}

#[redis_cached(key = "task:<shop>", spawn, tags = |_: &u64, shop| [format!("shop:{shop}")])]
async fn task(shop: &str) -> u64 {
    shop.len() as u64
}

#[redis_put(key = "task:<shop>", tags = |_: &u64, shop| [format!("shop:{shop}")])]
async fn put(shop: String, value: u64) -> u64 {
    drop(shop);
    value
}

#[tokio::test]
async fn tasks_and_puts_see_arguments_too() {
    let cache = Cache::memory();
    assert_eq!(cache.scope(task("x")).await, 1);
    cache.flush().await;
    assert_eq!(cache.scope(put("x".to_owned(), 9)).await, 9);
    cache.flush().await;
    assert_eq!(cache.scope(task("x")).await, 9, "what was put");
    assert_eq!(cache.invalidate(Tag::new("shop:x")).await, Outcome::Applied);
    assert_eq!(cache.scope(task("x")).await, 1);
}

/// Its clone panics.
struct Fragile;

impl Clone for Fragile {
    fn clone(&self) -> Self {
        panic!("cannot be cloned")
    }
}

#[redis_cached(key = "fragile", skip(fragile), tags = |_: &u64, fragile| [std::any::type_name_of_val(fragile)])]
async fn with_fragile(fragile: Fragile) -> u64 {
    let Fragile = fragile;
    7
}

#[tokio::test]
async fn a_clone_that_panics_costs_the_entry_and_not_the_call() {
    let cache = Cache::memory();
    assert_eq!(cache.scope(with_fragile(Fragile)).await, 7);
    cache.flush().await;
    let stats = cache.stats();
    let site = stats.site("with_fragile").expect("it was called");
    assert_eq!((site.stored, site.unstored[&UnstoredReason::Panicked]), (0, 1));
}
