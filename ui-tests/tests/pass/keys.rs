//! Everything that a template can contain.

use cached_core::{CacheKey, redis_cached};

#[derive(CacheKey)]
struct UserId(u64);

#[derive(CacheKey)]
struct Range<'a, T> {
    from: &'a str,
    to: Option<T>,
}

#[derive(CacheKey)]
struct Unit;

#[derive(CacheKey)]
enum Never {}

#[derive(CacheKey)]
enum Scope {
    All,
    Two(u64, UserId),
    Page { from: u64, unit: Unit },
}

#[redis_cached(key = "a:<id>:<range>:<scope>")]
async fn derived(id: UserId, range: Range<'_, u64>, scope: Scope) -> u64 {
    let _ = (range.from, range.to, scope);
    id.0
}

// `skip` leaves out the rest of `range`; nothing of `pair` is left out.
#[redis_cached(key = "b:<range.from>:<range.to>:<pair.0>:<pair.1.0>", skip(range))]
async fn fields(range: Range<'_, u64>, pair: &(u64, (u64,))) -> u64 {
    let _ = range;
    pair.0 + pair.1.0
}

// A field beside the whole argument, to make keys readable.
#[redis_cached(key = "b:<id.0>:<scope:hash>:<*>", skip(id))]
async fn field_beside_the_whole(id: UserId, scope: Scope) -> u64 {
    let _ = scope;
    id.0
}

#[redis_cached(key = "b:<range.from>:<range:hash>:<pair.0>:<pair>")]
async fn field_and_whole(range: Range<'_, u64>, pair: (u64, u64)) -> u64 {
    range.from.len() as u64 + pair.0
}

#[redis_cached(key = "b:<pair.0>:<*>")]
async fn field_and_all(pair: (u64, u64)) -> u64 {
    pair.0 + pair.1
}

#[redis_cached(key = "{<tenant>}:c:<query:hash>")]
async fn hash_tag_and_hash(tenant: u64, query: &str) -> u64 {
    tenant + query.len() as u64
}

#[redis_cached(key = "{users}:<<d>>:<*>")]
async fn all_arguments(a: u64, b: f64, c: Vec<String>) -> u64 {
    a + b as u64 + c.len() as u64
}

#[redis_cached(key = "e")]
async fn no_arguments() -> u64 {
    1
}

#[redis_cached(key = r"f:<id>")]
async fn raw_string(id: u64) -> u64 {
    id
}

async fn never(never: Never) -> u64 {
    #[redis_cached(key = "g:<never>")]
    async fn inner(never: Never) -> u64 {
        match never {}
    }
    inner(never).await
}

#[redis_cached(key = "h:<id>", skip(debug, missing))]
async fn cfg(id: u64, #[cfg(all())] debug: bool, #[cfg(any())] missing: bool) -> u64 {
    id + u64::from(debug)
}

fn main() {}
