//! Passes strangers, the values that a batch's body returned under ids that nobody asked for, to the other calls that
//! wait for the same load.
//!
//! The calls of a process share encoded entries, which each call decodes. Ids are not encoded, so they are cloned, and
//! only if they borrow nothing. Rust has no bound for that where a type is generic over lifetimes. So types say it by
//! [`OwnedId`], and autoref specialisation finds those that do, as in [`outcome`](crate::outcome).

use crate::envelope::Entry;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The values under ids that nobody asked for.
type Strangers<Id> = Vec<(Id, Entry)>;

/// Strangers of any type of ids, for the calls that share a load.
pub(crate) type SharedStrangers = Arc<dyn Any + Send + Sync>;

/// A type of ids that borrows nothing. `#[derive(CacheKey)]` implements it for types without parameters.
pub trait OwnedId: 'static {}

macro_rules! owned {
    ($($ty:ty)*) => {$(
        impl OwnedId for $ty {}
    )*};
}
owned! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize bool char String Box<str> Arc<str>
    std::net::IpAddr std::net::Ipv4Addr std::net::Ipv6Addr std::path::PathBuf
}
#[cfg(feature = "uuid")]
owned!(uuid::Uuid);
#[cfg(feature = "chrono")]
owned!(chrono::NaiveDate chrono::NaiveDateTime chrono::DateTime<chrono::Utc> chrono::DateTime<chrono::FixedOffset>);
#[cfg(feature = "time")]
owned!(time::Date time::PrimitiveDateTime time::OffsetDateTime time::UtcDateTime);
#[cfg(feature = "rust_decimal")]
owned!(rust_decimal::Decimal);

impl<T: OwnedId> OwnedId for Option<T> {}
impl<T: OwnedId> OwnedId for Vec<T> {}
impl<A: OwnedId, B: OwnedId> OwnedId for (A, B) {}
impl<A: OwnedId, B: OwnedId, C: OwnedId> OwnedId for (A, B, C) {}

/// How strangers with ids of one type get from one call to another, if at all.
pub struct Passage<Id> {
    is_open: bool,
    pack: fn(Strangers<Id>) -> Option<SharedStrangers>,
    unpack: fn(&SharedStrangers) -> Option<Strangers<Id>>,
}

impl<Id> Passage<Id> {
    /// Nothing is passed on.
    pub(crate) const NONE: Self = Self { is_open: false, pack: |_| None, unpack: |_| None };

    /// Whether strangers are passed on.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn pack(&self, strangers: Strangers<Id>) -> Option<SharedStrangers> {
        (self.pack)(strangers)
    }

    /// The strangers, if their ids are of this type.
    pub(crate) fn unpack(&self, shared: &SharedStrangers) -> Option<Strangers<Id>> {
        (self.unpack)(shared)
    }
}

impl<Id> fmt::Debug for Passage<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passage")
    }
}

/// Stands for the type of ids while method resolution finds out whether they can be cloned.
pub struct IdsProbe<Id>(PhantomData<fn() -> Id>);

impl<Id> IdsProbe<Id> {
    /// A probe for the type of these ids.
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

/// Method resolution finds this first: ids that can be cloned.
pub trait PassOwned<Id> {
    /// Passes strangers on.
    fn __cached_core_passage(&self) -> Passage<Id>;
}

impl<Id: OwnedId + Clone + Send + Sync> PassOwned<Id> for &IdsProbe<Id> {
    fn __cached_core_passage(&self) -> Passage<Id> {
        Passage {
            is_open: true,
            pack: |strangers| Some(Arc::new(strangers)),
            unpack: |shared| shared.downcast_ref::<Strangers<Id>>().cloned(),
        }
    }
}

/// Method resolution finds this last: all other ids.
pub trait PassNone<Id> {
    /// Passes nothing on.
    fn __cached_core_passage(&self) -> Passage<Id>;
}

impl<Id> PassNone<Id> for IdsProbe<Id> {
    fn __cached_core_passage(&self) -> Passage<Id> {
        Passage::NONE
    }
}
