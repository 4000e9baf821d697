//! Finishes a successful load: stores the value (FILL), or returns the lease (RELEASE) if the value is not to be
//! stored. A refresh fills over the value that its lease was granted for, and removes that value (RELEASE by its head)
//! if there is nothing to store.
//!
//! Runs in the background, since the caller has its value. The flight goes on until this is done: calls that come
//! meanwhile learn whether the value was proved current, and do not run into a lease that is about to end.
//!
//! An accepted FILL proves that the *key* was not invalidated since the lease was granted. It says nothing about tags,
//! so they are read once more, in a step that begins when FILL does.

use crate::background::BackgroundWork;
use crate::engine::Engine;
use crate::engine::control;
use crate::engine::flight::FlightKey;
use crate::engine::flight_value::FlightValue;
use crate::engine::gate;
use crate::engine::refresh::local::RefreshClaim;
use crate::engine::target::Target;
use crate::envelope::tags::MAX_TAGS;
use crate::envelope::{Entry, Head};
use crate::error::StoreError;
use crate::flight::Lead;
use crate::invalidation::Tag;
use crate::key::Key;
use crate::lease::{Lease, Renewal, random_id};
use crate::reason::UnstoredReason;
use crate::store::{Fill as FillRequest, Release, TagAll};
use crate::ttl::Lifetime;
use bytes::Bytes;
use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// How many fills of a batch run side by side.
const AT_ONCE: usize = 256;

/// The end of one successful load.
pub(crate) struct Fill {
    pub(crate) target: Target,
    /// `None` if nobody waits for the load.
    pub(crate) lead: Option<Lead<FlightKey, FlightValue>>,
    /// The lease of the load; that of a refresh stands on a register of its own.
    pub(crate) lease: Lease,
    /// The head of the value that was refreshed, if one was.
    pub(crate) over: Option<Head>,
    /// The load was forced. That the key was not touched since does not prove that the load began late enough for those
    /// who wait.
    pub(crate) is_forced: bool,
    pub(crate) entry: Entry,
    /// How long to store it, or why it is not stored.
    pub(crate) ttl: Result<Lifetime, UnstoredReason>,
    /// The stamps of the tags on which the load depended.
    pub(crate) stamps: Vec<Head>,
    /// The value tags.
    pub(crate) names: Vec<Tag>,
    pub(crate) load_time: Duration,
    /// The claim of a refresh, held until this is done.
    pub(crate) claim: Option<RefreshClaim>,
}

/// What FILL is to store.
struct FillRegister {
    bytes: Bytes,
    ttl: Duration,
    /// What the value depends on. These tags must still have these stamps if calls that came late are to share the
    /// value.
    tags: Vec<Key>,
    stamps: Vec<Head>,
}

impl Fill {
    /// Starts this, if there is room.
    pub(crate) fn start(self) {
        let (engine, site) = (Arc::clone(&self.target.engine), self.target.site.clone());
        let key = control::is_recorded().then(|| Key::clone(&self.target.key));
        let value = self.counted();
        if !start(&engine, self.run(value)) {
            site.overflowed(key.as_ref());
        }
    }

    /// Starts the fills of a batch in one task that works through them, if there is room for as many as run side by
    /// side. `renewal` keeps their leases until the task has ended.
    pub(crate) fn start_all(engine: &Engine, fills: Vec<Self>, renewal: Option<Renewal>) {
        let Some(site) = fills.first().map(|fill| fill.target.site.clone()) else { return };
        let (len, room) = (fills.len(), fills.len().min(AT_ONCE));
        let recorded = fills.iter().filter(|_| control::is_recorded());
        let keys: Vec<Key> = recorded.map(|fill| Key::clone(&fill.target.key)).collect();
        let fills: Vec<_> = fills.into_iter().map(|fill| (fill.counted(), fill)).collect();
        let all = async move {
            let mut running = stream::iter(fills).map(|(value, fill)| fill.run(value)).buffer_unordered(AT_ONCE);
            while running.next().await.is_some() {}
            drop(renewal);
        };
        if !start_many(engine, room, all) {
            (0..len).for_each(|at| site.overflowed(keys.get(at)));
        }
    }

    /// Counts the value as one that is being stored, if it is to be stored.
    fn counted(&self) -> Option<BackgroundWork> {
        self.ttl.is_ok().then(|| self.target.engine.background.value())
    }

    /// Ends the load. `_value` counts the value meanwhile.
    async fn run(self, _value: Option<BackgroundWork>) {
        let register = match self.ttl {
            Ok(_) if self.target.tags().len() > MAX_TAGS => Err(UnstoredReason::TooManyTags),
            Ok(ttl) if self.names.is_empty() && !self.target.site.names_tags => {
                Ok(self.register(self.target.tags().to_vec(), Vec::new(), ttl))
            }
            Ok(ttl) => Box::pin(self.register_with_value_tags(ttl)).await,
            Err(reason) => Err(reason),
        };
        match register {
            Ok(register) => self.fill(register).await,
            Err(reason) => self.release(reason).await,
        }
    }

    /// Reads the value tags. The register of all tags says whether one of them was invalidated during the load: if it
    /// still is what it was before, they are now what they were then.
    async fn register_with_value_tags(&self, ttl: Lifetime) -> Result<FillRegister, UnstoredReason> {
        let Target { engine, site, .. } = &self.target;
        let prefix = &engine.settings.prefix;
        if self.names.len() > MAX_TAGS {
            return Err(UnstoredReason::TooManyTags);
        }
        let keys: Option<Vec<Key>> = self.names.iter().map(|tag| tag.register(prefix)).collect();
        let mut keys = keys.ok_or(UnstoredReason::Tags)?;
        keys.push(prefix.all_tags());
        // The register of all tags is checked as well: while its own removal is queued, it does not show every
        // invalidation.
        if engine.queue.covers(keys.iter()) {
            return Err(UnstoredReason::Pending);
        }
        let life = ttl.time().saturating_add(site.window);
        let mut stamps = match self.tag(&keys, 2 * life.max(site.tag_time / 2)).await {
            Ok(Some(stamps)) => stamps,
            Ok(None) => return Err(UnstoredReason::Tags),
            Err(_) => return Err(UnstoredReason::Fault),
        };
        if stamps.pop().as_ref() != self.stamps.last() {
            return Err(UnstoredReason::Tags);
        }
        keys.pop();
        let named = keys.iter().map(|key| Box::from(prefix.name_of(key))).zip(stamps).collect();
        Ok(self.register(self.target.tags().iter().cloned().chain(keys).collect(), named, ttl))
    }

    fn register(&self, tags: Vec<Key>, named: Vec<(Box<str>, Head)>, ttl: Lifetime) -> FillRegister {
        let call_stamps = &self.stamps[..self.stamps.len().min(self.target.tags().len())];
        let stamps = call_stamps.iter().copied().chain(named.iter().map(|(_, stamp)| *stamp)).collect();
        let recorded = self.target.recorded(call_stamps, named);
        // A lease is filled at most once, and a refresh lease allows at most one fill, so the lease's random bits can
        // stamp the value as well.
        let stamp = self.lease.id();
        let (bytes, ttl) = self.target.register(self.entry.content(), &recorded, ttl, stamp, self.load_time);
        FillRegister { bytes, ttl, tags, stamps }
    }

    async fn fill(self, register: FillRegister) {
        let (engine, place) = (&self.target.engine, self.target.place());
        let FillRegister { bytes, ttl, tags, stamps } = register;
        let size = bytes.len() as u64;
        let fill = self.lead.as_ref().map(Lead::store_step);
        // Asked now, on behalf of all calls that have joined before the step.
        if let Err(reason) = self.target.may_store() {
            return self.release(reason).await;
        }
        let expected = self.over.unwrap_or_else(|| self.lease.head());
        let mut budget = engine.budget();
        let filling =
            budget.step(engine, |store, within| store.fill(FillRequest::new(place, expected, bytes, ttl, within)));
        let needs_no_proof = self.is_forced || (tags.is_empty() && self.target.base().is_none());
        let (answer, holds) = if needs_no_proof {
            (filling.await, true)
        } else {
            Box::pin(join(filling, self.holds(&tags, &stamps, ttl))).await
        };
        match answer {
            Ok(true) => {
                self.target.stored(size);
                self.target.note_stored();
            }
            Ok(false) => self.target.unstored(UnstoredReason::LeaseLost),
            Err(_) => self.target.unstored(UnstoredReason::Fault),
        }
        let is_stored = matches!(answer, Ok(true));
        if self.over.is_some() || self.is_forced {
            // The near cache may hold the former value, which is older than what this call returns.
            engine.wrote([&self.target.key]);
        }
        if self.over.is_some() {
            let _ = engine.budget().step(engine, |_, within| self.lease.release(within)).await;
        } else if answer.is_ok() {
            self.lease.forget();
        }
        match (self.lead, fill) {
            (Some(lead), Some(fill)) if is_stored && holds && !self.is_forced => lead.proved_current(fill),
            (Some(lead), _) => lead.not_proved(),
            (None, _) => {}
        }
        drop(self.claim);
    }

    async fn release(self, reason: UnstoredReason) {
        let engine = &self.target.engine;
        self.target.unstored(reason);
        if let Some(over) = self.over {
            self.target.end_value(over).await;
        }
        if engine.may_use_store() {
            // If this fails, the lease runs out by itself.
            let _ = engine.budget().step(engine, |_, within| self.lease.release(within)).await;
        }
        if let Some(lead) = self.lead {
            lead.not_proved();
        }
    }

    /// Reads whether what the value depends on still is what it was before the load.
    async fn holds(&self, tags: &[Key], stamps: &[Head], ttl: Duration) -> bool {
        let tags_hold = async {
            tags.is_empty() || matches!(self.tag(tags, ttl.saturating_mul(2)).await, Ok(Some(now)) if now == stamps)
        };
        let (tags_hold, base_holds) = join(tags_hold, self.target.base_holds()).await;
        tags_hold && base_holds
    }

    /// Sends TAG, which also makes the tags live longer than the entry.
    async fn tag(&self, tags: &[Key], ttl: Duration) -> Result<Option<Vec<Head>>, StoreError> {
        let engine = &self.target.engine;
        let Some(fresh) = random_id() else { return Ok(None) };
        engine
            .budget()
            .step(engine, |store, within| gate::tag(store, TagAll::new(tags, Head::value(fresh), ttl, within)))
            .await
    }
}

impl Target {
    /// Removes the value that was to be refreshed. The source has answered and the answer is not stored, so the old
    /// value must not be served any more, neither as stale nor when a load fails. A newer value, or what a writer has
    /// left, stays.
    pub(crate) async fn end_value(&self, head: Head) {
        let engine = &self.engine;
        if engine.may_use_store() {
            // If this fails, the value is found and refreshed again.
            let _ = engine
                .budget()
                .step(engine, |store, within| store.release(Release::new(self.place(), head, within)))
                .await;
        }
        engine.wrote([&self.key]);
    }
}

/// Runs the end of a load in the background. Without room, drops it and returns `false`.
pub(crate) fn start(engine: &Engine, ending: impl Future<Output = ()> + Send + 'static) -> bool {
    start_many(engine, 1, ending)
}

/// As [`start`], for several that run side by side.
fn start_many(engine: &Engine, room: usize, ending: impl Future<Output = ()> + Send + 'static) -> bool {
    let Some(room) = engine.background.ending(room) else { return false };
    let mut ending = Box::pin(ending);
    // Polled here first, so that the command is sent at once, and a store in memory needs no task.
    let is_done = ending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    if !is_done {
        tokio::spawn(async move {
            ending.await;
            drop(room);
        });
    }
    true
}
