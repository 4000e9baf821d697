//! TAKEOVER, with which a forced refresh begins.
//!
//! # On cancellation
//! As for other steps that go out together: it is carried out all the same.
//!
//! # When the server is down
//! It fails within its time, and is not sent again.

use super::answer::{markers, millis};
use super::fault::Copies;
use super::steps::{Step, Steps};
use super::{Key, RedisStore};
use crate::envelope::Head;
use crate::error::{FaultKind, StoreError};
use crate::store::{ForcedRefresh, StoreFuture, TakenOver, Takeover};
use redis::{Cmd, Value};
use std::time::Duration;
use tokio::time::Instant;

/// The script, behind the one that finds markers.
pub(super) const SCRIPT: &str = concat!(include_str!("scripts/marked.lua"), include_str!("scripts/takeover.lua"));

/// All TAKEOVERs of a store.
pub(super) type Takeovers = Steps<TakeoverStep>;

/// TAKEOVER, as its script takes it.
#[derive(Debug, Clone)]
pub(super) struct TakeoverStep {
    key: Key,
    fresh: Head,
    lease: Head,
    ttl: Duration,
}

impl Step for TakeoverStep {
    const COPIES: Copies = Copies::Never;

    fn count(&self) -> usize {
        2
    }

    fn keys(&self, command: &mut Cmd) {
        command.arg(&*self.key).arg(markers(&self.key));
    }

    fn arguments(&self, command: &mut Cmd) {
        command.arg(self.fresh.as_bytes()).arg(self.lease.as_bytes()).arg(millis(self.ttl));
    }
}

impl ForcedRefresh for RedisStore {
    fn take_over<'a>(&'a self, request: Takeover<'a>) -> StoreFuture<'a, TakenOver> {
        let Takeover { key, fresh, lease, ttl, within } = request;
        Box::pin(async move {
            let step = TakeoverStep { key: Key::clone(key), fresh, lease, ttl };
            match self.takeover.take(step, Instant::now() + within).await? {
                Value::Int(1) => Ok(TakenOver::Value),
                Value::Int(0) => Ok(TakenOver::Lease),
                Value::Int(-1) => Ok(TakenOver::Writing),
                other => Err(StoreError::new(FaultKind::Refused, format!("unexpected answer to TAKEOVER: {other:?}"))),
            }
        })
    }
}
