//! Payloads that are the bytes of the value. No serializer takes part: JSON would write `[1,2,3]`.

use bytes::Bytes;
use std::any::Any;
use std::sync::Arc;

/// A type that `codec = "bytes"` can store.
#[diagnostic::on_unimplemented(
    message = "`codec = \"bytes\"` stores bytes as they are, and `{Self}` is no bytes",
    label = "the function returns no `Bytes`, `Vec<u8>` or `Box<[u8]>`",
    note = "the value may be one of these, also in an `Arc`, and the function may return it in an `Option`, a `Result` or both",
    note = "for any other type write `codec = \"json\"`, \"msgpack\" or \"postcard\""
)]
pub trait ByteValue {}

macro_rules! byte_values {
    ($($ty:ty: |$value:ident| $bytes:expr, |$read:ident| $made:expr;)*) => {
        $(impl ByteValue for $ty {})*

        /// The bytes of a value; `None` if it is of another type.
        pub(super) fn bytes_of(value: &dyn Any) -> Option<&[u8]> {
            $(if let Some($value) = value.downcast_ref::<$ty>() {
                return Some($bytes);
            })*
            None
        }

        /// The value of these bytes; `None` if it is of another type.
        pub(super) fn value_of<T: 'static>(bytes: &[u8]) -> Option<T> {
            let mut value: Option<T> = None;
            let place: &mut dyn Any = &mut value;
            $(if let Some(place) = place.downcast_mut::<Option<$ty>>() {
                let $read = bytes;
                *place = Some($made);
                return value;
            })*
            None
        }
    };
}

byte_values! {
    Vec<u8>: |value| value, |read| read.to_vec();
    Bytes: |value| value, |read| Bytes::copy_from_slice(read);
    Box<[u8]>: |value| value, |read| read.into();
    Arc<[u8]>: |value| value, |read| read.into();
    Arc<Vec<u8>>: |value| value, |read| Arc::new(read.to_vec());
    Arc<Bytes>: |value| value, |read| Arc::new(Bytes::copy_from_slice(read));
}
