//! Calls of annotated functions that load and store though there is a value.

use super::controlled::{Controllable, PollCall};
use crate::engine::control::{self, Mode};
use crate::engine::forced::ForcedCalls;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Loads and stores what `call` returns although a value is there; that value is served to everybody else meanwhile.
/// For whoever knows that the source has changed and wants no reader to wait for the new value: a consumer of the
/// source's events, a job that rebuilds a read model, an operator.
///
/// ```
/// use cached_core::{Cache, redis_cached};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// static PRICE: AtomicU64 = AtomicU64::new(100);
///
/// #[redis_cached(key = "price:<product>")]
/// async fn price(product: u64) -> u64 {
///     PRICE.load(Relaxed)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # Cache::memory().install();
/// assert_eq!(price(7).await, 100);
/// // Another program changes the price.
/// PRICE.store(90, Relaxed);
/// assert_eq!(price(7).await, 100);
///
/// assert_eq!(cached_core::refresh(price(7)).await, 90);
/// assert_eq!(price(7).await, 90);
/// # }
/// ```
///
/// It returns what the function returns, as soon as it is known whether that was stored, and at most one
/// [`budget`](crate::CacheBuilder::budget) after the load has ended. If it was stored, what stands under the key then was
/// loaded *after this call began*, or by a forced refresh that began later still: a load that was under way is not stored
/// any more. Forced refreshes of one key that come during a load share the next load. They wait for it for up to 30 s, and
/// then load themselves.
///
/// | when | then |
/// |---|---|
/// | the load fails | the error is returned, and the old value stays |
/// | the function returns an error that its `error_if` chooses | it is returned, and stored in place of the old value, since the source has answered |
/// | the value is not to be stored (`cache_if`, `none_ttl = "off"`) | it is returned, and the old value ends, since the source has answered |
/// | a write of the entry, or of one of its tags or events, is in progress | the function runs, and nothing is stored: what the write leaves is loaded anew |
/// | the store is out of reach, or the breaker is open | the function runs, and nothing is stored |
/// | the store cannot serve the value meanwhile (see [`ForcedRefresh`](crate::store::ForcedRefresh)) | the value is removed first, and others wait for the load |
///
/// If a write is in progress or the store is out of reach, [`SiteStats::misses`](crate::SiteStats::misses) says why nothing
/// was stored, and the load counts among [`bypassed`](crate::SiteStats::bypassed). All loads by force count among
/// [`refreshes`](crate::SiteStats::refreshes). What was loaded and not stored is counted in
/// [`unstored`](crate::SiteStats::unstored).
///
/// # Which calls
/// Those that the future makes itself, as for [`bypass`](crate::bypass). Calls over many ids, calls of entries by hand
/// (`cache.entry(..).get_or_load(..)`) and calls through functions without an attribute are among them. Calls from inside
/// of the body of a cached function are made as always.
///
/// # Refresh or invalidate
/// After an [invalidation](crate::Cache::invalidate) the old value is never served again, whatever happens to the next
/// load. A refresh keeps serving it until the new one is there, and if the load fails, for longer. Who must not see the
/// old value needs the invalidation.
///
/// # On cancellation
/// The load ends with the call, unless the function has `spawn`. The old value stays.
pub fn refresh<F: Controllable<Returned = T>, T>(call: F) -> Refresh<F, T> {
    Refresh { call: Some(Box::pin(call)), poll: F::poll_controlled, calls: Some(ForcedCalls::new()), ending: None }
}

/// A future whose calls of annotated functions load and store though there is a value: [`refresh`].
#[must_use = "nothing is called until this is awaited"]
pub struct Refresh<F, T> {
    /// `None` once it has returned. Boxed, because a future is as large as its author made it.
    call: Option<Pin<Box<F>>>,
    poll: PollCall<F, T>,
    calls: Option<ForcedCalls>,
    ending: Option<Ending<T>>,
}

/// The call has returned; its values may still be on their way to the store.
struct Ending<T> {
    returned: Box<T>,
    stored: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<F, T> Future for Refresh<F, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self { call, poll, calls, ending } = &mut *self;
        if let (Some(called), Some(forced)) = (call.as_mut(), calls.as_ref()) {
            let scope = control::enter(Mode::Refresh);
            let polled = forced.during(|| poll(called.as_mut(), context));
            drop(scope);
            let returned = Box::new(ready!(polled));
            // It may hold what its calls have taken along.
            *call = None;
            let Some(forced) = calls.take() else { return Poll::Ready(*returned) };
            *ending = Some(Ending { returned, stored: Box::pin(forced.ended()) });
        }
        let Some(Ending { stored, .. }) = ending else { return Poll::Pending };
        ready!(stored.as_mut().poll(context));
        ending.take().map_or(Poll::Pending, |Ending { returned, .. }| Poll::Ready(*returned))
    }
}

impl<F, T> fmt::Debug for Refresh<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresh")
    }
}
