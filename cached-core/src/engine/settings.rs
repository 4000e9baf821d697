//! What the builder has decided, as the engine needs it.

use crate::codec::Codec;
use crate::key::Prefix;
use crate::near::NearSettings;
use crate::ttl::Classes;
use std::time::Duration;

/// What the builder decided.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: Prefix,
    /// Part of every fingerprint; `None`: not said.
    pub(crate) version: Option<u32>,
    pub(crate) classes: Classes,
    pub(crate) jitter: f64,
    pub(crate) codec: Codec,
    pub(crate) budget: Duration,
    pub(crate) lease: Duration,
    pub(crate) marker: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) max_value_bytes: usize,
    pub(crate) compress_above: usize,
    pub(crate) load_limit: usize,
    pub(crate) near: NearSettings,
    pub(crate) throttle: Duration,
}
