//! Writes and reads payloads.

use super::guard::{Cause, Guard, Refusal};
use super::{Codec, raw};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The payload cannot be decoded.
#[derive(Debug)]
pub(crate) struct CodecError;

impl Codec {
    pub(crate) fn encode<T: Serialize + 'static>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let guard = Guard::of(self);
        let guarded = guard.guarded(value);
        match self {
            Self::Json => serde_json::to_writer(out, &guarded).map_err(|error| guard.refusal(error)),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => rmp_serde::encode::write_named(out, &guarded).map_err(|error| guard.refusal(error)),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::to_io(&guarded, out).map(drop).map_err(|error| guard.refusal(error)),
            Self::Bytes => match raw::bytes_of(value) {
                Some(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                None => Err(Refusal { why: Cause::NotBytes, field: String::new() }),
            },
            #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
            _ => Err(guard.refusal(format_args!("cached-core's feature `{self}` is off"))),
        }
    }

    pub(crate) fn decode<T: DeserializeOwned + 'static>(self, payload: &[u8]) -> Result<T, CodecError> {
        match self {
            Self::Json => serde_json::from_slice(payload).map_err(|_| CodecError),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => {
                let mut rest = payload;
                let value = T::deserialize(&mut rmp_serde::Deserializer::new(&mut rest)).map_err(|_| CodecError)?;
                if rest.is_empty() { Ok(value) } else { Err(CodecError) }
            }
            #[cfg(feature = "postcard")]
            Self::Postcard => match postcard::take_from_bytes(payload) {
                Ok((value, [])) => Ok(value),
                _ => Err(CodecError),
            },
            Self::Bytes => raw::value_of(payload).ok_or(CodecError),
            #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
            _ => Err(CodecError),
        }
    }
}
