//! Calls that are asked for their entry and not for their value: [`entry!`](crate::entry).
//!
//! The call is polled once, while this thread is marked as asking. Generated code renders the key before anything else; finding
//! the mark, it deposits what the call is about and, a step later, what its options say about storing. Then it waits
//! instead of running the user's body, and is dropped. Polled later all the same, without the mark, it runs uncached.
//!
//! The mark is all that other calls know of this: one look at a number of their own thread.

use super::policy::Policy;
use super::target::Target;
use crate::error::EntryError;
use crate::site::Site;
use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

thread_local! {
    /// Without a destructor, so that a look at it costs an instruction or two.
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
    static ANSWERS: RefCell<Vec<Result<CallDescription, EntryError>>> = const { RefCell::new(Vec::new()) };
}

/// The answer of a call that was asked: its entries and its options.
#[derive(Debug)]
pub(crate) struct CallDescription {
    pub(crate) function: &'static str,
    /// One; of a batch, one for each of its ids.
    pub(crate) targets: Vec<Target>,
    pub(crate) is_batch: bool,
    /// The name of the type that is stored.
    pub(crate) holds: &'static str,
    /// The [`Policy`] of the type that is stored, once the call has come to it.
    pub(crate) policy: Option<Arc<dyn Any + Send + Sync>>,
}

/// Asks the calls that a future makes when it is polled first.
pub(crate) fn ask(call: impl Future) -> Vec<Result<CallDescription, EntryError>> {
    let mut call = pin!(call);
    let asking = Asking::begin();
    // Where it comes to does not matter: a call that is asked never ends.
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let answers = ANSWERS.take();
    drop(asking);
    answers
}

/// While it lives, this thread asks. What is asked for inside of it, by a body that comes before the call, is apart.
struct Asking {
    was_asking: bool,
    outer: Vec<Result<CallDescription, EntryError>>,
}

impl Asking {
    fn begin() -> Self {
        Self { was_asking: IS_ASKING.replace(true), outer: ANSWERS.take() }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        IS_ASKING.set(self.was_asking);
        ANSWERS.set(std::mem::take(&mut self.outer));
    }
}

/// Whether this thread asks.
#[inline]
pub(crate) fn is_on() -> bool {
    IS_ASKING.get()
}

/// Does not return while this thread asks: what is a write, or no call, does not go on. Who polls it later without asking (what a
/// wrapper has kept of it, say) has it go on.
pub(crate) async fn stop() {
    poll_fn(|_| if is_on() { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// Answers that there is no entry, if this thread asks.
pub(crate) fn refuse(error: impl FnOnce() -> EntryError) -> bool {
    let is_on = is_on();
    if is_on {
        answer(Err(error()));
    }
    is_on
}

pub(super) fn answer(answer: Result<CallDescription, EntryError>) {
    ANSWERS.with_borrow_mut(|answers| answers.push(answer));
}

/// Completes the last answer with what its options say about storing. Whether this thread asks: then the body is not to run.
pub(crate) fn answers<T: 'static>(policy: &Policy<T>) -> bool {
    let is_on = is_on();
    if is_on {
        ANSWERS.with_borrow_mut(|answers| {
            if let Some(Ok(asked)) = answers.last_mut() {
                asked.policy = Some(Arc::new(policy.clone()));
            }
        });
    }
    is_on
}

/// A batch that is asked comes here instead of looking at the store.
#[cold]
pub(crate) fn asked_each<T>(site: &'static Site, targets: impl Iterator<Item = Option<Target>>) {
    let function = site.path();
    // If one cannot be rendered, it has been said.
    if let Some(targets) = targets.collect() {
        answer(Ok(CallDescription { function, targets, is_batch: true, holds: type_name::<T>(), policy: None }));
    }
}
