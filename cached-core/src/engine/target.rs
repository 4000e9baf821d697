//! What one call is about.

use super::{Engine, FlightKey, SiteRef};
use crate::envelope::{self, Draft, Expected, Head, Register};
use crate::key::Key;
use crate::ttl::jittered;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// An entry in a cache, as one site means it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(super) engine: Arc<Engine>,
    pub(super) site: SiteRef,
    pub(super) key: Key,
    pub(super) fingerprint: u64,
}

impl Target {
    /// Callers share a flight if they mean the same key and the same type.
    pub(super) fn flight(&self) -> FlightKey {
        FlightKey { key: Arc::clone(&self.key), fingerprint: self.fingerprint }
    }

    /// Reads a register that stood under the key.
    pub(super) fn read(&self, register: &[u8]) -> Register {
        let expected = Expected {
            key: &self.key,
            codec: self.site.codec.id(),
            fingerprint: self.fingerprint,
            max_payload: self.engine.settings.max_value_bytes,
        };
        envelope::read(register, expected)
    }

    /// The register of a value stamped with 128 bits that are never used again, and how long it lives; `ttl` is before
    /// jitter, a `payload` of `None` stands for a `None`.
    pub(super) fn register(&self, payload: Option<&[u8]>, ttl: Duration, stamp: u128) -> (Bytes, Duration) {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are as random as the others")]
        let ttl = jittered(ttl, self.site.jitter, stamp as u64);
        let draft = Draft {
            key: &self.key,
            head: Head::value(stamp),
            codec: self.site.codec.id(),
            fingerprint: self.fingerprint,
            payload,
            compress_above: self.engine.settings.compress_above,
        };
        (envelope::write(&draft), ttl)
    }
}
