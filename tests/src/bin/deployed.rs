//! A process of one build of a service, controlled line by line. All builds have the same function, with the same name
//! and key, and each has its own type of a user.
//!
//! Its database is another Redis server: `user:<id>` is the version of a user, `complete:<id>` that of the latest
//! complete write.

use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached, redis_put};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, RedisResult};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::{By, DeployedCommand, DeployedReads};
use tokio::io::{AsyncBufReadExt, BufReader};

#[derive(CacheEvent)]
struct UserChanged {
    id: u64,
}

struct Service {
    cache: Cache,
    database: MultiplexedConnection,
    loads: AtomicU64,
}

impl Service {
    async fn load(&self, id: u64) -> RedisResult<u64> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let version: Option<u64> = self.database.clone().get(format!("user:{id}")).await?;
        Ok(version.unwrap_or(0))
    }

    async fn commit(&self, id: u64) -> RedisResult<u64> {
        self.database.clone().incr(format!("user:{id}"), 1).await
    }

    async fn complete(&self, id: u64) -> RedisResult<u64> {
        let version: Option<u64> = self.database.clone().get(format!("complete:{id}")).await?;
        Ok(version.unwrap_or(0))
    }

    async fn completes(&self, id: u64, version: u64) -> RedisResult<()> {
        self.database.clone().set(format!("complete:{id}"), version).await
    }
}

/// Serves with these types. Types and functions of two blocks of one function have one name, like those of two builds.
macro_rules! serve {
    ($service:expr, $($types:item)+) => {{
        $($types)+

        #[redis_cached(key = "user:<id>", tags = "users", invalidate_on = UserChanged { id }, ttl = "long", skip(service), cache = service.cache)]
        async fn find_user(service: &Service, id: u64) -> RedisResult<User> {
            Ok(User::of(service.load(id).await?))
        }

        #[redis_put(key = "user:<id>", UserChanged { id }, tags = "users", invalidate_on = UserChanged { id }, ttl = "long", cache = service.cache)]
        async fn save_user(service: &Service, id: u64) -> RedisResult<User> {
            Ok(User::of(service.commit(id).await?))
        }

        let service = $service;
        let find = async |id| RedisResult::Ok(find_user(service, id).await?.version());
        let save = async |id| RedisResult::Ok(save_user(service, id).await?.version());
        serve(service, find, save).await
    }};
}

/// The same fields in another module.
mod elsewhere {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) struct User {
        version: u64,
        name: String,
    }

    impl User {
        pub(crate) fn of(version: u64) -> Self {
            Self { version, name: "Ada".into() }
        }

        pub(crate) fn version(&self) -> u64 {
            self.version
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, database, build] = arguments.as_slice() else {
        return Err("usage: deployed URL DATABASE_URL BUILD".into());
    };
    let version = if build == "next version" { 2 } else { 1 };
    let cache =
        Cache::builder().redis(url).namespace("service").version(version).budget(Duration::from_secs(10)).build()?;
    let database = redis::Client::open(database.as_str())?.get_multiplexed_async_connection().await?;
    let service = &Service { cache, database, loads: AtomicU64::new(0) };
    match build.as_str() {
        "first" | "next version" => serve!(
            service,
            #[derive(Serialize, Deserialize)]
            struct User {
                version: u64,
                name: String,
            }
            impl User {
                fn of(version: u64) -> Self {
                    Self { version, name: "Ada".into() }
                }
                fn version(&self) -> u64 {
                    self.version
                }
            }
        ),
        "field added" => serve!(
            service,
            #[derive(Serialize, Deserialize)]
            struct User {
                version: u64,
                name: String,
                #[serde(default)]
                email: Option<String>,
            }
            impl User {
                fn of(version: u64) -> Self {
                    Self { version, name: "Ada".into(), email: Some("ada@example.org".into()) }
                }
                fn version(&self) -> u64 {
                    self.version
                }
            }
        ),
        "field removed" => serve!(
            service,
            #[derive(Serialize, Deserialize)]
            struct User {
                version: u64,
            }
            impl User {
                fn of(version: u64) -> Self {
                    Self { version }
                }
                fn version(&self) -> u64 {
                    self.version
                }
            }
        ),
        "field retyped" => serve!(
            service,
            #[derive(Serialize, Deserialize)]
            struct User {
                version: String,
                name: String,
            }
            impl User {
                fn of(version: u64) -> Self {
                    Self { version: version.to_string(), name: "Ada".into() }
                }
                fn version(&self) -> u64 {
                    self.version.parse().unwrap_or(0)
                }
            }
        ),
        "module moved" => serve!(service, use elsewhere::User;),
        other => Err(format!("there is no build {other:?}").into()),
    }
}

fn say(line: &impl Serialize) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    out.flush()?;
    Ok(())
}

async fn serve(
    service: &Service,
    find: impl AsyncFn(u64) -> RedisResult<u64>,
    save: impl AsyncFn(u64) -> RedisResult<u64>,
) -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            DeployedCommand::Read { id, times } => say(&read(service, &find, (0..times).map(|_| id)).await?)?,
            DeployedCommand::ReadAmidWrites { reads, users } => {
                say(&read(service, &find, (0..reads).map(|n| n % users)).await?)?;
            }
            DeployedCommand::Write { id, by } => say(&write(service, &save, id, by).await?)?,
        }
    }
    Ok(())
}

async fn read(
    service: &Service,
    find: impl AsyncFn(u64) -> RedisResult<u64>,
    ids: impl Iterator<Item = u64>,
) -> Result<DeployedReads, Box<dyn Error>> {
    let mut seen = DeployedReads::default();
    let before = service.loads.load(Ordering::Relaxed);
    for id in ids {
        let complete = service.complete(id).await?;
        let version = find(id).await?;
        seen.reads += 1;
        if version < complete {
            seen.stale.push(format!("user {id}: version {version}, after {complete} was complete"));
        }
        if seen.versions.last() != Some(&version) {
            seen.versions.push(version);
        }
        // A background task stores the loaded value; the next read must find it.
        service.cache.flush().await;
    }
    seen.loads = service.loads.load(Ordering::Relaxed) - before;
    Ok(seen)
}

async fn write(
    service: &Service,
    save: impl AsyncFn(u64) -> RedisResult<u64>,
    id: u64,
    by: By,
) -> Result<u64, Box<dyn Error>> {
    let cache = &service.cache;
    let key = format!("user:{id}");
    let bracketed = async |what: Invalidation| {
        let (version, outcome) = cache.write(what, service.commit(id)).await;
        version.map(|version| (version, outcome))
    };
    let (version, outcome) = match by {
        By::Put => {
            let version = save(id).await?;
            cache.flush().await;
            (version, Outcome::Applied)
        }
        By::Bracket => bracketed(Invalidation::new().key(&key)).await?,
        By::TagBracket => bracketed(Invalidation::new().tag("users")).await?,
        By::Key | By::Tag | By::Event | By::Delete | By::Sweep => {
            let version = service.commit(id).await?;
            let outcome = match by {
                By::Key => cache.invalidate(Invalidation::new().key(&key)).await,
                By::Tag => cache.invalidate(Invalidation::new().tag("users")).await,
                By::Event => cache.emit(&UserChanged { id }).await,
                By::Delete => cache.entry(&key).remove().await.map(|()| Outcome::Applied)?,
                _ => cache.clear().await.map(|_| Outcome::Applied)?,
            };
            (version, outcome)
        }
    };
    if outcome != Outcome::Applied {
        return Err(format!("{by:?}: {outcome:?}").into());
    }
    service.completes(id, version).await?;
    Ok(version)
}
