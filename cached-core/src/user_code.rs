//! User code that only the cache runs. It must not break a call that has its value or can load it (P1).
//!
//! The body of a function is not part of it: a panic there reaches the caller, as it would without a cache. A program
//! built with `panic = "abort"` ends at the first panic, which nothing here can prevent.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The user code that panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserCode {
    /// `Deserialize` of the value.
    Deserialize,
    /// `Serialize` of the value.
    Serialize,
    /// The closure of `ttl`.
    Ttl,
    /// The closure of `cache_if`.
    CacheIf,
    /// The closure of `tags`.
    Tags,
    /// `Clone` of the value, for the near cache.
    Clone,
    /// The closure of `error_if`.
    ErrorIf,
}

impl UserCode {
    /// What its panic costs the calls.
    pub(crate) fn consequence(self) -> &'static str {
        match self {
            Self::Deserialize => "stored values that it cannot read are loaded again",
            Self::Serialize | Self::Ttl | Self::CacheIf | Self::Tags => "the value is returned and not stored",
            Self::Clone => "the near cache does not serve the value",
            Self::ErrorIf => "the error counts as a failure of the load and is not stored",
        }
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deserialize => "`Deserialize`",
            Self::Serialize => "`Serialize`",
            Self::Ttl => "the closure of `ttl`",
            Self::CacheIf => "the closure of `cache_if`",
            Self::Tags => "the closure of `tags`",
            Self::Clone => "`Clone`",
            Self::ErrorIf => "the closure of `error_if`",
        })
    }
}

/// A panic that was caught, with its message.
#[derive(Debug)]
pub(crate) struct PanicText(pub(crate) String);

/// Runs user code and catches its panic. This costs nothing unless it panics, because unwinding works by tables.
///
/// What the code has changed by then is dropped or belongs to the user, so nothing of ours is left half-done.
#[inline]
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, PanicText> {
    catch_unwind(AssertUnwindSafe(run)).map_err(PanicText::of)
}

impl PanicText {
    #[cold]
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let payload = match payload.downcast::<&'static str>() {
            Ok(text) => return Self((*text).to_owned()),
            Err(payload) => payload,
        };
        match payload.downcast::<String>() {
            Ok(text) => Self(*text),
            // Not dropped, because its `Drop` is user code as well and may panic, too.
            Err(payload) => {
                std::mem::forget(payload);
                Self("no text".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        assert_eq!(caught(|| 1).unwrap(), 1);
        let message = |run: fn()| caught(run).unwrap_err().0;
        assert_eq!(message(|| panic!("text")), "text");
        assert_eq!(message(|| panic!("{}", 7)), "7");
        assert_eq!(message(|| std::panic::panic_any(Bomb)), "no text");
    }
}
