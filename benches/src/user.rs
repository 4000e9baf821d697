//! The value that all subjects cache, and the load that brings it.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first of the keys. All have eight digits, so keys and values have one length.
pub(crate) const FIRST_ID: u64 = 10_000_000;

/// Five fields of the kinds that records have; 290 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, hitbox_fn::CacheableResponse)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<String>,
    pub(crate) about: String,
}

impl User {
    pub(crate) fn of(id: u64) -> Self {
        Self {
            id,
            name: format!("Ada Lovelace the {id}th"),
            email: format!("ada.{id}@example.org"),
            roles: vec!["author".to_owned(), "editor".to_owned()],
            about: "Wrote the first program, for a machine that was never built; saw further than its maker that \
                    such a machine could some day compose music if only notes were numbers."
                .to_owned(),
        }
    }
}

static LOADS: AtomicU64 = AtomicU64::new(0);
static LOAD_MILLIS: AtomicU64 = AtomicU64::new(0);

/// The load that every subject runs on a miss. At first it takes no time: see [`set_load_time`].
pub(crate) async fn load(id: u64) -> User {
    LOADS.fetch_add(1, Ordering::Relaxed);
    match LOAD_MILLIS.load(Ordering::Relaxed) {
        0 => {}
        millis => tokio::time::sleep(Duration::from_millis(millis)).await,
    }
    User::of(id)
}

/// The number of calls of [`load`] so far.
pub(crate) fn loads() -> u64 {
    LOADS.load(Ordering::Relaxed)
}

/// How long a load takes from now on, for all subjects.
pub(crate) fn set_load_time(millis: u64) {
    LOAD_MILLIS.store(millis, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_long_as_the_readme_says() {
        let json = serde_json::to_string(&User::of(FIRST_ID)).unwrap();
        assert_eq!(json.len(), 290, "{json}");
    }
}
