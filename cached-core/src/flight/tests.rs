//! One flight at a time, step by step.

use super::*;
use std::task::{Context, Poll, Waker};

fn lead(flights: &Flights<&'static str, u8>) -> Lead<&'static str, u8> {
    match flights.join(&"k") {
        Role::Lead(lead) => lead,
        Role::Follow(_) => panic!("there is a leader already"),
    }
}

fn follow(flights: &Flights<&'static str, u8>) -> Follow<u8> {
    match flights.join(&"k") {
        Role::Follow(follow) => follow,
        Role::Lead(_) => panic!("there is no leader"),
    }
}

fn is_next(follow: &Follow<u8>) -> bool {
    matches!(follow.landed(), Some(Landing::Next(_)))
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const SOON: Duration = ms(20);
const LONG: Duration = ms(1_000);

#[tokio::test(start_paused = true)]
async fn a_follower_does_not_wait_long_for_a_leader_that_does_not_settle() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let load = leader.load_step();
    let late = follow(&flights);
    leader.loaded(7, load);
    assert_eq!(late.landing(SOON, LONG).await, Landing::Unsettled);
}

#[test]
fn the_result_of_a_step_is_for_those_who_joined_before_it() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let early = follow(&flights);
    let step = leader.store_step();
    let late = follow(&flights);
    assert_eq!(early.landed(), None);
    leader.found(7, step);
    assert_eq!(early.landed(), Some(Landing::Shared(7)));
    assert!(is_next(&late), "a write may have completed after the GET was sent");
    assert_eq!(flights.len(), 0);
}

#[test]
fn a_load_is_for_those_who_joined_later_only_once_it_is_proved_current() {
    let flights = Flights::new();
    let leader = lead(&flights);
    leader.store_step();
    let before_the_load = follow(&flights);
    let load = leader.load_step();
    let during_the_load = follow(&flights);
    leader.loaded(7, load);
    assert_eq!(before_the_load.landed(), Some(Landing::Shared(7)));
    assert_eq!(during_the_load.landed(), None);
    let fill = leader.store_step();
    let during_the_fill = follow(&flights);
    leader.proved_current(fill);
    assert_eq!(during_the_load.landed(), Some(Landing::Shared(7)));
    assert!(is_next(&during_the_fill), "a write may have completed since the FILL was carried out");

    let leader = lead(&flights);
    let before_the_load = follow(&flights);
    let load = leader.load_step();
    let during_the_load = follow(&flights);
    leader.loaded(8, load);
    leader.not_proved();
    assert_eq!(before_the_load.landed(), Some(Landing::Shared(8)), "however late it reads the state");
    assert!(is_next(&during_the_load));
}

#[test]
fn the_whole_next_generation_shares_however_late_it_wakes() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    let late: Vec<_> = (0..4).map(|_| follow(&flights)).collect();
    leader.found(7, step);

    let Role::Lead(leader) = flights.join_next(&"k", &late[0]) else { panic!("there is no leader") };
    let Role::Follow(second) = flights.join_next(&"k", &late[1]) else { panic!("two leaders") };
    let step = leader.store_step();
    let stranger = follow(&flights);
    // The third wakes only now, while the GET is under way. But it had come before the GET was sent.
    let Role::Follow(third) = flights.join_next(&"k", &late[2]) else { panic!("two leaders") };
    leader.found(8, step);
    assert_eq!(second.landed(), Some(Landing::Shared(8)));
    assert_eq!(third.landed(), Some(Landing::Shared(8)));
    assert!(is_next(&stranger));
    // The fourth wakes when the flight has ended.
    let Role::Follow(fourth) = flights.join_next(&"k", &late[3]) else { panic!("it starts another flight") };
    assert_eq!(fourth.landed(), Some(Landing::Shared(8)));
}

#[test]
fn a_follower_that_wakes_after_the_next_generation_has_ended_shares_its_result() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    let late: Vec<_> = (0..4).map(|_| follow(&flights)).collect();
    leader.found(7, step);

    let Role::Lead(leader) = flights.join_next(&"k", &late[0]) else { panic!("there is no leader") };
    drop(leader);
    let Role::Lead(leader) = flights.join_next(&"k", &late[1]) else { panic!("the flight before has found nothing") };
    let step = leader.store_step();
    let stranger = follow(&flights);
    leader.found(8, step);
    assert!(is_next(&stranger));
    let Role::Lead(leader) = flights.join_next(&"k", &stranger) else { panic!("it was found before this caller came") };
    drop(leader);
    // Nobody holds the flight that has found it any more.
    drop(stranger);
    for late in &late[2..] {
        let Role::Follow(follow) = flights.join_next(&"k", late) else { panic!("it starts another flight") };
        assert_eq!(follow.landed(), Some(Landing::Shared(8)));
    }
}

#[test]
fn a_flight_is_in_the_table_from_its_start_to_its_end() {
    let flights = Flights::new();
    assert!(!flights.has(|| unreachable!("the key is not needed while there are no flights")));
    let leader = lead(&flights);
    assert!(flights.has(|| "k"));
    assert!(!flights.has(|| "another"));
    drop(leader);
    assert!(!flights.has(|| "k"));
    assert_eq!(flights.len(), 0);
}

#[test]
fn keys_are_spread_over_the_shards() {
    let flights = Flights::<u32, ()>::new();
    let leaders: Vec<_> = (0..1_000).map(|key| flights.join(&key)).collect();
    assert!(flights.tables.shards.iter().all(|shard| !locked(shard).is_empty()));
    assert_eq!(flights.len(), 1_000);
    drop(leaders);
    assert_eq!(flights.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_steps_on_the_store_count_as_store_time() {
    const PASSED: [Duration; 5] = [ms(1), ms(10), ms(100), ms(1_000), ms(10_000)];
    let flights = Flights::new();
    let leader = lead(&flights);
    let follower = follow(&flights);
    assert!(!follower.is_in_store());
    tokio::time::advance(PASSED[0]).await;
    leader.store_step();
    assert!(follower.is_in_store());
    tokio::time::advance(PASSED[1]).await;
    leader.idle();
    assert!(!follower.is_in_store());
    tokio::time::advance(PASSED[2]).await;
    leader.store_step();
    tokio::time::advance(PASSED[3]).await;
    leader.load_step();
    assert!(!follower.is_in_store());
    tokio::time::advance(PASSED[4]).await;
    drop(leader);
    assert_eq!(follower.landed(), Some(Landing::Next(PASSED[1] + PASSED[3])));
}

#[test]
fn being_idle_is_not_a_step() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    leader.idle();
    assert_eq!(leader.load_step(), step + 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_shares_a_load_before_it_is_settled() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let early = follow(&flights);
    let load = leader.load_step();
    let during = follow(&flights);
    let (early, during) = (
        tokio::spawn(async move { early.landing(SOON, LONG).await }),
        tokio::spawn(async move { during.landing(SOON, LONG).await }),
    );
    tokio::task::yield_now().await;
    leader.loaded(7, load);
    assert_eq!(early.await.unwrap(), Landing::Shared(7));
    leader.proved_current(load + 1);
    assert_eq!(during.await.unwrap(), Landing::Shared(7));
}

#[test]
fn settling_without_a_load_lets_a_follower_lead() {
    let flights = Flights::new();
    let (leader, follower) = (lead(&flights), follow(&flights));
    leader.not_proved();
    assert!(is_next(&follower));
}

#[tokio::test]
async fn after_a_dropped_leader_a_follower_leads_and_after_a_failed_one_all_load() {
    let flights = Flights::new();
    let (leader, follower) = (lead(&flights), follow(&flights));
    let waiting = tokio::spawn(async move { follower.landing(SOON, LONG).await });
    tokio::task::yield_now().await;
    drop(leader);
    assert!(matches!(waiting.await.unwrap(), Landing::Next(_)));

    let (leader, follower) = (lead(&flights), follow(&flights));
    leader.failed();
    assert_eq!(follower.landing(SOON, LONG).await, Landing::Failed);
    assert_eq!(flights.len(), 0);
}

#[test]
fn after_a_leader_panics_all_followers_load() {
    let flights = Arc::new(Flights::new());
    let (leader, follower) = (lead(&flights), follow(&flights));
    let _ = std::thread::spawn(move || {
        let _leader = leader;
        std::panic::resume_unwind(Box::new("in a load"));
    })
    .join();
    assert_eq!(follower.landed(), Some(Landing::Failed));
    assert_eq!(flights.len(), 0);
}

/// A leader that has been polled, a follower, and the waker of the leader.
fn woken(flights: &Flights<&'static str, u8>) -> (Lead<&'static str, u8>, Follow<u8>, Waker) {
    let leader = lead(flights);
    let pulse = leader.pulse();
    let mut waker = None;
    let pending = |context: &mut Context<'_>| {
        waker = Some(context.waker().clone());
        Poll::<()>::Pending
    };
    assert!(pulse::poll(Some(&pulse), &mut Context::from_waker(Waker::noop()), pending).is_pending());
    let follower = follow(flights);
    (leader, follower, waker.expect("it was polled"))
}

async fn landing_after(follower: &Follow<u8>, expected: Duration) {
    let began = Instant::now();
    assert_eq!(follower.landing(SOON, LONG).await, Landing::Stalled);
    assert_eq!(began.elapsed(), expected);
}

async fn waits(follower: &Follow<u8>) -> bool {
    tokio::time::timeout(10 * LONG, follower.landing(SOON, LONG)).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn followers_leave_a_leader_that_was_woken_but_is_not_polled() {
    let flights = Flights::new();
    let (leader, follower, waker) = woken(&flights);
    assert!(waits(&follower).await, "it waits for its load");
    waker.wake_by_ref();
    tokio::time::advance(LONG / 4).await;
    waker.wake_by_ref();
    landing_after(&follower, LONG).await;
    // The leader is polled again after all.
    let pulse = leader.pulse();
    let polled = pulse::poll(Some(&pulse), &mut Context::from_waker(Waker::noop()), |_| Poll::<()>::Pending);
    assert!(polled.is_pending() && waits(&follower).await);
}

#[tokio::test(start_paused = true)]
async fn followers_leave_a_leader_that_does_not_begin() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let follower = follow(&flights);
    assert!(waits(&follower).await, "it has no pulse yet");
    let pulse = leader.pulse();
    landing_after(&follower, LONG).await;
    // Nothing is left to poll.
    pulse::drive(Some(pulse), async {}).await;
    assert!(waits(&follower).await);
}

#[tokio::test(start_paused = true)]
async fn a_leader_is_not_idle_during_a_long_poll() {
    let pulse = Pulse::new();
    let polled = pulse::poll(Some(&pulse), &mut Context::from_waker(Waker::noop()), |context| {
        context.waker().wake_by_ref();
        assert_eq!(pulse.idle_since(), None);
        Poll::<()>::Pending
    });
    assert!(polled.is_pending());
    assert_eq!(pulse.idle_since(), Some(Instant::now()), "since the end of the poll");
}

/// If all are polled late, the leader does not stall: the process is busy.
#[tokio::test(start_paused = true)]
async fn a_follower_that_is_polled_late_waits_once_more() {
    let flights = Flights::new();
    let leader = lead(&flights);
    leader.pulse();
    let follower = follow(&flights);
    let began = Instant::now();
    let landing = tokio::spawn(async move { (follower.landing(SOON, LONG).await, began.elapsed()) });
    tokio::task::yield_now().await;
    tokio::time::advance(LONG + LONG / 2).await;
    assert_eq!(landing.await.unwrap(), (Landing::Stalled, LONG + LONG / 2 + LONG));
}

#[test]
fn one_follower_takes_the_place_of_a_stalled_leader_and_the_others_follow_it() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    let followers: Vec<_> = (0..3).map(|_| follow(&flights)).collect();
    let Role::Lead(next) = flights.join_next(&"k", &followers[0]) else { panic!("there is no leader") };
    assert!(is_next(&followers[1]), "the others wake at once");
    let Role::Follow(second) = flights.join_next(&"k", &followers[1]) else { panic!("two leaders") };
    let next_step = next.store_step();
    let stranger = follow(&flights);
    assert_eq!(flights.len(), 1);
    // The stalled leader continues. Its value is for those who joined before the step, and the new flight stays in the
    // table.
    leader.found(7, step);
    assert_eq!(flights.len(), 1);
    let Role::Follow(third) = flights.join_next(&"k", &followers[2]) else { panic!("two leaders") };
    next.found(8, next_step);
    assert_eq!([second, third].map(|follow| follow.landed()), [const { Some(Landing::Shared(8)) }; 2]);
    assert!(is_next(&stranger));
    assert_eq!(flights.len(), 0);
}

#[test]
fn the_load_of_a_stalled_leader_is_for_those_who_joined_before_it() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let early = follow(&flights);
    let load = leader.load_step();
    let late = follow(&flights);
    let Role::Lead(_next) = flights.join_next(&"k", &late) else { panic!("there is no leader") };
    leader.loaded(7, load);
    assert_eq!(early.landed(), Some(Landing::Shared(7)));
    assert!(is_next(&late));
    leader.proved_current(load + 1);
    assert_eq!(late.landed(), Some(Landing::Shared(7)));
}

#[tokio::test(start_paused = true)]
async fn each_flight_after_a_stalled_one_is_given_twice_the_time() {
    let flights = Flights::new();
    let mut leaders = vec![lead(&flights)];
    for doubled in [1, 2, 4, 8, 16, 32, 64, 64] {
        leaders[leaders.len() - 1].pulse();
        let follower = follow(&flights);
        landing_after(&follower, doubled * LONG).await;
        let Role::Lead(next) = flights.join_next(&"k", &follower) else { panic!("there is no leader") };
        leaders.push(next);
    }
    drop(leaders);
    assert_eq!(flights.len(), 0);
    lead(&flights).pulse();
}

#[test]
fn the_successor_of_a_stalled_leader_learns_its_lease() {
    let flights = Flights::new();
    let leader = lead(&flights);
    assert_eq!(leader.leases(1), None);
    let Role::Lead(second) = flights.join_next(&"k", &follow(&flights)) else { panic!("there is no leader") };
    // The second leader stalls before it asks for a lease.
    let Role::Lead(third) = flights.join_next(&"k", &follow(&flights)) else { panic!("there is no leader") };
    assert_eq!(third.leases(3), Some(1));
    assert_eq!(third.leases(4), Some(3));
    drop((leader, second, third));
    assert_eq!(lead(&flights).leases(5), None);
}
