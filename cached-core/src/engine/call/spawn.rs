//! Loads that outlive their callers: `spawn` and `refresh = "background"`.
//!
//! The attribute has made a future of the body that borrows nothing. This is compiled once per return type.
//!
//! # On cancellation
//! A task that loads goes on when its caller goes away, and its value is stored. When the runtime shuts down, the task
//! leaves nothing behind.
//!
//! # When Redis is down
//! As for loads that are not detached. Nothing is refreshed in the background, because no value is found.

use super::{Load, fallback};
use crate::engine::ambient;
use crate::engine::policy::Policy;
use crate::engine::record::{self, Recorded};
use crate::outcome::Shape;
use crate::reason::MissReason;
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::Instrument;

/// Required of each argument that a function with `spawn` or `refresh = "background"` takes by value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be moved into a task",
    label = "needs `Send + 'static`",
    note = "`spawn` and `refresh = \"background\"` run the load as a task of its own, which may outlive the call and run on another thread",
    note = "hold it in an `Arc` instead of an `Rc`, own what it borrows, or leave the option out"
)]
pub trait Moved: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Moved for T {}

/// Required of each type that a function with `spawn` or `refresh = "background"` takes by reference: a load clones it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cloned into a task",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "`spawn` and `refresh = \"background\"` run the load as a task of its own, which may outlive the call: what the call borrows is cloned for it",
    note = "write `#[derive(Clone)]` on the type, with what is costly to clone in an `Arc`; or take an `Arc` of it (`self: Arc<Self>`), or leave the option out"
)]
pub trait Borrowed: 'static {
    /// The clone.
    type Owned: Send + 'static;

    /// Clones it.
    fn own(&self) -> Self::Owned;

    /// The clone, borrowed.
    fn lend(owned: &Self::Owned) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + 'static> + Sync + ?Sized + 'static> Borrowed for T {
    type Owned = T::Owned;

    fn own(&self) -> T::Owned {
        self.to_owned()
    }

    fn lend(owned: &T::Owned) -> &T {
        owned.borrow()
    }
}

/// Required of what a function with `spawn` or `refresh = "background"` returns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by a task",
    label = "needs `Send + 'static`",
    note = "`spawn` and `refresh = \"background\"` run the load as a task of its own, which hands its value over to the call",
    note = "return a type that is `Send`, its error included, or leave the option out"
)]
pub trait Returns: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Returns for T {}

/// A borrowed argument, on its way into a task.
#[derive(Debug)]
pub struct Borrowing<'a, T: ?Sized>(pub &'a T);

impl<T: Borrowed + ?Sized> Borrowing<'_, T> {
    /// Clones it.
    #[must_use]
    pub fn __cached_core_own(self) -> Owned<T> {
        Owned(self.0.own())
    }
}

/// The clone of a borrowed argument, for the load.
pub struct Owned<T: Borrowed + ?Sized>(T::Owned);

impl<T: Borrowed + ?Sized> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owned")
    }
}

impl<T: Borrowed + ?Sized> Owned<T> {
    /// Borrows it for the body.
    pub fn __cached_core_lend(&self) -> &T {
        T::lend(&self.0)
    }
}

/// Found by method resolution for types that cannot be cloned. Makes the one error, and a value to go on with.
pub trait Unclonable<T: ?Sized> {
    /// Never to be called.
    fn __cached_core_own(self) -> Unowned<T>
    where
        T: Borrowed;
}

impl<T: ?Sized> Unclonable<T> for Borrowing<'_, T> {
    fn __cached_core_own(self) -> Unowned<T>
    where
        T: Borrowed,
    {
        Unowned(PhantomData)
    }
}

/// Takes the place of a clone that does not exist.
#[derive(Debug)]
pub struct Unowned<T: ?Sized>(PhantomData<fn() -> T>);

impl<T: ?Sized> Unowned<T> {
    /// Never to be called.
    pub fn __cached_core_lend(&self) -> &T {
        unreachable!("it does not compile: {:?}", self.0)
    }
}

/// Requires that an argument can be moved into a task.
pub fn moved<T: Moved>(_: &T) {}

type Body<R> = Pin<Box<dyn Future<Output = R> + Send>>;

impl Load {
    /// Runs the body and settles what it returns, as a task if the options say so. A refresh in the background runs
    /// while the call is served the value that there is.
    // Not an `async fn`, whose future would contain the types of all arguments: a return type that is not `Send` would
    // make one error for the call and one for its `.await`.
    pub fn detach<S: Shape<Return: Returns> + Send + 'static>(
        self,
        shape: S,
        policy: Policy<S::Item, S::Error>,
        body: impl Future<Output = S::Return> + Send + 'static,
    ) -> Body<S::Return> {
        Box::pin(detached(self, shape, policy, Box::pin(body)))
    }
}

async fn detached<S>(mut load: Load, shape: S, policy: Policy<S::Item, S::Error>, body: Body<S::Return>) -> S::Return
where
    S: Shape<Return: Returns> + Send + 'static,
{
    let Some(begun) = load.begun.as_deref() else {
        return load.run(&policy, body).await;
    };
    if begun.is_claimed() {
        let old = begun.fallback().and_then(|entry| Some((fallback::<S>(begun.site(), entry)?, entry)));
        let Some((value, entry)) = old else {
            begun.site().runs_uncached(Some(begun.key()), MissReason::Payload);
            load.begun = None;
            return load.run(&policy, body).await;
        };
        begun.target().served(entry);
        in_background(load, shape, policy, body);
        return value;
    }
    let Some(fresh) = begun.site().fresh.filter(|fresh| fresh.spawns) else {
        return ended(load, shape, policy, body).await;
    };
    let old = begun.fallback().cloned().map(|entry| (begun.target().clone(), entry));
    let counted = begun.engine().background.load();
    let mut task = tokio::spawn(recorded(as_here(counted.around(ended(load, shape, policy, body)))));
    if let (Some((target, entry)), Some(patience)) = (old, fresh.load_timeout)
        && let Some(value) = fallback::<S>(&target.site, &entry)
    {
        if let Some(returned) = in_time(&mut task, patience).await {
            return returned;
        }
        target.falls_back(&entry);
        return value;
    }
    returned_by(task.await).await
}

/// Returns what the task returns, if it ends in time.
async fn in_time<R>(task: &mut JoinHandle<R>, patience: Duration) -> Option<R> {
    let joined = timeout(patience, task).await.ok()?;
    Some(returned_by(joined).await)
}

async fn ended<S: Shape>(
    mut load: Load,
    shape: S,
    policy: Policy<S::Item, S::Error>,
    body: Body<S::Return>,
) -> S::Return {
    let returned = load.run(&policy, body).await;
    load.settle(shape, &policy, returned)
}

fn in_background<S>(load: Load, shape: S, policy: Policy<S::Item, S::Error>, body: Body<S::Return>)
where
    S: Shape<Return: Returns> + Send + 'static,
{
    let Some(begun) = load.begun else { return };
    let counted = begun.engine().background.load();
    tokio::spawn(as_here(counted.around(async move {
        if let Some(begun) = begun.granted().await {
            ended(Load::begun(begun), shape, policy, body).await;
        }
    })));
}

/// Puts a task into the cache scope and the tracing span of the call.
fn as_here<F: Future<Output: Send> + Send + 'static>(task: F) -> Body<F::Output> {
    let task = task.in_current_span();
    match ambient::scoped() {
        Some(cache) => Box::pin(ambient::scope(cache, task)),
        None => Box::pin(task),
    }
}

/// Records what becomes of the load in a task, for the caller that waits for it.
fn recorded<R: Send + 'static>(task: Body<R>) -> Body<R> {
    match record::here() {
        Some(record) => Box::pin(Recorded { future: task, record }),
        None => task,
    }
}

/// Returns what the task has returned. If it has panicked, the panic goes on in the caller that waits for it.
async fn returned_by<R>(joined: Result<R, JoinError>) -> R {
    match joined.map_err(JoinError::try_into_panic) {
        Ok(returned) => returned,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is shutting down, and this call with it.
        Err(Err(_)) => std::future::pending().await,
    }
}
