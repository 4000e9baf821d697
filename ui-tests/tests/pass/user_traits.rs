//! Blanket methods of the user do not replace ours.

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

trait Everything {
    fn shape(&self) -> &'static str {
        "round"
    }

    fn policy(&self) -> u8 {
        1
    }

    fn call(&self) {}

    fn ttl(&self) {}

    fn cache_if(&self) {}

    fn write(&self) {}

    fn event(&self) {}

    fn any_event(&self) {}

    fn tag(&self) {}

    fn tags_of(&self) {}

    fn begin(&self) {}

    fn begin_put(&self) {}

    fn apply(&self) {}

    fn end(&self) {}

    fn settle(&self) {}

    fn clone(&self) {}

    fn with_segments(&self) {}
}

impl<T: ?Sized> Everything for T {}

#[redis_cached(key = "f:<id>:<name:hash>", ttl = std::time::Duration::from_secs(id), cache_if = |value| *value > 0)]
async fn find(id: u64, name: &str) -> Result<u64, String> {
    name.call();
    Ok(id + name.shape().len() as u64 + u64::from(id.policy()))
}

#[redis_cached]
async fn plain(id: u64) -> Option<u64> {
    Some(id)
}

#[derive(CacheEvent)]
struct Updated {
    id: u64,
}

#[redis_cached(
    key = "g:<id>",
    invalidate_on = [Updated { id }, Updated { .. }],
    tags = ["<id>", |value: &u64| [value.to_string()]]
)]
async fn listens(id: u64) -> u64 {
    id
}

#[redis_invalidate(Updated { id }, key = "g:<id>", tag = "<id>")]
async fn bracket(id: u64) {
    id.begin();
}

#[redis_invalidate(Updated { id: *ret }, key = "g:<id>:<ret>", mode = "after")]
async fn after(id: u64) -> u64 {
    id
}

#[redis_put(Updated { id }, key = "g:<id>")]
async fn put(id: u64) -> u64 {
    id
}

fn main() {
    drop(listens(1));
    drop(bracket(1));
    drop(after(1));
    drop(put(1));
    ().event();
    ().any_event();
    ().tag();
    ().tags_of();
    ().begin_put();
    ().apply();
    ().end();
    ().settle();
    Everything::clone(&());
    Everything::with_segments(&());
    drop(find(1, "a"));
    drop(plain(1));
    ().ttl();
    ().cache_if();
    ().write();
}
