//! Tells values of different types apart, and values of one type before and after a change.
//!
//! A fingerprint is made of the value's type name, its shape, the codec, the attribute's `version`, the template of the
//! key and the generic arguments of the function. Because of the template, `p:<a>:<b>` and `p:x:<b>` never serve each
//! other's values, even where they render the same key.
//!
//! The shape is what the type's `Deserialize` asks for when it gets made-up values: names of structs, fields and
//! variants, kinds of numbers, `Option`s ([`trace`]). [`buffered`] finds the shape behind serde's buffers.
//!
//! Where part of the shape may be hidden, the attribute's `version` tells one type from the next. Without a `version`,
//! the fingerprint contains the running [`build`], so values of another build are never taken for values of this one.

mod buffered;
mod build;
mod complaint;
mod node;
mod scalars;
#[cfg(test)]
mod tests;
mod trace;

use crate::codec::Codec;
use crate::sync::locked;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use trace::Shape;

/// Tells values of one type, at one site, apart from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) value: u64,
    /// Other builds have another fingerprint for the same type.
    pub(crate) is_of_build: bool,
}

/// The fingerprint of values of type `T`. `site` is the attribute's template of the key, `version` is its `version`.
pub(crate) fn of<T: DeserializeOwned + 'static>(
    codec: Codec,
    version: Option<u32>,
    site: &str,
    generics: &str,
) -> Fingerprint {
    let shape = shape_of::<T>();
    let mut hasher = Sha256::new();
    hasher.update(stored_name(std::any::type_name::<T>()));
    hasher.update([0]);
    hasher.update(&shape.text);
    hasher.update([0]);
    hasher.update(site);
    hasher.update([0]);
    hasher.update(generics);
    hasher.update([0, codec.id()]);
    hasher.update(version.unwrap_or(1).to_le_bytes());
    finished(hasher, shape.is_partial && version.is_none())
}

/// The fingerprint of stored errors of type `E`, at a site whose values have the fingerprint `values`. It is another one
/// than that of any value, so the bytes of the one are never read as the other.
pub(crate) fn of_errors<E: DeserializeOwned + 'static>(values: u64, version: Option<u32>) -> Fingerprint {
    let shape = shape_of::<E>();
    let mut hasher = Sha256::new();
    hasher.update(b"error");
    hasher.update(values.to_le_bytes());
    hasher.update(stored_name(std::any::type_name::<E>()));
    hasher.update([0]);
    hasher.update(&shape.text);
    finished(hasher, shape.is_partial && version.is_none())
}

fn finished(mut hasher: Sha256, is_of_build: bool) -> Fingerprint {
    if is_of_build {
        hasher.update(build::id().to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    Fingerprint { value: u64::from_le_bytes(first), is_of_build }
}

/// The shape of a type. A process finds it once, because a large type takes thousands of made-up values.
fn shape_of<T: DeserializeOwned + 'static>() -> Arc<Shape> {
    static FOUND: Mutex<BTreeMap<TypeId, Arc<Shape>>> = Mutex::new(BTreeMap::new());
    let found = || locked(&FOUND);
    let id = TypeId::of::<T>();
    let known = found().get(&id).cloned();
    known.unwrap_or_else(|| {
        let shape = Arc::new(trace::shape_of::<T>());
        found().insert(id, Arc::clone(&shape));
        shape
    })
}

/// The name of the stored type. An `Arc<User>` is written like a `User`, so a function that returns one can read what a
/// function that returns the other has stored.
fn stored_name(name: &str) -> &str {
    name.strip_prefix("alloc::sync::Arc<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(name)
}

/// The generic arguments in a path: `a::Repo<u8>::find<3>` → `<u8><3>`. Empty if there are none.
pub(crate) fn generics(path: &str) -> String {
    // The angle brackets of `<Repo as Trait>::find`, and of `a::<impl Repo>::find` in another module than the type's,
    // name an impl and no argument, unless there are more brackets inside.
    let path = path.strip_prefix('<').unwrap_or(path).replace("<impl ", "");
    // Lifetimes do not tell values apart, and `#[async_trait]` gives some to every function: `<Repo as Users>::find<'_,
    // '_>`.
    let path = path.replace("'_, ", "").replace("<'_>", "");
    let mut depth = 0u32;
    let mut out = String::new();
    let mut before = ' ';
    for c in path.chars() {
        depth += u32::from(c == '<');
        if depth > 0 {
            out.push(c);
        }
        // The `>` of a `->` closes nothing.
        if c == '>' && before != '-' {
            depth = depth.saturating_sub(1);
        }
        before = c;
    }
    out
}

/// Whether no part of a type's shape can be hidden.
pub(crate) fn is_shape_known<T: DeserializeOwned + 'static>() -> bool {
    !shape_of::<T>().is_partial
}
