//! The optional abilities of a store.

use super::{ForcedRefresh, Lives, Watch};

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
    forced_refresh: Option<&'a dyn ForcedRefresh>,
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
        Self { watch: None, lives: None, forced_refresh: None }
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

    /// Adds the ability to load a register again while its value is served on.
    ///
    /// ```
    /// use cached_core::store::{Capabilities, ForcedRefresh};
    ///
    /// fn of(store: &impl ForcedRefresh) -> Capabilities<'_> {
    ///     Capabilities::none().with_forced_refresh(store)
    /// }
    /// # let store = cached_core::store::MemoryStore::new(1 << 20, cached_core::Clock::system());
    /// # assert!(of(&store).forced_refresh().is_some());
    /// ```
    #[must_use]
    pub const fn with_forced_refresh(mut self, forced_refresh: &'a dyn ForcedRefresh) -> Self {
        self.forced_refresh = Some(forced_refresh);
        self
    }

    /// The ability to load a register again while its value is served on, if the store has it.
    ///
    /// ```
    /// assert!(cached_core::store::Capabilities::none().forced_refresh().is_none());
    /// ```
    #[must_use]
    pub const fn forced_refresh(&self) -> Option<&'a dyn ForcedRefresh> {
        self.forced_refresh
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
