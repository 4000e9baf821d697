//! Serializers of payloads.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// How values are written.
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
    /// What JSON has no form for: `NaN` and infinities, and maps whose keys are no strings or numbers (such values are
    /// loaded each time, which the log says once); an `Option` directly inside of another within a value, whose
    /// `Some(None)` is read back as `None`. For these take another codec.
    #[default]
    Json,
    /// MessagePack with field names by `rmp-serde` (feature `msgpack`).
    MessagePack,
    /// postcard (feature `postcard`): the smallest. Not self-describing, so types with `#[serde(flatten)]`, untagged
    /// enums or `skip_serializing_if` cannot be read back.
    Postcard,
}

/// The payload could not be written or read.
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

    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match self {
            Self::Json => serde_json::to_writer(out, value).map_err(|_| CodecError),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => rmp_serde::encode::write_named(out, value).map_err(|_| CodecError),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::to_io(value, out).map(drop).map_err(|_| CodecError),
            #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
            _ => Err(CodecError),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_returns_what_it_was_given_and_nothing_else() {
        for codec in [Codec::Json, Codec::MessagePack, Codec::Postcard] {
            if codec.missing_feature().is_some() {
                continue;
            }
            let value = (vec![Some(0.1f64 + 0.2), None], "text".to_owned(), u64::MAX);
            let mut bytes = Vec::new();
            codec.encode(&value, &mut bytes).unwrap();
            assert_eq!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes).unwrap(), value);

            bytes.push(b'1');
            assert!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes).is_err(), "{codec}: bytes left over");
            assert!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes[..bytes.len() / 2]).is_err(), "{codec}");
        }
    }
}
