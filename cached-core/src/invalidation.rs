//! The keys, tags and events that a write invalidates, gathered before they are applied.

use crate::error::CacheError;
use crate::event::{CacheEvent, Topics};
use crate::hand;
use crate::key::{Key, Prefix, Unrenderable};
use std::collections::HashSet;

/// A tag that entries have and writes invalidate: a text, or an event.
///
/// ```
/// use cached_core::Tag;
///
/// assert_eq!(Tag::from("tenant:7"), Tag::new(format!("tenant:{}", 7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(Dependency);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Dependency {
    Text(String),
    Event(Topics),
}

impl Tag {
    /// The tag of that text. Templates of tags put text in as it is, too, so this is the tag `tags = "author:<name>"` of
    /// a function:
    ///
    /// ```
    /// use cached_core::Tag;
    ///
    /// # let name = "Ada";
    /// assert_eq!(Tag::new(format!("author:{name}")), Tag::from("author:Ada"));
    /// ```
    ///
    /// Tags that read alike are one tag: with a name that contains `:`, such as `a:b`, an invalidation may reach more than
    /// it was meant for, never less.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Dependency::Text(text.into()))
    }

    /// The tag of all entries that listen to the event. Use it for value tags:
    ///
    /// ```
    /// use cached_core::{CacheEvent, Tag, redis_cached};
    ///
    /// #[derive(CacheEvent)]
    /// struct ProductChanged {
    ///     id: u64,
    /// }
    ///
    /// #[redis_cached(key = "cart:<user>", tags = |products: &Vec<u64>| changes(products))]
    /// async fn cart(user: u64) -> Vec<u64> {
    ///     vec![1, 2, 3]
    /// }
    ///
    /// fn changes(products: &[u64]) -> Vec<Tag> {
    ///     products.iter().map(|&id| Tag::of(&ProductChanged { id })).collect()
    /// }
    /// ```
    #[must_use]
    pub fn of<E: CacheEvent + ?Sized>(event: &E) -> Self {
        Self(Dependency::Event(Topics::of(event)))
    }

    /// Its name in messages.
    fn name(&self) -> Unrenderable {
        match &self.0 {
            Dependency::Text(_) => "tag",
            Dependency::Event(topics) => topics.name,
        }
    }

    /// Its register in a cache; `None` if it cannot be rendered.
    pub(crate) fn register(&self, prefix: &Prefix) -> Option<Key> {
        match &self.0 {
            Dependency::Text(text) => {
                hand::uses(hand::Kind::Tag, text);
                Some(prefix.tag(text))
            }
            Dependency::Event(topics) => topics.register(prefix),
        }
    }
}

impl From<&str> for Tag {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Tag {
    fn from(text: String) -> Self {
        Self::new(text)
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
    /// The key of a call, without the prefix that the call's cache adds.
    Entry(Box<str>),
    Tag(Tag),
}

impl Invalidation {
    /// An empty invalidation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the entry under `key`, as [`Cache::entry`](crate::Cache::entry) takes it. The keys of annotated functions are escaped (`'42` for the text
    /// "42", `a%3Ab` for "a:b"), so for them use [`entry`](Self::entry), which lets the function render the key.
    ///
    /// It is one key. A pattern, such as `user:*`, is refused: [`Cache::try_write`](crate::Cache::try_write) does not
    /// begin, and the [`Outcome`] of other calls is [`Failed`](Outcome::Failed). To invalidate many entries together,
    /// use a tag or an event.
    ///
    /// [`Entry::key`](crate::Entry::key) returns such a key.
    ///
    /// ```
    /// let what = cached_core::Invalidation::new().key("user:42");
    /// ```
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.items.push(Item::Key(key.into()));
        self
    }

    /// Adds the entry under this key of a call, which comes without the cache's prefix.
    pub(crate) fn by_text(mut self, key: &str) -> Self {
        self.items.push(Item::Entry(key.into()));
        self
    }

    /// Adds all entries that have the tag. It is one tag, and no pattern.
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
    pub fn event<E: CacheEvent + ?Sized>(mut self, event: &E) -> Self {
        self.items.push(Item::Tag(Tag::of(event)));
        self
    }

    /// Adds the entry under each of the keys: see [`key`](Self::key). For writes over many, in one bracket.
    ///
    /// ```
    /// let ids = [1, 2, 3];
    /// let what = cached_core::Invalidation::new().keys(ids.map(|id| format!("user:{id}")));
    /// ```
    pub fn keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        keys.into_iter().fold(self, Self::key)
    }

    /// Adds all entries that have one of the tags: see [`tag`](Self::tag).
    ///
    /// ```
    /// let what = cached_core::Invalidation::new().tags(["tenant:7", "tenant:8"]);
    /// ```
    pub fn tags<T: Into<Tag>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        tags.into_iter().fold(self, Self::tag)
    }

    /// Adds all entries that listen to one of the events: see [`event`](Self::event).
    ///
    /// ```
    /// # #[derive(cached_core::CacheEvent)] struct UserUpdated { id: u64 }
    /// let ids = [1, 2, 3];
    /// let what = cached_core::Invalidation::new().events(ids.map(|id| UserUpdated { id }));
    /// ```
    pub fn events<E: CacheEvent>(self, events: impl IntoIterator<Item = E>) -> Self {
        events.into_iter().fold(self, |what, event| what.event(&event))
    }

    /// Adds everything in another invalidation.
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

    /// Whether it is empty.
    ///
    /// ```
    /// assert!(cached_core::Invalidation::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The registers of its tags and events, which an entry with these tags and events depends on.
    pub(crate) fn tag_registers(&self, prefix: &Prefix) -> Vec<Result<Key, Unrenderable>> {
        let tag = |item: &Item| match item {
            Item::Key(_) | Item::Entry(_) => None,
            Item::Tag(tag) => Some(tag.register(prefix).ok_or(tag.name())),
        };
        self.items.iter().filter_map(tag).collect()
    }

    /// Adds its registers in a cache. Leaves out what cannot be rendered; the last of these is the error.
    pub(crate) fn add_to(&self, registers: &mut Registers, prefix: &Prefix) -> Result<(), Unrenderable> {
        let mut added = Ok(());
        for item in &self.items {
            match item {
                Item::Key(key) => registers.key(prefix.literal(key)),
                Item::Entry(key) => registers.key(prefix.literal(key)),
                Item::Tag(Tag(Dependency::Text(text))) => registers.tag(prefix, prefix.tag(text)),
                Item::Tag(Tag(Dependency::Event(topics))) => added = registers.event(prefix, topics).and(added),
            }
        }
        added
    }

    /// The error for the first item that is a pattern and no name, if there is one. Logs likely mistakes.
    pub(crate) fn pattern(&self, prefix: &Prefix) -> Option<CacheError> {
        let mut pattern = None;
        for item in &self.items {
            let (kind, text) = match item {
                Item::Key(key) => (hand::Kind::Key, &**key),
                Item::Tag(Tag(Dependency::Text(tag))) => (hand::Kind::Tag, &**tag),
                Item::Entry(_) | Item::Tag(Tag(Dependency::Event(..))) => continue,
            };
            match hand::is_name(kind, text) {
                Err(error) => {
                    hand::refuses(kind, text, &error);
                    pattern.get_or_insert(error);
                }
                Ok(()) => hand::invalidates(kind, text, prefix),
            }
        }
        pattern
    }
}

/// All entries that have the tag.
impl From<Tag> for Invalidation {
    fn from(tag: Tag) -> Self {
        Self::new().tag(tag)
    }
}

/// What [`Cache::invalidate`](crate::Cache::invalidate) and [`Cache::write`](crate::Cache::write) take: an
/// [`Invalidation`], an [`Entry`](crate::Entry), a [`Tag`]. A text is not accepted, because it could be a key or a tag.
/// Implemented for every type that is `Into<Invalidation>`.
///
/// ```
/// use cached_core::{Cache, IntoInvalidation, Outcome, Tag};
///
/// async fn changed(cache: &Cache, what: impl IntoInvalidation) -> bool {
///     cache.invalidate(what).await == Outcome::Applied
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(changed(&Cache::memory(), Tag::new("tenant:7")).await);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether it is a key, a tag or an event",
    label = "not an `Invalidation`",
    note = "write `cached_core::Invalidation::new().key(\"user:42\")`, `.tag(\"tenant:7\")` or `.event(&UserUpdated {{ id: 42 }})`",
    note = "one event is passed by reference, `&UserUpdated {{ id: 42 }}`; the entry of an annotated function is that of a call, `cached_core::entry!(find_user(42))?`"
)]
pub trait IntoInvalidation: Into<Invalidation> {}

#[diagnostic::do_not_recommend]
impl<T: Into<Invalidation>> IntoInvalidation for T {}

/// Up to so many keys are compared one by one; beyond that, a set finds duplicates.
const FEW: usize = 16;

/// The registers that a write touches, each once.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    keys: Vec<Key>,
    /// All keys, once there are more than [`FEW`].
    seen: HashSet<Key>,
}

impl Registers {
    pub(crate) fn key(&mut self, key: Key) {
        let is_new = if self.keys.len() < FEW {
            !self.keys.contains(&key)
        } else {
            if self.seen.is_empty() {
                self.seen.extend(self.keys.iter().cloned());
            }
            self.seen.insert(Key::clone(&key))
        };
        if is_new {
            self.keys.push(key);
        }
    }

    /// Adds a tag, and the register that stands for all tags: a load that does not know its value tags until it has
    /// ended depends on that one meanwhile.
    pub(crate) fn tag(&mut self, prefix: &Prefix, tag: Key) {
        // It comes first for stores that remove registers one by one: while a load finds this one unchanged, it must
        // not find a new stamp of the tag.
        self.key(prefix.all_tags());
        self.key(tag);
    }

    /// Adds all topics of an event. If a field cannot be rendered, those without it are added all the same.
    pub(crate) fn event(&mut self, prefix: &Prefix, topics: &Topics) -> Result<(), Unrenderable> {
        topics.registers(prefix).for_each(|topic| self.tag(prefix, topic));
        if topics.are_whole { Ok(()) } else { Err(topics.name) }
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl<E: CacheEvent> From<&E> for Invalidation {
    fn from(event: &E) -> Self {
        Self::new().event(event)
    }
}

/// The result of an invalidation.
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
#[non_exhaustive]
pub enum Outcome {
    /// From now on, no read in any process gets an older value from the store.
    Applied,
    /// The store was out of reach. The invalidation is repeated until the store answers; meanwhile this process neither
    /// reads nor stores the entries concerned. Other processes may still read them.
    Queued,
    /// There is no tokio runtime here to apply it, or a part of it names nothing: a hashed value that does not
    /// serialize, or a pattern (`user:*`). The rest is applied. Or the cache is shut down and the store out of reach:
    /// then nothing is applied, now or later.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_register_is_touched_once_however_many_there_are() {
        let mut registers = Registers::default();
        for _ in 0..2 {
            for n in 0..3 * FEW {
                registers.key(n.to_string().into());
            }
        }
        let expected: Vec<Key> = (0..3 * FEW).map(|n| n.to_string().into()).collect();
        assert_eq!(registers.keys(), expected);
    }
}
