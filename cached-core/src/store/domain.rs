//! The parts of a store that fail together.

/// A part of a store that answers or fails on its own, such as one server of several:
/// [`Store::domain`](super::Store::domain).
///
/// ```
/// use cached_core::store::Domain;
///
/// assert_eq!(Domain::default(), Domain::FIRST);
/// assert_eq!(Domain::new(2).index(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Domain(u32);

impl Domain {
    /// The first part, and the only one of a store that answers or fails as a whole.
    pub const FIRST: Self = Self(0);

    /// The part with this index. Indices are small: the parts of a store are numbered from zero.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Domain::new(0), cached_core::store::Domain::FIRST);
    /// ```
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Domain::FIRST.index(), 0);
    /// ```
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0
    }
}
