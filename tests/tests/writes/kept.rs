//! What a put or a batch stores is kept for as long as the read of its key says.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use cached_core::{Cache, Clock, entry, redis_cached, redis_put};
use std::sync::Mutex;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Rates {
    is_down: Mutex<bool>,
}

impl Rates {
    fn load(&self, id: u64) -> Result<u64, &'static str> {
        if *self.is_down.lock().unwrap() { Err("down") } else { Ok(100 + id) }
    }

    #[redis_cached(key = "kept:<id>", ttl = "5m", jitter = 0.0, stale_if_error = "1h")]
    async fn rate(&self, id: u64) -> Result<u64, &'static str> {
        self.load(id)
    }

    #[redis_cached(key = "kept:<id>", batch = ids)]
    async fn rates(&self, ids: &[u64]) -> Result<Vec<Option<u64>>, &'static str> {
        ids.iter().map(|id| self.load(*id).map(Some)).collect()
    }

    #[redis_put(key = "kept:<id>")]
    async fn set_rate(&self, id: u64, rate: u64) -> Result<u64, &'static str> {
        let _ = id;
        Ok(rate)
    }
}

async fn on(run: impl AsyncFnOnce(&Cache, &Clock, &Rates)) {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let rates = Rates::default();
    cache.scope(run(&cache, &clock, &rates)).await;
}

#[tokio::test]
async fn a_value_that_was_put_bridges_a_failure_of_the_source() {
    on(async |_, clock, rates| {
        assert_eq!(rates.set_rate(1, 7).await, Ok(7));
        let peek = entry!(rates.rate(1)).unwrap().peek().await.unwrap();
        assert_eq!(peek.left, Some(5 * MINUTE), "the time to live of the read");
        clock.advance(20 * MINUTE);
        *rates.is_down.lock().unwrap() = true;
        assert_eq!(rates.rate(1).await, Ok(7));
        clock.advance(60 * MINUTE);
        assert_eq!(rates.rate(1).await, Err("down"), "all windows are over");
    })
    .await;
}

#[tokio::test]
async fn a_value_that_a_batch_has_loaded_bridges_a_failure_of_the_source() {
    on(async |cache, clock, rates| {
        assert_eq!(rates.rates(&[1, 2]).await, Ok(vec![Some(101), Some(102)]));
        cache.flush().await;
        clock.advance(20 * MINUTE);
        *rates.is_down.lock().unwrap() = true;
        assert_eq!(rates.rate(2).await, Ok(102));
        assert_eq!(rates.rates(&[1, 2]).await, Err("down"), "a batch itself has no window");
    })
    .await;
}
