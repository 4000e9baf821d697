//! For the test suites of programs that use this crate: finds values that would come back changed from the cache, and
//! types whose changes a new build could not notice, before they are deployed.
//!
//! ```
//! use cached_core::{Codec, testing};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Reading {
//!     at: u64,
//!     value: Option<f64>,
//! }
//!
//! testing::assert_round_trip(Codec::Json, &Reading { at: 1, value: Some(0.5) });
//! assert!(testing::round_trip(Codec::Json, &Reading { at: 1, value: Some(f64::NAN) }).is_err());
//! assert!(testing::is_shape_known::<Reading>());
//! ```

use crate::codec::Codec;
use crate::fingerprint;
use crate::outcome::CacheValue;
use crate::round_trip::by_eq_and_debug;
use std::any::type_name;
use std::fmt::Debug;

/// Why a value does not come back unchanged from a codec. Its text names the field and says what to write instead.
///
/// ```
/// use cached_core::{Codec, testing};
///
/// let error = testing::round_trip(Codec::Json, &f64::INFINITY).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "a `f64` is NaN or infinite, which json cannot write: write `codec = \"msgpack\"` or \"postcard\", or an \
///      `Option` that is `None` there"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RoundTripError(String);

/// Writes a value with `codec` and reads it back, as a call of a cached function does with that codec.
///
/// Compares both by `==`. If a value is not equal to itself (a NaN), compares what `{:?}` shows of them.
///
/// # Errors
/// [`RoundTripError`] if it cannot be written, cannot be read back, or comes back as another value.
///
/// ```
/// use cached_core::{Codec, testing};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Account {
///     id: u64,
///     #[serde(skip)]
///     password_hash: String,
/// }
///
/// let account = Account { id: 1, password_hash: "$argon2id$..".into() };
/// let error = testing::round_trip(Codec::Json, &account).unwrap_err();
/// assert!(error.to_string().contains("`password_hash`"));
/// ```
pub fn round_trip<T: CacheValue + PartialEq + Debug>(codec: Codec, value: &T) -> Result<(), RoundTripError> {
    let (of, mut bytes) = (type_name::<T>(), Vec::new());
    codec.encode(value, &mut bytes).map_err(|refusal| {
        let (wrong, cure) = refusal.why.advice(codec);
        let field = if refusal.field.is_empty() { String::new() } else { format!("field `{}` of ", refusal.field) };
        RoundTripError(format!("{field}a `{of}` {wrong}: {cure}"))
    })?;
    if codec.decode::<T>(&bytes).is_err() {
        return Err(RoundTripError(format!(
            "a `{of}` cannot be read back from what {codec} has written: what `Serialize` writes must be what \
             `Deserialize` reads"
        )));
    }
    by_eq_and_debug(value, codec, &bytes).map_err(|difference| {
        let near = difference.near.map(|near| format!(", first at `{near}`")).unwrap_or_default();
        RoundTripError(format!(
            "a `{of}` comes back from {codec} as another value{near}: look for `#[serde(skip)]`, `skip_serializing`, \
             `default` and `untagged` there, or let `PartialEq` ignore what may differ"
        ))
    })
}

/// Like [`round_trip`], but panics: one line in a test.
///
/// # Panics
/// If the value does not come back unchanged. The message is that of [`RoundTripError`].
///
/// ```
/// cached_core::testing::assert_round_trip(cached_core::Codec::Json, &vec![Some(1), None]);
/// ```
#[track_caller]
pub fn assert_round_trip<T: CacheValue + PartialEq + Debug>(codec: Codec, value: &T) {
    if let Err(error) = round_trip(codec, value) {
        panic!("{error}");
    }
}

/// Whether a new build notices every change of the type, so that it does not take a value of an old build for its own.
///
/// If this is false, each build uses only the values that it has stored itself, unless the attribute says `version =
/// 1`, which you must then raise when the type changes. It is false for enums with `#[serde(other)]`, structs with
/// flattened optional fields, types that hold more than can be tried, and in programs built with `panic = "abort"`.
///
/// ```
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// #[serde(tag = "kind")]
/// enum Event {
///     Paid { amount: u64 },
///     #[serde(other)]
///     Other,
/// }
///
/// assert!(cached_core::testing::is_shape_known::<Vec<Option<String>>>());
/// assert!(!cached_core::testing::is_shape_known::<Event>());
/// ```
#[must_use]
pub fn is_shape_known<T: serde::de::DeserializeOwned + 'static>() -> bool {
    fingerprint::is_shape_known::<T>()
}
