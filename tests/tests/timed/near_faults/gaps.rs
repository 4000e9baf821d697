//! `on_gap = "serve"`: without contact, a kept value is served for the rest of its time, and no longer.

use super::{HEARTBEAT, Subject};
use cached_core::Outcome;
use std::time::{Duration, Instant};
use tests::{Pass, Way};

/// The `local` of the function.
const LOCAL: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_is_kept_is_served_for_its_time() {
    let mut on = Subject::new().await;
    on.rows.warm(&on.here, Way::Shared, 1).await;
    let kept = Instant::now();
    on.rows.warm(&on.here, Way::Bridged, 1).await;
    on.network.down(Pass::Never);
    on.is_cut_off().await;
    on.write(1).await;
    assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, 0, "it goes on with what it has");
    assert_eq!(on.rows.read(&on.here, Way::Shared, 1).await, 1, "who did not ask for it does not");
    let served = loop {
        if on.rows.read(&on.here, Way::Bridged, 1).await == 1 {
            break kept.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(served > LOCAL * 9 / 10 && served < LOCAL + HEARTBEAT, "served for {served:?}");
    on.network.down(Pass::AtOnce);
    on.is_well_again().await;
}

#[tokio::test]
async fn a_write_of_ones_own_is_seen_in_a_gap() {
    let on = Subject::new().await;
    on.rows.warm(&on.here, Way::Bridged, 1).await;
    on.network.down(Pass::Never);
    on.is_cut_off().await;
    assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, 0);
    assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Applied);
    assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, 1);
}

/// The server itself is away, and the write that could not be applied is this process's own.
#[tokio::test]
async fn a_write_that_is_queued_is_seen_in_a_gap() {
    let mut on = Subject::new().await;
    on.rows.warm(&on.here, Way::Bridged, 1).await;
    on.server.kill();
    on.is_cut_off().await;
    assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, 0);
    assert_eq!(on.rows.write(&on.here, 1).await, Outcome::Queued);
    assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, 1);
}

#[tokio::test]
async fn when_contact_is_back_the_old_ones_are_gone() {
    let mut on = Subject::new().await;
    for round in 1..=3 {
        on.rows.warm(&on.here, Way::Bridged, 1).await;
        on.network.down(Pass::Never);
        on.is_cut_off().await;
        on.write(1).await;
        assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, round - 1);
        on.network.down(Pass::AtOnce);
        // Coherent again: the bridged value is not served any more, although it is within its time.
        while !on.is_coherent() {
            on.rows.read(&on.here, Way::Shared, 2).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(on.rows.read(&on.here, Way::Bridged, 1).await, round);
    }
}
