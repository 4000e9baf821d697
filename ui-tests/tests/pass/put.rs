//! `#[redis_put]` on everything that `#[redis_cached]` goes on.

#![deny(warnings)]

use std::sync::Arc;
use std::time::Duration;

use cached_core::{Cache, CacheError, CacheEvent, redis_put};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct CatalogueReloaded;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct User {
    id: u64,
    name: String,
}

#[redis_put(key = "user:<id>")]
async fn rename(id: u64, name: String) -> Result<User, CacheError> {
    Ok(User { id, name })
}

#[redis_put(
    UserUpdated { id: user.id },
    CatalogueReloaded,
    key = "user:<user.id>",
    ttl = config.0,
    jitter = 0.2,
    none_ttl = "30s",
    cache_if = |user: &User| user.id > 0,
    version = 2,
    codec = "json",
    tags = ["tenant:<tenant>", |user: &User| [format!("name:{}", user.name)]],
    invalidate_on = [UserUpdated { .. }, CatalogueReloaded],
    on_unavailable = "fail",
    cache = cache,
    crate = ::cached_core,
)]
async fn all_options(
    user: User,
    config: (Duration,),
    tenant: &str,
    cache: &Cache,
) -> Result<Option<User>, CacheError> {
    let _ = (config, cache);
    if tenant.is_empty() {
        return Ok(None);
    }
    Ok(Some(user))
}

// The policy is made before the body consumes its arguments.
#[redis_put(key = "a:<id>", ttl = *ttl)]
async fn consumes(id: u64, ttl: Box<Duration>) -> u64 {
    drop(ttl);
    id
}

#[redis_put(key = "b:<id>", ttl = |user: &User| Duration::from_secs(user.id), tags = names)]
async fn of_value(id: u64) -> Option<User> {
    (id > 0).then(|| User { id, name: String::new() })
}

fn names(user: &User) -> Vec<String> {
    vec![user.name.clone()]
}

#[redis_put(key = "c:<id>:<T>:<N>", UserUpdated { id })]
async fn generic<T, const N: usize>((id, _): (u64, u8), value: T) -> T
where
    T: serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    let _ = id;
    value
}

struct Repo {
    tenant: u64,
    cache: Arc<Cache>,
}

impl Repo {
    #[redis_put(key = "d:<self.tenant>:<id>", cache = self.cache, UserUpdated { id: self.tenant })]
    async fn by_ref(&self, id: u64) -> Result<u64, String> {
        Ok(id.checked_sub(self.tenant).ok_or("less")?)
    }

    #[redis_put(key = "e:<self.tenant>", cache = if self.tenant > 0 { &self.cache } else { &self.cache })]
    async fn by_value(self) -> u64 {
        self.tenant
    }

    #[redis_put(key = "f:<self.tenant>")]
    async fn by_mut(&mut self) -> u64 {
        self.tenant += 1;
        self.tenant
    }

    #[redis_put(key = "g:<self.tenant>")]
    async fn by_arc(self: Arc<Self>) -> Result<Option<u64>, String> {
        Ok(Some(self.tenant))
    }
}

fn main() {
    fn send<T: Send>(_: T) {}
    send(rename(1, String::new()));
    send(consumes(1, Box::default()));
    let repo = Repo { tenant: 1, cache: Arc::new(Cache::memory()) };
    send(repo.by_ref(1));
    send(repo.by_value());
}
