//! The attribute in a crate of the edition before.

#![deny(warnings)]

use cached_core::{redis_cached, Cache, CacheKey};

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

fn main() {
    // A keyword since 2024 only: that this compiles says which edition it is.
    let gen = Repo { tenant: 1 };
    drop(gen.find(Scope::One(1), "a"));
    drop(gen.find(Scope::All, "a"));
    let _ = default_key;
}
