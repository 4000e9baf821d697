//! How many calls renew a value ahead of its end: as many as the formula says, where it is used.

use super::*;
use crate::store::Watcher;

const LOAD: Duration = ms(100);
const ROUNDS: u64 = 200;

fn ahead(beta: f64) -> Freshness {
    Freshness { ahead: Some(beta), ..Freshness::NONE }
}

/// Of so many calls, each of a cache of its own, how many renew a value that took `LOAD` to load and has so long to live.
async fn renewals(beta: f64, left: Duration, local: Option<Local>) -> u64 {
    let mut renewals = 0;
    for _ in 0..ROUNDS {
        let (on, function) = (Subject::new(), Function::kept(ahead(beta), local));
        assert_eq!(function.call(&on, Ok(1), LOAD).await, Ok(1));
        on.cache.settled().await;
        if local.is_some() {
            // So that it is kept; long before its end nobody renews it.
            assert_eq!(function.call(&on, Ok(2), AT_ONCE).await, Ok(1));
        }
        on.clock.advance(TTL.saturating_sub(left));
        on.engine().near().confirmed(std::time::Instant::now());
        let value = function.call(&on, Ok(3), AT_ONCE).await.unwrap();
        on.cache.settled().await;
        renewals += u64::from(value == 3);
        let stats = on.of_function();
        assert_eq!(stats.refreshes, u64::from(value == 3));
        assert!(stats.near_hits <= u64::from(local.is_some() && value == 1), "what is renewed is no near hit");
    }
    renewals
}

/// A call renews with the probability e^(−left / βδ). Bounds are five deviations off; both ways to read have it.
#[tokio::test(start_paused = true)]
async fn a_call_renews_as_often_as_the_formula_says() {
    for local in [None, Some(Local::Millis(60_000))] {
        // e^-ln 2
        let half = renewals(1.0, LOAD.mul_f64(std::f64::consts::LN_2), local).await;
        assert!((65..=135).contains(&half), "{half} of {ROUNDS}, {local:?}");
        // e^-3
        let few = renewals(1.0, 3 * LOAD, local).await;
        assert!(few <= 26, "{few} of {ROUNDS}, {local:?}");
        // With another β: e^-1.5
        let some = renewals(2.0, 3 * LOAD, local).await;
        assert!((15..=75).contains(&some), "{some} of {ROUNDS}, {local:?}");
        assert_eq!(renewals(1.0, TTL, local).await, 0, "e^-100, {local:?}");
    }
}
