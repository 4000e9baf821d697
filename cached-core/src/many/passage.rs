//! How values that a batch's body returned under ids that nobody asked for get to the other calls that wait for the same load.
//!
//! The calls of a process share bytes: an entry is decoded by each. Ids have no bytes of their own, so they are cloned, and only if
//! they borrow nothing. Rust cannot ask a type for that where it is generic over lifetimes; so types say so by [`OwnedId`], and
//! autoref specialisation finds who does, as in [`outcome`](crate::outcome).

use crate::envelope::Entry;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Values under ids that nobody asked for.
type Strangers<Id> = Vec<(Id, Entry)>;

/// Them, whatever the type of their ids.
pub(crate) type Packed = Arc<dyn Any + Send + Sync>;

/// A type of ids that borrows nothing. `#[derive(CacheKey)]` says so of types without parameters.
pub trait OwnedId: 'static {}

macro_rules! owned {
    ($($ty:ty)*) => {$(
        impl OwnedId for $ty {}
    )*};
}
owned! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize bool char String Box<str> Arc<str>
    std::net::IpAddr std::net::Ipv4Addr std::net::Ipv6Addr
}
#[cfg(feature = "uuid")]
owned!(uuid::Uuid);

impl<T: OwnedId> OwnedId for Option<T> {}
impl<T: OwnedId> OwnedId for Vec<T> {}
impl<A: OwnedId, B: OwnedId> OwnedId for (A, B) {}
impl<A: OwnedId, B: OwnedId, C: OwnedId> OwnedId for (A, B, C) {}

/// How ids of one type get from one call to another, if they do.
pub struct Passage<Id> {
    is_open: bool,
    pack: fn(Strangers<Id>) -> Option<Packed>,
    unpack: fn(&Packed) -> Option<Strangers<Id>>,
}

impl<Id> Passage<Id> {
    /// They do not.
    pub(crate) const NONE: Self = Self { is_open: false, pack: |_| None, unpack: |_| None };

    /// Whether they do.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn pack(&self, strangers: Strangers<Id>) -> Option<Packed> {
        (self.pack)(strangers)
    }

    /// Those of this type of ids.
    pub(crate) fn unpack(&self, packed: &Packed) -> Option<Strangers<Id>> {
        (self.unpack)(packed)
    }
}

impl<Id> fmt::Debug for Passage<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passage")
    }
}

/// Stands for ids while it is looked for how they get from one call to another.
pub struct IdsProbe<Id>(PhantomData<fn() -> Id>);

impl<Id> IdsProbe<Id> {
    /// These.
    #[must_use]
    pub fn of(_: &[Id]) -> Self {
        Self(PhantomData)
    }
}

impl<Id> fmt::Debug for IdsProbe<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdsProbe")
    }
}

/// Found first: ids that are cloned.
pub trait PassOwned<Id> {
    /// How they do.
    fn __cached_core_passage(&self) -> Passage<Id>;
}

impl<Id: OwnedId + Clone + Send + Sync> PassOwned<Id> for &IdsProbe<Id> {
    fn __cached_core_passage(&self) -> Passage<Id> {
        Passage {
            is_open: true,
            pack: |strangers| Some(Arc::new(strangers)),
            unpack: |packed| packed.downcast_ref::<Strangers<Id>>().cloned(),
        }
    }
}

/// Found last: all others.
pub trait PassNone<Id> {
    /// They do not.
    fn __cached_core_passage(&self) -> Passage<Id>;
}

impl<Id> PassNone<Id> for IdsProbe<Id> {
    fn __cached_core_passage(&self) -> Passage<Id> {
        Passage::NONE
    }
}
