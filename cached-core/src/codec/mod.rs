//! Serializers of payloads.

mod coding;
mod guard;
mod raw;
#[cfg(test)]
mod tests;

pub(crate) use guard::Refusal;
pub use raw::ByteValue;
use std::fmt;

/// The format in which values are stored.
///
/// A value that its codec would read back as another value is not stored. It is returned to its caller and counted as
/// [`Encode`](crate::UnstoredReason::Encode) or [`Changed`](crate::UnstoredReason::Changed), and the log says it once
/// for each function. To find such types earlier, check their values in a test: [`testing`](crate::testing).
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
    /// JSON by `serde_json`, the default: readable in `redis-cli`. An `f64` comes back with exactly the same bits.
    ///
    /// JSON cannot express `NaN` and infinities, `Some(None)`, `Some(())`, and maps whose keys are neither strings nor
    /// numbers. Such values are not stored but loaded each time, and the log says so once. Use another codec for them.
    #[default]
    Json,
    /// MessagePack with field names by `rmp-serde` (feature `msgpack`).
    ///
    /// It writes `Some(None)` and `Some(())` like a `None`, so values that contain one are not stored.
    MessagePack,
    /// postcard (feature `postcard`), the smallest. It identifies fields by their place only. So it does not store
    /// values with `#[serde(flatten)]` or with a field that `skip_serializing_if` leaves out. Internally tagged and
    /// untagged enums cannot be read back and are loaded each time.
    Postcard,
    /// No codec: the bytes of a `Bytes`, a `Vec<u8>`, a `Box<[u8]>`, or an `Arc` of one, as they are, behind the head and
    /// the header of the register. For pictures, pages, and what is encoded already.
    ///
    /// It is for single functions, `codec = "bytes"`, and other types do not compile there. As the codec of a whole cache
    /// it is an error.
    ///
    /// ```
    /// use cached_core::redis_cached;
    ///
    /// #[redis_cached(key = "thumbnail:<id>", codec = "bytes")]
    /// async fn thumbnail(id: u64) -> Result<Option<Vec<u8>>, std::io::Error> {
    ///     Ok(Some(vec![0x89, b'P', b'N', b'G']))
    /// }
    /// ```
    ///
    /// Programs in other languages can read such a value: see the [format of a register][format].
    ///
    /// [format]: https://github.com/cached-rs/cached-core/blob/main/cached-core/FORMAT.md
    Bytes,
}

impl Codec {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::MessagePack => 1,
            Self::Postcard => 2,
            Self::Bytes => 3,
        }
    }

    /// The feature of this crate that the codec needs, if it is off.
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
            Self::Bytes => "bytes",
        })
    }
}
