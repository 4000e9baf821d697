//! Requests that are about one register, or about none.

use crate::store::{Domain, Head, Key, Replace};
use bytes::Bytes;
use std::time::Duration;

/// HIT: asks for a register. See [`Store::get`](crate::store::Store::get).
///
/// ```
/// use cached_core::store::{Get, Key};
/// use std::time::Duration;
///
/// let key = Key::from("shop:k:user:42");
/// let request = Get::new(&key, Duration::from_millis(100));
/// assert_eq!(request.key, &key);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Get<'a> {
    /// The register.
    pub key: &'a Key,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Get<'a> {
    /// Asks for the register `key`.
    ///
    /// ```
    /// # use cached_core::store::{Get, Key};
    /// # use std::time::Duration;
    /// assert_eq!(Get::new(&Key::from("k"), Duration::from_millis(100)).within, Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, within: Duration) -> Self {
        Self { key, within }
    }
}

/// ACQUIRE: asks for a lease. See [`Store::acquire`](crate::store::Store::acquire).
///
/// ```
/// use cached_core::store::{Acquire, Head, Key, Replace};
/// use std::time::Duration;
///
/// let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
/// let request = Acquire::new(&key, lease, Duration::from_secs(10), Duration::from_millis(100));
/// assert_eq!(request.replace, Replace::Nothing);
/// assert_ne!(request.replacing(Replace::unusable(b"damaged")).replace, Replace::Nothing);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Acquire<'a> {
    /// The register.
    pub key: &'a Key,
    /// The lease that the caller wants to hold: the head that is to stand in the register.
    pub lease: Head,
    /// The time after which the lease ends by itself.
    pub ttl: Duration,
    /// What the caller may replace beside an absent register.
    pub replace: Replace,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Acquire<'a> {
    /// Asks for a lease on an absent register.
    ///
    /// ```
    /// # use cached_core::store::{Acquire, Head, Key};
    /// # use std::time::Duration;
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Acquire::new(&key, lease, Duration::from_secs(10), Duration::from_millis(100));
    /// # assert_eq!(request.lease, lease);
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, lease: Head, ttl: Duration, within: Duration) -> Self {
        Self { key, lease, ttl, replace: Replace::Nothing, within }
    }

    /// Lets the lease take the place of what `replace` names as well.
    ///
    /// ```
    /// # use cached_core::store::{Acquire, Head, Key, Replace};
    /// # use std::time::Duration;
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// # let request = Acquire::new(&key, lease, Duration::from_secs(10), Duration::from_millis(100));
    /// let request = request.replacing(Replace::unusable(b"damaged"));
    /// # assert!(request.replace.covers(b"damaged"));
    /// ```
    #[must_use]
    pub fn replacing(self, replace: Replace) -> Self {
        Self { replace, ..self }
    }
}

/// TAKEOVER: asks that whoever began before stores no more. See
/// [`ForcedRefresh::take_over`](crate::store::ForcedRefresh::take_over).
///
/// ```
/// use cached_core::store::{Head, Key, Takeover};
/// use std::time::Duration;
///
/// let fresh = Head::from_bytes(b"V0123456789abcdef").unwrap();
/// let lease = Head::from_bytes(b"Labcdef0123456789").unwrap();
/// let key = Key::from("k");
/// let request = Takeover::new(&key, fresh, lease, Duration::from_secs(10), Duration::from_millis(100));
/// assert_eq!((request.fresh, request.lease), (fresh, lease));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Takeover<'a> {
    /// The register.
    pub key: &'a Key,
    /// The head that a value gets in place of its own.
    pub fresh: Head,
    /// The lease that is to stand where no value stands.
    pub lease: Head,
    /// The time after which the lease ends by itself.
    pub ttl: Duration,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Takeover<'a> {
    /// Asks that the value under `key` gets the head `fresh`, or that `lease` stands there if there is no value.
    ///
    /// ```
    /// # use cached_core::store::{Head, Key, Takeover};
    /// # use std::time::Duration;
    /// # let fresh = Head::from_bytes(b"V0123456789abcdef").unwrap();
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"Labcdef0123456789").unwrap());
    /// let request = Takeover::new(&key, fresh, lease, Duration::from_secs(10), Duration::from_millis(100));
    /// # assert_eq!(request.key, &key);
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, fresh: Head, lease: Head, ttl: Duration, within: Duration) -> Self {
        Self { key, fresh, lease, ttl, within }
    }
}

/// RENEW: asks for more time for a lease. See [`Store::renew`](crate::store::Store::renew).
///
/// ```
/// use cached_core::store::{Head, Key, Renew};
/// use std::time::Duration;
///
/// let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
/// let request = Renew::new(&key, lease, Duration::from_secs(10), Duration::from_millis(100));
/// assert_eq!(request.lease, lease);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Renew<'a> {
    /// The register.
    pub key: &'a Key,
    /// The lease.
    pub lease: Head,
    /// The time after which the lease ends by itself.
    pub ttl: Duration,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Renew<'a> {
    /// Asks that `lease` lives for `ttl` from now.
    ///
    /// ```
    /// # use cached_core::store::{Head, Key, Renew};
    /// # use std::time::Duration;
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Renew::new(&key, lease, Duration::from_secs(10), Duration::from_millis(100));
    /// # assert_eq!(request.ttl, Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, lease: Head, ttl: Duration, within: Duration) -> Self {
        Self { key, lease, ttl, within }
    }
}

/// FILL: asks that a value takes the place of a lease, or of the value that it was made from. See
/// [`Store::fill`](crate::store::Store::fill).
///
/// ```
/// use cached_core::store::{Fill, Head, Key};
/// use std::time::Duration;
///
/// let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
/// let request = Fill::new(&key, lease, "bytes".into(), Duration::from_secs(60), Duration::from_millis(100));
/// assert_eq!(request.expected, lease);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fill<'a> {
    /// The register.
    pub key: &'a Key,
    /// The head that the register must still have.
    pub expected: Head,
    /// The bytes of the value.
    pub value: Bytes,
    /// The time to live of the value.
    pub ttl: Duration,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Fill<'a> {
    /// Asks that `value` is stored for `ttl` if the register still begins with `expected`.
    ///
    /// ```
    /// # use cached_core::store::{Fill, Head, Key};
    /// # use std::time::Duration;
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Fill::new(&key, lease, "bytes".into(), Duration::from_secs(60), Duration::from_millis(100));
    /// # assert_eq!(request.value, "bytes");
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, expected: Head, value: Bytes, ttl: Duration, within: Duration) -> Self {
        Self { key, expected, value, ttl, within }
    }
}

/// RELEASE: asks that a register ends if it has a certain head. See [`Store::release`](crate::store::Store::release).
///
/// ```
/// use cached_core::store::{Head, Key, Release};
/// use std::time::Duration;
///
/// let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
/// assert_eq!(Release::new(&key, lease, Duration::from_millis(100)).head, lease);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Release<'a> {
    /// The register.
    pub key: &'a Key,
    /// The head of the lease or of the value that ends.
    pub head: Head,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Release<'a> {
    /// Asks that the register ends if its head is `head`.
    ///
    /// ```
    /// # use cached_core::store::{Head, Key, Release};
    /// # use std::time::Duration;
    /// # let (key, lease) = (Key::from("k"), Head::from_bytes(b"L0123456789abcdef").unwrap());
    /// let request = Release::new(&key, lease, Duration::from_millis(100));
    /// # assert_eq!(request.key, &key);
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, head: Head, within: Duration) -> Self {
        Self { key, head, within }
    }
}

/// SET: asks that a value is stored whatever the register holds. See [`Store::put`](crate::store::Store::put).
///
/// ```
/// use cached_core::store::{Key, Put};
/// use std::time::Duration;
///
/// let key = Key::from("k");
/// let request = Put::new(&key, "bytes".into(), Duration::from_secs(60), Duration::from_millis(100));
/// assert_eq!(request.value, "bytes");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Put<'a> {
    /// The register.
    pub key: &'a Key,
    /// The bytes of the value.
    pub value: Bytes,
    /// The time to live of the value.
    pub ttl: Duration,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Put<'a> {
    /// Asks that `value` is stored for `ttl`.
    ///
    /// ```
    /// # use cached_core::store::{Key, Put};
    /// # use std::time::Duration;
    /// # let key = Key::from("k");
    /// let request = Put::new(&key, "bytes".into(), Duration::from_secs(60), Duration::from_millis(100));
    /// # assert_eq!(request.ttl, Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, value: Bytes, ttl: Duration, within: Duration) -> Self {
        Self { key, value, ttl, within }
    }
}

/// INVALIDATE: asks that a register is removed. See [`Store::remove`](crate::store::Store::remove).
///
/// ```
/// use cached_core::store::{Key, Remove};
/// use std::time::Duration;
///
/// let key = Key::from("k");
/// assert_eq!(Remove::new(&key, Duration::from_millis(100)).key, &key);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Remove<'a> {
    /// The register.
    pub key: &'a Key,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Remove<'a> {
    /// Asks that the register `key` is removed.
    ///
    /// ```
    /// # use cached_core::store::{Key, Remove};
    /// # use std::time::Duration;
    /// # let key = Key::from("k");
    /// let request = Remove::new(&key, Duration::from_millis(100));
    /// # assert_eq!(request.within, Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, within: Duration) -> Self {
        Self { key, within }
    }
}

/// Asks how long a register lives. See [`Lives::life`](crate::store::Lives::life).
///
/// ```
/// use cached_core::store::{Key, Life};
/// use std::time::Duration;
///
/// let key = Key::from("k");
/// assert_eq!(Life::new(&key, Duration::from_millis(100)).key, &key);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Life<'a> {
    /// The register.
    pub key: &'a Key,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl<'a> Life<'a> {
    /// Asks how long the register `key` lives.
    ///
    /// ```
    /// # use cached_core::store::{Key, Life};
    /// # use std::time::Duration;
    /// # let key = Key::from("k");
    /// let request = Life::new(&key, Duration::from_millis(100));
    /// # assert_eq!(request.within, Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn new(key: &'a Key, within: Duration) -> Self {
        Self { key, within }
    }
}

/// PING: asks for a sign of life. See [`Store::ping`](crate::store::Store::ping).
///
/// ```
/// use cached_core::store::Ping;
/// use std::time::Duration;
///
/// assert_eq!(Ping::new(Duration::from_millis(100)).within, Duration::from_millis(100));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ping {
    /// The part of the store that is asked.
    pub domain: Domain,
    /// The longest time that the answer may take.
    pub within: Duration,
}

impl Ping {
    /// Asks the [first](Domain::FIRST) part of the store for a sign of life.
    ///
    /// ```
    /// # use cached_core::store::Ping;
    /// # use std::time::Duration;
    /// let request = Ping::new(Duration::from_millis(100));
    /// # assert_eq!(request.within, Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn new(within: Duration) -> Self {
        Self { domain: Domain::FIRST, within }
    }

    /// Asks this part of the store.
    ///
    /// ```
    /// # use cached_core::store::{Domain, Ping};
    /// # use std::time::Duration;
    /// let request = Ping::new(Duration::from_millis(100)).of(Domain::new(1));
    /// # assert_eq!(request.domain.index(), 1);
    /// ```
    #[must_use]
    pub fn of(self, domain: Domain) -> Self {
        Self { domain, ..self }
    }
}
