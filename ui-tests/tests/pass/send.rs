//! A future that is `Send` without the cache is `Send` with it.

use std::rc::Rc;

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

struct Filter {
    lang: String,
}

#[redis_cached(key = "a:<id>:<filter.lang>:<id:hash>", skip(filter))]
async fn find(id: u64, filter: &Filter) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id + filter.lang.len() as u64)
}

// The key is made before the first await, so its parts need not be `Send`.
#[redis_cached(key = "b:<id>")]
async fn before(id: u64) -> usize {
    let length = Rc::new(id).to_string().len();
    std::future::ready(()).await;
    length
}

#[derive(CacheEvent)]
struct Updated {
    id: u64,
    lang: String,
}

// The values in an event are dropped before the first await, too.
#[redis_cached(key = "c:<id>", invalidate_on = Updated { id, lang: Rc::new(id).to_string() }, tags = "<id>")]
async fn listens(id: u64) -> u64 {
    std::future::ready(id).await
}

#[redis_invalidate(Updated { id, lang: Rc::new(id).to_string() }, key = "c:<id:hash>", tag = "<filter.lang>")]
async fn bracket(id: u64, filter: &Filter) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id + filter.lang.len() as u64)
}

#[redis_invalidate(Updated { id: *ret, lang: Rc::new(id).to_string() }, key = "c:<id>:<ret:hash>", mode = "after")]
async fn after(id: u64, filter: Filter) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id + filter.lang.len() as u64)
}

#[redis_put(
    Updated { id, lang: Rc::new(id).to_string() },
    key = "c:<id>",
    ttl = std::time::Duration::from_secs(*Rc::new(id)),
    tags = |value: &u64| [value.to_string()],
    on_unavailable = "fail"
)]
async fn put(id: u64) -> Result<u64, Fault> {
    std::future::ready(()).await;
    Ok(id)
}

struct Fault;

impl From<cached_core::CacheError> for Fault {
    fn from(_: cached_core::CacheError) -> Self {
        Self
    }
}

fn main() {
    let filter = Filter { lang: String::new() };
    check(listens(1));
    check(bracket(1, &filter));
    check(after(1, filter));
    check(put(1));

    fn send<T: Send>(_: T) {}
    send(find(1, &Filter { lang: String::new() }));
    send(before(1));
}

fn check<T: Send>(_: T) {}
