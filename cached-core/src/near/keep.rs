//! The types behind the near cache: which values it can keep, and how it gives them out. An `Arc<T>` is shared; any
//! other value that is `Clone` is cloned.
//!
//! The compiler chooses by the value's type, by autoref specialisation as in [`outcome`](crate::outcome).

use super::KeptValue;
use crate::outcome::Shape;
use crate::user_code::caught;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value that the near cache can keep: `Clone + Send + Sync`. An `Arc<T>` is given out without a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in the near cache",
    label = "needs `Clone`, `Send` and `Sync`",
    note = "return an `Arc<{Self}>`: every hit then shares the one value, without a copy; or write \
            `#[derive(Clone)]` on its type",
    note = "or write `local = \"off\"`"
)]
pub trait NearValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> NearValue for T {}

/// How values of one type are kept.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be kept in the near cache",
    label = "needs `Clone`, `Send` and `Sync`",
    note = "an entry with `.near(..)` keeps decoded values in this process: write `#[derive(Clone)]` on the type, load an \
            `Arc<{T}>`, or remove `.near(..)`"
)]
pub trait Keep<T>: Copy {
    /// Converts a value for the near cache; `None` if it cannot be kept.
    fn keep(value: &T) -> Option<KeptValue>;

    /// Converts it back.
    ///
    /// # Errors
    /// Returns its argument if that stands for a cached `None`, or if the value's `Clone` has panicked.
    fn give(kept: KeptValue) -> Result<T, KeptValue>;
}

/// How the values and the errors of a shape are kept.
pub trait Keeps<S: Shape>: Copy {
    /// How its values are kept.
    type Values: Keep<S::Item>;
    /// How its errors are kept.
    type Errors: Keep<S::Error>;
}

macro_rules! keeps_no_errors {
    ($($keep:ident)*) => {$(
        impl<S: Shape> Keeps<S> for $keep
        where
            Self: Keep<S::Item>,
        {
            type Values = Self;
            type Errors = Unkept;
        }
    )*};
}

keeps_no_errors! { Shared Cloned Unkept }

/// How values and errors are kept where a function stores errors as well.
#[derive(Debug, Clone, Copy)]
pub struct KeepBoth<V, E>(pub V, pub E);

impl<S: Shape, V: Keep<S::Item>, E: Keep<S::Error>> Keeps<S> for KeepBoth<V, E> {
    type Values = V;
    type Errors = E;
}

/// An error that the near cache can keep: `Clone + Send + Sync`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in the near cache",
    label = "the error needs `Clone`, `Send` and `Sync`",
    note = "errors that `error_if` chooses are kept there as well: write `#[derive(Clone)]` on `{Self}`, with what is \
            `Send` and `Sync` inside",
    note = "or write `local = \"off\"`"
)]
pub trait NearError: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: Clone + Send + Sync + 'static> NearError for E {}

/// Stands for the values of a shape while the compiler chooses how they are kept.
pub struct Values<S>(PhantomData<fn() -> S>);

impl<S> Values<S> {
    /// The values of this shape.
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

/// How an `Arc<T>` is kept: it is shared.
#[derive(Debug, Clone, Copy)]
pub struct Shared;

/// How any other `T: Clone` is kept: as a clone, which is cloned again for each hit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cloned;

/// For values that cannot be kept, or are not to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unkept;

impl<T: Send + Sync + 'static> Keep<Arc<T>> for Shared {
    fn keep(value: &Arc<T>) -> Option<KeptValue> {
        let kept: Arc<T> = Arc::clone(value);
        Some(kept)
    }

    #[inline]
    fn give(kept: KeptValue) -> Result<Arc<T>, KeptValue> {
        kept.downcast()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Keep<T> for Cloned {
    fn keep(value: &T) -> Option<KeptValue> {
        Some(Arc::new(value.clone()))
    }

    #[inline]
    fn give(kept: KeptValue) -> Result<T, KeptValue> {
        let cloned = kept.downcast_ref::<T>().map(|value| caught(|| value.clone()));
        cloned.and_then(Result::ok).ok_or(kept)
    }
}

impl<T> Keep<T> for Unkept {
    fn keep(_: &T) -> Option<KeptValue> {
        None
    }

    fn give(kept: KeptValue) -> Result<T, KeptValue> {
        Err(kept)
    }
}

/// Tried first: the values are `Arc`s.
pub trait KeepShared {
    /// How they are kept.
    fn __cached_core_keep(&self) -> Shared;
}

impl<T: Send + Sync + 'static, S: Shape<Item = Arc<T>>> KeepShared for &&&Values<S> {
    fn __cached_core_keep(&self) -> Shared {
        Shared
    }
}

/// Tried next: the values can be cloned.
pub trait KeepCloned {
    /// How they are kept.
    fn __cached_core_keep(&self) -> Cloned;
}

impl<S: Shape<Item: NearValue>> KeepCloned for &&Values<S> {
    fn __cached_core_keep(&self) -> Cloned {
        Cloned
    }
}

/// Tried next where the site uses the near cache: its bound is the only error, and the call still has a type.
pub trait KeepRefused<S: Shape> {
    /// Fails to compile, because they cannot be kept.
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

/// As [`KeepRefused`], for errors.
pub trait KeepErrorRefused<S: Shape> {
    /// Fails to compile, because they cannot be kept.
    fn __cached_core_keep(&self) -> Unkept
    where
        S::Item: NearError;
}

impl<S: Shape> KeepErrorRefused<S> for &Values<S> {
    fn __cached_core_keep(&self) -> Unkept
    where
        S::Item: NearError,
    {
        Unkept
    }
}

/// Tried last: the values are not kept, or cannot even be cached, which another error says.
pub trait KeepNone {
    /// They are not kept.
    fn __cached_core_keep(&self) -> Unkept;
}

impl<S> KeepNone for Values<S> {
    fn __cached_core_keep(&self) -> Unkept {
        Unkept
    }
}
