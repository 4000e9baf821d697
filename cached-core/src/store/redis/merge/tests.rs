mod steps;

use super::*;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

type Reads = Arc<Merge<u8, Key, u8>>;
type Opened = (Ticket<u8>, Sending<u8, Key, u8>);

const KEYS: usize = 512;
const HERE: u8 = 1;
const ELSEWHERE: u8 = 2;

fn reads() -> Reads {
    Arc::new(Merge::new(KEYS))
}

fn enter<'a>(reads: &'a Reads, key: &str, place: u8) -> Turn<'a, u8, Key, u8> {
    reads.enter(&[key.into()], place, Instant::now())
}

fn together<const N: usize>(reads: &Reads, asked: [&str; N]) -> (Ticket<u8>, Option<Sending<u8, Key, u8>>) {
    match reads.enter(&keys(asked), HERE, Instant::now()) {
        Turn::Together(ticket, sending) => (ticket, sending),
        Turn::Alone(_) => panic!("it is alone"),
    }
}

fn opens_with<const N: usize>(reads: &Reads, asked: [&str; N]) -> Opened {
    let (ticket, sending) = together(reads, asked);
    (ticket, sending.expect("no new batch"))
}

fn joins_with<const N: usize>(reads: &Reads, asked: [&str; N]) -> Ticket<u8> {
    let (ticket, sending) = together(reads, asked);
    assert!(sending.is_none(), "it joins none");
    ticket
}

/// Where the key of a caller stands.
fn at(ticket: &Ticket<u8>) -> usize {
    ticket.positions().next().expect("it has a key")
}

/// Where the keys of a caller stand.
fn positions(ticket: &Ticket<u8>) -> Vec<usize> {
    ticket.positions().collect()
}

fn alone<'a>(reads: &'a Reads, key: &str) -> Alone<'a, u8, Key, u8> {
    match enter(reads, key, HERE) {
        Turn::Alone(alone) => alone,
        Turn::Together(..) => panic!("it is not alone"),
    }
}

fn opens(reads: &Reads, key: &str, place: u8) -> Opened {
    match enter(reads, key, place) {
        Turn::Together(ticket, Some(sending)) => (ticket, sending),
        other => panic!("no new batch: {other:?}"),
    }
}

fn joins(reads: &Reads, key: &str, place: u8) -> Ticket<u8> {
    match enter(reads, key, place) {
        Turn::Together(ticket, None) => ticket,
        other => panic!("it joins none: {other:?}"),
    }
}

/// A batch that may be closed.
async fn closed(sending: &mut Sending<u8, Key, u8>) -> Vec<Key> {
    let closed = timeout(Duration::from_secs(1), sending.close()).await.expect("it is held back");
    closed.expect("somebody else has closed it")
}

async fn is_held(sending: &mut Sending<u8, Key, u8>) -> bool {
    timeout(Duration::ZERO, sending.close()).await.is_err()
}

fn is_at_rest(reads: &Reads) -> bool {
    let state = locked(&reads.state);
    state.under_way == 0 && state.asked.is_empty() && state.open.is_empty()
}

fn keys<const N: usize>(keys: [&str; N]) -> Vec<Key> {
    keys.map(Key::from).to_vec()
}

#[test]
fn a_read_that_finds_no_other_goes_on_its_own() {
    let reads = reads();
    let first = alone(&reads, "a");
    assert!(!is_at_rest(&reads));
    drop(first);
    assert!(is_at_rest(&reads));
    drop(alone(&reads, "a"));
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn those_that_come_meanwhile_gather_and_equal_keys_go_once() {
    let reads = reads();
    let _first = alone(&reads, "x");
    let (a, mut sending) = opens(&reads, "a", HERE);
    let (b, again) = (joins(&reads, "b", HERE), joins(&reads, "a", HERE));
    assert_eq!(closed(&mut sending).await, keys(["a", "b"]));
    assert_eq!([&a, &b, &again].map(at), [0, 1, 0]);
    sending.answer(7);
    for ticket in [a, b, again] {
        assert_eq!(ticket.answer().await, Some(&7));
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_a_batch_was_closed_opens_the_next() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (early, mut sending) = opens(&reads, "a", HERE);
    closed(&mut sending).await;
    let (late, next) = opens(&reads, "b", HERE);
    sending.answer(7);
    assert_eq!(early.answer().await, Some(&7));
    assert!(timeout(Duration::ZERO, late.answer()).await.is_err(), "it got what was asked for before it came");
    next.answer(8);
    assert_eq!(late.answer().await, Some(&8));
    drop(first);
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_batch_holds_so_many_keys() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (_, mut full) = opens(&reads, "0", HERE);
    for key in 1..KEYS {
        assert_eq!(at(&joins(&reads, &key.to_string(), HERE)), key);
    }
    let (_, mut next) = opens(&reads, "one more", HERE);
    // Even one that the full batch has: it is not looked through.
    assert_eq!(at(&joins(&reads, "0", HERE)), 1);
    assert_eq!(closed(&mut full).await.len(), 512);
    assert_eq!(closed(&mut next).await, keys(["one more", "0"]));
    drop((first, full, next));
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn each_place_has_batches_of_its_own() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (_, mut here) = opens(&reads, "a", HERE);
    let (_, mut elsewhere) = opens(&reads, "b", ELSEWHERE);
    assert_eq!(at(&joins(&reads, "c", HERE)), 1);
    assert_eq!(at(&joins(&reads, "d", ELSEWHERE)), 1);
    assert_eq!(closed(&mut here).await, keys(["a", "c"]));
    assert_eq!(closed(&mut elsewhere).await, keys(["b", "d"]));
    drop((first, here, elsewhere));
    assert!(is_at_rest(&reads));
}

/// A batch of this key alone that has been sent, and one behind it that is held back.
macro_rules! held_back {
    ($reads:ident, $first:ident, $sent:ident, $held:ident) => {
        let $reads = reads();
        let $first = alone(&$reads, "x");
        let (_, mut $sent) = opens(&$reads, "a", HERE);
        assert_eq!(closed(&mut $sent).await, keys(["a"]));
        let (_, mut $held) = opens(&$reads, "a", HERE);
        assert!(is_held(&mut $held).await);
    };
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_back_for_a_read_on_its_own() {
    let reads = reads();
    // Nobody may ever look at its answer.
    let first = alone(&reads, "a");
    for _ in 0..2 {
        let (_, mut sending) = opens(&reads, "a", HERE);
        assert_eq!(closed(&mut sending).await, keys(["a"]));
        sending.answer(7);
    }
    drop(first);
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_batch_asks_for_goes_once_that_is_answered() {
    held_back!(reads, first, sent, held);
    assert_eq!(at(&joins(&reads, "a", HERE)), 0);
    {
        let mut closing = pin!(held.close());
        assert!(timeout(Duration::ZERO, &mut closing).await.is_err());
        sent.answer(7);
        assert_eq!(timeout(Duration::ZERO, closing).await, Ok(Some(keys(["a"]))));
    }
    held.answer(8);
    drop(first);
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn another_key_and_another_place_are_not_held_back() {
    held_back!(reads, _first, _sent, held);
    let (_, mut elsewhere) = opens(&reads, "a", ELSEWHERE);
    assert_eq!(closed(&mut elsewhere).await, keys(["a"]), "nothing tells here whether that place still runs");

    let mut closing = pin!(held.close());
    assert!(timeout(Duration::ZERO, &mut closing).await.is_err());
    assert_eq!(at(&joins(&reads, "c", HERE)), 1);
    assert_eq!(timeout(Duration::ZERO, closing).await, Ok(Some(keys(["a", "c"]))));
}

fn guard(reads: &Reads, place: u8) -> Guard<u8, Key, u8> {
    reads.guard(place).expect("it has one")
}

/// The keys that are sent in place of what was to send them.
fn left_behind(guard: &mut Guard<u8, Key, u8>) -> Vec<LeftBehind<u8, Key, u8>> {
    guard.left_behind().expect("something is open")
}

#[tokio::test(start_paused = true)]
async fn a_guard_takes_over_what_was_not_sent() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (a, mut late) = opens(&reads, "a", HERE);
    let (_, elsewhere) = opens(&reads, "a", ELSEWHERE);
    let mut guard = guard(&reads, HERE);
    assert!(left_behind(&mut guard).is_empty(), "it may be sent in a moment");
    let b = joins(&reads, "b", HERE);
    let (sending, sent) = left_behind(&mut guard).pop().expect("it was not closed");
    assert_eq!(sent, keys(["a", "b"]));
    // The task that was to send it has its turn at last, and goes; so do those that come meanwhile.
    assert_eq!(late.close().await, None);
    drop(late);
    let (_, mut next) = opens(&reads, "a", HERE);
    assert_eq!(closed(&mut next).await, keys(["a"]));
    sending.answer(7);
    assert_eq!((a.answer().await, b.answer().await), (Some(&7), Some(&7)));
    assert!(guard.left_behind().is_none(), "nothing is open here");
    drop((next, elsewhere, first));
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_guard_takes_over_what_is_held_back_once_it_may_be_sent() {
    held_back!(reads, _first, sent, held);
    let ticket = joins(&reads, "a", HERE);
    let mut guard = guard(&reads, HERE);
    for _ in 0..3 {
        assert!(left_behind(&mut guard).is_empty());
    }
    sent.answer(7);
    let (sending, _) = left_behind(&mut guard).pop().expect("it was not closed");
    drop(held);
    sending.answer(8);
    assert_eq!(ticket.answer().await, Some(&8));
}

#[test]
fn each_place_has_one_guard_at_a_time() {
    let reads = reads();
    let mut here = guard(&reads, HERE);
    assert!(reads.guard(HERE).is_none());
    let elsewhere = guard(&reads, ELSEWHERE);
    assert!(here.left_behind().is_none());
    let next = guard(&reads, HERE);
    drop(here);
    assert!(reads.guard(HERE).is_none(), "the former has gone before");
    drop((elsewhere, next));
    assert!(is_at_rest(&reads) && locked(&reads.state).guarded.is_empty());
    guard(&reads, HERE);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_told_when_nothing_will_come() {
    held_back!(reads, first, sent, held);
    let ticket = joins(&reads, "a", HERE);
    drop(held);
    assert_eq!(ticket.answer().await, None);
    // The first is under way still.
    let (waits, mut sending) = opens(&reads, "a", HERE);
    assert!(is_held(&mut sending).await);
    drop(sent);
    assert_eq!(closed(&mut sending).await, keys(["a"]));
    drop(sending);
    assert_eq!(waits.answer().await, None);
    drop(first);
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_its_key() {
    let reads = reads();
    let _first = alone(&reads, "x");
    let (gone, mut sending) = opens(&reads, "a", HERE);
    drop(gone);
    let stays = joins(&reads, "b", HERE);
    assert_eq!(closed(&mut sending).await, keys(["a", "b"]));
    sending.answer(7);
    assert_eq!((at(&stays), stays.answer().await), (1, Some(&7)));
}

fn joins_due(reads: &Reads, key: &str, deadline: Instant) -> Ticket<u8> {
    match reads.enter(&keys([key]), HERE, deadline) {
        Turn::Together(ticket, None) => ticket,
        other => panic!("it joins none: {other:?}"),
    }
}

fn opens_due(reads: &Reads, key: &str, deadline: Instant) -> Opened {
    match reads.enter(&keys([key]), HERE, deadline) {
        Turn::Together(ticket, Some(sending)) => (ticket, sending),
        other => panic!("no new batch: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_due_when_the_last_of_its_callers_is() {
    for (first, second) in [(5, 500), (500, 5)] {
        let reads = reads();
        let _first = alone(&reads, "x");
        let [first, second] = [first, second].map(|ms| Instant::now() + Duration::from_millis(ms));
        let (opener, mut sending) = opens_due(&reads, "a", first);
        let joined = joins_due(&reads, "b", second);
        closed(&mut sending).await;
        assert_eq!(sending.deadline(), first.max(second));
        let late = first.min(second);
        for ticket in [&opener, &joined] {
            assert_eq!(timeout(Duration::ZERO, ticket.answer_by(late)).await, Ok(Err(Outlasts)));
        }
        sending.answer(7);
        for (ticket, due) in [(&opener, first), (&joined, second)] {
            assert_eq!(ticket.answer_by(due).await, Ok(Some(&7)), "an answer that is there is given");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_are_due_at_about_the_same_time_need_no_timer() {
    let reads = reads();
    let _first = alone(&reads, "x");
    let due = Instant::now() + Duration::from_millis(500);
    let (opener, mut sending) = opens_due(&reads, "a", due);
    let callers = [(opener, due), (joins_due(&reads, "b", due - CLOSE), due - CLOSE)];
    let callers = callers.into_iter().chain([(joins_due(&reads, "c", due + CLOSE), due + CLOSE)]);
    let callers: Vec<_> = callers.collect();
    closed(&mut sending).await;
    for (ticket, deadline) in &callers {
        assert!(timeout(Duration::ZERO, ticket.answer_by(*deadline)).await.is_err(), "it waits for the answer");
        assert!(sending.deadline() <= *deadline + 2 * CLOSE, "it waits too long");
    }
    assert_eq!(callers[1].0.answer_by(due - 2 * CLOSE).await, Err(Outlasts));
    sending.answer(7);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_already_is_told_of_one_that_has_more_time() {
    let reads = reads();
    let _first = alone(&reads, "x");
    let due = Instant::now() + Duration::from_millis(5);
    let (opener, _sending) = opens_due(&reads, "a", due);
    let mut waits = pin!(opener.answer_by(due));
    assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
    joins_due(&reads, "b", due + Duration::from_millis(500));
    assert_eq!(timeout(Duration::from_secs(60), waits).await, Ok(Err(Outlasts)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_several_keys_gets_all_of_them_from_one_batch() {
    let reads = reads();
    let _first = alone(&reads, "x");
    let (abc, mut sending) = opens_with(&reads, ["a", "b", "c"]);
    let cad = joins_with(&reads, ["c", "a", "d"]);
    let b = joins(&reads, "b", HERE);
    let (twice, again) = (joins_with(&reads, ["e", "d", "e"]), joins_with(&reads, ["x", "a"]));
    assert_eq!(closed(&mut sending).await, keys(["a", "b", "c", "d", "e", "x"]));
    assert_eq!(positions(&abc), [0, 1, 2]);
    assert_eq!(positions(&cad), [2, 0, 3]);
    assert_eq!(positions(&b), [1]);
    assert_eq!(positions(&twice), [4, 3, 4]);
    assert_eq!(positions(&again), [5, 0]);
    sending.answer(7);
    for ticket in [abc, cad, b, twice, again] {
        assert_eq!(ticket.answer().await, Some(&7));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_several_keys_is_one_read_under_way() {
    let reads = reads();
    let Turn::Alone(several) = reads.enter(&keys(["a", "b"]), HERE, Instant::now()) else { panic!("it is alone") };
    // Not asked for on their own: the next goes at once.
    let (_, mut next) = opens(&reads, "a", HERE);
    assert_eq!(closed(&mut next).await, keys(["a"]));
    drop(several);
    assert!(!is_at_rest(&reads));
    next.answer(7);
    assert!(is_at_rest(&reads));

    let first = alone(&reads, "x");
    let (_, sending) = opens_with(&reads, ["a", "b", "c"]);
    joins_with(&reads, ["d", "e"]);
    sending.answer(7);
    drop(first);
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn who_has_more_keys_than_there_is_room_for_opens_the_next_batch() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (_, mut full) = opens(&reads, "0", HERE);
    for key in 1..KEYS - 2 {
        joins(&reads, &key.to_string(), HERE);
    }
    let (three, mut next) = opens_with(&reads, ["a", "b", "c"]);
    assert_eq!(positions(&three), [0, 1, 2]);
    // The next is looked at first; the one before has room for two still.
    assert_eq!(positions(&joins_with(&reads, ["d", "e"])), [3, 4]);
    assert_eq!(closed(&mut next).await, keys(["a", "b", "c", "d", "e"]));
    assert_eq!(positions(&joins_with(&reads, ["f", "g"])), [KEYS - 2, KEYS - 1]);
    assert_eq!(closed(&mut full).await.len(), KEYS);

    // One who alone has more than that is not divided.
    let many: Vec<Key> = (0..=KEYS).map(|key| key.to_string().into()).collect();
    let Turn::Together(all, Some(mut sending)) = reads.enter(&many, HERE, Instant::now()) else { panic!("no batch") };
    let (_, mut after) = opens(&reads, "0", HERE);
    assert_eq!(positions(&all), (0..=KEYS).collect::<Vec<_>>());
    assert_eq!(closed(&mut sending).await, many);
    assert_eq!(closed(&mut after).await, keys(["0"]));
    drop((first, full, next, sending, after));
    assert!(is_at_rest(&reads));
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_another_key_among_several_frees_a_batch_that_is_held() {
    held_back!(reads, _first, _sent, held);
    let mut closing = pin!(held.close());
    assert!(timeout(Duration::ZERO, &mut closing).await.is_err());
    // The same key twice is one key.
    assert_eq!(positions(&joins_with(&reads, ["a", "a"])), [0, 0]);
    assert!(timeout(Duration::ZERO, &mut closing).await.is_err());
    assert_eq!(positions(&joins_with(&reads, ["a", "c"])), [0, 1]);
    assert_eq!(timeout(Duration::ZERO, closing).await, Ok(Some(keys(["a", "c"]))));

    // Several from the beginning are not held at all.
    let (_, mut several) = opens_with(&reads, ["a", "b"]);
    assert_eq!(closed(&mut several).await, keys(["a", "b"]));
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_several_keys_that_goes_away_leaves_them() {
    let reads = reads();
    let first = alone(&reads, "x");
    let (gone, mut sending) = opens_with(&reads, ["a", "b"]);
    drop(gone);
    let stays = joins_with(&reads, ["c", "b"]);
    assert_eq!(closed(&mut sending).await, keys(["a", "b", "c"]));
    sending.answer(7);
    assert_eq!((positions(&stays), stays.answer().await), (vec![2, 1], Some(&7)));

    let (told, sending) = opens_with(&reads, ["a", "b"]);
    drop(sending);
    assert_eq!(told.answer().await, None);
    drop(first);
    assert!(is_at_rest(&reads));
}
