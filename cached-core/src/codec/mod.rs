//! Serializers of payloads.

mod coding;
mod guard;
#[cfg(test)]
mod tests;

pub(crate) use guard::Refusal;
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
