//! Looks at what stands under a key, as an operator would: nothing is counted, refreshed or kept because of it.
//!
//! # On cancellation
//! Nothing happens.
//!
//! # When Redis is down
//! There is nothing to see.

use crate::engine::SiteRef;
use crate::engine::budget::Budget;
use crate::engine::gate::{get_all, life};
use crate::engine::health::is_on_tokio;
use crate::engine::read::{Judgement, Reading};
use crate::engine::target::Target;
use crate::envelope::times::Times;
use crate::envelope::{self, Entry};
use crate::error::StoreError;
use crate::store::GetAll;
use crate::ttl::Lifetime;
use std::sync::Arc;
use std::time::Duration;

/// A value as it stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) entry: Entry,
    /// The entry's site, without its counters and notices.
    pub(crate) site: SiteRef,
    end: End,
}

/// What is known of the end of a value's time.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The value says it: its end, and the time now, both since 1970 in milliseconds.
    Recorded(u64, u64),
    /// The store says how long it keeps the value, which is for no longer than its time.
    Kept(Duration),
    Unknown,
}

impl Standing {
    /// How long the value is fresh; zero if it is past its end.
    pub(crate) fn left(&self) -> Option<Duration> {
        match self.end {
            End::Recorded(end, now) => Some(Duration::from_millis(end.saturating_sub(now))),
            End::Kept(left) => Some(left),
            End::Unknown => None,
        }
    }

    /// How long ago it was stored, if its time to live was this one: the jitter is made of its stamp.
    pub(crate) fn age(&self, lifetime: Lifetime, jitter: f64) -> Option<Duration> {
        let stamp = self.entry.head.as_ref()?.id();
        let ttl = lifetime.jittered(jitter, (stamp >> 64) as u64);
        match self.end {
            End::Recorded(end, now) => {
                let stored = end.checked_sub(u64::try_from(ttl.as_millis()).ok()?)?;
                now.checked_sub(stored).map(Duration::from_millis)
            }
            End::Kept(left) => ttl.checked_sub(left),
            End::Unknown => None,
        }
    }
}

impl Target {
    /// The value under the key, be it past its end or not.
    pub(crate) async fn peek(mut self) -> Option<Standing> {
        if !is_on_tokio() {
            return None;
        }
        self.site = SiteRef::Other(Arc::new(self.site.uncounted()));
        self.may_read().ok()?;
        let mut budget = self.engine.budget();
        let mut found = self.read_with_times(&mut budget).await.ok()?;
        if let (Reading::Base(base), _) = found {
            self.goes_beside(base);
            found = self.read_with_times(&mut budget).await.ok()?;
        }
        let (Reading::Value(entry), times) = (match found {
            (Reading::Fallback(entry), times) => (Reading::Value(*entry), times),
            found => found,
        }) else {
            return None;
        };
        let end = match times {
            Some(times) => End::Recorded(times.fresh_until, self.engine.clock.wall()),
            None => self.end_in_store(&mut budget).await,
        };
        Some(Standing { entry, site: self.site, end })
    }

    async fn end_in_store(&self, budget: &mut Budget) -> End {
        let place = self.place();
        match budget.step(&self.engine, |store, within| life(store, place, within)).await {
            Ok(Some(left)) => End::Kept(left),
            Ok(None) | Err(_) => End::Unknown,
        }
    }

    async fn read_with_times(&self, budget: &mut Budget) -> Result<(Reading, Option<Times>), StoreError> {
        let keys = self.keys();
        let registers = budget.step(&self.engine, |store, within| get_all(store, GetAll::new(keys, within))).await?;
        let mut registers = registers.into_iter();
        let register = registers.next().flatten();
        let times = register.as_deref().and_then(envelope::times);
        let depends_on: Vec<_> = registers.collect();
        let reading = match self.judge(register, &depends_on) {
            Judgement::Reading(reading) => reading,
            Judgement::UnprovenValue(named) => self.read_named_tags(*named, budget).await?,
        };
        Ok((reading, times))
    }
}
