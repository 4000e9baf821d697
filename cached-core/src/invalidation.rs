//! What a write invalidates: keys, tags and events, gathered before they are applied.

use crate::event::CacheEvent;
use crate::key::{Key, Prefix};
use std::fmt;

/// A free tag of entries, by its text: what `tags = ["tenant:<tenant>"]` renders to.
///
/// ```
/// use cached_core::Tag;
///
/// assert_eq!(Tag::from("tenant:7").to_string(), "tenant:7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// The tag of that text, which is taken as it is. As with keys, parts that users can choose are to be escaped;
    /// templates do it.
    ///
    /// ```
    /// use cached_core::Tag;
    ///
    /// assert_eq!(Tag::new("tenant:7"), Tag::from("tenant:7"));
    /// ```
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Tag {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Tag {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Keys, tags and events that a write makes invalid: for [`Cache::invalidate`](crate::Cache::invalidate) and
/// [`Cache::write`](crate::Cache::write).
///
/// ```
/// use cached_core::{CacheEvent, Invalidation};
///
/// #[derive(CacheEvent)]
/// struct UserUpdated {
///     id: u64,
/// }
///
/// let what = Invalidation::new().event(&UserUpdated { id: 42 }).key("users:newest").tag("tenant:7");
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is invalidated until it is given to `Cache::invalidate` or `Cache::write`"]
pub struct Invalidation {
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Key(String),
    Tag(Tag),
    /// The rendered fields behind the name; `None` if one of them has no form.
    Event(&'static str, Option<String>),
}

impl Invalidation {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the entry under `key`, which is what [`Cache::delete`](crate::Cache::delete) takes.
    ///
    /// ```
    /// let what = cached_core::Invalidation::new().key("user:42");
    /// ```
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.items.push(Item::Key(key.into()));
        self
    }

    /// Adds all entries that have the tag.
    ///
    /// ```
    /// let what = cached_core::Invalidation::new().tag("tenant:7");
    /// ```
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.items.push(Item::Tag(tag.into()));
        self
    }

    /// Adds all entries that listen to the event.
    ///
    /// ```
    /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
    /// let what = cached_core::Invalidation::new().event(&UserUpdated { id: 42 });
    /// ```
    pub fn event<E: CacheEvent>(mut self, event: &E) -> Self {
        self.items.push(Item::Event(E::NAME, Prefix::event_fields(event)));
        self
    }

    /// Adds all that another one holds.
    ///
    /// ```
    /// use cached_core::Invalidation;
    ///
    /// let both = Invalidation::new().key("user:1").and(Invalidation::new().key("user:2"));
    /// ```
    pub fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        self
    }

    /// Whether there is nothing in it.
    ///
    /// ```
    /// assert!(cached_core::Invalidation::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The registers that an entry depends on which depends on these tags and events; `None` for what has no form.
    pub(crate) fn tags(&self, prefix: &Prefix) -> Vec<Option<Key>> {
        let tag = |item: &Item| match item {
            Item::Key(_) => None,
            Item::Tag(tag) => Some(prefix.tag(tag.text())),
            Item::Event(name, fields) => fields.as_ref().map(|fields| prefix.event(name, fields)),
        };
        self.items.iter().map(tag).collect()
    }

    /// Adds the registers that stand for it in a cache.
    pub(crate) fn add_to(&self, registers: &mut Registers, prefix: &Prefix) {
        for item in &self.items {
            match item {
                Item::Key(key) => registers.key(prefix.literal(key)),
                Item::Tag(tag) => registers.tag(prefix, prefix.tag(tag.text())),
                Item::Event(name, fields) => registers.event(prefix, name, fields.as_deref()),
            }
        }
    }
}

/// The registers that a write touches.
#[derive(Debug, Default)]
pub(crate) struct Registers(Vec<Key>);

impl Registers {
    pub(crate) fn key(&mut self, key: Key) {
        if !self.0.contains(&key) {
            self.0.push(key);
        }
    }

    /// A tag, and the register that stands for all tags: what a load does not know the tags of until it has ended
    /// depends on that one meanwhile.
    pub(crate) fn tag(&mut self, prefix: &Prefix, tag: Key) {
        self.key(tag);
        self.key(prefix.all_tags());
    }

    /// An event, and any event of its name. Fields without a form are taken as another event each time; listeners to any
    /// hear of it all the same.
    pub(crate) fn event(&mut self, prefix: &Prefix, name: &str, fields: Option<&str>) {
        self.tag(prefix, prefix.event(name, ""));
        if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
            self.key(prefix.event(name, fields));
        }
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.0
    }
}

impl<E: CacheEvent> From<&E> for Invalidation {
    fn from(event: &E) -> Self {
        Self::new().event(event)
    }
}

/// What became of an invalidation.
///
/// ```
/// use cached_core::{Cache, Invalidation, Outcome};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let outcome = Cache::memory().invalidate(Invalidation::new().key("user:42")).await;
/// assert_eq!(outcome, Outcome::Applied);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use = "an invalidation that is not applied leaves old values to other processes"]
pub enum Outcome {
    /// No read from here on, in any process, gets an older value from the store.
    Applied,
    /// The store could not be asked. It will be, until it answers; meanwhile this process neither reads nor stores what
    /// the invalidation is about. Other processes may still read it.
    Queued,
    /// It could neither be applied nor queued: there is no tokio runtime here to do it.
    Failed,
}
