//! `entry!(..)` and `entries!(..)`: the entries of calls of annotated functions, found by the calls themselves, so nobody
//! has to render their keys.

use super::Entry;
use super::origin::OfCall;
use crate::engine::Target;
use crate::engine::asking::{self, CallDescription};
use crate::error::EntryError;
use crate::outcome::{CacheValue, Probe, Shape};
use std::any::type_name;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// The entry at `target`, which is one of the description's.
fn of_call<T: 'static>(target: Target, description: &CallDescription) -> Result<Entry<T>, EntryError> {
    let CallDescription { function, holds, policy, .. } = description;
    let policy = policy.clone().ok_or(EntryError::NoCall)?;
    let policy = policy.downcast().map_err(|_| EntryError::Type { function, holds, returns: type_name::<T>() })?;
    Ok(Entry { origin: OfCall { target }, policy })
}

/// The [`Entry`] of a call of a `#[redis_cached]` function: `entry!(find_user(42))`. The function's body does not run.
///
/// Pass the call without `.await`. It may be the future of any function or method with the attribute, including generic
/// ones and those of traits (with or without `#[async_trait]`). For a key written by hand, use
/// [`Cache::entry`](crate::Cache::entry).
/// The result is a `Result<Entry<T>, EntryError>`, where `T` is the stored type: `User` if the function returns
/// `Result<Option<User>, DbError>`. The macro awaits nothing and does not ask the store.
///
/// The cache is the one that the call would use: that of `cache = ..`, of the [scope](crate::Cache::scope) around this,
/// or the installed one.
///
/// # How it works
///
/// The call is polled once and dropped. An annotated function renders its key before anything else. Polled in this way,
/// it returns the entry instead of reading the value. As in any call, expressions in its attribute are evaluated and
/// arguments are moved in.
///
/// If you pass a function of your own *around* the call, its body runs up to the call and never continues. The entry is
/// that of the *first* annotated function that the body calls, which may be another one than you meant. So pass the
/// call itself.
///
/// # Errors
/// [`EntryError`](crate::EntryError) if the future is not such a call, or the call has no entry.
///
/// ```
/// use cached_core::{Cache, CacheEvent, Invalidation, Outcome, redis_cached};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// struct Users;
///
/// impl Users {
///     #[redis_cached(key = "member:<id>")]
///     async fn find(&self, id: u64) -> Result<Option<String>, std::io::Error> {
///         Ok(Some(format!("user {id}")))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::memory();
/// # cache.install();
/// let users = Users;
/// let entry = cached_core::entry!(users.find(42))?;
/// entry.set(&String::from("Ada")).await?;
/// assert_eq!(users.find(42).await?.as_deref(), Some("Ada"));
///
/// // Together with an event, and around the change:
/// let what = Invalidation::new().entry(&entry).event(&UserUpdated { id: 42 });
/// let (_, outcome) = cache.write(what, async { /* UPDATE .. */ }).await;
/// assert_eq!(outcome, Outcome::Applied);
/// assert_eq!(entry.get().await, None);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! entry {
    ($call:expr $(,)?) => {
        // Not a `let`, because what the call borrows has to live until the call was polled.
        match $crate::__private::Question($call) {
            call => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    NoQuestion as _, ShapeOfOption as _, ShapeOfResult as _, ShapeOfResultOption as _,
                    ShapeOfValue as _,
                };
                let shape = (&&&&call.__cached_core_returns()).__cached_core_shape();
                call.__cached_core_ask(shape)
            }
        }
    };
}

/// The entries of a call over many ids (`batch = ids`): one [`Entry`] for each id, in their order. An id that is named
/// twice has two equal entries. Otherwise like [`entry!`](crate::entry).
///
/// # Errors
/// [`EntryError`](crate::EntryError) if the future is not such a call, or one of the ids has no entry.
///
/// ```
/// use cached_core::{Cache, redis_cached};
/// use std::collections::HashMap;
///
/// #[redis_cached(key = "member:<id>", batch = ids)]
/// async fn find_members(ids: &[u64]) -> Result<HashMap<u64, String>, std::io::Error> {
///     Ok(ids.iter().map(|id| (*id, format!("user {id}"))).collect())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # Cache::memory().install();
/// let entries = cached_core::entries!(find_members(&[1, 2]))?;
/// entries[1].set(&String::from("Ada")).await?;
/// assert_eq!(find_members(&[1, 2]).await?[&2], "Ada");
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! entries {
    ($call:expr $(,)?) => {
        match $crate::__private::Question($call) {
            call => {
                #[allow(unused_imports)]
                use $crate::__private::NoQuestion as _;
                call.__cached_core_ask_each()
            }
        }
    };
}

/// A type that may be a call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no entry: it is no call",
    label = "pass the call itself, not awaited: `entry!(find_user(42))`"
)]
pub trait Callable: Future {}

#[diagnostic::do_not_recommend]
impl<F: Future> Callable for F {}

/// A future that is asked for its entry.
pub struct Question<F>(pub F);

impl<F> fmt::Debug for Question<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question")
    }
}

impl<F: Future> Question<F> {
    /// A probe of the call's return type.
    pub fn __cached_core_returns(&self) -> Probe<F::Output> {
        Probe::NEW
    }

    /// The entry of the call, which returns values of this shape.
    ///
    /// # Errors
    /// Says why the call has no entry.
    pub fn __cached_core_ask<S: Shape<Item = T>, T: 'static>(self, _: S) -> Result<Entry<T>, EntryError> {
        let mut description = one_answer(self.0)?;
        match description.targets.pop() {
            Some(target) if !description.is_batch => of_call(target, &description),
            _ => Err(EntryError::Batch { function: description.function }),
        }
    }

    /// The entries of a call over many ids.
    ///
    /// # Errors
    /// Says why the call has no entries.
    pub fn __cached_core_ask_each<T: 'static>(self) -> Result<Vec<Entry<T>>, EntryError>
    where
        F::Output: ManyEntries<Item = T>,
    {
        let mut description = one_answer(self.0)?;
        if !description.is_batch {
            return Err(EntryError::NoBatch { function: description.function });
        }
        let targets = std::mem::take(&mut description.targets);
        targets.into_iter().map(|target| of_call(target, &description)).collect()
    }
}

/// Method resolution finds this for a type that is no future. It makes the one error, and returns something so that no
/// other errors follow.
pub trait NoQuestion<F>: Sized {
    /// Never called.
    fn __cached_core_returns(&self) -> Probe<()>
    where
        F: Callable,
    {
        Probe::NEW
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn __cached_core_ask<S, T>(self, _: S) -> Result<Entry<T>, EntryError> {
        Err(EntryError::NoCall)
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    fn __cached_core_ask_each<T>(self) -> Result<Vec<Entry<T>>, EntryError>
    where
        F: Callable,
    {
        Err(EntryError::NoCall)
    }
}

impl<F> NoQuestion<F> for Question<F> {}

fn one_answer(call: impl Future) -> Result<CallDescription, EntryError> {
    let mut answers = asking::ask(call).into_iter();
    let first = answers.next().ok_or(EntryError::NoCall)??;
    match answers.next() {
        None => Ok(first),
        Some(second) => Err(EntryError::Several { first: first.function, second: second?.function }),
    }
}

/// The return type of a call over many ids.
#[diagnostic::on_unimplemented(
    message = "a call that returns `{Self}` is none over many ids",
    label = "write `entry!(..)` for the entry of one call",
    note = "functions with `batch = ids` return `HashMap<Id, T>`, `BTreeMap<Id, T>` or `Vec<Option<T>>`, or one of these in a `Result`"
)]
pub trait ManyEntries {
    /// The stored value of one id.
    type Item: CacheValue;
}

impl<Id, T: CacheValue, S> ManyEntries for HashMap<Id, T, S> {
    type Item = T;
}

impl<Id, T: CacheValue> ManyEntries for BTreeMap<Id, T> {
    type Item = T;
}

impl<T: CacheValue> ManyEntries for Vec<Option<T>> {
    type Item = T;
}

impl<C: ManyEntries, E> ManyEntries for Result<C, E> {
    type Item = C::Item;
}
