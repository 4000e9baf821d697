//! How many calls refresh a value early: as many as the formula says.

use super::*;
use crate::store::Watcher;

const LOAD: Duration = ms(100);
const ROUNDS: u64 = 200;

fn ahead(beta: f64) -> Freshness {
    Freshness { ahead: Some(beta), ..Freshness::NONE }
}

/// Makes calls, each in a cache of its own, for a value that took `LOAD` to load and has `left` to live. Returns how
/// many of them refresh it.
async fn refreshes(beta: f64, left: Duration, local: Option<Local>) -> u64 {
    let mut count = 0;
    for _ in 0..ROUNDS {
        let (on, function) = (Subject::new(), Function::kept(ahead(beta), local));
        assert_eq!(function.call(&on, Ok(1), LOAD).await, Ok(1));
        on.cache.flush().await;
        if local.is_some() {
            // So that it is kept. Long before its end no call refreshes it.
            assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
        }
        on.clock.advance(TTL.saturating_sub(left));
        on.engine().near().confirmed(std::time::Instant::now());
        let value = function.call(&on, Ok(3), AT_ONCE).await.unwrap();
        on.cache.flush().await;
        count += u64::from(value == 3);
        let stats = on.of_function();
        assert_eq!(stats.refreshes, u64::from(value == 3));
        assert!(stats.near_hits <= u64::from(local.is_some() && value == 1), "a refresh is no near hit");
    }
    count
}

/// A call refreshes with the probability e^(−left / βδ), with and without the near cache. The bounds are five
/// deviations off.
#[tokio::test(start_paused = true)]
async fn calls_refresh_as_often_as_the_formula_says() {
    for local in [None, Some(Local::Millis(60_000))] {
        // e^-ln 2
        let half = refreshes(1.0, LOAD.mul_f64(std::f64::consts::LN_2), local).await;
        assert!((65..=135).contains(&half), "{half} of {ROUNDS}, {local:?}");
        // e^-3
        let few = refreshes(1.0, 3 * LOAD, local).await;
        assert!(few <= 26, "{few} of {ROUNDS}, {local:?}");
        // With another β: e^-1.5
        let some = refreshes(2.0, 3 * LOAD, local).await;
        assert!((15..=75).contains(&some), "{some} of {ROUNDS}, {local:?}");
        assert_eq!(refreshes(1.0, TTL, local).await, 0, "e^-100, {local:?}");
    }
}
