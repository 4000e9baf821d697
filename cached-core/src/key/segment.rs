//! What each type writes into a key.
//!
//! The forms are chosen so that keys stay readable in `redis-cli` and no two values of different kinds look alike:
//!
//! | value | form | why it cannot be mistaken |
//! |---|---|---|
//! | integer | `42`, `-7` | text of only digits is marked: `'42` |
//! | bool | `true` | the text "true" is marked: `'true` |
//! | text, char | as it is, escaped | empty text is `'`; text that begins with `'`, `~`, `#` or `@` is marked |
//! | `None` | `~` | |
//! | `Some(x)` | as `x` | `Some(None)` gains a `~`: `~~` |
//! | tuple, struct | `(a,b)` | parentheses and commas in text are escaped |
//! | slice | `[a,b]` | likewise |
//! | set, map | `set[a,b]`, `map[(k,v)]`, the items sorted by their forms | likewise, and no name stands in front of a slice |
//! | float, in a hash only | `float[1.5]` | likewise |
//! | enum variant | `Name(a,b)` | likewise; without fields it is the text of its name, so that the two can be mixed |
//!
//! A hash is made of the same forms: `<name:hash>` tells apart what `<name>` does.

use super::SegmentWriter;

/// A value that two calls can be told apart by: different values write different forms, and equal ones the same.
///
/// It is all that a hash needs: `<name:hash>`, `<*>`, the default key and `#[cache_key(hash)]`. What may stand in a key
/// as it is, `<name>`, is a [`KeySegment`] as well.
///
/// Implemented for integers, floats, `bool`, `char`, strings, `Option`, tuples, slices, sets, maps, ranges, references,
/// `Duration`, `SystemTime`, IP addresses and (feature `uuid`) `Uuid`; `#[derive(CacheKey)]` adds structs and enums. It is not
/// made of `Serialize`, which may leave fields out or write two values alike. For a type of another crate that has nothing
/// but `Serialize`, `<name:serde>` and `#[cache_key(serde)]` say that this is its identity.
///
/// Of floats, `0.0` and `-0.0` are one value, and so are all NaN.
///
/// ```
/// use cached_core::{KeyIdentity, KeySegment, SegmentWriter};
///
/// struct Sku(String);
///
/// impl KeyIdentity for Sku {
///     fn write(&self, out: &mut SegmentWriter<'_>) {
///         self.0.to_uppercase().write(out);
///     }
/// }
///
/// // And it may stand in a key as it is.
/// impl KeySegment for Sku {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no identity that a cache key can be made of",
    label = "two of these cannot be told apart",
    note = "for your own type write `#[derive(cached_core::CacheKey)]`",
    note = "for a type of another crate that is `Serialize` write `#[cache_key(serde)]` on the field, or `<name:serde>` in the template"
)]
pub trait KeyIdentity {
    /// Writes `self` in a form that no other value of any kind has, by the writer's methods or by the `write` of other
    /// values. Several in a row are kept apart by commas; an empty one has no form of its own, so call at least one.
    fn write(&self, out: &mut SegmentWriter<'_>);

    /// The value, if it is an integer that is written as one: what the near cache looks up instead of the text.
    #[doc(hidden)]
    fn __word(&self) -> Option<i64> {
        None
    }
}

/// A value that can stand in a key as it is: `<name>`, and the field of an event.
///
/// Implemented for the types that have a [`KeyIdentity`], except for floats: `0.1 + 0.2` and `0.3` would be two entries,
/// and a key that is written by hand could hardly name one. In a hash they can be; `#[derive(CacheKey)]` makes a
/// struct or an enum a segment if all of its fields are, or are hashed by `#[cache_key(hash)]`.
///
/// ```
/// use cached_core::{CacheKey, redis_cached};
///
/// #[derive(CacheKey)]
/// struct Page { from: u64, to: u64 }
///
/// #[derive(CacheKey)]
/// struct Filter { text: String, max_price: Option<f64> }
///
/// #[redis_cached(key = "search:<page>:<filter:hash>")] // `search:(1,20):@5d41..`
/// async fn search(page: Page, filter: &Filter) -> Vec<u64> {
///     vec![]
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a segment of a cache key",
    label = "not usable in a key",
    note = "integers, `bool`, `char`, strings, `Uuid` (feature `uuid`), `Option`, tuples, slices, sets and maps of these can",
    note = "for your own type write `#[derive(CacheKey)]`; for a type of another crate that is `Serialize` write `<name:serde>` in \
            the template, or `#[cache_key(serde)]` on the field",
    note = "floats cannot: round to an integer first, or write `<name:hash>`, or `#[cache_key(hash)]` on the field"
)]
pub trait KeySegment: KeyIdentity {}
