//! The answer to a read, and the announcement that it is old, close together, in every order that a network can
//! produce.

use super::Subject;
use cached_core::Outcome;
use std::time::{Duration, Instant};
use tests::{Pass, Way, eventually};

const ROUNDS: u64 = 300;
/// By then the announcements are here, however busy the machine is.
const LAG: Duration = Duration::from_secs(2);

/// An outdated answer arrives just before or just after its announcement, in one piece with it or not.
async fn is_never_kept(on: &Subject, way: Way) {
    let (mut near, mut late) = (0, Duration::ZERO);
    for round in 0..ROUNDS {
        // The entry stands in Redis and is not kept here.
        assert_eq!(on.rows.write(&on.there, 1).await, Outcome::Applied);
        on.rows.read(&on.there, way, 1).await;
        on.there.flush().await;
        on.rows.commit(1);
        let key = way.key(1);
        let (_, outcome) = tokio::join!(on.rows.read(&on.here, way, 1), async {
            // From before the question is sent to behind the answer.
            tokio::time::sleep(Duration::from_micros(round % 60 * 50)).await;
            on.there.invalidate(cached_core::Invalidation::new().key(key)).await
        });
        assert_eq!(outcome, Outcome::Applied);
        // The announcement is on its way as long as the network takes; then the value is gone for good.
        let (invalidated, mut is_late) = (Instant::now(), true);
        while is_late {
            // A near hit waits for nothing, and this runtime has one thread.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let before = way.near_hits(&on.here);
            let version = on.rows.read(&on.here, way, 1).await;
            near += way.near_hits(&on.here) - before;
            is_late = version != on.rows.now(1);
            assert!(!is_late || invalidated.elapsed() < LAG, "version {version} in round {round} of {way:?}");
        }
        late = late.max(invalidated.elapsed());
    }
    eprintln!("{way:?}: {near} near hits in {ROUNDS} rounds, late by {late:?} at most, {:?}", on.here.stats().near);
}

#[tokio::test]
async fn an_answer_that_is_old_when_it_arrives_is_not_kept() {
    let on = Subject::new().await;
    on.warm().await;
    for way in [Way::Shared, Way::Tagged] {
        on.rows.warm(&on.here, way, 1).await;
        on.network.down(Pass::After(Duration::from_millis(2)));
        is_never_kept(&on, way).await;
        on.network.down(Pass::AtOnce);
    }
    let near = on.here.stats().near.unwrap();
    assert!(near.overtaken > ROUNDS / 20, "the race was not provoked: {near:?}");
    eventually("it is coherent", async || on.is_coherent()).await;
}

#[tokio::test]
async fn a_question_that_arrives_late_is_answered_with_what_is_new() {
    let on = Subject::new().await;
    on.warm().await;
    on.network.up(Pass::After(Duration::from_millis(2)));
    is_never_kept(&on, Way::Shared).await;
}
