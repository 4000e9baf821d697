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
//!
//! With `error_if`, [`WithErrors`] stands around the shape of a `Result`: errors that the option chooses are stored too.

mod errors;

pub use errors::{ErrorsProbe, FindErrors, RefuseErrors, WithoutValue};
pub(crate) use errors::{RefusedErrors, WithErrors};

use crate::error::CacheError;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// A value that can be stored. Implemented for all types that are `Serialize + DeserializeOwned + 'static`.
///
/// ```
/// use cached_core::{Cache, CacheValue};
///
/// async fn remember<T: CacheValue>(cache: &Cache, value: &T) -> bool {
///     cache.entry("last").set(value).await.is_ok()
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

/// An error that can be stored.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored, which `error_if` asks for",
    label = "the error needs both `serde::Serialize` and `serde::Deserialize`, and no borrowed data",
    note = "errors that `error_if` chooses are stored in Redis and read back: write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`; for a type parameter write `E: cached_core::CacheValue`",
    note = "an error that holds an `io::Error`, a `Box<dyn Error>` or the like cannot be read back: return a small error of your own, with the \
            texts and numbers that callers need, or leave `error_if` out"
)]
pub trait ErrorValue: CacheValue {}

#[diagnostic::do_not_recommend]
impl<E: Serialize + DeserializeOwned + 'static> ErrorValue for E {}

/// Stands for the errors of a function that stores none. There is no such error.
#[derive(Debug, Clone, Copy)]
pub enum NoError {}

impl Serialize for NoError {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for NoError {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("the function stores no errors"))
    }
}

/// The result of a load.
#[derive(Debug)]
pub enum Loaded<'a, T, E> {
    /// A value, which is stored unless the policy refuses it.
    Some(&'a T),
    /// There is nothing under this key; this is stored for the time of a `None`.
    None,
    /// An error, which is stored if `error_if` chooses it. Otherwise the load failed.
    Err(&'a E),
    /// The load failed; this is never stored.
    Failed,
}

/// What was stored.
#[derive(Debug, PartialEq, Eq)]
pub enum Stored<T, E> {
    /// A value.
    Some(T),
    /// A `None`.
    None,
    /// An error.
    Err(E),
}

/// Which part of a return value is stored, and how a return value is built again from it.
pub trait Shape: Copy {
    /// The function's return type.
    type Return;
    /// The part that is stored.
    type Item: CacheValue;
    /// The errors of which some are stored.
    type Error: ErrorValue;

    /// Whether some errors are stored.
    const STORES_ERRORS: bool = false;

    /// Looks at what the function returned.
    fn inspect(returned: &Self::Return) -> Loaded<'_, Self::Item, Self::Error>;

    /// Builds a return value from what was stored; `None` if this type cannot express it.
    fn rebuild(stored: Stored<Self::Item, Self::Error>) -> Option<Self::Return>;
}

/// The shape of a function that can fail, which `error_if` needs.
#[diagnostic::on_unimplemented(
    message = "`error_if` chooses errors that are stored, and this function cannot fail",
    label = "the function returns no `Result`",
    note = "return a `Result`, or leave `error_if` out",
    note = "to choose by the value write `cache_if`; how long a `None` is stored says `none_ttl`"
)]
pub trait Fails: Copy {
    /// What the function returns in its `Ok`, as a shape.
    type Value: Shape<Error = NoError>;
    /// What the function returns in its `Err`.
    type Failure;

    /// The error, if the function returned one.
    fn failure(returned: &<Self::Value as Shape>::Return) -> Option<&Self::Failure>;

    /// Returns this error.
    fn fail(failure: Self::Failure) -> <Self::Value as Shape>::Return;
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
    type Error = NoError;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T, NoError> {
        match returned {
            Ok(Some(value)) => Loaded::Some(value),
            Ok(None) => Loaded::None,
            Err(_) => Loaded::Failed,
        }
    }

    fn rebuild(stored: Stored<T, NoError>) -> Option<Self::Return> {
        Some(Ok(stored.optional()))
    }
}

impl<T: CacheValue, E> Shape for ResultValue<T, E> {
    type Return = Result<T, E>;
    type Item = T;
    type Error = NoError;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T, NoError> {
        returned.as_ref().map_or(Loaded::Failed, Loaded::Some)
    }

    fn rebuild(stored: Stored<T, NoError>) -> Option<Self::Return> {
        stored.optional().map(Ok)
    }
}

impl<T: CacheValue> Shape for OptionValue<T> {
    type Return = Option<T>;
    type Item = T;
    type Error = NoError;

    fn inspect(returned: &Self::Return) -> Loaded<'_, T, NoError> {
        returned.as_ref().map_or(Loaded::None, Loaded::Some)
    }

    fn rebuild(stored: Stored<T, NoError>) -> Option<Self::Return> {
        Some(stored.optional())
    }
}

impl<T: CacheValue> Shape for Value<T> {
    type Return = T;
    type Item = T;
    type Error = NoError;

    fn inspect(returned: &T) -> Loaded<'_, T, NoError> {
        // In a generic function (`async fn f<T>() -> T`) the shape is chosen before `T` is known. If `T` is a `Result`,
        // this cannot see whether it is an `Err`, so no `Result` is stored.
        if std::any::type_name::<T>().starts_with("core::result::Result<") {
            return Loaded::Failed;
        }
        Loaded::Some(returned)
    }

    fn rebuild(stored: Stored<T, NoError>) -> Option<T> {
        stored.optional()
    }
}

impl<T> Stored<T, NoError> {
    fn optional(self) -> Option<T> {
        match self {
            Self::Some(value) => Some(value),
            Self::None => None,
            Self::Err(error) => match error {},
        }
    }
}

impl<T: CacheValue, E> Fails for ResultOption<T, E> {
    type Value = Self;
    type Failure = E;

    fn failure(returned: &Result<Option<T>, E>) -> Option<&E> {
        returned.as_ref().err()
    }

    fn fail(failure: E) -> Result<Option<T>, E> {
        Err(failure)
    }
}

impl<T: CacheValue, E> Fails for ResultValue<T, E> {
    type Value = Self;
    type Failure = E;

    fn failure(returned: &Result<T, E>) -> Option<&E> {
        returned.as_ref().err()
    }

    fn fail(failure: E) -> Result<T, E> {
        Err(failure)
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
        assert!(ResultValue::<u8, ()>::rebuild(Stored::None).is_none());
        assert_eq!(ResultOption::<u8, ()>::rebuild(Stored::None), Some(Ok(None)));
    }

    #[test]
    fn a_stored_error_comes_back_in_place_of_a_value_or_a_none() {
        type Plain = WithErrors<ResultValue<u8, String>>;
        type Optional = WithErrors<ResultOption<u8, String>>;
        let error = || "gone".to_owned();
        assert!(matches!(Plain::inspect(&Err(error())), Loaded::Err(found) if *found == error()));
        assert!(matches!(Plain::inspect(&Ok(1)), Loaded::Some(1)));
        assert!(matches!(Optional::inspect(&Ok(None)), Loaded::None));
        assert_eq!(Plain::rebuild(Stored::Err(error())), Some(Err(error())));
        assert_eq!(Plain::rebuild(Stored::Some(1)), Some(Ok(1)));
        assert_eq!(Plain::rebuild(Stored::None), None);
        assert_eq!(Optional::rebuild(Stored::Err(error())), Some(Err(error())));
        assert_eq!(Optional::rebuild(Stored::None), Some(Ok(None)));
    }

    #[test]
    fn without_the_option_an_error_is_a_failed_load() {
        assert!(matches!(ResultValue::<u8, String>::inspect(&Err(String::new())), Loaded::Failed));
        assert!(matches!(ResultOption::<u8, String>::inspect(&Err(String::new())), Loaded::Failed));
    }
}
