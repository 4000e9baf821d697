//! How a caller controls the calls of annotated functions that it makes.

use crate::engine::control::{self, Mode};
use crate::engine::record::Record;
use crate::status::CacheStatus;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Makes the calls of annotated functions in `call` past the cache: nothing is read and nothing is stored, the
/// functions' bodies run. For one caller who must have the value from its source, such as a check before a payment, or
/// a page for operators.
///
/// `call` is a call that is not awaited yet, or any other future. It is about all cached calls that this future makes
/// itself, those over many ids and [entries by hand](crate::Cache::entry) among them, also through functions
/// without an attribute. It is not about
///
/// - calls from inside of the body of a cached function, which are made as always;
/// - tasks that the future spawns, and what they call;
/// - writes: `#[redis_invalidate]` invalidates and `#[redis_put]` stores what it returns, because otherwise the other
///   callers would be served old values. Cached functions that a write's own body calls are made past the cache.
/// - what has no body to run, such as [`Entry::get`](crate::Entry::get).
///
/// A call made so joins no other call's load, takes no lease and waits for no room: a thousand of them run the body a
/// thousand times at once. It leaves the entry as it is; to load it anew for all, call
/// [`refresh`](crate::refresh). The statistics count it among the loads, as
/// [`bypassed`](crate::SiteStats::bypassed) and as a miss for the reason
/// [`MissReason::Bypassed`](crate::MissReason::Bypassed).
///
/// ```
/// use cached_core::{Cache, redis_cached};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// static BALANCE: AtomicU64 = AtomicU64::new(100);
///
/// #[redis_cached(key = "balance:<account>")]
/// async fn balance(account: u64) -> u64 {
///     BALANCE.load(Relaxed)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # Cache::memory().install();
/// assert_eq!(balance(7).await, 100);
/// // Another program takes money, and invalidates nothing.
/// BALANCE.store(0, Relaxed);
///
/// assert_eq!(balance(7).await, 100);
/// assert_eq!(cached_core::bypass(balance(7)).await, 0);
/// assert_eq!(balance(7).await, 100, "the entry is what it was");
/// # }
/// ```
pub fn bypass<F: Controllable<Returned = T>, T>(call: F) -> Bypass<F, T> {
    Bypass { call: Box::pin(call), poll: F::poll_controlled }
}

/// A future whose calls of annotated functions are made past the cache: [`bypass`].
#[must_use = "nothing is called until this is awaited"]
pub struct Bypass<F, T> {
    /// Boxed, because a future is as large as its author made it, and this one would be held twice.
    call: Pin<Box<F>>,
    poll: PollCall<F, T>,
}

/// Kept as a function so that the wrapper is a future whatever `F` is. Otherwise rustc would say a second time, of the
/// `.await`, that the value passed is no call.
pub(super) type PollCall<F, T> = fn(Pin<&mut F>, &mut Context<'_>) -> Poll<T>;

impl<F, T> Future for Bypass<F, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let _bypass = control::enter(Mode::Bypass);
        let poll = self.poll;
        poll(self.call.as_mut(), context)
    }
}

impl<F, T> fmt::Debug for Bypass<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bypass")
    }
}

/// Required of a call that is to be controlled. Every future is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no call",
    label = "pass the call itself, such as `find_user(42)`: `.await` and `?` stand after the closing parenthesis"
)]
pub trait Controllable {
    /// The value of the call.
    type Returned;

    /// Polls the call.
    fn poll_controlled(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Returned>;
}

#[diagnostic::do_not_recommend]
impl<F: Future> Controllable for F {
    type Returned = F::Output;

    fn poll_controlled(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.poll(context)
    }
}

/// Returns what `call` returns, and what became of the cached calls in it: whether they were hits, and if not, why. Like
/// the statistics, but for these calls alone.
///
/// `call` is a call that is not awaited yet, or any other future, such as the handler of a request. The status is about
/// all cached calls that it makes itself, in the order in which they began; those of [`bypass`] and of nested
/// `with_status` among them. It is not about calls from inside of the body of a cached function, and not about tasks
/// that `call` spawns.
///
/// Changes nothing about the calls, but costs some allocations for each.
///
/// ```
/// use cached_core::{Answer, Cache, MissReason, redis_cached, with_status};
///
/// #[redis_cached(key = "city:<id>")]
/// async fn find_city(id: u64) -> Option<String> {
///     Some(format!("read from the database: {id}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let cache = Cache::memory();
/// # cache.install();
/// let (city, status) = with_status(find_city(7)).await;
/// assert!(city.is_some() && !status.is_hit());
/// assert_eq!(status.calls()[0].misses, [MissReason::Absent]);
/// # cache.flush().await;
///
/// let (_, status) = with_status(find_city(7)).await;
/// assert!(status.is_hit());
/// assert_eq!((status.calls()[0].site, status.calls()[0].answer), ("find_city", Answer::Hit));
/// # }
/// ```
pub fn with_status<F: Controllable<Returned = T>, T>(call: F) -> WithStatus<F, T> {
    WithStatus { call: Box::pin(call), poll: F::poll_controlled, record: Arc::default() }
}

/// A future that also returns what became of the cached calls in it: [`with_status`].
#[must_use = "nothing is called until this is awaited"]
pub struct WithStatus<F, T> {
    /// Boxed as that of [`Bypass`].
    call: Pin<Box<F>>,
    poll: PollCall<F, T>,
    record: Arc<Record>,
}

impl<F, T> Future for WithStatus<F, T> {
    type Output = (T, CacheStatus);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<(T, CacheStatus)> {
        let Self { call, poll, record } = &mut *self;
        record.during(|| poll(call.as_mut(), context)).map(|returned| (returned, record.end()))
    }
}

impl<F, T> fmt::Debug for WithStatus<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithStatus")
    }
}
