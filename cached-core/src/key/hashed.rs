//! Segments that are hashes of values.
//!
//! `:hash` segments are written by `SegmentWriter::hashed`, in `key/segment`.

use super::{KeyIdentity, KeySegment, SegmentWriter, canonical, push_sha256};

/// A segment made of the hash of a value: `<name:hash>`, `<*>` and `#[cache_key(hash)]`.
///
/// Hashes the form that the value has in a key, so two values have the same hash if they have the same form.
#[derive(Debug)]
pub struct Hashed<'a, T: ?Sized>(pub &'a T);

impl<T: KeyIdentity + ?Sized> KeyIdentity for Hashed<'_, T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.hashed(self.0);
    }
}

impl<T: KeyIdentity + ?Sized> KeySegment for Hashed<'_, T> {}

/// A segment made of the hash of what a value's `Serialize` writes: `<name:serde>` and `#[cache_key(serde)]`.
///
/// Values that `Serialize` writes alike have the same hash, such as values that differ in a field with
/// `#[serde(skip)]`. Equal values have different hashes if they are written in different orders, as `HashSet`s are.
#[derive(Debug)]
pub struct Serialized<'a, T: ?Sized>(pub &'a T);

/// A type whose `Serialize` is taken as its identity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written into the cache key by its `Serialize`",
    label = "not `Serialize`",
    note = "`:serde` and `#[cache_key(serde)]` are for types of other crates that are `Serialize`",
    note = "for your own type write `#[derive(cached_core::CacheKey)]`, and `:hash` instead of `:serde`",
    note = "of a type that is neither, name what tells two of them apart, and leave out the rest: `<name.field>` with `skip(name)`"
)]
pub trait SerializedIdentity: serde::Serialize {}

// Makes the compiler show the message above instead of one about the bound.
#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + ?Sized> SerializedIdentity for T {}

impl<T: SerializedIdentity + ?Sized> KeyIdentity for Serialized<'_, T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match canonical::to_string(self.0) {
            Ok(text) => {
                out.part().push('@');
                push_sha256(out.raw(), "serde", text.as_bytes());
            }
            Err(_) => out.fail(),
        }
    }
}

impl<T: SerializedIdentity + ?Sized> KeySegment for Serialized<'_, T> {}
