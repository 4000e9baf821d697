//! Code of the user's that only the cache runs: it must not break a call that has its value, or could load it (P1).
//!
//! The body of a function is not among it: a panic in there is the caller's, with a cache as without. A program that is built
//! with `panic = "abort"` ends at the first panic, and nothing here can prevent that.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What panicked.
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
}

impl UserCode {
    /// What it costs the calls.
    pub(crate) fn consequence(self) -> &'static str {
        match self {
            Self::Deserialize => "stored values that it cannot read are loaded again",
            Self::Serialize | Self::Ttl | Self::CacheIf | Self::Tags => "the value is returned and not stored",
            Self::Clone => "the near cache does not serve the value",
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
        })
    }
}

/// A panic that was caught, with its message.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

/// Runs such code. As long as it does not panic this costs nothing: the way out of a panic is found in tables.
///
/// Whatever it has changed when it panics is dropped or only the user's, so nothing here is left half-way.
#[inline]
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(Panicked::of)
}

impl Panicked {
    #[cold]
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let payload = match payload.downcast::<&'static str>() {
            Ok(text) => return Self((*text).to_owned()),
            Err(payload) => payload,
        };
        match payload.downcast::<String>() {
            Ok(text) => Self(*text),
            // Its `Drop` is the user's code as well, and may panic in its turn.
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
        let said = |run: fn()| caught(run).unwrap_err().0;
        assert_eq!(said(|| panic!("text")), "text");
        assert_eq!(said(|| panic!("{}", 7)), "7");
        assert_eq!(said(|| std::panic::panic_any(Bomb)), "no text");
    }
}
