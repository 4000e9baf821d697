//! How a value is kept in the near cache and given out of it: an `Arc<T>` as it is, anything else that is `Clone` by cloning.
//!
//! The type decides, by autoref specialisation as in [`outcome`](crate::outcome).

use super::Kept;
use crate::outcome::Shape;
use crate::user_code::caught;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value that the near cache can keep: `Clone + Send + Sync`. An `Arc<T>` is given out without a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in the near cache",
    label = "needs `Clone`, `Send` and `Sync`",
    note = "return an `Arc<{Self}>`: every hit then shares the one value, without a copy; or write `#[derive(Clone)]` on its type",
    note = "or write `local = \"off\"`"
)]
pub trait NearValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> NearValue for T {}

/// How values of one type are kept.
pub trait Keep<T>: Copy {
    /// The value as it is to be kept; `None` if it cannot be.
    fn keep(value: &T) -> Option<Kept>;

    /// A value that was kept.
    ///
    /// # Errors
    /// What was kept, if it is something else: the stand-in for a `None`. Or if its `Clone` has panicked.
    fn give(kept: Kept) -> Result<T, Kept>;
}

/// Stands for the values of a shape while the way to keep them is looked for.
pub struct Values<S>(PhantomData<fn() -> S>);

impl<S> Values<S> {
    /// Those of this shape.
    #[must_use]
    pub fn of(_: S) -> Self {
        Self(PhantomData)
    }
}

impl<S> fmt::Debug for Values<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values")
    }
}

/// `Arc<T>`: kept as it is.
#[derive(Debug, Clone, Copy)]
pub struct Shared;

/// Any `T: Clone`: kept as a clone, and cloned for each hit.
#[derive(Debug, Clone, Copy)]
pub struct Cloned;

/// What cannot be kept.
#[derive(Debug, Clone, Copy)]
pub struct Unkept;

impl<T: Send + Sync + 'static> Keep<Arc<T>> for Shared {
    fn keep(value: &Arc<T>) -> Option<Kept> {
        let kept: Arc<T> = Arc::clone(value);
        Some(kept)
    }

    #[inline]
    fn give(kept: Kept) -> Result<Arc<T>, Kept> {
        kept.downcast()
    }
}

impl<T: Clone + Send + Sync + 'static> Keep<T> for Cloned {
    fn keep(value: &T) -> Option<Kept> {
        Some(Arc::new(value.clone()))
    }

    #[inline]
    fn give(kept: Kept) -> Result<T, Kept> {
        let cloned = kept.downcast_ref::<T>().map(|value| caught(|| value.clone()));
        cloned.and_then(Result::ok).ok_or(kept)
    }
}

impl<T> Keep<T> for Unkept {
    fn keep(_: &T) -> Option<Kept> {
        None
    }

    fn give(kept: Kept) -> Result<T, Kept> {
        Err(kept)
    }
}

/// Found first: the values are `Arc`s.
pub trait KeepShared {
    /// The way to keep them.
    fn __cached_core_keep(&self) -> Shared;
}

impl<T: Send + Sync + 'static, S: Shape<Item = Arc<T>>> KeepShared for &&&Values<S> {
    fn __cached_core_keep(&self) -> Shared {
        Shared
    }
}

/// Found next: the values can be cloned.
pub trait KeepCloned {
    /// The way to keep them.
    fn __cached_core_keep(&self) -> Cloned;
}

impl<S: Shape<Item: NearValue>> KeepCloned for &&Values<S> {
    fn __cached_core_keep(&self) -> Cloned {
        Cloned
    }
}

/// Found next where the near cache is asked for: makes the one error, and something to go on with.
pub trait KeepRefused<S: Shape> {
    /// They cannot be kept.
    fn __cached_core_keep(&self) -> Unkept
    where
        S::Item: NearValue;
}

impl<S: Shape> KeepRefused<S> for &Values<S> {
    fn __cached_core_keep(&self) -> Unkept
    where
        S::Item: NearValue,
    {
        Unkept
    }
}

/// Found last: they are not kept, or cannot even be cached, which is said elsewhere.
pub trait KeepNone {
    /// They are not kept.
    fn __cached_core_keep(&self) -> Unkept;
}

impl<S> KeepNone for Values<S> {
    fn __cached_core_keep(&self) -> Unkept {
        Unkept
    }
}
