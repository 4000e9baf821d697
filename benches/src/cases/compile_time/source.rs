//! The generated crate's source: the same functions, cached in different ways.

use crate::subjects::{FLOOR, OURS};
use std::fmt::Write as _;

pub(super) const FUNCTIONS: usize = 200;
/// Ten functions return each.
const TYPES: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    Plain,
    Ours,
    /// A generic helper, called in each function.
    ByHand,
    Cached,
    CacheKit,
    Hitbox,
}

impl Variant {
    pub(super) const ALL: [Self; 6] =
        [Self::Plain, Self::Ours, Self::ByHand, Self::Cached, Self::CacheKit, Self::Hitbox];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain function",
            Self::Ours => OURS,
            Self::ByHand => FLOOR,
            Self::Cached => "cached",
            Self::CacheKit => "cachekit",
            Self::Hitbox => "hitbox",
        }
    }

    pub(super) fn source(self) -> String {
        let mut out = String::from(COMMON);
        out.push_str(self.prelude());
        for ty in 0..TYPES {
            let derives = if self == Self::Hitbox { ", hitbox_fn::CacheableResponse" } else { "" };
            let _ = writeln!(
                out,
                "#[derive(Debug, Clone, Serialize, Deserialize{derives})]\n\
                 pub struct V{ty} {{ pub id: u64, pub name: String, pub roles: Vec<String>, pub rank: Option<u32> }}"
            );
        }
        for function in 0..FUNCTIONS {
            self.function(&mut out, function, function % TYPES);
        }
        out.push_str("pub fn all() -> Vec<Pin<Box<dyn Future<Output = ()> + Send>>> {\n    vec![\n");
        for function in 0..FUNCTIONS {
            let call = match self {
                Self::CacheKit => format!("f{function}(client(), 1)"),
                Self::Hitbox => format!("f{function}(1).cache(cache())"),
                _ => format!("f{function}(1)"),
            };
            let _ = writeln!(out, "        Box::pin(async {{ drop({call}.await); }}),");
        }
        out + "    ]\n}\n"
    }

    fn function(self, out: &mut String, function: usize, ty: usize) {
        let attribute = match self {
            Self::Plain | Self::ByHand => String::new(),
            Self::Ours => format!("#[redis_cached(key = \"f{function}:<id>\")]\n"),
            Self::Cached => format!(
                "#[concurrent_cached(map_error = |error| Error(error.to_string()), ty = \"AsyncRedisCache<u64, V{ty}>\", \
                 create = {{ AsyncRedisCache::builder(\"f{function}\").ttl(Duration::from_secs(600)).build().await.unwrap() }})]\n"
            ),
            Self::CacheKit => {
                format!("#[cachekit(client = client, ttl = 600, interop = \"f{function}\", namespace = \"bench\")]\n")
            }
            Self::Hitbox => "#[cached]\n".to_owned(),
        };
        let client = if self == Self::CacheKit { "client: &CacheKit, " } else { "" };
        let body = format!(
            "let name = query(id, \"select {function}\").await?;\n    \
             let rank = name.len().try_into().ok().filter(|rank| *rank > {function});\n    \
             Ok(V{ty} {{ id, roles: vec![name.clone()], name, rank }})"
        );
        let body = if self == Self::ByHand {
            format!(
                "cached(connection(), &format!(\"f{function}:{{id}}\"), 600_000, || async {{\n    {body}\n    }}).await"
            )
        } else {
            body
        };
        let _ = writeln!(
            out,
            "{attribute}pub async fn f{function}({client}id: u64) -> Result<V{ty}, Error> {{\n    {body}\n}}"
        );
    }

    fn prelude(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Ours => "use cached_core::redis_cached;\n",
            Self::ByHand => BY_HAND,
            Self::Cached => "use cached::{AsyncRedisCache, macros::concurrent_cached};\nuse std::time::Duration;\n",
            Self::CacheKit => CACHEKIT,
            Self::Hitbox => HITBOX,
        }
    }
}

/// `all` boxes a future of every function: the code of an `async fn` is generated where it is used.
const COMMON: &str = r#"#![allow(missing_docs, unused)]
use serde::{Deserialize, Serialize};
use std::pin::Pin;

#[derive(Debug, Clone)]
pub struct Error(pub String);

pub async fn query(id: u64, statement: &str) -> Result<String, Error> {
    tokio::task::yield_now().await;
    if id == 0 { Err(Error(statement.to_owned())) } else { Ok(format!("{statement} where id = {id}")) }
}
"#;

const BY_HAND: &str = r#"
use redis::aio::MultiplexedConnection;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;

static CONNECTION: OnceLock<MultiplexedConnection> = OnceLock::new();

fn connection() -> &'static MultiplexedConnection {
    CONNECTION.get().unwrap()
}

pub async fn cached<T, F, Fut>(connection: &MultiplexedConnection, key: &str, ttl: u64, load: F) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let mut connection = connection.clone();
    match redis::cmd("GET").arg(key).query_async::<Option<Vec<u8>>>(&mut connection).await {
        Ok(Some(json)) => {
            if let Ok(value) = serde_json::from_slice(&json) {
                return Ok(value);
            }
        }
        Ok(None) => {}
        Err(_) => return load().await,
    }
    let value = load().await?;
    if let Ok(json) = serde_json::to_vec(&value) {
        let mut set = redis::cmd("SET");
        set.arg(key).arg(json).arg("PX").arg(ttl);
        let _ = set.exec_async(&mut connection).await;
    }
    Ok(value)
}
"#;

const CACHEKIT: &str = r"
use cachekit::{CacheKit, CachekitError, cachekit};
use std::sync::OnceLock;

static CLIENT: OnceLock<CacheKit> = OnceLock::new();

fn client() -> &'static CacheKit {
    CLIENT.get().unwrap()
}

impl From<CachekitError> for Error {
    fn from(error: CachekitError) -> Self {
        Self(error.to_string())
    }
}
";

const HITBOX: &str = r"
use hitbox_fn::{Cache, cached};
use hitbox_redis::RedisBackend;
use std::sync::OnceLock;

static CACHE: OnceLock<Cache<RedisBackend>> = OnceLock::new();

fn cache() -> &'static Cache<RedisBackend> {
    CACHE.get().unwrap()
}
";
