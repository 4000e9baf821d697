//! How to test your own cached functions: without Redis, side by side, without sleeping.
//!
//! `cargo test -p examples` runs the tests at the end of this file; `cargo run -p examples --bin testing` runs the same
//! checks and prints them.

use cached_core::{BuildError, Cache, Clock};
use shop::{Product, Shop, ShopError};
use std::time::Duration;

/// The code under test: a repository as in any service. Nothing in it is written for tests.
mod shop {
    use cached_core::redis_cached;
    use serde::{Deserialize, Serialize};
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Product {
        pub(crate) id: u64,
    }

    #[derive(Debug, PartialEq)]
    pub(crate) struct ShopError;

    /// Counts its loads, so that the test knows whether the function ran or the cache answered.
    #[derive(Debug, Default)]
    pub(crate) struct Shop {
        pub(crate) loads: AtomicU64,
        pub(crate) broken: AtomicBool,
    }

    impl Shop {
        #[redis_cached(key = "product:<id>", ttl = "short")]
        pub(crate) async fn find_product(&self, id: u64) -> Result<Product, ShopError> {
            self.loads.fetch_add(1, Ordering::Relaxed);
            // A real repository asks its database here.
            tokio::task::yield_now().await;
            if self.broken.load(Ordering::Relaxed) { Err(ShopError) } else { Ok(Product { id }) }
        }

        pub(crate) fn loads(&self) -> u64 {
            self.loads.load(Ordering::Relaxed)
        }
    }
}

/// The second call does not run the function.
async fn second_call_is_a_hit() {
    let cache = Cache::memory();
    let shop = Shop::default();
    cache
        .scope(async {
            assert_eq!(shop.find_product(1).await, Ok(Product { id: 1 }));
            // Values are stored in the background; this waits for that.
            cache.flush().await;
            assert_eq!(shop.find_product(1).await, Ok(Product { id: 1 }));
        })
        .await;
    assert_eq!(shop.loads(), 1);
    // The cache counts as well.
    let stats = cache.stats();
    assert_eq!(stats.site("find_product").map(|site| (site.hits, site.loads)), Some((1, 1)));
}

/// No test sees what another test stores: each has its own cache, which is used inside its scope.
async fn caches_are_isolated() {
    let shop = Shop::default();
    for _ in 0..2 {
        let cache = Cache::memory();
        cache.scope(shop.find_product(1)).await.expect("the shop is not broken");
        cache.flush().await;
    }
    assert_eq!(shop.loads(), 2);
}

/// The test does not wait for a TTL, because entries follow the clock that the cache was given.
async fn ttl_runs_out() -> Result<(), BuildError> {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build()?;
    let shop = Shop::default();
    cache
        .scope(async {
            shop.find_product(1).await.expect("the shop is not broken");
            cache.flush().await;

            // "short" is 60 s, give or take the jitter of a tenth.
            clock.advance(Duration::from_secs(50));
            shop.find_product(1).await.expect("the shop is not broken");
            assert_eq!(shop.loads(), 1, "still stored");

            clock.advance(Duration::from_secs(20));
            shop.find_product(1).await.expect("the shop is not broken");
            assert_eq!(shop.loads(), 2, "gone");
        })
        .await;
    Ok(())
}

/// An `Err` is returned, not stored: the next call tries again.
async fn errors_are_not_stored() {
    let cache = Cache::memory();
    let shop = Shop::default();
    cache
        .scope(async {
            shop.broken.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(shop.find_product(1).await, Err(ShopError));
            cache.flush().await;

            shop.broken.store(false, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(shop.find_product(1).await, Ok(Product { id: 1 }));
        })
        .await;
    assert_eq!(shop.loads(), 2);
}

#[tokio::main]
async fn main() -> Result<(), BuildError> {
    second_call_is_a_hit().await;
    println!("ok: the second call is a hit");
    caches_are_isolated().await;
    println!("ok: no test sees what another test stores");
    ttl_runs_out().await?;
    println!("ok: a TTL runs out without sleeping");
    errors_are_not_stored().await;
    println!("ok: an Err is not stored");
    Ok(())
}

// In your own tests the bodies would be here; they are above because `main` runs them, too.
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn second_call_is_a_hit() {
        super::second_call_is_a_hit().await;
    }

    #[tokio::test]
    async fn caches_are_isolated() {
        super::caches_are_isolated().await;
    }

    #[tokio::test]
    async fn ttl_runs_out() -> Result<(), super::BuildError> {
        super::ttl_runs_out().await
    }

    #[tokio::test]
    async fn errors_are_not_stored() {
        super::errors_are_not_stored().await;
    }
}
