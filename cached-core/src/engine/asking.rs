//! Calls that are asked for their entry instead of their value: [`entry!`](crate::entry).
//!
//! The call is polled once while [`control`] says that this thread asks. Generated code renders the key before anything
//! else. If it finds itself asked, it leaves a description of the call here and, one step later, its options for
//! storing. Then it waits instead of running the user's body, and is dropped. If it is polled later without being asked,
//! it runs uncached.

use super::control::{self, ControlScope, Mode};
use super::policy::Policy;
use super::target::Target;
use crate::error::EntryError;
use crate::site::Site;
use std::any::{Any, type_name};
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

thread_local! {
    static ANSWERS: RefCell<Vec<Result<CallDescription, EntryError>>> = const { RefCell::new(Vec::new()) };
}

/// The answer of an asked call: its entries and its options.
#[derive(Debug)]
pub(crate) struct CallDescription {
    pub(crate) function: &'static str,
    /// One target; a batch has one for each of its ids.
    pub(crate) targets: Vec<Target>,
    pub(crate) is_batch: bool,
    /// The name of the stored type.
    pub(crate) holds: &'static str,
    /// The [`Policy`] of the stored type, once the call has got that far.
    pub(crate) policy: Option<Arc<dyn Any + Send + Sync>>,
}

/// Asks the calls that a future makes when it is first polled.
pub(crate) fn ask(call: impl Future) -> Vec<Result<CallDescription, EntryError>> {
    let mut call = pin!(call);
    let asking = AskGuard::begin();
    // The result does not matter: an asked call never ends.
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let answers = ANSWERS.take();
    drop(asking);
    answers
}

/// While it lives, this thread asks. Code that runs before the call may ask as well; its answers are kept apart.
struct AskGuard {
    /// Held until the outer answers are back.
    _asking: ControlScope,
    outer_answers: Vec<Result<CallDescription, EntryError>>,
}

impl AskGuard {
    fn begin() -> Self {
        Self { _asking: control::enter(Mode::Asking), outer_answers: ANSWERS.take() }
    }
}

impl Drop for AskGuard {
    fn drop(&mut self) {
        ANSWERS.set(std::mem::take(&mut self.outer_answers));
    }
}

/// Whether this thread asks.
#[inline]
pub(crate) fn is_on() -> bool {
    control::mode() == Mode::Asking
}

/// Waits while this thread asks, so that a write, or code that is no call, does not go on. It goes on if somebody polls
/// it later without asking, for instance a wrapper that has kept the future.
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

/// Adds the options for storing to the last answer. Returns whether this thread asks: then the body must not run.
pub(crate) fn answers<T: 'static, E>(policy: &Policy<T, E>) -> bool {
    let is_on = is_on();
    if is_on {
        ANSWERS.with_borrow_mut(|answers| {
            if let Some(Ok(description)) = answers.last_mut() {
                description.policy = Some(Arc::new(policy.of_values()));
            }
        });
    }
    is_on
}

/// Answers for a batch that is asked, which does not read the store.
#[cold]
pub(crate) fn asked_each<T>(site: &'static Site, targets: impl Iterator<Item = Option<Target>>) {
    let function = site.path();
    // If a key cannot be rendered, the refusal has been answered already.
    if let Some(targets) = targets.collect() {
        answer(Ok(CallDescription { function, targets, is_batch: true, holds: type_name::<T>(), policy: None }));
    }
}
