//! Single flight in many interleavings, see [`check`].
//!
//! A number stands for the store and the source. A write adds one and is complete at once, which is the hardest case:
//! later calls must not get less.

use super::*;
use crate::sync::model::{check, check_all};
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::sync::atomic::AtomicU32;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex as Free;
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
use std::task::{Poll, Waker};

const KEY: u8 = 7;
/// No time passes in a model.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);
const STALLS_WITHIN: Duration = Duration::MAX;

/// What a caller does as the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Sends a GET.
    Get,
    /// Waits for another process: sends two GETs.
    Wait,
    /// Loads without a lease: the value is shared, not stored.
    Share,
    /// Takes the steps ACQUIRE, load, FILL.
    Fill,
    /// Is dropped while its FILL is under way.
    LeaveFill,
    /// Is dropped while its GET is under way.
    Leave,
    Fail,
    Panic,
    /// As [`Fill`](Self::Fill). It follows no leader, but takes each for one that stalls.
    TakeOver,
}

struct World {
    flights: Flights<u8, u32>,
    register: AtomicU32,
    leading: Count,
    /// Leaders that were dropped, or whose place was taken.
    left: Count,
    /// Whether the place of leaders is taken that continue.
    is_hasty: bool,
}

impl World {
    fn new(is_hasty: bool) -> Arc<Self> {
        let (leading, left) = (Count::new(0), Count::new(0));
        Arc::new(Self { flights: Flights::new(), register: AtomicU32::new(0), leading, left, is_hasty })
    }

    fn read(&self) -> u32 {
        self.register.load(SeqCst)
    }

    fn write(&self) {
        self.register.fetch_add(1, SeqCst);
    }

    /// One call. Its result must be as new as the call.
    async fn call(self: Arc<Self>, way: Way) {
        let at_least = self.read();
        let role = self.flights.join(&KEY);
        if let Some(got) = self.go(role, way).await {
            assert!(got >= at_least, "{at_least} replaced {got} before the call");
        }
    }

    /// `None` if it is dropped without a result.
    async fn go(&self, mut role: Role<u8, u32>, way: Way) -> Option<u32> {
        let mut nexts = 0;
        loop {
            let follow = match role {
                Role::Lead(lead) => return self.lead(lead, way),
                Role::Follow(follow) => follow,
            };
            if way == Way::TakeOver {
                yield_now().await;
                self.left.fetch_add(1, SeqCst);
                role = self.flights.join_next(&KEY, &follow);
                continue;
            }
            match follow.landing(SETTLES_WITHIN, STALLS_WITHIN).await {
                Landing::Shared(got) => return Some(got),
                Landing::Failed => return Some(self.read()),
                Landing::Unsettled | Landing::Stalled => panic!("no time passes"),
                Landing::Next(_) => nexts += 1,
            }
            // All who followed this flight may share what the next one finds.
            assert!(nexts <= 1 + self.left.load(SeqCst), "joined the next generation {nexts} times");
            role = self.flights.join_next(&KEY, &follow);
        }
    }

    fn lead(&self, lead: Lead<u8, u32>, way: Way) -> Option<u32> {
        let others = self.leading.fetch_add(1, SeqCst);
        assert!(others == 0 || self.is_hasty, "two lead at once");
        assert!(self.flights.has(|| KEY) || self.is_hasty);
        let ends = |lead| {
            self.leading.fetch_sub(1, SeqCst);
            lead
        };
        let leaves = |lead| {
            self.left.fetch_add(1, SeqCst);
            ends(lead)
        };
        match way {
            Way::Get | Way::Wait => {
                if way == Way::Wait {
                    lead.store_step();
                    self.read();
                    lead.idle();
                }
                let step = lead.store_step();
                let found = self.read();
                ends(lead).found(found, step);
                Some(found)
            }
            Way::Share => {
                let load = lead.load_step();
                let loaded = self.read();
                ends(lead).found(loaded, load);
                Some(loaded)
            }
            Way::Fill | Way::LeaveFill | Way::TakeOver => {
                lead.store_step();
                // Any later write breaks the lease.
                let leased = self.read();
                let load = lead.load_step();
                let loaded = self.read();
                lead.loaded(loaded, load);
                let fill = lead.store_step();
                let is_accepted = self.read() == leased;
                match (way, is_accepted) {
                    (Way::LeaveFill, _) => drop(leaves(lead)),
                    (_, true) => ends(lead).proved_current(fill),
                    (_, false) => ends(lead).not_proved(),
                }
                Some(loaded)
            }
            Way::Leave => {
                lead.store_step();
                self.read();
                drop(leaves(lead));
                None
            }
            Way::Fail => {
                lead.load_step();
                self.read();
                ends(lead).failed();
                None
            }
            Way::Panic => {
                lead.load_step();
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    let _lead = ends(lead);
                    // Prints no message, and the scheduler does not take it for a failure of its own.
                    resume_unwind(Box::new("in a load"));
                }));
                assert!(panicked.is_err());
                None
            }
        }
    }

    fn is_at_rest(&self) {
        assert_eq!(self.flights.len(), 0);
        assert!(!self.flights.has(|| KEY));
        assert_eq!(self.leading.load(SeqCst), 0);
    }
}

/// Concurrent calls, each with what it does as the leader, and writes at the same time.
fn calls(ways: &'static [Way], writes: usize) {
    check(move || {
        let world = World::new(ways.contains(&Way::TakeOver));
        let callers: Vec<_> = ways.iter().map(|way| spawn(Arc::clone(&world).call(*way))).collect();
        for _ in 0..writes {
            world.write();
        }
        for caller in callers {
            block_on(caller).expect("no call is aborted");
        }
        world.is_at_rest();
    });
}

#[test]
fn a_get_is_shared_only_with_those_who_came_before() {
    calls(&[Way::Get; 4], 3);
}

#[test]
fn the_last_of_several_gets_is_shared_only_with_those_who_came_before() {
    calls(&[Way::Wait; 3], 3);
}

#[test]
fn a_load_without_a_lease_is_shared_only_with_those_who_came_before() {
    calls(&[Way::Share, Way::Share, Way::Get, Way::Get], 3);
}

#[test]
fn a_load_with_a_lease_is_shared_only_while_it_is_current() {
    calls(&[Way::Fill; 3], 2);
}

#[test]
fn callers_get_current_values_after_leaders_are_dropped() {
    calls(&[Way::Leave, Way::LeaveFill, Way::Get, Way::LeaveFill], 2);
}

#[test]
fn callers_get_current_values_after_leaders_fail() {
    calls(&[Way::Fail, Way::Get, Way::Fail, Way::Fill], 2);
}

#[test]
fn callers_get_current_values_after_a_leader_panics() {
    calls(&[Way::Panic, Way::Get, Way::Get], 1);
}

#[test]
fn followers_can_be_aborted() {
    check(|| {
        let world = World::new(false);
        let callers = [Way::Get, Way::Fill, Way::Get].map(|way| spawn(Arc::clone(&world).call(way)));
        world.write();
        callers[1].abort();
        for caller in callers {
            // `Err` if it was aborted.
            let _ = block_on(caller);
        }
        world.is_at_rest();
    });
}

#[test]
fn callers_get_current_values_while_the_place_of_leaders_is_taken() {
    calls(&[Way::Fill, Way::TakeOver, Way::Fill, Way::TakeOver], 3);
}

#[test]
fn callers_get_current_values_while_the_place_of_leaders_is_taken_and_leaders_are_dropped() {
    calls(&[Way::Get, Way::TakeOver, Way::Leave, Way::Share, Way::TakeOver], 2);
}

/// When several followers leave a stalled leader at once, one of them leads and the others follow it.
#[test]
fn exactly_one_follower_takes_the_place_of_a_stalled_leader() {
    check(|| {
        let flights = Arc::new(Flights::<u8, u32>::new());
        let Role::Lead(stalled) = flights.join(&KEY) else { panic!("there is a leader already") };
        let leave = |follow: Follow<u32>| {
            let flights = Arc::clone(&flights);
            spawn(async move { flights.join_next(&KEY, &follow) })
        };
        let followers: Vec<_> = (0..3).map(|_| flights.join(&KEY)).collect();
        let left: Vec<_> = followers
            .into_iter()
            .map(|role| match role {
                Role::Follow(follow) => leave(follow),
                Role::Lead(_) => panic!("there is no leader"),
            })
            .collect();
        let roles: Vec<_> = left.into_iter().map(|role| block_on(role).unwrap()).collect();
        assert_eq!(roles.iter().filter(|role| matches!(role, Role::Lead(_))).count(), 1);
        assert_eq!(flights.len(), 1);
        drop((stalled, roles));
        assert_eq!(flights.len(), 0);
    });
}

/// At whatever moment a leader is woken, it is polled once more, and until then its followers see that it could
/// continue.
#[test]
fn a_wake_is_not_lost() {
    let runs = check_all(|| {
        let (pulse, is_set) = (Pulse::new(), Arc::new(AtomicU32::new(0)));
        let wakes = Arc::new(Free::<Option<Waker>>::default());
        let waker = Arc::clone(&wakes);
        let leader = spawn({
            let (pulse, is_set) = (Arc::clone(&pulse), Arc::clone(&is_set));
            async move {
                let mut slot = Some(waker);
                let is_set = poll_fn(move |context| {
                    if let Some(slot) = slot.take() {
                        *slot.lock().unwrap() = Some(context.waker().clone());
                    }
                    if is_set.load(SeqCst) == 1 { Poll::Ready(()) } else { Poll::Pending }
                });
                pulse::drive(Some(pulse), is_set).await;
            }
        });
        block_on(yield_now());
        is_set.store(1, SeqCst);
        if let Some(waker) = wakes.lock().unwrap().take() {
            waker.wake();
        }
        block_on(leader).unwrap();
        assert_eq!(pulse.idle_since(), None);
    });
    assert!(runs > 10, "{runs} runs");
}

/// However the flight ends, and whatever its follower is doing at that moment.
#[test]
fn a_follower_wakes_when_its_flight_ends() {
    type End = fn(Lead<u8, u32>, u32);
    let ends: [(End, Landing<u32>); 3] = [
        (|lead, step| lead.found(1, step), Landing::Shared(1)),
        (|lead, _| lead.failed(), Landing::Failed),
        (|lead, _| drop(lead), Landing::Next(Duration::ZERO)),
    ];
    for (end, expected) in ends {
        let runs = check_all(move || {
            let (lead, follow, step) = lead_and_follow();
            let follower = spawn(async move { follow.landing(SETTLES_WITHIN, STALLS_WITHIN).await });
            end(lead, step);
            assert_eq!(block_on(follower).unwrap(), expected);
        });
        assert!(runs > 1_000, "{runs} runs");
    }
}

/// A follower that may use the value does not wait for the end of the flight.
#[test]
fn a_follower_wakes_once_its_value_is_loaded() {
    let runs = check_all(|| {
        let (lead, follow, load) = lead_and_follow();
        let follower = spawn(async move { follow.landing(SETTLES_WITHIN, STALLS_WITHIN).await });
        lead.loaded(1, load);
        assert_eq!(block_on(follower).unwrap(), Landing::Shared(1));
    });
    assert!(runs > 100, "{runs} runs");
}

/// A leader that is about to take its first step, and a follower.
fn lead_and_follow() -> (Lead<u8, u32>, Follow<u32>, u32) {
    let flights = Flights::new();
    let Role::Lead(lead) = flights.join(&KEY) else { panic!("there is a leader already") };
    let Role::Follow(follow) = flights.join(&KEY) else { panic!("there is no leader") };
    let step = lead.load_step();
    (lead, follow, step)
}
