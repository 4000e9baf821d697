//! Keys: what makes two calls the same call.
//!
//! A key in Redis is `<namespace>:k:<rendered template>`. A template is literal text with segments in between. The type
//! of each segment renders it ([`KeyIdentity`]) and escapes it, so an argument cannot change where its segment begins
//! or ends.
//!
//! | limit | what happens above it |
//! |---|---|
//! | 64 bytes per segment | the segment becomes `#` and the SHA-256 of its text |
//! | 512 bytes per key | all after the prefix becomes `#` and its SHA-256; a `{hash tag}` stays in front |

mod canonical;
#[cfg(any(feature = "chrono", feature = "rust_decimal", feature = "time", feature = "uuid"))]
mod foreign;
mod hashed;
mod piece;
mod segment;
pub(crate) mod template;
mod values;

#[cfg(fuzzing)]
pub(crate) use canonical::to_string as canonical_text;
pub use hashed::{Hashed, Serialized, SerializedIdentity};
pub use piece::Piece;
pub(crate) use piece::is_rendered;
pub use segment::{KeyIdentity, KeySegment, SegmentWriter};
pub(crate) use template::{Prefix, Unrenderable};
pub use template::{Rendered, TypeName};

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// A key as it stands in the store, prefix included. Shared, so that it can be stored without a copy.
pub type Key = Arc<str>;

/// Longest rendered segment in bytes; a longer one is replaced by its hash.
pub(crate) const MAX_SEGMENT: usize = 64;
/// Longest key in bytes; in a longer one, everything after the prefix is replaced by its hash.
pub(crate) const MAX_KEY: usize = 512;

/// The key of a register's companion, which stands in the same slot of a cluster: `{<key>}:<name>`, or `<key>:{<name>}`
/// if the key has a hash tag of its own. No template renders a key like that: it has at most one pair of braces, and
/// none before the namespace.
pub(crate) fn companion(key: &str, name: &str) -> String {
    let has_hash_tag = key.find('{').is_some_and(|open| key[open + 1..].find('}').is_some_and(|len| len > 0));
    if has_hash_tag { format!("{key}:{{{name}}}") } else { format!("{{{key}}}:{name}") }
}

/// Whether a key begins with this text, or is the companion of one that does.
pub(crate) fn is_under(key: &[u8], prefix: &str) -> bool {
    let begins = |key: &[u8]| key.starts_with(prefix.as_bytes());
    begins(key) || key.strip_prefix(b"{").is_some_and(begins)
}

/// Appends the SHA-256 of `bytes` in hexadecimal. `domain` keeps hashes made for different purposes apart.
fn push_sha256(out: &mut String, domain: &str, bytes: &[u8]) {
    let mut hasher = Sha256::new();
    hasher.update(domain.as_bytes());
    hasher.update([0]);
    hasher.update(bytes);
    for byte in hasher.finalize() {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_companion_stands_in_the_slot_of_its_key() {
        assert_eq!(super::companion("n:k:user:1", "w"), "{n:k:user:1}:w");
        assert_eq!(super::companion("n:k:{user:1}:x", "w"), "n:k:{user:1}:x:{w}");
    }

    #[test]
    fn a_hash_depends_on_its_purpose_and_the_bytes() {
        let mut out = String::from("#");
        super::push_sha256(&mut out, "key", b"abc");
        // printf 'key\0abc' | sha256sum
        assert_eq!(out, "#2128517b6e80ec3a6bd649a475aa3b94f2963691a4ba37c68340c4eafdb5c03b");
    }
}
