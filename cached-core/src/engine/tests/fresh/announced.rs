//! As [`announced`](super::super::announced), for the steps of calls that have found a value past its end.

use super::*;
use crate::store::{Put, Remove};

/// A leader has found the stale value 1, and a late call comes after a write has completed.
async fn a_late_caller_asks_for_itself(on: &Subject, function: &Function, leader: JoinHandle<Returned>, found: u64) {
    on.cache.entry("k").remove().await.unwrap();
    let late = function.calling(on, Ok(2), AT_ONCE).await;
    assert_eq!(leader.await.unwrap(), Ok(found));
    assert_eq!(late.await.unwrap(), Ok(2), "it came after a write had completed");
}

/// The read after the refresh lease finds a value that another process has stored meanwhile.
#[tokio::test(start_paused = true)]
async fn a_refresh_lease_whose_read_finds_a_newer_value() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    // For the refresh lease; the read after it is late.
    on.store.plan(Step::Acquire, [Act::Late(ms(5))]);
    on.store.plan(Step::Get, [Act::Well, Act::LateAnswer(ms(20))]);
    let leader = function.calling(&on, Ok(9), AT_ONCE).await;
    on.plant(&newer(&on, &function)).await;
    sleep(ms(10)).await;
    assert_eq!(on.store.count(Step::Get), 3, "the read is carried out");
    a_late_caller_asks_for_itself(&on, &function, leader, 7).await;
}

/// Another process refreshes it for longer than this call waits.
#[tokio::test(start_paused = true)]
async fn a_value_that_is_served_while_another_process_refreshes_it() {
    let patient_for = Freshness { load_timeout_ms: Some(30), ..IF_ERROR };
    let (on, function) = (Subject::new(), Function::new(patient_for));
    function.stale(&on, 1).await;
    on.plant_refresh_lease(Duration::from_secs(3600)).await;
    on.store.plan(Step::Get, [Act::Well, Act::LateAnswer(ms(20))]);
    let leader = function.calling(&on, Ok(9), AT_ONCE).await;
    while on.store.count(Step::Get) < 3 {
        sleep(ms(1)).await;
    }
    on.store.memory.remove(Remove::new(&on.refresh_lease_key(), BUDGET)).await.unwrap();
    a_late_caller_asks_for_itself(&on, &function, leader, 1).await;
}

/// The refresh has failed in another process a moment ago.
#[tokio::test(start_paused = true)]
async fn a_value_whose_refresh_has_just_failed_elsewhere() {
    let (on, function) = (Subject::with_cooldown(), Function::new(IF_ERROR));
    function.stale(&on, 1).await;
    let until = on.clock.wall() + 5_000;
    let register = [Head::value(1).as_bytes(), &until.to_le_bytes()].concat();
    on.store.memory.put(Put::new(&on.refresh_lease_key(), register.into(), COOLDOWN, BUDGET)).await.unwrap();
    on.store.plan(Step::Get, [Act::Well, Act::LateAnswer(ms(20))]);
    let leader = function.calling(&on, Ok(9), AT_ONCE).await;
    assert_eq!(on.store.count(Step::Get), 3, "the read is carried out");
    on.store.memory.remove(Remove::new(&on.refresh_lease_key(), BUDGET)).await.unwrap();
    a_late_caller_asks_for_itself(&on, &function, leader, 1).await;
}

/// A value that another process has stored.
fn newer(on: &Subject, function: &Function) -> Bytes {
    let site = on.engine().site(function.site);
    envelope::write(&Draft {
        key: &on.key(),
        head: Head::value(78),
        codec: 0,
        fingerprint: site.fingerprint::<u64>(""),
        content: Content::Value(b"7"),
        times: None,
        recorded: &crate::envelope::tags::TagRecord::NONE,
        compress_above: usize::MAX,
    })
}
