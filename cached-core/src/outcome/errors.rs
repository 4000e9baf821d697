//! The shape of a function with `error_if`, whose errors are stored like values.
//!
//! An error type that cannot be stored makes one message: method resolution finds another shape for it, and everything
//! after that compiles.

use super::{ErrorValue, Fails, Loaded, NoError, Shape, Stored, Value};
use std::fmt;
use std::marker::PhantomData;

macro_rules! around {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<S>(PhantomData<fn() -> S>);

        impl<S> Copy for $name<S> {}

        impl<S> Clone for $name<S> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<S> fmt::Debug for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

around!(
    /// The shape of a function that stores some of its errors; `S` is that of its return type.
    WithErrors
);
around!(
    /// Stands in its place for a function whose errors cannot be stored, or that has none. No such program compiles.
    RefusedErrors
);
around!(
    /// Stands for the shape `S` while method resolution finds out whether the errors can be stored.
    ErrorsProbe
);

impl<S> ErrorsProbe<S> {
    /// The probe of this shape.
    #[must_use]
    pub fn of(_: S) -> Self {
        Self(PhantomData)
    }
}

/// Tried first: the errors can be stored.
pub trait FindErrors {
    /// The shape of the return type.
    type Of;

    /// The shape around it.
    fn __cached_core_with_errors(&self) -> WithErrors<Self::Of>;
}

impl<S: Fails<Failure: ErrorValue>> FindErrors for &&ErrorsProbe<S> {
    type Of = S;

    fn __cached_core_with_errors(&self) -> WithErrors<S> {
        WithErrors(PhantomData)
    }
}

/// Tried next: its bound is the only error, and the call still has a type.
pub trait RefuseErrors<S> {
    /// Fails to compile, because they cannot be stored.
    fn __cached_core_with_errors(&self) -> RefusedErrors<S>
    where
        S: Fails<Failure: ErrorValue>;
}

impl<S: Shape> RefuseErrors<S> for &ErrorsProbe<S> {
    fn __cached_core_with_errors(&self) -> RefusedErrors<S>
    where
        S: Fails<Failure: ErrorValue>,
    {
        RefusedErrors(PhantomData)
    }
}

/// Tried last: the value cannot be cached either, which another error says.
pub trait WithoutValue<S> {
    /// The shape, which is none.
    fn __cached_core_with_errors(&self) -> RefusedErrors<S>;
}

impl<S> WithoutValue<S> for ErrorsProbe<S> {
    fn __cached_core_with_errors(&self) -> RefusedErrors<S> {
        RefusedErrors(PhantomData)
    }
}

#[expect(clippy::unused_self, reason = "generated code has a shape, and the shape's type decides")]
impl<S: Fails> WithErrors<S> {
    /// `error_if = |error| expression`, which gives the closure the type of its argument.
    #[must_use]
    pub fn error_if(self, error_if: fn(&S::Failure) -> bool) -> fn(&S::Failure) -> bool {
        error_if
    }

    /// The shape of the errors themselves.
    #[must_use]
    pub fn errors(self) -> Value<S::Failure> {
        Value::default()
    }
}

#[expect(clippy::unused_self, reason = "generated code has a shape, and the shape's type decides")]
impl<S> RefusedErrors<S> {
    /// Takes a closure of any error: one error for one fault.
    #[must_use]
    pub fn error_if<E>(self, _: fn(&E) -> bool) -> fn(&NoError) -> bool {
        |error| match *error {}
    }

    /// The shape of errors of which there are none.
    #[must_use]
    pub fn errors(self) -> Value<NoError> {
        Value::default()
    }
}

impl<S: Fails<Failure: ErrorValue>> Shape for WithErrors<S> {
    type Return = <S::Value as Shape>::Return;
    type Item = <S::Value as Shape>::Item;
    type Error = S::Failure;

    const STORES_ERRORS: bool = true;

    fn inspect(returned: &Self::Return) -> Loaded<'_, Self::Item, S::Failure> {
        if let Some(failure) = S::failure(returned) {
            return Loaded::Err(failure);
        }
        match S::Value::inspect(returned) {
            Loaded::Some(value) => Loaded::Some(value),
            Loaded::None => Loaded::None,
            Loaded::Failed => Loaded::Failed,
            Loaded::Err(error) => match *error {},
        }
    }

    fn rebuild(stored: Stored<Self::Item, S::Failure>) -> Option<Self::Return> {
        match stored {
            Stored::Some(value) => S::Value::rebuild(Stored::Some(value)),
            Stored::None => S::Value::rebuild(Stored::None),
            Stored::Err(failure) => Some(S::fail(failure)),
        }
    }
}

impl<S: Shape<Error = NoError>> Shape for RefusedErrors<S> {
    type Return = S::Return;
    type Item = S::Item;
    type Error = NoError;

    fn inspect(returned: &Self::Return) -> Loaded<'_, Self::Item, NoError> {
        S::inspect(returned)
    }

    fn rebuild(stored: Stored<Self::Item, NoError>) -> Option<Self::Return> {
        S::rebuild(stored)
    }
}
