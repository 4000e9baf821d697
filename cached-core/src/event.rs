//! Events: a write names those that it causes, and an entry names those that it depends on.

mod topic;

pub(crate) use topic::Topics;
pub use topic::{Declared, EventField, Topic};

use crate::key::{KeySegment, Piece};

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
/// An entry listens to one event, `UserUpdated { tenant, id }`, to all events of the type, `UserUpdated { .. }`, or to all
/// that agree in some of the fields, `UserUpdated { tenant, .. }`. For the last of these the event declares which fields:
/// `#[event(by(tenant))]`, and `#[event(by(tenant), by(tenant & country))]` for several. An emitter cannot know who
/// listens, also in other programs, so it touches one more register for each `by`, in the same command.
///
/// ```
/// use cached_core::{Cache, CacheEvent, Outcome};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(UserUpdated::NAME, "UserUpdated");
/// let outcome = Cache::memory().emit(&UserUpdated { id: 42 }).await;
/// assert_eq!(outcome, Outcome::Applied);
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
    /// The fields by which entries can listen to the event, besides all of them and none: `#[event(by(tenant))]`. The
    /// order of the fields has no meaning.
    ///
    /// ```
    /// use cached_core::CacheEvent;
    ///
    /// #[derive(CacheEvent)]
    /// #[event(by(tenant))]
    /// struct UserUpdated {
    ///     tenant: u64,
    ///     id: u64,
    /// }
    ///
    /// assert_eq!(UserUpdated::BY, [["tenant"]]);
    /// ```
    const BY: &'static [&'static [&'static str]] = &[];
    /// How each of the [`FIELDS`](Self::FIELDS) is written; empty if all are written as they are.
    #[doc(hidden)]
    const __FORMS: &'static [u8] = &[];

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
    /// The fields by which entries can listen to it.
    pub by: &'static [&'static [&'static str]],
    /// `#[event(emitted = "by hand")]`: no attribute need emit it.
    pub emitted_by_hand: bool,
    /// `#[event(heard = "by hand")]`: no attribute need listen to it.
    pub heard_by_hand: bool,
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
    /// Which events of that type are meant.
    pub topic: Topic,
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
