//! Events: a write names those that it causes, and an entry names those that it depends on.

use crate::key::template::{push_fields, rendered};
use crate::key::{Key, KeySegment, Piece, Prefix, Unrenderable};
use crate::user_code::caught;

/// Something that happened to the data: `#[derive(CacheEvent)]`.
///
/// A reading function names the events that make its entries invalid, `invalidate_on = UserUpdated { id }`. A writing
/// function names those that it causes, `#[redis_invalidate(UserUpdated { id: user.id })]`. Neither knows of the other.
///
/// Two events are the same if their names and all of their fields are the same. Fields are key segments, like the
/// arguments in a key, or hashed by `#[cache_key(hash)]`. The event's name is that of the struct, without its module,
/// so that services need not share a crate. If two structs with different meanings have the same name, give one of them
/// `#[event(name = "..")]`.
///
/// ```
/// use cached_core::{Cache, CacheEvent};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(UserUpdated::NAME, "UserUpdated");
/// Cache::memory().emit(&UserUpdated { id: 42 }).await;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache event",
    label = "needs `#[derive(cached_core::CacheEvent)]`",
    note = "an event is a struct whose named fields say what has changed: \
            `#[derive(cached_core::CacheEvent)] struct UserUpdated {{ id: u64 }}`"
)]
pub trait CacheEvent {
    /// The event's name in the store and in messages.
    const NAME: &'static str;
    /// The names of the event's fields.
    const FIELDS: &'static [&'static str];

    /// Passes the fields to `read`, in the order of [`FIELDS`](Self::FIELDS).
    ///
    /// ```
    /// use cached_core::CacheEvent;
    ///
    /// #[derive(CacheEvent)]
    /// struct PriceChanged {
    ///     product: u64,
    ///     country: String,
    /// }
    ///
    /// let event = PriceChanged { product: 7, country: "DE".into() };
    /// assert_eq!(event.with_segments(|fields| fields.len()), 2);
    /// ```
    fn with_segments<R>(&self, read: impl FnOnce(&[&dyn KeySegment]) -> R) -> R;
}

/// What the derive knows about one event.
#[derive(Debug, Clone, Copy)]
pub struct EventSpec {
    /// The event's name.
    pub name: &'static str,
    /// The path of the struct's module.
    pub module: &'static str,
    /// The struct's source file.
    pub file: &'static str,
    /// The struct's line in that file.
    pub line: u32,
    /// The names of the event's fields.
    pub fields: &'static [&'static str],
}

/// The registry's entry for an event, submitted by generated code.
#[derive(Debug)]
pub struct RegisteredEvent(pub EventSpec);

inventory::collect!(RegisteredEvent);

/// All events of the program.
pub(crate) fn all() -> Vec<&'static EventSpec> {
    inventory::iter::<RegisteredEvent>.into_iter().map(|registered| &registered.0).collect()
}

/// An event that a site listens to or emits.
#[derive(Debug, Clone, Copy)]
pub struct EventUse {
    /// The event's name.
    pub name: &'static str,
    /// The option as it is written: `UserUpdated { id }`.
    pub text: &'static str,
    /// Whether any event of that type is meant: `UserUpdated { .. }`.
    pub any: bool,
    /// Arguments that the event's fields use but the site's key does not.
    pub not_in_key: &'static [&'static str],
}

/// A tag that a site's entries have, or that a site invalidates.
#[derive(Debug, Clone, Copy)]
pub struct TagUse {
    /// The tag's template; `None` for value tags.
    pub template: Option<&'static [Piece]>,
    /// Arguments that the tag's template uses but the site's key does not.
    pub not_in_key: &'static [&'static str],
}

impl Prefix {
    /// The register of an event; `None` is for any event of the name.
    pub(crate) fn render_event<E: CacheEvent>(&self, event: Option<&E>) -> Result<Key, Unrenderable> {
        rendered(&self.events, |out, at| {
            at.set(E::NAME);
            out.push_str(E::NAME);
            event.map_or(Some(()), |event| event.with_segments(|segments| push_fields(out, segments)))
        })
    }

    /// The fields of an event as they follow its name, which [`event`](Self::event) takes; `None` if they cannot be
    /// rendered.
    pub(crate) fn event_fields<E: CacheEvent + ?Sized>(event: &E) -> Option<String> {
        let mut out = String::new();
        caught(|| event.with_segments(|segments| push_fields(&mut out, segments))).ok().flatten().map(|()| out)
    }
}
