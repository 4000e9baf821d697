//! Where a cache stores its values.

use crate::store::Store;
use std::fmt;
use std::sync::Arc;

#[derive(Clone)]
pub(crate) enum Source {
    Memory,
    Redis(String),
    Own(Arc<dyn Store>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Redis(url) => write!(f, "Redis({})", without_password(url)),
            Self::Own(store) => f.debug_tuple("Own").field(store).finish(),
        }
    }
}

/// The URL without user, password and options. If the scheme is unknown, so is the place of the password, and nothing
/// but the scheme is shown.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let address = match scheme {
        "redis" | "rediss" => rest.rsplit_once('@').map_or(rest, |(_, address)| address),
        "unix" | "redis+unix" => rest,
        _ => "..",
    };
    format!("{scheme}://{}", address.split_once('?').map_or(address, |(address, _)| address))
}

#[cfg(test)]
mod tests {
    use crate::Cache;

    #[test]
    fn a_password_is_not_shown_wherever_it_stands() {
        for (url, shown) in [
            ("redis://app:hunter2@cache.internal:6379/0", "redis://cache.internal:6379/0"),
            ("redis://:hunter2@cache.internal/?protocol=resp3", "redis://cache.internal/"),
            ("rediss://app:hunter2?@hunter2/@cache.internal", "rediss://cache.internal"),
            ("redis://cache.internal", "redis://cache.internal"),
            ("unix:///run/redis.sock?user=app&pass=hunter2@hunter2", "unix:///run/redis.sock"),
            ("redsi://app:hunter2@cache.internal", "redsi://.."),
            ("app:hunter2@cache.internal", "://.."),
        ] {
            let builder = format!("{:?}", Cache::builder().namespace("shop").redis(url));
            assert!(builder.contains(&format!("Redis({shown})")) && !builder.contains("hunter2"), "{url}: {builder}");
        }
    }
}
