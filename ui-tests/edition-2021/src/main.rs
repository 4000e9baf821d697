//! The attributes in a crate of the previous edition.

#![deny(warnings)]

use cached_core::{redis_cached, redis_invalidate, redis_put, Cache, CacheError, CacheEvent, CacheKey};

#[derive(CacheKey)]
enum Scope<T> {
    All,
    One(T),
}

struct Repo {
    tenant: u64,
}

impl Repo {
    #[redis_cached(key = "edition:<self.tenant>:<scope>:<name:hash>", ttl = "5m", none_ttl = "off", version = 2)]
    async fn find(&self, scope: Scope<u64>, name: &str) -> Result<Option<String>, String> {
        match scope {
            Scope::All => Err(name.to_owned()),
            Scope::One(id) => Ok((id > self.tenant).then(|| name.to_owned())),
        }
    }
}

#[redis_cached(cache = cache, skip(cache), cache_if = |value: &u64| *value > 0)]
async fn default_key(cache: &Cache, id: u64) -> u64 {
    id
}

#[derive(CacheEvent)]
struct Updated<'a> {
    id: u64,
    name: &'a str,
}

impl Repo {
    #[redis_cached(
        key = "edition:<id>:<name>",
        invalidate_on = [Updated { id, name: &name.to_lowercase() }, Updated { .. }],
        tags = ["tenant:<self.tenant>", |value: &String| [value.clone()]],
        cache = Cache::memory()
    )]
    async fn listens(&self, id: u64, name: &str) -> String {
        format!("{id}{name}")
    }

    #[redis_invalidate(
        Updated { id: *ret, name: &format!("{name}{ret}") },
        Updated { id: self.tenant, name: &name.to_lowercase() },
        key = "edition:<ret>:<name>",
        mode = "after",
        cache = Cache::memory()
    )]
    async fn after(&self, name: &str) -> Result<u64, String> {
        name.parse().map_err(|_| name.to_owned())
    }

    #[redis_put(
        Updated { id, name: &name.to_lowercase() },
        key = "edition:<id>",
        on_unavailable = "fail",
        cache = Cache::memory()
    )]
    async fn put(&self, id: u64, name: &str) -> Result<String, CacheError> {
        Ok(format!("{id}{name}"))
    }
}

#[redis_invalidate(Updated { id, name: "" }, tag = "edition:<id>")]
async fn nothing(id: u64) {
    let _ = id;
}

fn main() {
    // `gen` is a keyword since 2024, so this compiles only in an older edition.
    let gen = Repo { tenant: 1 };
    drop(gen.find(Scope::One(1), "a"));
    drop(gen.find(Scope::All, "a"));
    let _ = default_key;
    drop(gen.listens(1, "a"));
    drop(gen.after("1"));
    drop(gen.put(1, "a"));
    drop(nothing(1));
}
