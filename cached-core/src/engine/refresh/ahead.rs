//! `refresh_ahead` is `XFetch`: a call refreshes a value ahead of its end with a probability that grows towards the end, and
//! earlier if the value takes long to load (Vattani, Chierichetti, Lowenstein: *Optimal Probabilistic Cache Stampede
//! Prevention*, VLDB 2015). Pure.

/// How long before its end a value is refreshed, in seconds: −δ·β·ln(u).
pub(crate) fn lead(load_time: u32, beta: f64, random: f64) -> f64 {
    let load_time = f64::from(load_time) / 1e6;
    -load_time * beta * (1.0 - random).ln()
}

#[cfg(test)]
mod tests {
    use crate::engine::refresh::freshness::FreshPolicy;
    use crate::envelope::Age;
    use crate::envelope::times::Times;
    use std::time::Duration;

    const AHEAD: FreshPolicy = FreshPolicy { ahead: Some(1.0), ..FreshPolicy::NONE };
    const END: u64 = 1_600_000_000_000;

    fn times(load: Duration) -> Times {
        Times::new(END, Duration::ZERO, load)
    }

    #[test]
    fn the_lead_is_that_of_the_paper() {
        let policy = FreshPolicy { ahead: Some(2.0), ..AHEAD };
        let at = |left: u64, random| policy.age(times(Duration::from_secs(1)), END - left, random);
        // 1 − u = e^-1: the lead is δβ = 2 s.
        let random = 1.0 - (-1.0_f64).exp();
        assert_eq!((at(2_001, random), at(1_999, random)), (Some(Age::Fresh), Some(Age::Early)));
        assert_eq!(at(1, 0.0), Some(Age::Fresh), "ln(1) is none");
        assert_eq!(
            policy.age(times(Duration::ZERO), END - 1, 0.999),
            Some(Age::Fresh),
            "a value that costs nothing is not refreshed early"
        );
    }

    /// Simulates 10,000 ends of a value that takes δ to load and is read at random, at the rate λ. Returns the mean
    /// lead of the first read that refreshes it before its end, and the share of values that reach the end.
    fn simulated(lambda_delta: f64, beta: f64, seed: u64) -> (f64, f64) {
        const ENDS: u32 = 10_000;
        // In milliseconds; long enough to make the rounding to milliseconds negligible.
        const DELTA: f64 = 1e6;
        let mut random = fastrand::Rng::with_seed(seed);
        let policy = FreshPolicy { ahead: Some(beta), ..AHEAD };
        let times = times(Duration::from_secs(1_000));
        // Only one refresh in 10^5 is triggered earlier than this.
        let from = beta * DELTA * ((lambda_delta * beta).ln().max(0.0) + 12.0);
        let (mut leads, mut triggered) = (0.0, 0);
        for _ in 0..ENDS {
            let mut left = from;
            loop {
                left += (1.0 - random.f64()).ln() * DELTA / lambda_delta;
                if left <= 0.0 {
                    break;
                }
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is above 0")]
                let now = END - left.ceil() as u64;
                if policy.age(times, now, random.f64()) == Some(Age::Early) {
                    (leads, triggered) = (leads + left, triggered + 1);
                    break;
                }
            }
        }
        (leads / f64::from(triggered) / DELTA, f64::from(ENDS - triggered) / f64::from(ENDS))
    }

    /// For reads at the rate λ, the first one that refreshes leads by βδ(ln(λβδ) + 0.577) in the mean, with a standard
    /// deviation of 1.28 βδ, and the value reaches its end with the probability e^−λβδ.
    #[test]
    fn ten_thousand_ends_agree_with_the_formula() {
        const EULER: f64 = 0.577_215_664_9;
        for (lambda_delta, beta) in [(10.0, 1.0), (100.0, 1.0), (20.0, 1.5), (20.0, 0.5)] {
            let (lead, reached) = simulated(lambda_delta, beta, 42);
            let expected = beta * ((lambda_delta * beta).ln() + EULER);
            // Five standard deviations of a mean of 10,000.
            assert!(
                (lead - expected).abs() < 5.0 * 1.28 * beta / 100.0,
                "λδ {lambda_delta}, β {beta}: {lead}, {expected}"
            );
            assert!(reached < 0.003, "λδ {lambda_delta}, β {beta}: {reached}");
        }
        for (lambda_delta, beta) in [(1.0_f64, 1.0), (3.0, 1.0), (1.0, 2.0), (0.5, 1.0)] {
            let (_, reached) = simulated(lambda_delta, beta, 43);
            let expected = (-lambda_delta * beta).exp();
            let deviation = (expected * (1.0 - expected) / 10_000.0).sqrt();
            assert!((reached - expected).abs() < 5.0 * deviation, "λδ {lambda_delta}, β {beta}: {reached}, {expected}");
        }
    }
}
