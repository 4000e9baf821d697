#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Makes `::cached_core` name this crate in its own tests and examples as well.
#[cfg_attr(not(test), expect(unused_extern_crates, reason = "used by expansions only"))]
extern crate self as cached_core;

mod background;
mod breaker;
mod cache;
mod clock;
mod codec;
mod counter;
mod engine;
mod envelope;
mod error;
mod event;
mod fingerprint;
mod flight;
mod hand;
mod invalidation;
mod key;
mod lease;
mod many;
mod near;
mod outcome;
mod reason;
mod reexport;
mod round_trip;
mod site;
mod stats;
mod status;
pub mod store;
mod sync;
pub mod testing;
mod ttl;
mod user_code;

#[doc = include_str!("../GUARANTEES.md")]
pub mod guarantees {}

// Only rustdoc reads it, for its pages and for the tests in them.
#[cfg(any(doc, doctest))]
pub mod guide;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use breaker::BreakerState;
pub use cache::audit::{Audit, AuditOptions, Finding, FindingKind, audit};
pub use cache::builder::CacheBuilder;
pub use cache::controlled::{Bypass, WithStatus, bypass, with_status};
pub use cache::entry::{ByHand, Entries, Entry, OfCall, Peek, Untyped};
pub use cache::forced::{Refresh, refresh};
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use cache::layer::{ScopeFuture, ScopeLayer, ScopeService};
pub use cache::scope::in_current_scope;
pub use cache::writes::Deferred;
pub use cache::writing::Writing;
#[cfg(feature = "macros")]
pub use cached_macros::{CacheEvent, CacheKey, redis_cached, redis_invalidate, redis_put};
pub use clock::Clock;
pub use codec::Codec;
pub use engine::handle::Cache;
pub use engine::shutdown::Unfinished;
pub use error::{BuildError, CacheError, EntryError, FaultKind, SiteProblem, StoreError};
pub use event::CacheEvent;
pub use invalidation::{IntoInvalidation, Invalidation, Outcome, Tag};
pub use key::{KeyIdentity, KeySegment, SegmentWriter};
pub use near::{DropReason, NearStats};
pub use outcome::CacheValue;
pub use reason::{MissReason, UnstoredReason};
pub use stats::{SiteStats, Stats};
pub use status::{Answer, CacheStatus, CallStatus};
