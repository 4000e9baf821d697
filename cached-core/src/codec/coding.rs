//! Writes and reads payloads.

use super::Codec;
use super::guard::{Guard, Refusal};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The payload cannot be decoded.
#[derive(Debug)]
pub(crate) struct CodecError;

impl Codec {
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
