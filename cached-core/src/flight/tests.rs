//! One flight at a time, step by step.

use super::*;

fn lead(flights: &Flights<&'static str, u8>) -> Lead<&'static str, u8> {
    match flights.join(&"k") {
        Role::Lead(lead) => lead,
        Role::Follow(_) => panic!("someone leads already"),
    }
}

fn follow(flights: &Flights<&'static str, u8>) -> Follow<u8> {
    match flights.join(&"k") {
        Role::Follow(follow) => follow,
        Role::Lead(_) => panic!("nobody leads"),
    }
}

fn is_next(follow: &Follow<u8>) -> bool {
    matches!(follow.landed(), Some(Landing::Next(_)))
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const SOON: Duration = ms(20);

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_a_leader_that_does_not_settle() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let load = leader.load_step();
    let late = follow(&flights);
    leader.loaded(7, load);
    assert_eq!(late.landing(SOON).await, Landing::Unsettled);
}

#[test]
fn what_a_step_found_is_for_those_who_came_before_it() {
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
fn a_load_is_for_latecomers_only_once_it_is_proved_current() {
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
    assert_eq!(before_the_load.landed(), Some(Landing::Shared(8)), "however late it looks");
    assert!(is_next(&during_the_load));
}

#[test]
fn all_of_the_next_generation_share_however_late_they_wake() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    let late: Vec<_> = (0..4).map(|_| follow(&flights)).collect();
    leader.found(7, step);

    let Role::Lead(leader) = flights.join_next(&"k", &late[0]) else { panic!("nobody leads") };
    let Role::Follow(second) = flights.join_next(&"k", &late[1]) else { panic!("two leaders") };
    let step = leader.store_step();
    let stranger = follow(&flights);
    // The third wakes only now, the GET is on its way; but it was there before it was sent.
    let Role::Follow(third) = flights.join_next(&"k", &late[2]) else { panic!("two leaders") };
    leader.found(8, step);
    assert_eq!(second.landed(), Some(Landing::Shared(8)));
    assert_eq!(third.landed(), Some(Landing::Shared(8)));
    assert!(is_next(&stranger));
    // The fourth wakes when that is over as well.
    let Role::Follow(fourth) = flights.join_next(&"k", &late[3]) else { panic!("it starts another flight") };
    assert_eq!(fourth.landed(), Some(Landing::Shared(8)));
}

#[test]
fn a_flight_is_there_from_its_start_to_its_end() {
    let flights = Flights::new();
    assert!(!flights.has(|| unreachable!("nobody asks for the key while there are no flights")));
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
async fn the_time_spent_on_the_store_is_that_of_the_steps_there() {
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
fn to_idle_is_no_step() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let step = leader.store_step();
    leader.idle();
    assert_eq!(leader.load_step(), step + 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_hears_of_a_load_before_it_is_settled() {
    let flights = Flights::new();
    let leader = lead(&flights);
    let early = follow(&flights);
    let load = leader.load_step();
    let during = follow(&flights);
    let (early, during) = (
        tokio::spawn(async move { early.landing(SOON).await }),
        tokio::spawn(async move { during.landing(SOON).await }),
    );
    tokio::task::yield_now().await;
    leader.loaded(7, load);
    assert_eq!(early.await.unwrap(), Landing::Shared(7));
    leader.proved_current(load + 1);
    assert_eq!(during.await.unwrap(), Landing::Shared(7));
}

#[test]
fn settling_what_was_never_loaded_hands_over() {
    let flights = Flights::new();
    let (leader, follower) = (lead(&flights), follow(&flights));
    leader.not_proved();
    assert!(is_next(&follower));
}

#[tokio::test]
async fn a_dropped_leader_hands_over_and_a_failed_one_lets_go() {
    let flights = Flights::new();
    let (leader, follower) = (lead(&flights), follow(&flights));
    let waiting = tokio::spawn(async move { follower.landing(SOON).await });
    tokio::task::yield_now().await;
    drop(leader);
    assert!(matches!(waiting.await.unwrap(), Landing::Next(_)));

    let (leader, follower) = (lead(&flights), follow(&flights));
    leader.failed();
    assert_eq!(follower.landing(SOON).await, Landing::Failed);
    assert_eq!(flights.len(), 0);
}

#[test]
fn a_panicking_leader_lets_go() {
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
