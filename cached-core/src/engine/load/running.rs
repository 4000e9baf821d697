//! The body of a cached function while it runs: calls from inside of it know that they are, and are not controlled by
//! whoever has made the call around them; and its lease is renewed.
//!
//! The renewal itself is in `lease`.

use super::ActiveLoad;
use crate::engine::nesting::{self, Loading};
use crate::engine::{asking, control};
use crate::flight::pulse::{self, Pulse};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body being run. It does little, because it is the one part of the engine that is compiled once per cached
/// function. The body is boxed, because it is as large as its author made it.
#[derive(Debug)]
pub struct Running<'a, F> {
    pub(crate) body: Pin<Box<F>>,
    /// The body is that of a cached function and not that of a write, whose calls remain under the caller's control.
    pub(crate) is_load: bool,
    /// The call is only asked for its entry; the body does not run while it is.
    pub(crate) is_asked: bool,
    pub(crate) loading: Option<Arc<Loading>>,
    pub(crate) pulse: Option<Arc<Pulse>>,
    /// The load whose lease is renewed as soon as it turns out that the body takes time.
    pub(crate) to_keep: Option<&'a mut ActiveLoad>,
}

impl<F: Future> Future for Running<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { body, is_load, is_asked, loading, pulse, to_keep } = &mut *self;
        if *is_asked && asking::is_on() {
            return Poll::Pending;
        }
        let uncontrolled = is_load.then(control::begin_body);
        let inside = nesting::enter(loading);
        let polled = pulse::poll(pulse.as_ref(), context, |context| body.as_mut().poll(context));
        drop(inside);
        drop(uncontrolled);
        if polled.is_pending()
            && let Some(load) = to_keep.take()
        {
            load.keep_alive(pulse.clone());
        }
        polled
    }
}

impl<F: Future> Running<'_, F> {
    /// The body of a write that stores what it returns: what it calls must be as fresh as inside of a load.
    pub(crate) fn storing(engine: Option<u64>, body: F) -> Self {
        Self {
            body: Box::pin(body),
            is_load: false,
            is_asked: false,
            loading: engine.map(nesting::storing),
            pulse: None,
            to_keep: None,
        }
    }
}
