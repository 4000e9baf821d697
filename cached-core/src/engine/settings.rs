//! The builder's decisions, as the engine needs them.

use crate::codec::Codec;
use crate::key::Prefix;
use crate::near::NearSettings;
use crate::ttl::Classes;
use std::time::Duration;

/// The builder's decisions.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: Prefix,
    /// Part of every fingerprint; `None` if the builder was not given one.
    pub(crate) version: Option<u32>,
    pub(crate) classes: Classes,
    pub(crate) jitter: f64,
    pub(crate) codec: Codec,
    pub(crate) budget: Duration,
    pub(crate) lease_ttl: Duration,
    pub(crate) write_marker_ttl: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) max_value_bytes: usize,
    pub(crate) compress_above: usize,
    pub(crate) load_limit: usize,
    pub(crate) near: NearSettings,
    pub(crate) refresh_cooldown: Duration,
}
