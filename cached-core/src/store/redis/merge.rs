//! Decides what goes out together: reads, or steps of one kind. It only keeps the books; [`gather`](super::gather)
//! sends.
//!
//! An item that finds no other under way goes out on its own. Items that come meanwhile gather in a batch. The caller
//! that opens a batch has it sent as soon as the tasks that are ready to run have had their turn. Nobody waits for time
//! to pass or for an answer to come, and the busier the process is, the more items go out as one.
//!
//! Equal questions go out once: reads of one key. There is one exception to the first rule for them: a batch of one
//! single question is held back until the batch of this question before it has its answer. Otherwise a key that
//! everybody asks for would keep the server busy with one question.
//!
//! A batch is closed before it is sent. So a caller never gets an answer that was on its way when the caller came: that
//! answer could be older than a write that had completed by then.
//!
//! # Who depends on whom
//! Nobody depends on a caller's polling. A caller that goes out on its own may never look at the answer, so nothing is
//! held back for it. A task sends a batch and answers it. A batch is held back only for another batch of the
//! same place, whose task runs if its own does. That task may wait for one that blocks its thread. So each place has a
//! guard while batches are open there. It takes over what is still open when it comes by for the second time
//! (`left_behind`).
//!
//! # Deadlines
//! A batch is sent with the latest deadline of its callers, so that a caller with little time left takes none from the
//! others. Nearly always all callers are due at about the same time. Then the end of the batch bounds each wait, and no
//! caller needs a timer. A batch with a caller that has more time than the first one is uneven: its callers are told
//! so, and each of them then keeps its own time.
//!
//! # On cancellation
//! A caller that goes away leaves its items in the batch. If the task that is to send a batch goes away, its callers are
//! told.

use crate::store::Key;
use crate::sync::{Mutex, Notify, locked};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// Deadlines that are no further apart than this count as one. A caller without a timer waits at most twice this beyond
/// its own deadline: the batch may last this much longer than its first caller, which may be due this much later than
/// the caller.
const CLOSE: Duration = Duration::from_millis(2);

/// What goes out together with others of its kind.
pub(super) trait Item: Clone {
    /// The key that it asks for: equal questions go out once and share the answer. `None` for a step, which is taken as
    /// often as callers bring it.
    fn question(&self) -> Option<&Key>;
}

impl Item for Key {
    fn question(&self) -> Option<&Key> {
        Some(self)
    }
}

/// The items of type `I` that are under way, and are answered by an `A`. `P` is the place from which a batch is sent, a
/// runtime. Callers elsewhere have batches of their own, since they cannot know whether that place still runs.
#[derive(Debug)]
pub(super) struct Merge<P, I, A> {
    /// The most items in one batch: the server answers it in one step, and others wait meanwhile.
    most: usize,
    state: Mutex<State<P, I, A>>,
    /// Tells that a batch that was held back may be sent now.
    freed: Notify,
}

#[derive(Debug)]
struct State<P, I, A> {
    under_way: usize,
    /// The questions that a batch of this place asks on their own.
    asked: Vec<(P, Key)>,
    /// The batches that are not sent yet: one for each place, or hardly more.
    open: Vec<Open<P, I, A>>,
    /// The places that have a guard.
    guarded: Vec<P>,
}

/// A batch that gathers items.
#[derive(Debug)]
struct Open<P, I, A> {
    batch: Arc<Batch<A>>,
    place: P,
    items: Vec<I>,
    /// The position of each question among them.
    at: HashMap<Key, usize, BuildHasherDefault<Mix>>,
    callers: usize,
    /// The latest of its callers' deadlines.
    deadline: Instant,
    /// Whether it is held back until its only question has been answered.
    is_held: bool,
    /// Whether the guard has come by.
    is_seen: bool,
}

/// The state that the callers of a batch share.
#[derive(Debug)]
struct Batch<A> {
    /// The answer; `None` if the batch was never sent.
    answer: OnceLock<Option<A>>,
    answered: Notify,
    /// The deadline of its first caller.
    first: Instant,
    /// Whether a caller has joined that has more time than the first one.
    is_uneven: AtomicBool,
}

/// The way in which a caller's items go on.
#[derive(Debug)]
pub(super) enum Turn<'a, P: Copy + PartialEq, I: Item, A> {
    /// They go out on their own; to be held until they are answered.
    Alone(Alone<'a, P, I, A>),
    /// They are part of a batch; the caller that opened the batch has to send it.
    Together(Ticket<A>, Option<Sending<P, I, A>>),
}

/// Hashes a key for a batch: fast, and not safe against chosen keys, of which a batch holds too few to do harm.
/// `FxHash`, as in rustc.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<P: Copy + PartialEq, I: Item, A> Merge<P, I, A> {
    /// `most`: the most items in one batch.
    pub(super) fn new(most: usize) -> Self {
        let state = State { under_way: 0, asked: Vec::new(), open: Vec::new(), guarded: Vec::new() };
        Self { most, state: Mutex::new(state), freed: Notify::new() }
    }

    /// Takes in a caller's `items`, which come from `place` and are to be answered by `deadline`. They are always in
    /// one batch.
    pub(super) fn enter(self: &Arc<Self>, items: &[I], place: P, deadline: Instant) -> Turn<'_, P, I, A> {
        let mut state = locked(&self.state);
        state.under_way += 1;
        let has_room = |open: &Open<P, I, A>| open.items.len() + items.len() <= self.most;
        let joined = state.open.iter_mut().rev().find(|open| open.place == place && has_room(open));
        if let Some(open) = joined {
            let ticket = open.join(items, deadline);
            if open.is_held && open.items.len() > 1 {
                open.is_held = false;
                self.freed.notify_waiters();
            }
            return Turn::Together(ticket, None);
        }
        if state.under_way == 1 {
            return Turn::Alone(Alone { merge: self });
        }
        let mut open = Open::new(place, deadline);
        let ticket = open.join(items, deadline);
        let sending = Sending { merge: Arc::clone(self), batch: Arc::clone(&open.batch), closed: None };
        state.open.push(open);
        Turn::Together(ticket, Some(sending))
    }

    /// A guard for this place, if it has none yet.
    pub(super) fn guard(self: &Arc<Self>, place: P) -> Option<Guard<P, I, A>> {
        let mut state = locked(&self.state);
        if state.guarded.contains(&place) {
            return None;
        }
        state.guarded.push(place);
        Some(Guard { merge: Arc::clone(self), place, is_over: false })
    }

    fn close(&self, batch: &Arc<Batch<A>>, may_hold: bool) -> Closing<P, I> {
        let mut state = locked(&self.state);
        let Some(at) = state.open.iter().position(|open| Arc::ptr_eq(&open.batch, batch)) else {
            return Closing::Elsewhere;
        };
        let place = state.open[at].place;
        let question = if let [item] = &state.open[at].items[..] { item.question() } else { None };
        let asked = question.map(|key| (place, Key::clone(key)));
        if may_hold && asked.as_ref().is_some_and(|asked| state.asked.contains(asked)) {
            state.open[at].is_held = true;
            return Closing::Held;
        }
        let open = state.open.remove(at);
        state.asked.extend(asked.clone());
        Closing::Closed(open.items, Closed { callers: open.callers, deadline: open.deadline, asked })
    }

    /// Notes that the callers of a batch have their answer, or will have none.
    fn ended(&self, batch: Closed<P>) {
        let mut state = locked(&self.state);
        state.under_way -= batch.callers;
        if let Some(at) = batch.asked.and_then(|asked| state.asked.iter().position(|at| *at == asked)) {
            state.asked.swap_remove(at);
            drop(state);
            self.freed.notify_waiters();
        }
    }
}

/// A batch that was left behind, and its items.
pub(super) type LeftBehind<P, I, A> = (Sending<P, I, A>, Vec<I>);

/// Sees to it that the open batches of a place are sent. It must not be used again once it has said that none is open.
#[derive(Debug)]
pub(super) struct Guard<P: Copy + PartialEq, I: Item, A> {
    merge: Arc<Merge<P, I, A>>,
    place: P,
    is_over: bool,
}

impl<P: Copy + PartialEq, I: Item, A> Guard<P, I, A> {
    /// Comes by, and closes the batches that were there the last time and need not be held back. Returns them with
    /// their items, which the caller has to send; `None` if nothing is open.
    pub(super) fn left_behind(&mut self) -> Option<Vec<LeftBehind<P, I, A>>> {
        let mut state = locked(&self.merge.state);
        let mut here = state.open.iter_mut().filter(|open| open.place == self.place).peekable();
        if here.peek().is_none() {
            self.is_over = true;
            state.guarded.retain(|place| *place != self.place);
            return None;
        }
        let seen = here.filter_map(|open| std::mem::replace(&mut open.is_seen, true).then(|| Arc::clone(&open.batch)));
        let seen: Vec<_> = seen.collect();
        drop(state);
        let close = |batch| match self.merge.close(&batch, true) {
            Closing::Closed(items, closed) => {
                Some((Sending { merge: Arc::clone(&self.merge), batch, closed: Some(closed) }, items))
            }
            Closing::Held | Closing::Elsewhere => None,
        };
        Some(seen.into_iter().filter_map(close).collect())
    }
}

impl<P: Copy + PartialEq, I: Item, A> Drop for Guard<P, I, A> {
    /// The guard is gone with its runtime.
    fn drop(&mut self) {
        if !self.is_over {
            locked(&self.merge.state).guarded.retain(|place| *place != self.place);
        }
    }
}

/// The result of closing a batch.
enum Closing<P, I> {
    Closed(Vec<I>, Closed<P>),
    /// The batch has to be held back: its only question is being asked.
    Held,
    /// Somebody else has closed it.
    Elsewhere,
}

impl<P, I: Item, A> Open<P, I, A> {
    fn new(place: P, deadline: Instant) -> Self {
        let (answer, answered) = (OnceLock::new(), Notify::new());
        let batch = Arc::new(Batch { answer, answered, first: deadline, is_uneven: AtomicBool::new(false) });
        Self {
            batch,
            place,
            items: Vec::with_capacity(32),
            at: HashMap::default(),
            callers: 0,
            deadline,
            is_held: false,
            is_seen: false,
        }
    }

    fn join(&mut self, items: &[I], deadline: Instant) -> Ticket<A> {
        self.callers += 1;
        self.deadline = self.deadline.max(deadline);
        if deadline > self.batch.first + CLOSE && !self.batch.is_uneven.swap(true, Ordering::AcqRel) {
            self.batch.answered.notify_waiters();
        }
        let mut positions = Positions::default();
        for item in items {
            positions.push(self.position(item));
        }
        Ticket { batch: Arc::clone(&self.batch), positions }
    }

    /// The position of an item, which is added unless it asks what another one asks already.
    fn position(&mut self, item: &I) -> usize {
        let next = self.items.len();
        if let Some(key) = item.question() {
            self.at.reserve(if next == 0 { 32 } else { 0 });
            match self.at.entry(Key::clone(key)) {
                Entry::Occupied(same) => return *same.get(),
                Entry::Vacant(first) => first.insert(next),
            };
        }
        self.items.push(item.clone());
        next
    }
}

/// One caller's items on their own, under way until this is dropped. As long as they are, others go out in batches.
#[derive(Debug)]
pub(super) struct Alone<'a, P, I, A> {
    merge: &'a Merge<P, I, A>,
}

impl<P, I, A> Drop for Alone<'_, P, I, A> {
    fn drop(&mut self) {
        locked(&self.merge.state).under_way -= 1;
    }
}

/// A caller's place in a batch.
#[derive(Debug)]
pub(super) struct Ticket<A> {
    batch: Arc<Batch<A>>,
    /// The positions of its items in the batch and in the answer.
    positions: Positions,
}

/// Numbers; a few of them need no allocation.
#[derive(Debug, Default)]
struct Positions {
    few: [usize; 4],
    len: usize,
    more: Vec<usize>,
}

impl Positions {
    fn push(&mut self, position: usize) {
        match self.few.get_mut(self.len) {
            Some(place) => *place = position,
            None => self.more.push(position),
        }
        self.len += 1;
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.few[..self.len.min(self.few.len())].iter().chain(&self.more).copied()
    }
}

impl<A> Ticket<A> {
    /// The positions of its items in the batch and in the answer, in the order in which they were given.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        self.positions.iter()
    }

    /// Waits for the batch's answer; `None` if it was not sent.
    pub(super) async fn answer(&self) -> Option<&A> {
        self.told(|batch| batch.answer.get()).await.as_ref()
    }

    /// As [`answer`](Self::answer), for a caller without a timer that is due at `deadline`. Returns `Err` as soon as
    /// the batch may last longer than that.
    pub(super) async fn answer_by(&self, deadline: Instant) -> Result<Option<&A>, Outlasts> {
        let is_bound = |batch: &Batch<A>| batch.first <= deadline + CLOSE && !batch.is_uneven.load(Ordering::Acquire);
        self.told(|batch| match batch.answer.get() {
            Some(answer) => Some(Ok(answer.as_ref())),
            None => (!is_bound(batch)).then_some(Err(Outlasts)),
        })
        .await
    }

    async fn told<'a, T>(&'a self, look: impl Fn(&'a Batch<A>) -> Option<T>) -> T {
        loop {
            let mut answered = std::pin::pin!(self.batch.answered.notified());
            // This registers before it looks at the batch, so that it misses nothing in between.
            answered.as_mut().enable();
            if let Some(told) = look(&self.batch) {
                return told;
            }
            answered.await;
        }
    }
}

/// The batch may last longer than this caller has time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outlasts;

/// The duty to send a batch. If it is dropped, the callers are told that nothing will come, unless somebody else has
/// taken over.
#[derive(Debug)]
pub(super) struct Sending<P: Copy + PartialEq, I: Item, A> {
    merge: Arc<Merge<P, I, A>>,
    batch: Arc<Batch<A>>,
    closed: Option<Closed<P>>,
}

#[derive(Debug)]
struct Closed<P> {
    callers: usize,
    /// The latest of their deadlines.
    deadline: Instant,
    /// The question, if it is the only item.
    asked: Option<(P, Key)>,
}

impl<P: Copy + PartialEq, I: Item, A> Sending<P, I, A> {
    /// The deadline of the last caller. It is known once the batch is closed; until then this is that of the first
    /// caller.
    pub(super) fn deadline(&self) -> Instant {
        self.closed.as_ref().map_or(self.batch.first, |closed| closed.deadline)
    }

    /// Closes the batch as soon as it may be sent. Returns its items, which the caller has to send; `None` if somebody
    /// else has taken over.
    pub(super) async fn close(&mut self) -> Option<Vec<I>> {
        let merge = Arc::clone(&self.merge);
        loop {
            let mut freed = std::pin::pin!(merge.freed.notified());
            // This registers before it looks at the state, so that it misses nothing in between.
            freed.as_mut().enable();
            match merge.close(&self.batch, true) {
                Closing::Closed(items, closed) => {
                    self.closed = Some(closed);
                    return Some(items);
                }
                Closing::Elsewhere => return None,
                Closing::Held => freed.await,
            }
        }
    }

    /// Gives the callers their answer.
    pub(super) fn answer(mut self, answer: A) {
        self.end(Some(answer));
    }

    fn end(&mut self, answer: Option<A>) {
        if self.closed.is_none()
            && let Closing::Closed(_, closed) = self.merge.close(&self.batch, false)
        {
            self.closed = Some(closed);
        }
        if let Some(closed) = self.closed.take()
            && self.batch.answer.set(answer).is_ok()
        {
            self.merge.ended(closed);
            self.batch.answered.notify_waiters();
        }
    }
}

impl<P: Copy + PartialEq, I: Item, A> Drop for Sending<P, I, A> {
    fn drop(&mut self) {
        self.end(None);
    }
}
