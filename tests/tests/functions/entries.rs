//! The entry of a call, named by the call itself, for every kind of function.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod by_hand;
mod functions;
mod refused;
mod servers;

use cached_core::Cache;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts runs of a body; it is never part of a key.
#[derive(Debug, Default)]
struct Runs(AtomicU64);

impl Runs {
    fn one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

fn user(id: u64, name: &str) -> User {
    User { id, name: name.to_owned() }
}

/// Runs `test` with its own cache as the default, and passes it to the test.
async fn with_cache<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = Cache::memory();
    let test = test(cache.clone());
    cache.scope(test).await
}
