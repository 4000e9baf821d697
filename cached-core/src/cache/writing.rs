//! The future of a write in a bracket.
//!
//! It is a type of its own, and not that of an `async fn`, because the latter contains the types of all arguments. So
//! an argument that is no `Invalidation` would make three errors: for the argument, for the call and for its `.await`.
//!
//! # On cancellation
//! As a dropped bracket: its registers are removed once more, and its markers end by themselves.
//!
//! # When Redis is down
//! See [`Cache::write`](crate::Cache::write) and [`Cache::try_write`](crate::Cache::try_write).

use crate::engine::Bracket;
use crate::error::CacheError;
use crate::invalidation::Outcome;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A write in a bracket, to be awaited: what [`Cache::write`](crate::Cache::write) and
/// [`Cache::try_write`](crate::Cache::try_write) return. It does nothing until then, and is `Send` if the work is.
///
/// ```
/// use cached_core::{Cache, Invalidation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::memory();
/// let writing = cache.write(Invalidation::new().key("user:42"), async { "saved" });
/// assert_eq!(writing.await.0, "saved");
/// # }
/// ```
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Writing<T, F, E = Infallible> {
    /// `None` once it has ended. Before `step`, so that it is dropped before the bracket: it may hold a transaction.
    work: Option<Pin<Box<F>>>,
    step: Step<T, E>,
}

enum Step<T, E> {
    Begins(Boxed<Result<Bracket, E>>),
    /// Boxed, because the other steps are small.
    Works(Option<Box<Bracket>>),
    Ends(Boxed<Outcome>, Option<T>),
}

// Nothing in it is pinned but what is boxed.
impl<T, F, E> Unpin for Writing<T, F, E> {}

impl<T, F, E> fmt::Debug for Writing<T, F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writing")
    }
}

impl<T, F: Future<Output = T>, E> Writing<T, F, E> {
    pub(super) fn new(begin: impl Future<Output = Result<Bracket, E>> + Send + 'static, work: F) -> Self {
        Self { step: Step::Begins(Box::pin(begin)), work: Some(Box::pin(work)) }
    }

    fn poll_steps(&mut self, context: &mut Context<'_>) -> Poll<Result<(T, Outcome), E>> {
        loop {
            match &mut self.step {
                Step::Begins(begin) => self.step = Step::Works(Some(Box::new(ready!(begin.as_mut().poll(context))?))),
                Step::Works(bracket) => {
                    let Some(work) = &mut self.work else { unreachable!("it is there until it has ended") };
                    let returned = ready!(work.as_mut().poll(context));
                    // Dropped before the bracket ends, as after an `.await`.
                    self.work = None;
                    let Some(bracket) = bracket.take() else { unreachable!("it is taken once, when the work ends") };
                    self.step = Step::Ends(Box::pin(bracket.ended()), Some(returned));
                }
                Step::Ends(end, returned) => {
                    let outcome = ready!(end.as_mut().poll(context));
                    let Some(returned) = returned.take() else { unreachable!("polled after it was ready") };
                    return Poll::Ready(Ok((returned, outcome)));
                }
            }
        }
    }
}

impl<T, F: Future<Output = T>> Future for Writing<T, F> {
    type Output = (T, Outcome);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(ended) = ready!(self.get_mut().poll_steps(context));
        Poll::Ready(ended)
    }
}

impl<T, F: Future<Output = T>> Future for Writing<T, F, CacheError> {
    type Output = Result<(T, Outcome), CacheError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_steps(context)
    }
}
