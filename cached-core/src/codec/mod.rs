//! Serializers of payloads.

mod guard;
#[cfg(test)]
mod tests;

use guard::Guard;
pub(crate) use guard::Refusal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// How values are written.
///
/// A value that its codec would read back as another one is not stored: it is returned to its caller, counted as
/// [`Encode`](crate::UnstoredReason::Encode) or [`Changed`](crate::UnstoredReason::Changed), and said once for each function. To
/// find such types before, check their values in a test: [`testing`](crate::testing).
///
/// ```
/// use cached_core::{Cache, Codec};
///
/// let cache = Cache::builder().codec(Codec::default()).build()?;
/// assert_eq!(Codec::default().to_string(), "json"); // as in `codec = "json"`
/// # Ok::<(), cached_core::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// JSON by `serde_json`: readable in `redis-cli`, the default. `f64` survive to the last bit.
    ///
    /// What JSON has no form for is not stored, but loaded each time, which the log says once: `NaN` and infinities, a
    /// `Some(None)` or `Some(())`, and maps whose keys are no strings or numbers. For these take another codec.
    #[default]
    Json,
    /// MessagePack with field names by `rmp-serde` (feature `msgpack`).
    ///
    /// A `Some(None)` or `Some(())` is written like a `None`, so values that hold one are not stored.
    MessagePack,
    /// postcard (feature `postcard`): the smallest. It knows fields by their place only. So a value with a field that
    /// `skip_serializing_if` leaves out is not stored, nor is one with `#[serde(flatten)]`; internally tagged and untagged
    /// enums cannot be read back and are loaded each time.
    Postcard,
}

/// The payload could not be read.
#[derive(Debug)]
pub(crate) struct CodecError;

impl Codec {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::MessagePack => 1,
            Self::Postcard => 2,
        }
    }

    /// The feature of this crate that has to be on, if it is off.
    pub(crate) const fn missing_feature(self) -> Option<&'static str> {
        match self {
            Self::MessagePack if !cfg!(feature = "msgpack") => Some("msgpack"),
            Self::Postcard if !cfg!(feature = "postcard") => Some("postcard"),
            _ => None,
        }
    }

    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let guard = Guard::of(self);
        let guarded = guard.guarded(value);
        match self {
            Self::Json => serde_json::to_writer(out, &guarded).map_err(|error| guard.refusal(error)),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => rmp_serde::encode::write_named(out, &guarded).map_err(|error| guard.refusal(error)),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::to_io(&guarded, out).map(drop).map_err(|error| guard.refusal(error)),
            #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
            _ => Err(guard.refusal(format_args!("cached-core's feature `{self}` is off"))),
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, CodecError> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|_| CodecError),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => {
                let mut rest = bytes;
                let value = T::deserialize(&mut rmp_serde::Deserializer::new(&mut rest)).map_err(|_| CodecError)?;
                if rest.is_empty() { Ok(value) } else { Err(CodecError) }
            }
            #[cfg(feature = "postcard")]
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Ok(value),
                _ => Err(CodecError),
            },
            #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
            _ => Err(CodecError),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Postcard => "postcard",
        })
    }
}
