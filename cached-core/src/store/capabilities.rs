//! The optional abilities of a store.

use super::{Lives, Watch};

/// What a store can do beyond the steps that every store takes: [`Store::capabilities`](super::Store::capabilities).
///
/// It holds the abilities themselves, not their names. So a store that wraps another one and forwards this answer as a
/// whole loses nothing, not even abilities that a later version of this library adds. A wrapper that changes what the
/// steps are about (their keys, say) must change the abilities alike: it begins with [`none`](Self::none) and adds
/// those that it implements itself.
///
/// ```
/// use cached_core::Clock;
/// use cached_core::store::{Capabilities, MemoryStore, Store};
///
/// let store = MemoryStore::new(1 << 20, Clock::system());
/// assert!(store.capabilities().watch().is_some());
/// assert!(Capabilities::none().watch().is_none());
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Capabilities<'a> {
    watch: Option<&'a dyn Watch>,
    lives: Option<&'a dyn Lives>,
}

impl<'a> Capabilities<'a> {
    /// No ability beyond the steps.
    ///
    /// ```
    /// assert!(cached_core::store::Capabilities::none().watch().is_none());
    /// ```
    #[must_use]
    pub const fn none() -> Self {
        Self { watch: None, lives: None }
    }

    /// Adds the ability to tell of changes.
    ///
    /// ```
    /// use cached_core::store::{Capabilities, Watch};
    ///
    /// fn of(store: &impl Watch) -> Capabilities<'_> {
    ///     Capabilities::none().with_watch(store)
    /// }
    /// # let store = cached_core::store::MemoryStore::new(1 << 20, cached_core::Clock::system());
    /// # assert!(of(&store).watch().is_some());
    /// ```
    #[must_use]
    pub const fn with_watch(mut self, watch: &'a dyn Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The ability to tell of changes, if the store has it.
    ///
    /// ```
    /// assert!(cached_core::store::Capabilities::none().watch().is_none());
    /// ```
    #[must_use]
    pub const fn watch(&self) -> Option<&'a dyn Watch> {
        self.watch
    }

    /// Adds the ability to tell how long registers live.
    ///
    /// ```
    /// use cached_core::store::{Capabilities, Lives};
    ///
    /// fn of(store: &impl Lives) -> Capabilities<'_> {
    ///     Capabilities::none().with_lives(store)
    /// }
    /// # let store = cached_core::store::MemoryStore::new(1 << 20, cached_core::Clock::system());
    /// # assert!(of(&store).lives().is_some());
    /// ```
    #[must_use]
    pub const fn with_lives(mut self, lives: &'a dyn Lives) -> Self {
        self.lives = Some(lives);
        self
    }

    /// The ability to tell how long registers live, if the store has it.
    ///
    /// ```
    /// assert!(cached_core::store::Capabilities::none().lives().is_none());
    /// ```
    #[must_use]
    pub const fn lives(&self) -> Option<&'a dyn Lives> {
        self.lives
    }
}
