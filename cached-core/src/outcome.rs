//! What a cached function returns, and which part of it is stored.
//!
//! The attribute sees only tokens, and an alias hides whether a type is a `Result`. So the *type* decides: the
//! expansion calls `.__cached_core_shape()` on a [`Probe`] of the return type, and method resolution tries the most
//! specific form first (autoref specialisation).
//!
//! | return type | stored | not stored |
//! |---|---|---|
//! | `Result<Option<T>, E>` | `T`, and a `None` for its own time | `Err` |
//! | `Result<T, E>` | `T` | `Err` |
//! | `Option<T>` | `T`, and a `None` for its own time | |
//! | any other `T` | `T` | a `T` that turns out to be a `Result` |

use crate::error::CacheError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;

/// A value that can be stored. Implemented for all types that are `Serialize + DeserializeOwned + 'static`.
///
/// ```
/// use cached_core::{Cache, CacheValue, Options};
///
/// async fn remember<T: CacheValue>(cache: &Cache, value: &T) -> bool {
///     cache.set("last", value, Options::new()).await.is_ok()
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(remember(&Cache::memory(), &vec![1, 2, 3]).await);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    label = "needs both `serde::Serialize` and `serde::Deserialize`, and no borrowed data",
    note = "a cached value is stored in Redis and read back: write `#[derive(serde::Serialize, serde::Deserialize)]` on its type; for a type parameter write `T: cached_core::CacheValue`",
    note = "a type that borrows cannot be read back: take an owned one, such as `String` for a text; of a response such as `Json<T>`, cache the `T` and make the response from it outside"
)]
pub trait CacheValue: Serialize + DeserializeOwned + 'static {}

// Makes the compiler show the message above instead of one about each bound.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> CacheValue for T {}

/// The result of a load.
#[derive(Debug)]
pub enum Loaded<'a, T> {
    /// A value, which is stored unless the policy refuses it.
    Some(&'a T),
    /// There is nothing under this key; this is stored for the time of a `None`.
    None,
    /// The load failed; this is never stored.
    Failed,
}

/// Which part of a return value is stored, and how a return value is built again from it.
pub trait Shape: Copy {
    /// The function's return type.
    type Return;
    /// The part that is stored.
    type Item: CacheValue;

    /// Looks at what the function returned.
    fn inspect(returned: &Self::Return) -> Loaded<'_, Self::Item>;

    /// Builds a return value from what was stored; `None` if this type cannot express a stored `None`.
    fn rebuild(stored: Option<Self::Item>) -> Option<Self::Return>;
}

/// Stands for the return type `R` while method resolution finds its shape.
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

impl<R> fmt::Debug for Probe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

macro_rules! shape {
    ($(#[$doc:meta])* $name:ident<$($param:ident),*>, $finder:ident on $depth:ty) => {
        $(#[$doc])*
        pub struct $name<$($param),*>(PhantomData<fn() -> ($($param,)*)>);

        impl<$($param),*> Copy for $name<$($param),*> {}

        impl<$($param),*> Clone for $name<$($param),*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),*> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<$($param),*> Default for $name<$($param),*> {
            fn default() -> Self {
                Self(PhantomData)
            }
        }

        /// Finds the shape of a return type. Only the expansion brings this trait into scope.
        pub trait $finder {
            /// The shape found.
            type Found;

            /// The shape of the probed type. It is called as a method, so its name must be one that no blanket method
            /// of the user's has: that one would be found first.
            fn __cached_core_shape(&self) -> Self::Found;
        }

        impl<$($param),*> $finder for $depth {
            type Found = $name<$($param),*>;

            fn __cached_core_shape(&self) -> Self::Found {
                $name::default()
            }
        }
    };
}

shape!(
    /// The shape of `Result<Option<T>, E>`.
    ResultOption<T, E>, ShapeOfResultOption on &&&Probe<Result<Option<T>, E>>
);
shape!(
    /// The shape of `Result<T, E>`.
    ResultValue<T, E>, ShapeOfResult on &&Probe<Result<T, E>>
);
shape!(
    /// The shape of `Option<T>`.
    OptionValue<T>, ShapeOfOption on &Probe<Option<T>>
);
shape!(
    /// The shape of any other type.
    Value<T>, ShapeOfValue on Probe<T>
);

impl<T: CacheValue, E> Shape for ResultOption<T, E> {
    type Return = Result<Option<T>, E>;
    type Item = T;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T> {
        match returned {
            Ok(Some(value)) => Loaded::Some(value),
            Ok(None) => Loaded::None,
            Err(_) => Loaded::Failed,
        }
    }

    fn rebuild(stored: Option<T>) -> Option<Self::Return> {
        Some(Ok(stored))
    }
}

impl<T: CacheValue, E> Shape for ResultValue<T, E> {
    type Return = Result<T, E>;
    type Item = T;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T> {
        returned.as_ref().map_or(Loaded::Failed, Loaded::Some)
    }

    fn rebuild(stored: Option<T>) -> Option<Self::Return> {
        stored.map(Ok)
    }
}

impl<T: CacheValue> Shape for OptionValue<T> {
    type Return = Option<T>;
    type Item = T;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T> {
        returned.as_ref().map_or(Loaded::None, Loaded::Some)
    }

    fn rebuild(stored: Option<T>) -> Option<Self::Return> {
        Some(stored)
    }
}

impl<T: CacheValue> Shape for Value<T> {
    type Return = T;
    type Item = T;

    fn inspect(returned: &T) -> Loaded<'_, T> {
        // In a generic function (`async fn f<T>() -> T`) the shape is chosen before `T` is known. If `T` is a `Result`,
        // this cannot see whether it is an `Err`, so no `Result` is stored.
        if std::any::type_name::<T>().starts_with("core::result::Result<") {
            return Loaded::Failed;
        }
        Loaded::Some(returned)
    }

    fn rebuild(stored: Option<T>) -> Option<T> {
        stored
    }
}

/// Whether the return value of a write is a success or a failure.
pub trait Returned: Copy {
    /// The function's return type.
    type Of;
    /// The type of `ret`: that of the `Ok` value, or of the value itself if it is not a `Result`.
    type Ok;

    /// The value of a success; `None` for an `Err`.
    fn ok(returned: &Self::Of) -> Option<&Self::Ok>;
}

impl<T, E> Returned for ResultOption<T, E> {
    type Of = Result<Option<T>, E>;
    type Ok = Option<T>;

    fn ok(returned: &Self::Of) -> Option<&Self::Ok> {
        returned.as_ref().ok()
    }
}

impl<T, E> Returned for ResultValue<T, E> {
    type Of = Result<T, E>;
    type Ok = T;

    fn ok(returned: &Self::Of) -> Option<&Self::Ok> {
        returned.as_ref().ok()
    }
}

impl<T> Returned for OptionValue<T> {
    type Of = Option<T>;
    type Ok = Option<T>;

    fn ok(returned: &Self::Of) -> Option<&Self::Ok> {
        Some(returned)
    }
}

impl<T> Returned for Value<T> {
    type Of = T;
    type Ok = T;

    fn ok(returned: &T) -> Option<&T> {
        Some(returned)
    }
}

/// A return type that can express that a write was not begun, for `on_unavailable = "fail"`.
#[diagnostic::on_unimplemented(
    message = "`on_unavailable = \"fail\"` cannot be expressed by `{Self}`",
    label = "needs `Result<_, E>` with `E: From<cached_core::CacheError>`",
    note = "write `impl From<cached_core::CacheError> for ..` for the error type, or leave `on_unavailable` at \"proceed\""
)]
pub trait Refuse {
    /// The return value of a write that was not begun.
    fn refused(error: CacheError) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<CacheError>> Refuse for Result<T, E> {
    fn refused(error: CacheError) -> Self {
        Err(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Alias<T> = Result<T, String>;

    fn item<S: Shape>(_: S) -> &'static str {
        std::any::type_name::<(S::Item, S::Return)>()
    }

    macro_rules! item_of {
        ($ty:ty) => {
            item((&&&&Probe::<$ty>::NEW).__cached_core_shape())
        };
    }

    #[test]
    fn an_alias_has_the_shape_of_its_type() {
        assert_eq!(item_of!(Alias<Option<u8>>), std::any::type_name::<(u8, Result<Option<u8>, String>)>());
        assert_eq!(item_of!(Alias<u8>), std::any::type_name::<(u8, Result<u8, String>)>());
        assert_eq!(item_of!(Option<u8>), std::any::type_name::<(u8, Option<u8>)>());
        assert_eq!(item_of!(Vec<u8>), std::any::type_name::<(Vec<u8>, Vec<u8>)>());
    }

    #[test]
    fn a_stored_none_does_not_become_a_value() {
        assert!(ResultValue::<u8, ()>::rebuild(None).is_none());
        assert_eq!(ResultOption::<u8, ()>::rebuild(None), Some(Ok(None)));
    }
}
