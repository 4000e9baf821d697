//! Merged reads in many interleavings, see [`check`].
//!
//! A number stands for the server. A write adds one, and is complete at once, which is the hardest case: whoever comes
//! from then on must not get less.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use super::*;
use crate::sync::model::{check, check_all};
use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use shuttle::sync::atomic::AtomicU32;
use std::collections::HashSet;
use std::sync::Mutex as Free;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Where a read is made.
type Place = u8;

/// The most keys in one batch: few callers fill it.
const KEYS: usize = 3;
/// Keys of one caller, who may have more than fit.
const MOST: usize = 4;

fn keys(words: &str) -> Vec<Key> {
    words.split(' ').map(Key::from).collect()
}

/// What the server sent back for a batch.
#[derive(Debug)]
struct Sent {
    keys: Vec<Key>,
    place: Place,
    version: u32,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    /// By its task, or by a guard.
    TakenOver,
    /// What was to send it goes away before it is closed.
    NotClosed,
    /// Afterwards.
    NotSent,
}

struct World {
    merge: Arc<Merge<Place, Key, Sent>>,
    version: AtomicU32,
    /// When all of it began: time does not go by.
    began: Instant,
    fate: Fate,
    /// Whether some batches are not sent.
    is_lossy: AtomicBool,
    /// Keys that a batch of some place asks for on their own. Outside of what is modelled, as are the senders.
    asked: Free<HashSet<(Place, Key)>>,
    senders: Free<Vec<JoinHandle<()>>>,
}

impl World {
    fn new(fate: Fate) -> Arc<Self> {
        let is_lossy = AtomicBool::new(matches!(fate, Fate::NotClosed | Fate::NotSent));
        let (asked, senders) = (Free::default(), Free::default());
        let (merge, version, began) = (Arc::new(Merge::new(KEYS)), AtomicU32::new(0), Instant::now());
        Arc::new(Self { merge, version, began, fate, is_lossy, asked, senders })
    }

    fn enter(&self, keys: &[Key], place: Place) -> Turn<'_, Place, Key, Sent> {
        self.merge.enter(keys, place, self.deadline(keys))
    }

    /// Callers of several keys have more time than others, so that batches are uneven.
    fn deadline(&self, keys: &[Key]) -> Instant {
        self.began + Duration::from_secs(u64::from(keys.len() > 1))
    }

    fn write(&self) {
        self.version.fetch_add(1, SeqCst);
    }

    /// Asks for a key on its own, until what this returns is dropped; several are not on their own.
    fn ask(&self, keys: &[Key], place: Place) -> Option<Asking<'_>> {
        let [key] = keys else { return None };
        let asked = (place, Key::clone(key));
        assert!(self.asked.lock().unwrap().insert(asked.clone()), "{key} is being asked for already");
        Some(Asking { world: self, asked })
    }

    /// One read; its answer is as new as the read, and that of its keys: the words.
    async fn read(self: Arc<Self>, words: &'static str, place: Place) {
        let keys = keys(words);
        let at_least = self.version.load(SeqCst);
        match self.enter(&keys, place) {
            Turn::Alone(_alone) => yield_now().await,
            Turn::Together(ticket, sending) => {
                if let Some(sending) = sending {
                    let sender = spawn(Arc::clone(&self).send(sending, place));
                    self.senders.lock().unwrap().push(sender);
                }
                if self.fate == Fate::TakenOver
                    && let Some(guard) = self.merge.guard(place)
                {
                    let guard = spawn(Arc::clone(&self).see_to(guard, place));
                    self.senders.lock().unwrap().push(guard);
                }
                let answer = match ticket.answer_by(self.deadline(&keys)).await {
                    Ok(answer) => answer,
                    Err(Outlasts) => ticket.answer().await,
                };
                match answer {
                    Some(sent) => {
                        assert!(sent.version >= at_least, "{} was written over by {at_least}", sent.version);
                        let found = ticket.positions().map(|at| &sent.keys[at]);
                        assert!(found.eq(&keys), "{:?} of {keys:?} in {sent:?}", ticket.positions);
                        assert_eq!(sent.place, place);
                    }
                    None => assert!(self.is_lossy.load(SeqCst), "a batch that was sent has no answer"),
                }
            }
        }
    }

    /// For as long as anything is open, or for a while.
    async fn see_to(self: Arc<Self>, mut guard: Guard<Place, Key, Sent>, place: Place) {
        for _ in 0..3 {
            yield_now().await;
            let Some(batches) = guard.left_behind() else { return };
            for (sending, keys) in batches {
                Arc::clone(&self).answer(sending, keys, place).await;
            }
        }
    }

    async fn send(self: Arc<Self>, mut sending: Sending<Place, Key, Sent>, place: Place) {
        yield_now().await;
        if self.fate == Fate::NotClosed {
            return drop(sending);
        }
        if let Some(keys) = sending.close().await {
            self.answer(sending, keys, place).await;
        }
    }

    async fn answer(self: Arc<Self>, sending: Sending<Place, Key, Sent>, keys: Vec<Key>, place: Place) {
        assert!((1..=KEYS.max(MOST)).contains(&keys.len()), "{keys:?}");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:?}");
        let asking = self.ask(&keys, place);
        let version = self.version.load(SeqCst);
        yield_now().await;
        drop(asking);
        if self.fate != Fate::NotSent {
            sending.answer(Sent { keys, place, version });
        }
    }

    /// Waits for all that was begun; nothing is left.
    fn come_to_rest(&self, readers: impl IntoIterator<Item = JoinHandle<()>>) {
        for reader in readers {
            // `Err` if it was aborted.
            let _ = block_on(reader);
        }
        for sender in std::mem::take(&mut *self.senders.lock().unwrap()) {
            let _ = block_on(sender);
        }
        let state = locked(&self.merge.state);
        assert_eq!(state.under_way, 0);
        assert!(state.asked.is_empty(), "{:?}", state.asked);
        assert!(state.open.is_empty(), "{:?}", state.open);
        assert!(state.guarded.is_empty(), "{:?}", state.guarded);
        drop(state);
        assert!(self.asked.lock().unwrap().is_empty());
    }
}

/// A question for one key that is under way.
struct Asking<'a> {
    world: &'a World,
    asked: (Place, Key),
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        assert!(self.world.asked.lock().unwrap().remove(&self.asked));
    }
}

/// Reads at once, and writes meanwhile.
fn reads(reads: &'static [(&'static str, Place)], writes: usize, fate: Fate) {
    check(move || {
        let world = World::new(fate);
        let readers: Vec<_> = reads.iter().map(|(key, place)| spawn(Arc::clone(&world).read(key, *place))).collect();
        for _ in 0..writes {
            world.write();
        }
        world.come_to_rest(readers);
    });
}

#[test]
fn one_key_that_all_ask_for() {
    reads(&[("a", 1); 5], 3, Fate::Answered);
}

#[test]
fn two_keys() {
    reads(&[("a", 1), ("b", 1), ("a", 1), ("b", 1)], 3, Fate::Answered);
}

#[test]
fn more_keys_than_a_batch_holds() {
    reads(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)], 2, Fate::Answered);
}

#[test]
fn one_key_at_several_places() {
    reads(&[("a", 1), ("a", 1), ("a", 2), ("a", 3), ("a", 2)], 2, Fate::Answered);
}

#[test]
fn batches_that_are_not_closed() {
    reads(&[("a", 1), ("a", 1), ("a", 2), ("b", 1)], 1, Fate::NotClosed);
}

#[test]
fn batches_that_are_not_sent() {
    reads(&[("a", 1), ("a", 1), ("a", 2), ("b", 1)], 1, Fate::NotSent);
}

/// At whatever point they are: not closed yet, held back, sent.
#[test]
fn senders_and_readers_that_are_ended() {
    check(|| {
        let world = World::new(Fate::Answered);
        let readers = [("a", 1), ("a", 1), ("a", 2), ("b", 2)].map(|(key, at)| spawn(Arc::clone(&world).read(key, at)));
        block_on(yield_now());
        world.is_lossy.store(true, SeqCst);
        let sender = world.senders.lock().unwrap().pop();
        if let Some(sender) = sender {
            sender.abort();
            let _ = block_on(sender);
        }
        readers[1].abort();
        world.come_to_rest(readers);
    });
}

/// A batch of one key that is to be sent, and a reader on its own, of the same key, that is not polled any more.
macro_rules! kept_aside {
    ($world:ident, $alone:ident, $ticket:ident) => {
        let $world = World::new(Fate::Answered);
        let key = keys("a");
        let Turn::Alone($alone) = $world.enter(&key, 1) else { panic!("a read is under way") };
        let Turn::Together($ticket, Some(sending)) = $world.enter(&key, 1) else { panic!("not a new batch") };
        let sender = spawn(Arc::clone(&$world).send(sending, 1));
        $world.senders.lock().unwrap().push(sender);
    };
}

#[test]
fn a_reader_that_is_not_polled_holds_nobody_up() {
    let runs = check_all(|| {
        kept_aside!(world, alone, ticket);
        assert!(block_on(ticket.answer()).is_some());
        drop(alone);
        world.come_to_rest([]);
    });
    assert!(runs > 100, "{runs} runs");
}

#[test]
fn a_batch_that_is_held_back_goes_once_its_key_is_answered() {
    check(|| {
        kept_aside!(world, alone, first);
        let second = spawn(Arc::clone(&world).read("a", 1));
        let third = spawn(Arc::clone(&world).read("a", 1));
        assert!(block_on(first.answer()).is_some());
        drop(alone);
        world.come_to_rest([second, third]);
    });
}

/// By a caller with that key alone, or with the one that is held back as well.
#[test]
fn a_batch_that_is_held_back_goes_once_it_has_another_key() {
    for words in ["b", "b a"] {
        check(move || {
            kept_aside!(world, alone, first);
            let held = spawn(Arc::clone(&world).read("a", 1));
            let another = spawn(Arc::clone(&world).read(words, 1));
            assert!(block_on(first.answer()).is_some());
            drop(alone);
            world.come_to_rest([held, another]);
        });
    }
}

#[test]
fn batches_that_are_taken_over() {
    reads(&[("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)], 3, Fate::TakenOver);
}

#[test]
fn batches_of_several_keys_that_are_taken_over() {
    reads(&[("a b", 1), ("b a", 1), ("a", 1), ("b", 1), ("a a", 1)], 3, Fate::TakenOver);
}

#[test]
fn callers_with_several_keys() {
    reads(&[("a b", 1), ("b a", 1), ("a", 1), ("b", 1), ("a a", 1)], 3, Fate::Answered);
}

#[test]
fn callers_with_more_keys_than_a_batch_holds() {
    reads(&[("a b c d", 1), ("c b", 1), ("d e f", 1), ("a b c d", 1)], 2, Fate::Answered);
}

#[test]
fn callers_with_several_keys_at_several_places() {
    reads(&[("a", 1), ("a b", 1), ("b a", 2), ("a", 2), ("b b", 3)], 2, Fate::Answered);
}

#[test]
fn batches_of_several_keys_that_are_not_sent() {
    reads(&[("a", 1), ("a b", 1), ("b", 1), ("b a", 2)], 1, Fate::NotSent);
}

/// As [`senders_and_readers_that_are_ended`], with several keys.
#[test]
fn senders_and_readers_of_several_keys_that_are_ended() {
    check(|| {
        let world = World::new(Fate::Answered);
        let all = [("a b", 1), ("b a", 1), ("a a", 2), ("b", 2), ("a", 1)];
        let readers = all.map(|(words, at)| spawn(Arc::clone(&world).read(words, at)));
        block_on(yield_now());
        world.is_lossy.store(true, SeqCst);
        let sender = world.senders.lock().unwrap().pop();
        if let Some(sender) = sender {
            sender.abort();
            let _ = block_on(sender);
        }
        readers[1].abort();
        world.come_to_rest(readers);
    });
}
